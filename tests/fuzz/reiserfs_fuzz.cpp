// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/probe.h"

#include <cstdlib>

namespace {

// The stream must end, in order, inside the partition, where the facts say that it ends.
void drain(tintype::FileSystem& file_system, const tintype::Drive& drive) {
  auto stream = file_system.used_map();
  if (!stream) return;
  std::uint64_t end = 0;
  while (true) {
    const auto extent = (*stream)->next();
    if (!extent) return;
    if (!*extent) break;
    if ((*extent)->length == 0 || (*extent)->start < end || (*extent)->end() > drive.size_bytes()) std::abort();
    end = (*extent)->end();
  }
  if (end != file_system.info().last_used_byte) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto drive = tintype::make_memory_drive(size);
  if (!drive->write(0, {reinterpret_cast<const std::byte*>(data), size})) std::abort();
  const auto found = tintype::probe_reiserfs(drive);
  if (found && *found) drain(**found, *drive);
  return 0;
}
