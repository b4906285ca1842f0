// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/bytes.h"
#include "base/extent.h"
#include "base/result.h"
#include "store/place.h"

namespace tintype {

// The parts of a set as one row of bytes, of the lengths they should have. Thread safe.
class PartRow {
 public:
  // Gives the file of a part; Error{not_found} if it is missing.
  using Opener = std::function<Result<std::shared_ptr<ReadFile>>(std::uint32_t part)>;
  PartRow(std::vector<std::uint64_t> part_bytes, Opener open);

  std::uint64_t size() const { return starts_.back(); }
  std::uint32_t parts() const { return static_cast<std::uint32_t>(starts_.size() - 1); }
  Extent part(std::uint32_t number) const { return {starts_[number], starts_[number + 1] - starts_[number]}; }
  // The part that holds this byte of the row.
  std::uint32_t part_at(std::uint64_t position) const;

  // Bytes of the row; zeros behind its end.
  Result<void> read(std::uint64_t position, MutableByteSpan out);
  // The same for blocks that lie one after the other: which could be read. What cannot be read because it is missing, cut off
  // or damaged on its medium is zeros; any other failure is an Error.
  Result<std::vector<bool>> read_blocks(std::uint64_t position, std::size_t block_bytes, MutableByteSpan out);
  void will_need(std::uint64_t position, std::uint64_t length);
  // The bytes that the part's file has; Error{not_found} if it is missing.
  Result<std::uint64_t> file_bytes(std::uint32_t part);

 private:
  Result<std::shared_ptr<ReadFile>> file(std::uint32_t part);

  std::vector<std::uint64_t> starts_;  // of each part, and the end
  Opener open_;
  std::mutex mutex_;
  std::map<std::uint32_t, Result<std::shared_ptr<ReadFile>>> files_;
};

// True for what reading bytes that are lost looks like.
bool means_lost(const Error& error);

}  // namespace tintype
