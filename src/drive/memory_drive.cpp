// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <map>
#include <mutex>

#include "drive/drive.h"

namespace tintype {
namespace {

// Pages of 64 KiB that come into being when written, so that a sparse 8 TiB drive costs nothing.
class MemoryDrive final : public Drive {
 public:
  MemoryDrive(std::uint64_t size, std::uint32_t sector) {
    info_.size_bytes = size;
    info_.logical_sector_bytes = info_.physical_sector_bytes = sector;
    info_.path = "memory";
  }

  const DriveInfo& info() const override { return info_; }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(check_range(offset, out.size()));
    const std::lock_guard lock(mutex_);
    while (!out.empty()) {
      const std::size_t within = offset % kPage;
      const std::size_t n = std::min(out.size(), kPage - within);
      const auto page = pages_.find(offset / kPage);
      if (page == pages_.end())
        std::fill_n(out.begin(), n, std::byte{0});
      else
        std::copy_n(page->second.begin() + static_cast<std::ptrdiff_t>(within), n, out.begin());
      out = out.subspan(n);
      offset += n;
    }
    return {};
  }

  Result<void> write(std::uint64_t offset, ByteSpan data) override {
    TRY(check_range(offset, data.size()));
    const std::lock_guard lock(mutex_);
    while (!data.empty()) {
      const std::size_t within = offset % kPage;
      const std::size_t n = std::min(data.size(), kPage - within);
      Bytes& page = pages_.try_emplace(offset / kPage, kPage).first->second;
      std::copy_n(data.begin(), n, page.begin() + static_cast<std::ptrdiff_t>(within));
      data = data.subspan(n);
      offset += n;
    }
    return {};
  }

  Result<void> zero(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    const std::lock_guard lock(mutex_);
    const std::uint64_t end = offset + length;
    for (auto page = pages_.lower_bound(offset / kPage); page != pages_.end() && page->first * kPage < end;) {
      const std::uint64_t start = page->first * kPage;
      if (offset <= start && end >= start + kPage) {
        page = pages_.erase(page);
        continue;
      }
      const std::uint64_t from = std::max(offset, start) - start;
      const std::uint64_t to = std::min(end, start + kPage) - start;
      std::fill(page->second.begin() + static_cast<std::ptrdiff_t>(from),
                page->second.begin() + static_cast<std::ptrdiff_t>(to), std::byte{0});
      ++page;
    }
    return {};
  }

  Result<void> flush() override { return {}; }

  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    const std::lock_guard lock(mutex_);
    const auto page = pages_.lower_bound(offset / kPage);
    if (page != pages_.end() && page->first == offset / kPage)
      return BlockStatus{{offset, std::min(length, kPage - offset % kPage)}, BlockState::data};
    const std::uint64_t until = page == pages_.end() ? offset + length : page->first * kPage;
    return BlockStatus{{offset, std::min(length, until - offset)}, BlockState::hole};
  }

 private:
  static constexpr std::size_t kPage = 64 * 1024;
  DriveInfo info_;
  std::mutex mutex_;
  std::map<std::uint64_t, Bytes> pages_;
};

}  // namespace

std::shared_ptr<Drive> make_memory_drive(std::uint64_t size_bytes, std::uint32_t sector_bytes) {
  return std::make_shared<MemoryDrive>(size_bytes, sector_bytes);
}

}  // namespace tintype
