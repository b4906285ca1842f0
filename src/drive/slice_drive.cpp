// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/drive.h"

namespace tintype {
namespace {

class SliceDrive final : public Drive {
 public:
  SliceDrive(std::shared_ptr<Drive> whole, Extent range, std::string name)
      : whole_(std::move(whole)), range_(range), info_(whole_->info()) {
    info_.size_bytes = range.length;
    info_.path = std::move(name);
  }

  const DriveInfo& info() const override { return info_; }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(check_range(offset, out.size()));
    return rebased(whole_->read(range_.start + offset, out));
  }
  Result<std::optional<HeldBytes>> held(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    return rebased(whole_->held(range_.start + offset, length));
  }
  Result<void> write(std::uint64_t offset, ByteSpan data) override {
    TRY(check_range(offset, data.size()));
    return rebased(whole_->write(range_.start + offset, data));
  }
  Result<void> zero(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    return rebased(whole_->zero(range_.start + offset, length));
  }
  Result<void> trim(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    return rebased(whole_->trim(range_.start + offset, length));
  }
  Result<void> flush() override { return whole_->flush(); }
  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    BlockStatus status = TRY(whole_->status(range_.start + offset, length));
    status.extent.start = offset;
    return status;
  }
  void drop_cache() override { whole_->drop_cache(); }
  void will_need(std::uint64_t offset, std::uint64_t length) override {
    if (fits(offset, length, range_.length)) whole_->will_need(range_.start + offset, length);
  }

 private:
  // Errors speak of positions in the slice, as its user does.
  template <class T>
  Result<T> rebased(Result<T> result) const {
    if (!result && result.error().offset_bytes && *result.error().offset_bytes >= range_.start)
      *result.error().offset_bytes -= range_.start;
    return result;
  }

  std::shared_ptr<Drive> whole_;
  Extent range_;
  DriveInfo info_;
};

}  // namespace

std::shared_ptr<Drive> make_slice(std::shared_ptr<Drive> whole, Extent range, std::string name) {
  return std::make_shared<SliceDrive>(std::move(whole), range, std::move(name));
}

}  // namespace tintype
