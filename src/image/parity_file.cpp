// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/parity_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype {

std::string parity_name(const std::string& image) { return image + ".parity"; }
std::string partial_parity_name(const std::string& image) { return image + ".parity.partial"; }
std::string repair_name(const std::string& name) { return name + ".repair"; }

Result<std::optional<SetId>> parity_set_id(Place& place, const std::string& name) {
  if (!TRY(place.exists(name))) return std::nullopt;
  const Result<std::shared_ptr<ParityFile>> file = ParityFile::open(place, name);
  if (file) return (*file)->head().set_id;
  const ErrorCode code = file.error().code;
  if (code == ErrorCode::corrupt || code == ErrorCode::unsupported || code == ErrorCode::not_found || code == ErrorCode::usage) return std::nullopt;
  return fail(file.error());
}

Result<std::shared_ptr<ParityFile>> ParityFile::open(Place& place, const std::string& name) {
  std::unique_ptr<ReadFile> file = TRY(place.open(name));
  std::shared_ptr<ParityFile> opened(new ParityFile(std::move(file), place.describe(name)));
  TRY(opened->find_head());
  return opened;
}

Result<std::optional<ParityHead>> ParityFile::head_at(std::uint64_t position) const {
  Bytes bytes(kMinParityHeadBytes);
  const auto read = [&](std::uint64_t at, MutableByteSpan out) -> Result<bool> {
    if (!fits(at, out.size(), file_->size())) return false;
    Result<void> done = file_->read(at, out);
    if (!done && !means_lost(done.error())) return fail(std::move(done).error());
    return done.has_value();
  };
  if (!TRY(read(position, bytes))) return std::nullopt;
  const std::optional<std::size_t> claimed = ParityHead::claimed_bytes(bytes);
  if (!claimed) return std::nullopt;
  bytes.resize(*claimed);
  if (!TRY(read(position + kMinParityHeadBytes, MutableByteSpan(bytes).subspan(kMinParityHeadBytes)))) return std::nullopt;
  Result<ParityHead> head = ParityHead::decode(bytes, path_);
  if (head) return *std::move(head);
  if (head.error().code == ErrorCode::unsupported) return fail(std::move(head).error());
  return std::nullopt;
}

Result<void> ParityFile::find_head() {
  std::optional<ParityHead> found = TRY(head_at(0));
  const std::uint64_t end = round_down(file_->size(), kMinParityHeadBytes);
  for (std::uint64_t back = kMinParityHeadBytes; !found && back <= std::min<std::uint64_t>(end, kMaxParityHeadBytes); back += kMinParityHeadBytes)
    found = TRY(head_at(end - back));
  for (std::uint64_t at = kMinParityHeadBytes; !found && at < end; at += kMinParityHeadBytes) found = TRY(head_at(at));
  if (!found)
    return fail(ErrorCode::corrupt, fmt::format("{} is not a recovery file, or all three heads of it are damaged", path_),
                "it is of no use; take it from another copy");
  head_ = *std::move(found);
  for (const std::uint64_t at : head_.heads_at()) {
    const std::optional<ParityHead> copy = TRY(head_at(at));
    if (!copy || copy->encode() != head_.encode()) ++damaged_heads_;
  }
  return {};
}

Result<bool> ParityFile::read_page(std::uint64_t position, const ParityGroup& group, std::size_t page, std::span<BlockSum> out) const {
  Bytes bytes(kParityPageBytes);
  position += page * kParityPageBytes;
  if (!fits(position, bytes.size(), file_->size())) return false;
  Result<void> read = file_->read(position, bytes);
  if (!read && !means_lost(read.error())) return fail(std::move(read).error());
  return read && decode_parity_page(head_.set_id, group.number, page, bytes, out);
}

Result<ParityTable> ParityFile::table(const ParityGroup& group) const {
  ParityTable table;
  table.sums.resize(std::size_t{group.stripes} * head_.stripe_blocks());
  table.known.resize(table.sums.size(), true);
  for (std::size_t page = 0; page < head_.pages(group); ++page) {
    const std::size_t first = page * kPageSums;
    const std::span<BlockSum> sums = std::span(table.sums).subspan(first, std::min(kPageSums, table.sums.size() - first));
    const bool second = TRY(read_page(head_.second_table_at(group), group, page, sums));
    const bool first_copy = TRY(read_page(head_.table_at(group), group, page, sums));
    table.damaged_pages += (second ? 0U : 1U) + (first_copy ? 0U : 1U);
    if (!second && !first_copy) std::fill_n(table.known.begin() + static_cast<std::ptrdiff_t>(first), sums.size(), false);
  }
  return table;
}

Result<std::vector<bool>> ParityFile::read_parity(const ParityGroup& group, std::uint64_t first, MutableByteSpan out) const {
  const std::size_t block = head_.block_bytes;
  std::vector<bool> sound(out.size() / block, true);
  const std::uint64_t at = head_.parity_at(group) + first * block;
  if (fits(at, out.size(), file_->size()) && file_->read(at, out)) return sound;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    Result<void> read;
    if (!fits(at + i * block, block, file_->size()))
      read = fail(ErrorCode::corrupt, fmt::format("{} is cut off", path_));
    else
      read = file_->read(at + i * block, out.subspan(i * block, block));
    if (!read && !means_lost(read.error())) return fail(std::move(read).error());
    sound[i] = read.has_value();
  }
  return sound;
}

Result<BlockVerdict> BlockChecker::check(std::uint64_t stripe, std::uint32_t position, ByteSpan block, bool read) {
  const ParityHead& head = file_.head();
  const std::uint64_t group = stripe / head.group_stripes;
  if (group_ != group) {
    group_.reset();
    table_ = TRY(file_.table(head.group(group)));
    group_ = group;
  }
  const std::size_t entry = static_cast<std::size_t>(stripe % head.group_stripes) * head.stripe_blocks() + position;
  if (!table_.known[entry]) return BlockVerdict::unknown;
  return read && block_sum(block) == table_.sums[entry] ? BlockVerdict::sound : BlockVerdict::damaged;
}

}  // namespace tintype
