// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/unpacked_drive.h"

#include <fmt/format.h>

#include "drive/read_only_drive.h"

namespace tintype {
namespace {

class UnpackedDrive final : public ReadOnlyDrive {
 public:
  UnpackedDrive(std::shared_ptr<ByteSource> source, const std::string& name, std::uint64_t size_bytes) : source_(std::move(source)) {
    info_.path = name;
    info_.size_bytes = size_bytes;
    info_.read_only = true;
    source_->expect(size_bytes);
  }
  const DriveInfo& info() const override { return info_; }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(check_range(offset, out.size()));
    return source_->read(offset, out);
  }
 private:
  std::shared_ptr<ByteSource> source_;
  DriveInfo info_;
};

}  // namespace

std::shared_ptr<Drive> make_unpacked_drive(std::shared_ptr<ByteSource> source, const std::string& name, std::uint64_t size_bytes) {
  return std::make_shared<UnpackedDrive>(std::move(source), name, size_bytes);
}

}  // namespace tintype
