// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/parity_format.h"
#include "image/parity_set.h"
#include "store/place.h"

namespace tintype {

// "pc.tti.parity"; while it is being written "pc.tti.parity.partial"; while it is being rebuilt "pc.tti.parity.repair".
std::string parity_name(const std::string& image);
std::string partial_parity_name(const std::string& image);
// What a repair writes before it takes the place of the file: "pc.tti.1.repair".
std::string repair_name(const std::string& name);

// Whether the file begins like a recovery file, and of which set it says it is; empty if it does not or is not there.
// Cheap: reads one head.
Result<std::optional<SetId>> parity_set_id(Place& place, const std::string& name);

// The table of a group: what is known of the sums of its blocks.
struct ParityTable {
  std::vector<BlockSum> sums;  // stripe by stripe
  std::vector<bool> known;     // false: both copies of its page are damaged
  std::uint64_t damaged_pages = 0;
};

// A recovery file, for reading. Any of its heads will do. Thread safe.
class ParityFile {
 public:
  // Error{not_found} if there is no such file, Error{corrupt} if no head of it is sound.
  static Result<std::shared_ptr<ParityFile>> open(Place& place, const std::string& name);

  const ParityHead& head() const { return head_; }
  const std::string& path() const { return path_; }
  unsigned damaged_heads() const { return damaged_heads_; }
  bool wrong_length() const { return file_->size() != head_.file_bytes(); }
  Result<ParityTable> table(const ParityGroup& group) const;
  // Parity blocks of a group from number `first` on, stripe by stripe; which could be read.
  Result<std::vector<bool>> read_parity(const ParityGroup& group, std::uint64_t first, MutableByteSpan out) const;

 private:
  ParityFile(std::shared_ptr<ReadFile> file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  Result<void> find_head();
  Result<std::optional<ParityHead>> head_at(std::uint64_t position) const;
  Result<bool> read_page(std::uint64_t position, const ParityGroup& group, std::size_t page, std::span<BlockSum> out) const;

  std::shared_ptr<ReadFile> file_;
  std::string path_;
  ParityHead head_;
  unsigned damaged_heads_ = 0;
};

enum class BlockVerdict { sound, damaged, unknown };

// Compares blocks with their sums; keeps the table of the group it looked at last. One per thread.
class BlockChecker {
 public:
  explicit BlockChecker(const ParityFile& file) : file_(file) {}
  // `position`: in the stripe, data blocks first. `read`: false if the block's bytes could not be had.
  Result<BlockVerdict> check(std::uint64_t stripe, std::uint32_t position, ByteSpan block, bool read);

 private:
  const ParityFile& file_;
  std::optional<std::uint64_t> group_;
  ParityTable table_;
};

}  // namespace tintype
