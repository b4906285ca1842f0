// SPDX-License-Identifier: GPL-3.0-or-later
// The order of work is ddrescue's (its manual, chapter "Algorithm"): easy data first, because a failing drive may not
// live long: copy with jumps, trim the edges, scrape what is left, retry.
#include "drive/rescue.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace tintype {
namespace {

constexpr std::uint64_t kBlock = 64 * 1024;   // of the copying pass, and the largest read after the first
constexpr std::uint64_t kMaxJump = 1 << 20;

class Rescue {
 public:
  Rescue(Drive& drive, std::uint64_t offset, MutableByteSpan out, const RescuePolicy& policy)
      : drive_(drive), offset_(offset), out_(out), policy_(policy), started_(std::chrono::steady_clock::now()) {
    const std::uint64_t sector = drive.info().logical_sector_bytes;
    smallest_ = std::clamp<std::uint64_t>(policy.smallest_bytes == 0 ? sector : round_up(policy.smallest_bytes, sector), sector,
                                          std::max(sector, kBlock));
    // Aligned, so that a drive opened past the page cache really goes past it.
    buffer_.reset(static_cast<std::byte*>(std::aligned_alloc(kBlock, kBlock)));
    todo_.add({offset, out.size()});
  }

  Result<ExtentSet> run() {
    TRY(copy());
    TRY(trim());
    TRY(scrape());
    for (unsigned i = 0; i < policy_.retries && !bad_.empty(); ++i) TRY(retry());
    for (const Extent& rest : todo_.items()) bad_.add(rest);
    for (const Extent& piece : bad_.items())
      std::fill_n(out_.begin() + static_cast<std::ptrdiff_t>(piece.start - offset_), piece.length, std::byte{0});
    return std::move(bad_);
  }

 private:
  enum class Got { data, error, stop };

  // One read of at most kBlock bytes.
  Result<Got> attempt(Extent piece) {
    if (policy_.cancel != nullptr) TRY(policy_.cancel->check());
    if (std::chrono::steady_clock::now() - started_ >= policy_.time_limit) return Got::stop;
    const MutableByteSpan buffer(buffer_.get(), static_cast<std::size_t>(piece.length));
    auto result = drive_.read(piece.start, buffer);
    if (!result && is_unreadable(result.error())) return Got::error;
    TRY(std::move(result));
    std::copy(buffer.begin(), buffer.end(), out_.begin() + static_cast<std::ptrdiff_t>(piece.start - offset_));
    todo_.remove(piece);
    bad_.remove(piece);
    return Got::data;
  }

  // The piece on the grid of `step` that begins at a position, or ends there; cut to the limits.
  static Extent from(std::uint64_t start, std::uint64_t end, std::uint64_t step) {
    return {start, std::min(round_down(start, step) + step, end) - start};
  }
  static Extent until(std::uint64_t start, std::uint64_t end, std::uint64_t step) {
    const std::uint64_t begin = std::max(start, round_down(end - 1, step));
    return {begin, end - begin};
  }

  void give_up(Extent piece) {
    todo_.remove(piece);
    bad_.add(piece);
  }

  Result<void> copy() {
    std::uint64_t jump = 0;
    const std::uint64_t end = offset_ + out_.size();
    for (std::uint64_t at = offset_; at < end;) {
      const Extent block = from(at, end, kBlock);
      const Got got = TRY(attempt(block));
      if (got == Got::stop) return {};
      at = block.end();
      // A lone bad sector costs no jump; each further error in a row doubles it.
      if (got == Got::error) at += std::min(jump, end - at);
      jump = got == Got::data ? 0 : std::clamp(jump * 2, kBlock, kMaxJump);
    }
    // Backwards over what was jumped over, up to the first error of each area.
    const ExtentSet areas = todo_;
    for (const Extent& area : areas.items())
      for (std::uint64_t stop = area.end(); stop > area.start;) {
        const Extent block = until(area.start, stop, kBlock);
        if (TRY(attempt(block)) != Got::data) break;
        stop = block.start;
      }
    return {};
  }

  Result<void> trim() {
    const ExtentSet areas = todo_;
    for (const Extent& area : areas.items()) {
      std::uint64_t start = area.start, end = area.end();
      if (area.length <= kBlock) continue;  // halving finds the edges of a small area with fewer reads
      for (bool good = true; good && start < end;) {
        const Extent piece = from(start, end, smallest_);
        const Got got = TRY(attempt(piece));
        if (got == Got::stop) return {};
        if (got == Got::error) give_up(piece);
        good = got == Got::data;
        start = piece.end();
      }
      for (bool good = true; good && start < end;) {
        const Extent piece = until(start, end, smallest_);
        const Got got = TRY(attempt(piece));
        if (got == Got::stop) return {};
        if (got == Got::error) give_up(piece);
        good = got == Got::data;
        end = piece.start;
      }
    }
    return {};
  }

  Result<void> scrape() {
    std::vector<Extent> stack;
    for (const Extent& area : todo_.items())
      for (std::uint64_t at = area.start; at < area.end(); at = from(at, area.end(), kBlock).end())
        stack.push_back(from(at, area.end(), kBlock));
    std::reverse(stack.begin(), stack.end());
    while (!stack.empty()) {
      const Extent piece = stack.back();
      stack.pop_back();
      const Got got = TRY(attempt(piece));
      if (got == Got::stop) return {};
      if (got == Got::data) continue;
      const std::uint64_t middle = round_down(piece.start + piece.length / 2, smallest_);
      if (piece.length <= smallest_ || (middle <= piece.start && from(piece.start, piece.end(), smallest_) == piece)) {
        give_up(piece);
      } else {
        const std::uint64_t cut = middle > piece.start ? middle : from(piece.start, piece.end(), smallest_).end();
        stack.push_back({cut, piece.end() - cut});
        stack.push_back({piece.start, cut - piece.start});
      }
    }
    return {};
  }

  Result<void> retry() {
    const ExtentSet areas = bad_;
    for (const Extent& area : areas.items())
      for (std::uint64_t at = area.start; at < area.end();) {
        const Extent piece = from(at, area.end(), smallest_);
        if (TRY(attempt(piece)) == Got::stop) return {};
        at = piece.end();
      }
    return {};
  }

  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  Drive& drive_;
  std::uint64_t offset_;
  MutableByteSpan out_;
  const RescuePolicy& policy_;
  std::chrono::steady_clock::time_point started_;
  std::uint64_t smallest_ = 512;
  std::unique_ptr<std::byte[], Free> buffer_;
  ExtentSet todo_, bad_;
};

}  // namespace

Result<ExtentSet> rescue_read(Drive& drive, std::uint64_t offset, MutableByteSpan out, const RescuePolicy& policy) {
  auto whole = drive.read(offset, out);
  if (whole) return ExtentSet();
  if (!is_unreadable(whole.error())) return fail(std::move(whole).error());
  return Rescue(drive, offset, out, policy).run();
}

}  // namespace tintype
