// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/gentle_drive.h"

#include <algorithm>

namespace tintype {
namespace {

constexpr std::uint64_t kZeroStep = 4U << 20;

class GentleDrive final : public Drive {
 public:
  GentleDrive(std::shared_ptr<Drive> drive, std::shared_ptr<Pacer> pacer) : drive_(std::move(drive)), pacer_(std::move(pacer)) {}

  const DriveInfo& info() const override { return drive_->info(); }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(check_range(offset, out.size()));
    while (!out.empty()) {
      const MutableByteSpan piece = out.first(std::min(out.size(), Pacer::kMostBytes));
      TRY(pacer_->run(Pacer::Way::read, [&] {
        // Asked for as a whole, or the kernel would read on past it.
        drive_->will_need(offset, piece.size());
        return drive_->read(offset, piece);
      }));
      out = out.subspan(piece.size());
      offset += piece.size();
    }
    return {};
  }

  Result<void> write(std::uint64_t offset, ByteSpan data) override {
    TRY(check_range(offset, data.size()));
    while (!data.empty()) {
      const ByteSpan piece = data.first(std::min(data.size(), Pacer::kMostBytes));
      TRY(pacer_->run(Pacer::Way::write, [&] { return drive_->write(offset, piece); }));
      data = data.subspan(piece.size());
      offset += piece.size();
    }
    return {};
  }

  Result<void> zero(std::uint64_t offset, std::uint64_t length) override {
    return in_steps(offset, length, [&](std::uint64_t at, std::uint64_t n) { return drive_->zero(at, n); });
  }
  Result<void> trim(std::uint64_t offset, std::uint64_t length) override {
    return in_steps(offset, length, [&](std::uint64_t at, std::uint64_t n) { return drive_->trim(at, n); });
  }
  Result<void> flush() override {
    return pacer_->run(Pacer::Way::write, [&] { return drive_->flush(); });
  }
  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override { return drive_->status(offset, length); }
  void will_need(std::uint64_t, std::uint64_t) override {}  // would put many requests on their way at once

 private:
  template <class Step>
  Result<void> in_steps(std::uint64_t offset, std::uint64_t length, const Step& step) {
    TRY(check_range(offset, length));
    while (length > 0) {
      const std::uint64_t n = std::min(length, kZeroStep);
      TRY(pacer_->run(Pacer::Way::write, [&] { return step(offset, n); }));
      offset += n;
      length -= n;
    }
    return {};
  }

  std::shared_ptr<Drive> drive_;
  std::shared_ptr<Pacer> pacer_;
};

}  // namespace

std::shared_ptr<Drive> make_gentle_drive(std::shared_ptr<Drive> drive, std::shared_ptr<Pacer> pacer) {
  return std::make_shared<GentleDrive>(std::move(drive), std::move(pacer));
}

}  // namespace tintype
