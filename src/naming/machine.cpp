// SPDX-License-Identifier: GPL-3.0-or-later
#include "naming/machine.h"

namespace tintype {
namespace {

class ThisMachine final : public Machine {
 public:
  Result<std::vector<ListedDrive>> drives() override { return list_drives(); }
  Result<std::shared_ptr<Drive>> open(const std::string& path, const OpenOptions& options) override {
    return open_drive(path, options);
  }
};

}  // namespace

Machine& this_machine() {
  static ThisMachine machine;
  return machine;
}

}  // namespace tintype
