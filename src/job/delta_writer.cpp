// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/delta_writer.h"

#include <algorithm>
#include <cstring>

namespace tintype {
namespace {

// What drives and file systems write at once. Smaller differences would cost them a read before the write.
constexpr std::uint64_t kGrainBytes = 4096;
// Reading over less costs a drive less than another request does.
constexpr std::uint64_t kGapBytes = 64 * 1024;

std::uint64_t total(const std::vector<Extent>& extents) {
  std::uint64_t bytes = 0;
  for (const Extent& extent : extents) bytes += extent.length;
  return bytes;
}

}  // namespace

Result<DeltaCount> DeltaWriter::write(ChunkReader& reader, const ImageChunk& chunk, const CopyStep& step, bool whole) {
  DeltaCount count;
  const Window window{chunk.extent, chunk.used, chunk.entry.kind == ChunkEntry::Kind::zero};
  const bool known = read_target(window, step.target_byte);
  if (known) {
    count.compared_bytes = total(chunk.used);
    if (window.zero ? all_zero(found_) : whole && hasher_.hash(found_) == chunk.entry.hash) return count;
  }
  // The target is often in just the state that a delta is against; then what it builds on need not be read.
  const bool read = known && TRY(reader.read_onto(step.area, chunk.number, chunk.extent.length, chunk.entry, found_, content_));
  if (!read) TRY(reader.read(step.area, chunk.number, chunk.extent.length, chunk.entry, content_));
  count.written_bytes = TRY(write_used(window, step.target_byte, known));
  return count;
}

Result<DeltaCount> DeltaWriter::write(const Window& window, std::uint64_t area_byte, const Fetch& fetch) {
  DeltaCount count;
  const bool known = read_target(window, area_byte);
  if (known) {
    count.compared_bytes = total(window.used);
    if (window.zero && all_zero(found_)) return count;
  }
  content_.resize(static_cast<std::size_t>(window.extent.length));
  if (window.zero) std::ranges::fill(content_, std::byte{0});
  else TRY(fetch(content_));
  count.written_bytes = TRY(write_used(window, area_byte, known));
  return count;
}

Result<std::uint64_t> DeltaWriter::write_used(const Window& window, std::uint64_t area_byte, bool known) {
  std::uint64_t written = 0;
  for (const Extent& used : window.used) {
    if (known) {
      written += TRY(write_differences(window, used, area_byte));
      continue;
    }
    TRY(put(window, used, area_byte));
    written += used.length;
  }
  return written;
}

// What is not in use does not count and becomes zero, as in the image. Small gaps are read over.
bool DeltaWriter::read_target(const Window& window, std::uint64_t area_byte) {
  found_.resize(static_cast<std::size_t>(window.extent.length));
  const auto at = [&](std::uint64_t position) { return found_.begin() + static_cast<std::ptrdiff_t>(position - window.extent.start); };
  for (auto first = window.used.begin(); first != window.used.end();) {
    auto last = first;
    while (std::next(last) != window.used.end() && std::next(last)->start - last->end() < kGapBytes) ++last;
    if (!target_.read(area_byte + first->start, std::span(at(first->start), at(last->end())))) return false;
    first = std::next(last);
  }
  std::uint64_t gap = window.extent.start;
  for (const Extent& used : window.used) {
    std::fill(at(gap), at(used.start), std::byte{0});
    gap = used.end();
  }
  std::fill(at(gap), at(window.extent.end()), std::byte{0});
  return true;
}

// Grains end at multiples of their size on the target; neighbours go together.
Result<std::uint64_t> DeltaWriter::write_differences(const Window& window, Extent used, std::uint64_t area_byte) {
  std::uint64_t written = 0;
  Extent run{used.start, 0};
  for (std::uint64_t at = used.start; at < used.end();) {
    const std::uint64_t n = std::min(kGrainBytes - (area_byte + at) % kGrainBytes, used.end() - at);
    const std::size_t in_window = static_cast<std::size_t>(at - window.extent.start);
    const bool differs = std::memcmp(found_.data() + in_window, content_.data() + in_window, static_cast<std::size_t>(n)) != 0;
    at += n;
    if (differs) run.length += n;
    if (differs && at < used.end()) continue;
    if (run.length > 0) TRY(put(window, run, area_byte));
    written += run.length;
    run = {at, 0};
  }
  return written;
}

Result<void> DeltaWriter::put(const Window& window, Extent run, std::uint64_t area_byte) {
  if (window.zero) return writer_.zero(area_byte + run.start, run.length);
  return writer_.write(area_byte + run.start, ByteSpan(content_).subspan(run.start - window.extent.start, run.length));
}

}  // namespace tintype
