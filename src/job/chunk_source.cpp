// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/chunk_source.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype {
namespace {

// Reading over a gap this small is cheaper than a second request.
constexpr std::uint64_t kReadOverGap = 64 * 1024;
constexpr std::uint32_t kImagePiece = 64 * 1024;

}  // namespace

Result<std::vector<Extent>> ChunkSource::read(Drive& area, const PlannedChunk& chunk, MutableByteSpan out) {
  const auto at = [&](std::uint64_t position) { return out.begin() + static_cast<std::ptrdiff_t>(position - chunk.extent.start); };
  std::vector<Extent> unreadable;
  std::uint64_t clean_until = chunk.extent.start;  // everything before is read or zeroed
  for (std::size_t i = 0; i < chunk.used.size();) {
    const std::size_t first = i;
    while (++i < chunk.used.size() && chunk.used[i].start - chunk.used[i - 1].end() <= kReadOverGap) {
    }
    const Extent range{chunk.used[first].start, chunk.used[i - 1].end() - chunk.used[first].start};
    ExtentSet bad = TRY(read_range(area, range, out.subspan(range.start - chunk.extent.start, range.length)));
    for (std::size_t k = first; k < i; ++k) {
      std::fill(at(clean_until), at(chunk.used[k].start), std::byte{0});
      clean_until = chunk.used[k].end();
      const ExtentSet bad_here = bad.clipped(chunk.used[k]);
      unreadable.insert(unreadable.end(), bad_here.items().begin(), bad_here.items().end());
    }
  }
  std::fill(at(clean_until), out.end(), std::byte{0});
  return unreadable;
}

Result<ExtentSet> ChunkSource::read_range(Drive& area, Extent range, MutableByteSpan out) {
  while (true) {
    const Result<void> plain = area.read(range.start, out);
    if (plain) return ExtentSet{};
    if (!is_unreadable(plain.error())) return fail(plain.error());
    RescuePolicy policy;
    policy.retries = retries_;
    if (plain.error().code == ErrorCode::corrupt) {
      // An image is damaged by whole chunks, which are decoded anew for each read, and does not get better.
      policy.retries = 0;
      policy.smallest_bytes = kImagePiece;
    }
    policy.cancel = &context_.cancel;
    ExtentSet bad = TRY(rescue_read(area, range.start, out, policy));
    if (bad.empty() || TRY(go_on(area, bad, plain.error()))) return bad;
  }
}

// True: record them and go on; false: try again.
Result<bool> ChunkSource::go_on(const Drive& area, const ExtentSet& bad, const Error& why) {
  const std::lock_guard lock(mutex_);
  std::string text = fmt::format("{} bytes of {} cannot be read, the first at byte {}", bad.total_bytes(), area.info().path, bad.items().front().start);
  if (why.code == ErrorCode::corrupt) text += ": " + why.what;
  if (!allow_errors_) {
    switch (context_.events.ask({QuestionKind::abort_retry_ignore, "unreadable-sectors", text + ". Abort, retry, or ignore?", {}})) {
      case Answer::retry: return false;
      case Answer::ignore: break;
      default: {
        Error error = make_error(why.code, text, (why.hint.empty() ? "" : why.hint + "; ") + "--allow-errors saves the rest and lists what is lost");
        error.length_bytes = bad.total_bytes();
        return fail(std::move(error));
      }
    }
  }
  context_.events.warn(text);
  return true;
}

}  // namespace tintype
