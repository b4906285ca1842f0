// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tintype {

// What a file carries besides its bytes.
struct OutFacts {
  std::optional<std::int64_t> modified, accessed;  // nanoseconds since 1970 UTC; empty: now
  std::optional<std::uint32_t> mode;               // permission bits; empty: as the system makes new files
  bool read_only = false;                          // take the write bits away
  std::optional<std::uint32_t> owner, group;       // empty: ours
};

// Which file it is, whatever its name.
struct OutIdentity {
  std::uint64_t device = 0, inode = 0;
};

// What happens to something that has the name already. A folder is never replaced.
enum class Existing { keep, replace };

// A file being written, under a name that nobody else uses. Destroying it before publish() removes it.
class OutFile {
 public:
  virtual ~OutFile() = default;
  // Ranges that are never written become holes.
  virtual Result<void> write(std::uint64_t offset, ByteSpan data) = 0;
  // An attribute of the user's own. Error{unsupported} where the file system takes none, or none of that size.
  virtual Result<void> set_attribute(const std::string& name, ByteSpan value) = 0;
  // Gives it its size, its facts and its name. Error{exists} if that is taken.
  virtual Result<OutIdentity> publish(std::uint64_t size_bytes, const OutFacts& facts, Existing existing) = 0;
};

// A folder that files out of an image go to. The names are hostile: one that is empty, ".", "..", or holds a '/' or a zero byte is
// Error{refused}. Nothing is ever reached through a symbolic link, whoever made it, but the outermost folder as the user named it.
// One thread at a time.
class OutFolder {
 public:
  struct Entered {
    std::unique_ptr<OutFolder> folder;
    bool made = false;  // false: it was there already
  };
  virtual ~OutFolder() = default;
  // The folder of that name, made if there is none; `ours_alone`: for nobody else until set_facts(). Error{exists} if the name is
  // that of something else.
  virtual Result<Entered> make_folder(const std::string& name, bool ours_alone) = 0;
  // The same without making it; Error{not_found}.
  virtual Result<std::unique_ptr<OutFolder>> enter(const std::string& name) = 0;
  virtual Result<bool> has(const std::string& name) = 0;
  virtual Result<std::unique_ptr<OutFile>> create(const std::string& name, bool ours_alone) = 0;
  virtual Result<void> make_symlink(const std::string& name, const std::string& target, const OutFacts& facts, Existing existing) = 0;
  // One more name for a file published before as `earlier_name` in `earlier`, which must be a folder of the same kind. Error{mismatch} if
  // it is not that file any more.
  virtual Result<void> make_hard_link(const std::string& name, OutFolder& earlier, const std::string& earlier_name, const OutIdentity& identity,
                                      Existing existing) = 0;
  // Of this folder itself; after all that goes into it.
  virtual Result<void> set_facts(const OutFacts& facts) = 0;
  // Everything written to the file system it lies on is on stable storage when this succeeds.
  virtual Result<void> sync() = 0;
};

// The outermost folder; made if it is not there (not its parents).
Result<std::unique_ptr<OutFolder>> open_out_folder(const std::string& path);

}  // namespace tintype
