// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "drive/foreign/byte_source.h"
#include "drive/foreign/partclone_format.h"

namespace tintype {

class SpillFile;

// Which blocks a partclone image holds, and which in its order each is. Kept as pages of 64 Ki blocks with the count of those
// before them: 16 bytes a page, and 8 KiB for pages that are mixed, of which the first 64 MiB stay in memory and the rest goes to a
// temporary file. Any number of threads once loaded.
class UsedBlocks {
 public:
  // Reads the used map behind the header, and checks its checksum or end mark. Errors: corrupt, no_space, and those of the source.
  static Result<std::unique_ptr<UsedBlocks>> load(ByteSource& source, const PartcloneHeader& header, const std::string& name);
  ~UsedBlocks();

  struct Run {
    bool used = false;
    std::uint64_t blocks = 0;  // alike from there on; at least 1, may end before the next change
    std::uint64_t rank = 0;    // used: how many used blocks lie before it
  };
  // block < total; at most `limit` blocks.
  Result<Run> run_at(std::uint64_t block, std::uint64_t limit) const;
  std::uint64_t used() const { return used_; }

 private:
  static constexpr std::uint64_t kPageBlocks = 65536;
  using Page = std::array<std::uint64_t, kPageBlocks / 64>;
  struct Entry {
    std::uint64_t before = 0;
    std::uint32_t used = 0;
    std::uint32_t place = 0;  // of a mixed page: its number among them
  };
  UsedBlocks() = default;
  Result<void> add_page(const Page& page, std::uint64_t blocks, std::uint64_t total);
  Result<std::shared_ptr<const Page>> page_of(const Entry& entry) const;

  std::uint64_t total_ = 0, used_ = 0;
  std::vector<Entry> entries_;
  std::vector<std::shared_ptr<const Page>> mixed_;
  std::uint32_t mixed_count_ = 0;
  std::unique_ptr<SpillFile> spill_;
  mutable std::mutex mutex_;  // the page last read from the file
  mutable std::shared_ptr<const Page> recent_;
  mutable std::uint32_t recent_place_ = 0;
};

}  // namespace tintype
