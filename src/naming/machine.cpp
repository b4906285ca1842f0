// SPDX-License-Identifier: GPL-3.0-or-later
#include "naming/machine.h"

#include <fmt/format.h>

#include "drive/foreign/foreign.h"

namespace tintype {
namespace {

class ThisMachine final : public Machine {
 public:
  Result<std::vector<ListedDrive>> drives() override { return list_drives(); }
  Result<std::shared_ptr<Drive>> open(const std::string& path, const OpenOptions& asked) override {
    const OpenOptions options = as_defined(path, asked);
    if (options.access == OpenOptions::Access::write) {
      if (!is_foreign(path)) return open_drive(path, options);
      return fail(ErrorCode::refused, fmt::format("{} is an image of another program and can only be read", path), "name another target, or delete it first");
    }
    std::shared_ptr<Drive> foreign = TRY(open_foreign(path, options.sector_bytes));
    return foreign ? Result<std::shared_ptr<Drive>>(std::move(foreign)) : open_drive(path, options);
  }

 private:
  // A type that was said wins over the file's name; a definition without one says that the file is a virtual drive, if it can be.
  OpenOptions as_defined(const std::string& path, OpenOptions options) const {
    for (const auto& [number, drive] : virtual_drives()) {
      if (drive.path != path) continue;
      options.as_raw = drive.creation && drive.creation->format == DriveFormat::raw;
      options.by_content = !options.as_raw;
    }
    return options;
  }
};

}  // namespace

Machine& this_machine() {
  static ThisMachine machine;
  return machine;
}

}  // namespace tintype
