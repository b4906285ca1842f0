// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace tintype {

// Memory of so many bytes for what fills all of it at once. Its pages are there from the start: where each comes with the first touch of it,
// that takes longer than to fill it. It goes back to the system with the last owner. What stands in it is undefined.
std::shared_ptr<std::byte[]> make_pages(std::size_t bytes);

// The same, with a few pieces that their last owners let go of kept for the next who wants that size. Thread safe; may be given up while
// pieces are still owned.
class PagePool : public std::enable_shared_from_this<PagePool> {
 public:
  std::shared_ptr<std::byte[]> take(std::size_t bytes);

 private:
  struct Piece {
    std::shared_ptr<std::byte[]> pages;
    std::size_t bytes = 0;
  };
  void put(Piece piece);
  std::mutex mutex_;
  std::vector<Piece> spare_;
};

}  // namespace tintype
