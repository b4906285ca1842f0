// SPDX-License-Identifier: GPL-3.0-or-later
// A file that may be a virtual drive. Input: a byte that chooses its name, then the file. Checked beside crashes: a fixed VHD lies
// in its file, and what names another file in plain sight of QEMU is not taken for a VMDK.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "drive/virtual_drive.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tintype;
  if (size < 2 || size > 1 << 20) return 0;
  constexpr std::array kNames = {"a", "a.vhd", "a.vmdk", "a.qcow2", "a.vhdx", "a.vdi", "a.raw"};
  const ByteSpan bytes = std::as_bytes(std::span(data + 1, size - 1));
  const std::shared_ptr<Drive> memory = make_memory_drive(bytes.size());
  static_cast<void>(memory->write(0, bytes));
  const std::shared_ptr<Drive> file = make_slice(memory, {0, bytes.size()}, kNames[data[0] % kNames.size()]);
  const auto found = find_format(*file);
  if (!found || !*found) return 0;
  const DetectedFormat& format = **found;
  if ((format.format == DriveFormat::vhdf) != (format.fixed_bytes != 0) || format.fixed_bytes + 512 > bytes.size() + (format.fixed_bytes == 0 ? 512 : 0)) __builtin_trap();
  const std::string_view seen = as_text(bytes).substr(0, 512 * 21);
  if (format.format == DriveFormat::vmdk && seen.size() > 512 && seen.substr(512).find("parentFileNameHint") != std::string_view::npos) __builtin_trap();
  return 0;
}
