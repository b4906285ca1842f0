// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/gentle_place.h"

#include <algorithm>
#include <array>

namespace tintype {
namespace {

class GentleAppendFile final : public AppendFile {
 public:
  GentleAppendFile(std::unique_ptr<AppendFile> file, std::shared_ptr<Pacer> pacer) : file_(std::move(file)), pacer_(std::move(pacer)) {}

  Result<void> append(std::span<const ByteSpan> pieces) override {
    for (ByteSpan rest : pieces) {
      while (!rest.empty()) {
        const std::array<ByteSpan, 1> piece = {rest.first(std::min(rest.size(), Pacer::kMostBytes))};
        TRY(pacer_->run(Pacer::Way::write, [&] { return file_->append(piece); }));
        rest = rest.subspan(piece.front().size());
      }
    }
    return {};
  }
  std::uint64_t size() const override { return file_->size(); }
  Result<void> sync() override {
    return pacer_->run(Pacer::Way::write, [&] { return file_->sync(); });
  }

 private:
  std::unique_ptr<AppendFile> file_;
  std::shared_ptr<Pacer> pacer_;
};

class GentleReadFile final : public ReadFile {
 public:
  GentleReadFile(std::unique_ptr<ReadFile> file, std::shared_ptr<Pacer> pacer) : file_(std::move(file)), pacer_(std::move(pacer)) {}

  std::uint64_t size() const override { return file_->size(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    while (!out.empty()) {
      const MutableByteSpan piece = out.first(std::min(out.size(), Pacer::kMostBytes));
      TRY(pacer_->run(Pacer::Way::read, [&] {
        file_->will_need(offset, piece.size());  // as a whole, or the kernel would read on past it
        return file_->read(offset, piece);
      }));
      out = out.subspan(piece.size());
      offset += piece.size();
    }
    return {};
  }
  void will_need(std::uint64_t, std::uint64_t) override {}

 private:
  std::unique_ptr<ReadFile> file_;
  std::shared_ptr<Pacer> pacer_;
};

class GentlePlace final : public Place {
 public:
  GentlePlace(std::unique_ptr<Place> place, std::shared_ptr<Pacer> pacer) : place_(std::move(place)), pacer_(std::move(pacer)) {}

  std::string describe(const std::string& name) const override { return place_->describe(name); }
  bool same_name(const std::string& a, const std::string& b) override { return place_->same_name(a, b); }
  Result<std::unique_ptr<AppendFile>> create(const std::string& name) override {
    return std::make_unique<GentleAppendFile>(TRY(place_->create(name)), pacer_);
  }
  Result<std::unique_ptr<AppendFile>> reopen(const std::string& name, std::uint64_t size) override {
    return std::make_unique<GentleAppendFile>(TRY(place_->reopen(name, size)), pacer_);
  }
  Result<std::unique_ptr<PlaceLock>> lock(const std::string& name) override { return place_->lock(name); }
  Result<std::unique_ptr<ReadFile>> open(const std::string& name) override {
    return std::make_unique<GentleReadFile>(TRY(place_->open(name)), pacer_);
  }
  Result<bool> exists(const std::string& name) override { return place_->exists(name); }
  Result<std::vector<std::string>> list() override { return place_->list(); }
  Result<void> rename(const std::string& from, const std::string& to) override { return place_->rename(from, to); }
  Result<void> remove(const std::string& name) override { return place_->remove(name); }
  Result<void> sync() override { return place_->sync(); }
  Result<std::uint64_t> free_bytes() override { return place_->free_bytes(); }
  std::optional<std::uint64_t> max_file_bytes() override { return place_->max_file_bytes(); }

 private:
  std::unique_ptr<Place> place_;
  std::shared_ptr<Pacer> pacer_;
};

}  // namespace

std::unique_ptr<Place> make_gentle_place(std::unique_ptr<Place> place, std::shared_ptr<Pacer> pacer) {
  return std::make_unique<GentlePlace>(std::move(place), std::move(pacer));
}

}  // namespace tintype
