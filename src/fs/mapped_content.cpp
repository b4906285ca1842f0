// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/mapped_content.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype {
namespace {

constexpr std::size_t kMaxPieces = std::size_t{1} << 22;  // 64 MiB; a file of 16 GiB without two neighbouring blocks

std::unexpected<Error> past_the_end(std::uint64_t offset, std::uint64_t size) {
  return fail(ErrorCode::out_of_bounds, fmt::format("byte {} lies behind the end of a file of {} bytes", offset, size));
}

class MappedContent final : public FileContent {
 public:
  MappedContent(std::shared_ptr<Drive> partition, std::uint64_t size, std::unique_ptr<ContentMap> map)
      : partition_(std::move(partition)), size_(size), map_(std::move(map)) {}

  std::uint64_t size_bytes() const override { return size_; }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (!fits(offset, out.size(), size_)) return past_the_end(offset, size_);
    while (!out.empty()) {
      TRY(find(offset));
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), run_.length - (offset - run_.start)));
      if (run_.place)
        TRY(partition_->read(*run_.place + (offset - run_.start), out.first(n)));
      else
        std::fill_n(out.begin(), n, std::byte{0});
      out = out.subspan(n);
      offset += n;
    }
    return {};
  }

  Result<std::vector<Extent>> extents() override {
    std::vector<Extent> pieces;
    std::uint64_t total = 0;
    std::uint64_t at = 0;
    while (const std::optional<Extent> data = TRY(next_data(at))) {
      at = data->end();
      const Extent piece{*run_.place + (data->start - run_.start), data->length};
      total += piece.length;
      if (total > partition_->size_bytes()) return fail(ErrorCode::corrupt, "a file takes more room than its partition has");
      if (!pieces.empty() && pieces.back().end() == piece.start)
        pieces.back().length += piece.length;
      else if (pieces.size() == kMaxPieces)
        return fail(ErrorCode::unsupported, fmt::format("a file lies in more than {} pieces", kMaxPieces));
      else
        pieces.push_back(piece);
    }
    return pieces;
  }

  Result<std::optional<Extent>> next_data(std::uint64_t offset) override {
    while (offset < size_) {
      TRY(find(offset));
      const std::uint64_t end = run_.length > size_ - run_.start ? size_ : run_.start + run_.length;
      if (run_.place) return Extent{offset, end - offset};
      offset = end;
    }
    return std::nullopt;
  }

 private:
  Result<void> find(std::uint64_t offset) {
    if (offset >= run_.start && offset - run_.start < run_.length) return {};
    run_ = {};
    const ContentRun found = TRY(map_->at(offset));
    if (offset < found.start || offset - found.start >= found.length ||
        (found.place && !fits(*found.place, std::min(found.length, size_ - found.start), partition_->size_bytes())))
      return fail(ErrorCode::corrupt, "a file lies outside its partition");
    run_ = found;
    return {};
  }

  std::shared_ptr<Drive> partition_;
  std::uint64_t size_;
  std::unique_ptr<ContentMap> map_;
  ContentRun run_;  // the last one found
};

class RecordContent final : public FileContent {
 public:
  explicit RecordContent(Bytes bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (!fits(offset, out.size(), bytes_.size())) return past_the_end(offset, bytes_.size());
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }
  Result<std::vector<Extent>> extents() override { return std::vector<Extent>{}; }

 private:
  Bytes bytes_;
};

}  // namespace

std::unique_ptr<FileContent> mapped_content(std::shared_ptr<Drive> partition, std::uint64_t size, std::unique_ptr<ContentMap> map) {
  return std::make_unique<MappedContent>(std::move(partition), size, std::move(map));
}

std::unique_ptr<FileContent> content_in_record(Bytes bytes) { return std::make_unique<RecordContent>(std::move(bytes)); }

Result<Bytes> read_all(FileContent& content, std::uint64_t most_bytes) {
  if (content.size_bytes() > most_bytes)
    return fail(ErrorCode::corrupt, fmt::format("{} bytes where at most {} can be", content.size_bytes(), most_bytes));
  Bytes bytes(static_cast<std::size_t>(content.size_bytes()));
  TRY(content.read(0, bytes));
  return bytes;
}

}  // namespace tintype
