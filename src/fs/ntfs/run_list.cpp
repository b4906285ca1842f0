// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/run_list.h"

#include <algorithm>

namespace tintype::ntfs {
namespace {

// A little-endian signed number of 1 … 8 bytes.
std::int64_t signed_number(ByteSpan bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{u8(bytes, i)} << (8 * i);
  const unsigned spare = 64 - 8 * static_cast<unsigned>(bytes.size());
  return static_cast<std::int64_t>(value << spare) >> spare;
}

}  // namespace

Result<std::optional<Run>> RunDecoder::next() {
  if (rest_.empty() || u8(rest_, 0) == 0) return std::nullopt;
  const std::size_t length_size = u8(rest_, 0) & 0x0f;
  const std::size_t start_size = u8(rest_, 0) >> 4;
  if (length_size == 0 || length_size > 8 || start_size > 8 || rest_.size() < 1 + length_size + start_size)
    return fail(ErrorCode::corrupt, "a run list has a malformed run");
  const std::int64_t length = signed_number(rest_.subspan(1, length_size));
  constexpr std::uint64_t kMaxVcn = std::uint64_t{1} << 62;
  if (length <= 0 || static_cast<std::uint64_t>(length) > kMaxVcn || vcn_ > kMaxVcn - static_cast<std::uint64_t>(length))
    return fail(ErrorCode::corrupt, "a run list has a run of impossible length");
  Run run{vcn_, std::nullopt, static_cast<std::uint64_t>(length)};
  if (start_size > 0) {
    const std::int64_t delta = signed_number(rest_.subspan(1 + length_size, start_size));
    if (__builtin_add_overflow(lcn_, delta, &lcn_) || lcn_ < 0 ||
        !fits(static_cast<std::uint64_t>(lcn_), run.length, total_clusters_))
      return fail(ErrorCode::corrupt, "a run list leaves the volume");
    run.lcn = static_cast<std::uint64_t>(lcn_);
  }
  rest_ = rest_.subspan(1 + length_size + start_size);
  vcn_ += run.length;
  return run;
}

Result<void> RunList::append(ByteSpan mapping_pairs, std::uint64_t lowest_vcn, std::uint64_t highest_vcn,
                             std::uint64_t total_clusters) {
  if (lowest_vcn != clusters()) return fail(ErrorCode::corrupt, "a run list has a gap");
  RunDecoder decoder(mapping_pairs, lowest_vcn, total_clusters);
  while (std::optional<Run> run = TRY(decoder.next())) {
    if (runs_.size() == kMaxRuns) return fail(ErrorCode::corrupt, "a run list is too long");
    runs_.push_back(*run);
  }
  // Old writers leave 0 in the only piece of an attribute; -1 stands for an empty one.
  if (highest_vcn != 0 && decoder.vcn() != highest_vcn + 1)
    return fail(ErrorCode::corrupt, "a run list does not end where its attribute says");
  return {};
}

bool RunList::has_holes() const {
  return std::any_of(runs_.begin(), runs_.end(), [](const Run& run) { return !run.lcn; });
}

std::vector<Extent> RunList::extents(std::uint64_t cluster_bytes) const {
  std::vector<Extent> out;
  for (const Run& run : runs_)
    if (run.lcn) out.push_back({*run.lcn * cluster_bytes, run.length * cluster_bytes});
  return out;
}

const Run* RunList::run_of(std::uint64_t vcn) const {
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), vcn,
                                      [](std::uint64_t at, const Run& run) { return at < run.vcn; });
  if (after == runs_.begin()) return nullptr;
  const Run& run = *(after - 1);
  return vcn - run.vcn < run.length ? &run : nullptr;
}

Result<void> RunList::read(Drive& drive, std::uint64_t cluster_bytes, std::uint64_t offset, MutableByteSpan out) const {
  while (!out.empty()) {
    const Run* run = run_of(offset / cluster_bytes);
    if (!run) return fail(ErrorCode::corrupt, "a stream ends before its size");
    const std::uint64_t ahead = (offset / cluster_bytes - run->vcn) * cluster_bytes + offset % cluster_bytes;
    // A hole's length in bytes may not fit 64 bits; what is wanted here does.
    const std::uint64_t left_clusters = run->length - (offset / cluster_bytes - run->vcn);
    const std::uint64_t wanted_clusters = (offset % cluster_bytes + out.size() - 1) / cluster_bytes + 1;
    const std::size_t n =
        left_clusters >= wanted_clusters
            ? out.size()
            : static_cast<std::size_t>(left_clusters * cluster_bytes - offset % cluster_bytes);
    if (run->lcn)
      TRY(drive.read(*run->lcn * cluster_bytes + ahead, out.first(n)));
    else
      std::fill_n(out.begin(), n, std::byte{0});
    out = out.subspan(n);
    offset += n;
  }
  return {};
}

std::optional<std::uint64_t> RunList::place_of(std::uint64_t offset, std::uint64_t cluster_bytes) const {
  const std::uint64_t vcn = offset / cluster_bytes;
  const Run* run = run_of(vcn);
  if (run == nullptr || !run->lcn) return std::nullopt;
  return (*run->lcn + (vcn - run->vcn)) * cluster_bytes + offset % cluster_bytes;
}

std::uint64_t RunList::zeros_at(Drive& drive, std::uint64_t cluster_bytes, std::uint64_t offset,
                                std::uint64_t length) const {
  const Run* run = run_of(offset / cluster_bytes);
  if (!run || !run->lcn) return 0;
  const std::uint64_t ahead = (offset / cluster_bytes - run->vcn) * cluster_bytes + offset % cluster_bytes;
  const std::uint64_t n = std::min(length, run->length * cluster_bytes - ahead);
  const auto status = drive.status(*run->lcn * cluster_bytes + ahead, n);
  return status && status->state == BlockState::hole ? std::min(n, status->extent.length) : 0;
}

}  // namespace tintype::ntfs
