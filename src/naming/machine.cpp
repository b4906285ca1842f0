// SPDX-License-Identifier: GPL-3.0-or-later
#include "naming/machine.h"

#include <fmt/format.h>

#include "drive/foreign/foreign.h"

namespace tintype {
namespace {

class ThisMachine final : public Machine {
 public:
  Result<std::vector<ListedDrive>> drives() override { return list_drives(); }
  Result<std::shared_ptr<Drive>> open(const std::string& path, const OpenOptions& options) override {
    if (options.access == OpenOptions::Access::write) {
      if (!is_foreign(path)) return open_drive(path, options);
      return fail(ErrorCode::refused, fmt::format("{} is an image of another program and can only be read", path), "name another target, or delete it first");
    }
    std::shared_ptr<Drive> foreign = TRY(open_foreign(path, options.sector_bytes));
    return foreign ? Result<std::shared_ptr<Drive>>(std::move(foreign)) : open_drive(path, options);
  }
};

}  // namespace

Machine& this_machine() {
  static ThisMachine machine;
  return machine;
}

}  // namespace tintype
