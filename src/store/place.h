// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/page_cache.h"
#include "base/result.h"

namespace tintype {

// A file that grows at its end. One thread at a time. Destroying it closes it without promising durability.
class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // Appends all pieces in order. On failure size() tells how much arrived: the caller may make room and
  // append the rest.
  virtual Result<void> append(std::span<const ByteSpan> pieces) = 0;
  virtual std::uint64_t size() const = 0;
  // Everything appended is on stable storage when this succeeds.
  virtual Result<void> sync() = 0;
};

// A file read at any position, from any number of threads.
class ReadFile {
 public:
  virtual ~ReadFile() = default;
  virtual std::uint64_t size() const = 0;
  // All of `out` or an Error; a read past the end is Error{corrupt} (the file is shorter than it should be).
  virtual Result<void> read(std::uint64_t offset, MutableByteSpan out) = 0;
  virtual void will_need(std::uint64_t offset, std::uint64_t length) = 0;
};

// Held while it exists; released when it is destroyed or its process ends, however it ends.
class PlaceLock {
 public:
  virtual ~PlaceLock() = default;
};

// One folder somewhere that holds image files. Names are plain file names in it. Thread safe.
class Place {
 public:
  virtual ~Place() = default;
  virtual std::string describe(const std::string& name) const = 0;  // full path, for messages
  // Whether two names mean one file here, where that is known: in partitions that are not mounted, as their file systems fold case.
  virtual bool same_name(const std::string& a, const std::string& b) { return a == b; }
  // 0600; replaces what is there. The file is locked while the AppendFile exists, also under a name it gets by renaming:
  // if somebody else is writing a file of this name, that is Error{busy} and nothing is touched.
  virtual Result<std::unique_ptr<AppendFile>> create(const std::string& name) = 0;
  // Goes on with a file that an AppendFile left unfinished, cut off to its first `size` bytes, with the same lock. Error{corrupt} if it
  // is shorter, Error{not_found} if it is gone.
  virtual Result<std::unique_ptr<AppendFile>> reopen(const std::string& name, std::uint64_t size) = 0;
  // The same lock on a finished file. Error{busy} if somebody has it, Error{not_found} if there is no such file. Null where
  // the place cannot lock.
  virtual Result<std::unique_ptr<PlaceLock>> lock(const std::string& name) = 0;
  // Whether anybody has the file open now, as a reader of an image has, who takes no lock. False where that cannot be told.
  virtual Result<bool> open_elsewhere(const std::string&) { return false; }
  virtual Result<std::unique_ptr<ReadFile>> open(const std::string& name) = 0;
  virtual Result<bool> exists(const std::string& name) = 0;
  virtual Result<std::vector<std::string>> list() = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;  // atomic, replaces `to`
  virtual Result<void> remove(const std::string& name) = 0;                         // fine if it is not there
  // Makes renames and removals durable.
  virtual Result<void> sync() = 0;
  virtual Result<std::uint64_t> free_bytes() = 0;
  // The largest file the file system takes; empty if there is no limit worth knowing.
  virtual std::optional<std::uint64_t> max_file_bytes() = 0;
};

// A folder of a mounted file system. It must exist unless `make` is set (then it is made, with its parents).
Result<std::unique_ptr<Place>> open_local_place(const std::string& folder, bool make = false, const CacheUse& cache = {});

}  // namespace tintype
