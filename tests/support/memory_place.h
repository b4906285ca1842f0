// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/place.h"

namespace tintype::test {

// What goes wrong, and when. Operations are counted from 1: everything but reading from an open file is one.
struct PlaceFaults {
  std::uint64_t fail_at = 0;   // this one fails and does nothing; later ones work
  std::uint64_t stop_at = 0;   // this one and all later ones fail and do nothing: the process was killed
  std::uint64_t lie_at = 0;    // this one is done and reports failure, as a network may
  std::uint64_t capacity_bytes = ~std::uint64_t{0};  // of all files together; an append takes what fits, then Error{no_space}
};

// A folder in memory that knows what of it would survive a power cut: file contents up to their last sync, names as of the last
// sync of the folder, and of the changes after it any that the file system happened to have written. Thread safe.
class MemoryPlace final : public Place, public std::enable_shared_from_this<MemoryPlace> {
 public:
  PlaceFaults faults;
  std::uint64_t operations() const { return operations_; }

  // The place after a power cut: of the folder's changes since its last sync those are kept for which `kept` says so.
  std::shared_ptr<MemoryPlace> after_power_cut(const std::function<bool(std::size_t change)>& kept) const;
  std::size_t unsynced_changes() const { return changes_.size(); }
  std::shared_ptr<MemoryPlace> copy() const;

  void put(const std::string& name, ByteSpan content);
  Bytes get(const std::string& name) const;
  std::vector<std::string> names() const;  // sorted

  std::string describe(const std::string& name) const override { return name; }
  Result<std::unique_ptr<AppendFile>> create(const std::string& name) override;
  Result<std::unique_ptr<AppendFile>> reopen(const std::string& name, std::uint64_t size) override;
  Result<std::unique_ptr<PlaceLock>> lock(const std::string& name) override;
  Result<std::unique_ptr<ReadFile>> open(const std::string& name) override;
  Result<bool> exists(const std::string& name) override;
  Result<std::vector<std::string>> list() override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& name) override;
  Result<void> sync() override;
  Result<std::uint64_t> free_bytes() override { return std::uint64_t{1} << 40; }
  std::optional<std::uint64_t> max_file_bytes() override { return std::nullopt; }

 private:
  struct File {
    Bytes content;
    std::size_t synced = 0;
    bool locked = false;
  };
  struct Handle;
  struct Appender;
  struct Reader;
  using Folder = std::map<std::string, std::shared_ptr<File>>;
  // A file that comes to stand under `to` (null: none), and the name it leaves (empty: none).
  struct Change {
    std::string from, to;
    std::shared_ptr<File> file;
  };

  // Counts an operation; `act` is done unless it is the one to fail.
  Result<void> step(const std::function<Result<void>()>& act);
  static void apply(Folder& folder, const Change& change);
  void change(Change change);
  std::uint64_t used_bytes() const;
  static std::shared_ptr<MemoryPlace> with(const Folder& folder, bool only_synced);

  mutable std::recursive_mutex mutex_;
  std::uint64_t operations_ = 0;
  Folder folder_, durable_;
  std::vector<Change> changes_;
};

}  // namespace tintype::test
