// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "fs/filesystem.h"

namespace tintype::ext {

// probe_ext() with checksums left unread if asked for, so that a fuzzer reaches what lies behind them.
Result<std::unique_ptr<FileSystem>> open_ext(std::shared_ptr<Drive> partition, bool verify_checksums);

}  // namespace tintype::ext
