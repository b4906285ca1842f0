// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs_probe_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tintype::fuzz::run_probe(tintype::probe_exfat, data, size);
  return 0;
}
