// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/place.h"

namespace tintype::test {

// Another place, which counts the bytes read from its files and, when broken, gives none of their chunks.
class CountingPlace final : public Place {
 public:
  explicit CountingPlace(std::shared_ptr<Place> inner) : inner_(std::move(inner)) {}
  std::atomic<std::uint64_t> bytes_read = 0;
  std::set<std::string> files_opened() {
    const std::lock_guard lock(mutex_);
    return opened_;
  }
  bool broken = false;
  std::vector<std::string> chunks_of;  // the files that chunks were read from, a file once for each time that it was turned to

  std::string describe(const std::string& name) const override { return inner_->describe(name); }
  Result<std::unique_ptr<AppendFile>> create(const std::string& name) override { return inner_->create(name); }
  Result<std::unique_ptr<AppendFile>> reopen(const std::string& name, std::uint64_t size) override { return inner_->reopen(name, size); }
  Result<std::unique_ptr<PlaceLock>> lock(const std::string& name) override { return inner_->lock(name); }
  Result<std::unique_ptr<ReadFile>> open(const std::string& name) override {
    std::unique_ptr<ReadFile> file = TRY(inner_->open(name));
    {
      const std::lock_guard lock(mutex_);
      opened_.insert(name);
    }
    return std::make_unique<File>(*this, name, std::move(file));
  }
  Result<bool> exists(const std::string& name) override { return inner_->exists(name); }
  Result<std::vector<std::string>> list() override { return inner_->list(); }
  Result<void> rename(const std::string& from, const std::string& to) override { return inner_->rename(from, to); }
  Result<void> remove(const std::string& name) override { return inner_->remove(name); }
  Result<void> sync() override { return inner_->sync(); }
  Result<std::uint64_t> free_bytes() override { return inner_->free_bytes(); }
  std::optional<std::uint64_t> max_file_bytes() override { return inner_->max_file_bytes(); }

 private:
  struct File final : ReadFile {
    File(CountingPlace& place, std::string name, std::unique_ptr<ReadFile> inner)
        : place_(place), name_(std::move(name)), inner_(std::move(inner)) {}
    std::uint64_t size() const override { return inner_->size(); }
    Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
      // Nothing but chunks is that long.
      const bool chunk = out.size() > 50000;
      if (place_.broken && chunk) return fail(os_error(EIO, "cannot read the base"));
      place_.bytes_read += out.size();
      const std::lock_guard lock(place_.mutex_);
      if (chunk && (place_.chunks_of.empty() || place_.chunks_of.back() != name_)) place_.chunks_of.push_back(name_);
      return inner_->read(offset, out);
    }
    void will_need(std::uint64_t, std::uint64_t) override {}
    CountingPlace& place_;
    std::string name_;
    std::unique_ptr<ReadFile> inner_;
  };
  std::shared_ptr<Place> inner_;
  std::mutex mutex_;
  std::set<std::string> opened_;
};

}  // namespace tintype::test
