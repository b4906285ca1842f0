// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "drive/list.h"
#include "drive/open.h"

namespace tintype {

// The drives that names can mean. Tests bring their own.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual Result<std::vector<ListedDrive>> drives() = 0;
  virtual Result<std::shared_ptr<Drive>> open(const std::string& path, const OpenOptions& options) = 0;
};

// The computer this runs on. Lives as long as the program.
Machine& this_machine();

}  // namespace tintype
