// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/pages.h"

#include <algorithm>

namespace tintype {
namespace {

constexpr std::size_t kMostSpare = 8;

}  // namespace

std::shared_ptr<std::byte[]> PagePool::take(std::size_t bytes) {
  Piece piece{nullptr, bytes};
  {
    const std::lock_guard lock(mutex_);
    const auto unused = std::ranges::find(spare_, bytes, &Piece::bytes);
    if (unused != spare_.end()) {
      piece = std::move(*unused);
      spare_.erase(unused);
    }
  }
  if (!piece.pages) piece.pages = make_pages(bytes);
  std::byte* const at = piece.pages.get();
  return {at, [pool = shared_from_this(), piece = std::move(piece)](std::byte*) mutable { pool->put(std::move(piece)); }};
}

void PagePool::put(Piece piece) {
  Piece too_many;  // goes when the lock is gone
  const std::lock_guard lock(mutex_);
  if (spare_.size() == kMostSpare) {
    too_many = std::move(spare_.front());  // it may have a size that nobody wants any more
    spare_.erase(spare_.begin());
  }
  spare_.push_back(std::move(piece));
}

}  // namespace tintype
