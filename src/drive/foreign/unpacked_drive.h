// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "drive/drive.h"
#include "drive/foreign/byte_source.h"

namespace tintype {

// The bytes of a source as they are, as a read-only drive of `size_bytes` (which a compressed file does not tell).
std::shared_ptr<Drive> make_unpacked_drive(std::shared_ptr<ByteSource> source, const std::string& name, std::uint64_t size_bytes);

}  // namespace tintype
