// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "drive/list.h"
#include "drive/open.h"
#include "drive/virtual_drive.h"

namespace tintype {

// What v0 … v9 stand for.
struct VirtualDrive {
  std::string path;
  // How to make the file if it is not there; empty: it has to be there.
  struct Creation {
    bool anew = false;  // even if it is there
    DriveFormat format = DriveFormat::raw;
    std::uint64_t size_bytes = 0;
  };
  std::optional<Creation> creation{};
};
using VirtualDrives = std::map<std::uint32_t, VirtualDrive>;

// The drives that names can mean. Tests bring their own.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual Result<std::vector<ListedDrive>> drives() = 0;
  // A device or raw file as open_drive(), an image of another program as open_foreign(): for writing, that is Error{refused}.
  virtual Result<std::shared_ptr<Drive>> open(const std::string& path, const OpenOptions& options) = 0;
  const VirtualDrives& virtual_drives() const { return virtual_; }
  void define(VirtualDrives drives) { virtual_ = std::move(drives); }  // before anything is looked for

 private:
  VirtualDrives virtual_;
};

// The computer this runs on. Lives as long as the program.
Machine& this_machine();

}  // namespace tintype
