// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/pages.h"

#include <sys/mman.h>

#include <algorithm>

namespace tintype {

std::shared_ptr<std::byte[]> make_pages(std::size_t bytes) {
  const std::size_t length = std::max<std::size_t>(bytes, 1);
  void* const memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) return std::make_shared_for_overwrite<std::byte[]>(length);
  return {static_cast<std::byte*>(memory), [length](std::byte* at) { ::munmap(at, length); }};
}

}  // namespace tintype
