// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstddef>
#include <memory>

namespace tintype {

// Memory of so many bytes for what fills all of it at once. Its pages are there from the start: where each comes with the first touch of it,
// that takes longer than to fill it. It goes back to the system with the last owner. What stands in it is undefined.
std::shared_ptr<std::byte[]> make_pages(std::size_t bytes);

}  // namespace tintype
