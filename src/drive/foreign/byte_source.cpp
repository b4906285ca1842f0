// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/foreign/byte_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>

#include "drive/linux/spill_file.h"

namespace tintype {
namespace {

constexpr std::size_t kBlock = 256 * 1024;
constexpr std::size_t kKeptBlocks = 32;
constexpr std::uint64_t kNone = ~std::uint64_t{0};

std::unexpected<Error> cut_off(const Drive& file) {
  return fail(ErrorCode::corrupt, fmt::format("{} ends before its data does", file.info().path), "are all its parts there (.aa, .ab …)?");
}

class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(std::shared_ptr<Drive> file) : file_(std::move(file)) {}
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (!fits(offset, out.size(), file_->size_bytes())) return cut_off(*file_);
    return file_->read(offset, out);
  }
  std::optional<std::uint64_t> size_bytes() const override { return file_->size_bytes(); }

 private:
  std::shared_ptr<Drive> file_;
};

class PackedSource final : public ByteSource {
 public:
  PackedSource(std::shared_ptr<Drive> file, Packing packing) : file_(std::move(file)), packing_(packing) {}

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    const std::lock_guard lock(mutex_);
    while (!out.empty()) {
      const Bytes& block = *TRY(block_at(offset / kBlock));
      const std::size_t within = offset % kBlock;
      if (within >= block.size()) return cut_off(*file_);
      const std::size_t length = std::min(out.size(), block.size() - within);
      std::memcpy(out.data(), block.data() + within, length);
      out = out.subspan(length);
      offset += length;
    }
    return {};
  }
  std::optional<std::uint64_t> size_bytes() const override { return std::nullopt; }
  void expect(std::uint64_t bytes) override {
    const std::lock_guard lock(mutex_);
    expected_ = bytes;
  }

 private:
  Result<const Bytes*> block_at(std::uint64_t index) {
    if (const auto kept = kept_.find(index); kept != kept_.end()) return &kept->second;
    if (end_block_ != kNone && index >= end_block_) return &empty_;
    if (index < next_ && spill_) return from_spill(index);
    if (index < next_ || !unpacker_) TRY(start(index < next_));
    while (next_ <= index) {
      TRY(unpack_one());
      if (end_block_ != kNone && index >= end_block_) return &empty_;
    }
    return &kept_.at(index);
  }

  Result<void> start(bool again) {
    kept_.clear();
    spill_.reset();
    if (again && !spill_failed_) {
      Result<std::unique_ptr<SpillFile>> made = SpillFile::make(expected_);
      spill_failed_ = !made;
      if (made) spill_ = std::move(made).take();
    }
    unpacker_ = TRY(make_unpacker(file_, packing_));
    next_ = 0;
    return {};
  }

  Result<void> unpack_one() {
    Bytes block(kBlock);
    Result<std::size_t> length = unpacker_->read(block);
    if (!length) {
      unpacker_.reset();  // what a decoder does after an error is anybody's guess: begin anew next time
      next_ = 0;
      spill_.reset();
      return fail(std::move(length).error());
    }
    block.resize(*length);
    if (spill_ && !spill_->write(next_ * kBlock, block)) {
      spill_.reset();
      spill_failed_ = true;
    }
    if (*length < kBlock) {
      end_block_ = next_ + (*length != 0 ? 1 : 0);
      end_bytes_ = next_ * kBlock + *length;
    }
    keep(next_++, std::move(block));
    return {};
  }

  Result<const Bytes*> from_spill(std::uint64_t index) {
    const std::uint64_t limit = end_block_ != kNone ? end_bytes_ : kNone;
    Bytes block(static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, limit - index * kBlock)));
    TRY(spill_->read(index * kBlock, block));
    return keep(index, std::move(block));
  }

  const Bytes* keep(std::uint64_t index, Bytes block) {
    // Reading goes upwards: the lowest is the one that is done with.
    if (kept_.size() >= kKeptBlocks) kept_.erase(kept_.begin()->first < index ? kept_.begin() : std::prev(kept_.end()));
    return &kept_.insert_or_assign(index, std::move(block)).first->second;
  }

  std::shared_ptr<Drive> file_;
  Packing packing_;
  std::mutex mutex_;
  std::unique_ptr<Unpacker> unpacker_;
  std::unique_ptr<SpillFile> spill_;  // holds every block below next_
  bool spill_failed_ = false;
  std::uint64_t next_ = 0;            // the block that the unpacker makes next
  std::uint64_t end_block_ = kNone, end_bytes_ = 0;
  std::uint64_t expected_ = 0;
  std::map<std::uint64_t, Bytes> kept_;
  const Bytes empty_{};
};

}  // namespace

std::shared_ptr<ByteSource> plain_source(std::shared_ptr<Drive> file) { return std::make_shared<PlainSource>(std::move(file)); }
std::shared_ptr<ByteSource> packed_source(std::shared_ptr<Drive> file, Packing packing) {
  return std::make_shared<PackedSource>(std::move(file), packing);
}

Result<std::shared_ptr<ByteSource>> open_byte_source(std::shared_ptr<Drive> file) {
  std::array<std::byte, 6> head{};
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(head.size(), file->size_bytes()));
  TRY(file->read(0, MutableByteSpan(head).first(length)));
  const Packing packing = packing_of(ByteSpan(head).first(length));
  if (packing == Packing::none) return plain_source(std::move(file));
  TRY(make_unpacker(file, packing));
  return packed_source(std::move(file), packing);
}

}  // namespace tintype
