// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "drive/drive.h"

namespace tintype {

// What every drive that is only read has in common: changes are Error{denied}, and there is nothing to flush.
class ReadOnlyDrive : public Drive {
 public:
  Result<void> write(std::uint64_t, ByteSpan) final { return refuse(); }
  Result<void> zero(std::uint64_t, std::uint64_t) final { return refuse(); }
  Result<void> trim(std::uint64_t, std::uint64_t) final { return refuse(); }
  Result<void> flush() final { return {}; }

 private:
  Result<void> refuse() const {
    return fail(ErrorCode::denied, info().path + " can only be read", "restore or copy it to a drive, or open an image with a copy-on-write overlay");
  }
};

}  // namespace tintype
