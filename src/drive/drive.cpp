// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/drive.h"

#include <fmt/format.h>

namespace tintype {

Result<std::optional<HeldBytes>> Drive::held(std::uint64_t offset, std::uint64_t length) {
  TRY(check_range(offset, length));
  return std::nullopt;
}

Result<void> Drive::trim(std::uint64_t offset, std::uint64_t length) { return check_range(offset, length); }

Result<BlockStatus> Drive::status(std::uint64_t offset, std::uint64_t length) {
  TRY(check_range(offset, length));
  return BlockStatus{{offset, length}, BlockState::data};
}

void Drive::will_need(std::uint64_t, std::uint64_t) {}
void Drive::drop_cache() {}

Result<void> Drive::check_range(std::uint64_t offset, std::uint64_t length) const {
  if (fits(offset, length, size_bytes())) return {};
  Error error = make_error(ErrorCode::out_of_bounds,
                           fmt::format("{} bytes are asked for beyond the end of {}, which has {} bytes", length,
                                       info().path, size_bytes()));
  error.offset_bytes = offset;
  error.length_bytes = length;
  return fail(std::move(error));
}

}  // namespace tintype
