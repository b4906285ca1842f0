// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>

#include "drive/drive.h"
#include "job/context.h"

namespace tintype {

struct ConvertReport {
  std::uint64_t data_bytes = 0;  // that the source may hold anything in, and that were copied
};

// Brings every byte of a drive to a new one of at least its size, which reads as zeros so far. Holes of the source, and what an image did not
// save, are left alone. Ends with a flush. The first byte that cannot be read or written ends it.
Result<ConvertReport> run_convert(std::shared_ptr<Drive> source, std::shared_ptr<Drive> target, JobContext& context);

}  // namespace tintype
