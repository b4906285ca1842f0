// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/base_data.h"

#include <fmt/format.h>

namespace tintype {

void BaseData::failed(const Error& error) {
  // Files that are not there now will not come back for the next chunk; a damaged chunk says nothing about the others.
  if (error.code != ErrorCode::corrupt) unreachable_ = true;
  std::call_once(said_, [&] {
    context_.events.warn(fmt::format("data of the base cannot be read, so changed parts are stored whole: {}", error.message()));
  });
}

}  // namespace tintype
