// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/text.h"
#include "compat_image.h"
#include "image/hash.h"

namespace tintype::compat {

Result<std::string> drive_digest(Drive& drive) {
  Bytes all(static_cast<std::size_t>(drive.size_bytes()));
  TRY(drive.read(0, all));
  return to_hex(sha256(all));
}

}  // namespace tintype::compat
