// SPDX-License-Identifier: GPL-3.0-or-later
// A compressed stream is cut into units of 2^n clusters. Of each the run list has all clusters (stored as it is), some and then a hole
// (compressed into them), or a hole only (zeros).
#include "fs/ntfs/content.h"

#include <algorithm>

#include "fs/ntfs/lznt1.h"

namespace tintype::ntfs {
namespace {

constexpr std::uint64_t kMaxUnitBytes = 1024 * 1024;
constexpr std::uint16_t kLznt1 = 1;

std::unexpected<Error> past_end() { return fail(ErrorCode::out_of_bounds, "a read past the end of a file"); }

class BytesContent final : public FileContent {
 public:
  explicit BytesContent(Bytes bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (!fits(offset, out.size(), bytes_.size())) return past_end();
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }
  Result<std::vector<Extent>> extents() override { return std::vector<Extent>{}; }

 private:
  Bytes bytes_;
};

class RunContent : public FileContent {
 public:
  RunContent(const Mft& mft, Stream stream) : mft_(mft), stream_(std::move(stream)), cluster_bytes_(mft.boot().cluster_bytes) {}
  std::uint64_t size_bytes() const override { return stream_.data_bytes; }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (!fits(offset, out.size(), stream_.data_bytes)) return past_end();
    return mft_.read(stream_, offset, out);
  }
  Result<std::vector<Extent>> extents() override { return stream_.runs.extents(cluster_bytes_); }
  // What lies behind the initialized part counts as a hole: nothing of it was ever written.
  Result<std::optional<Extent>> next_data(std::uint64_t offset) override {
    const std::uint64_t end = std::min(stream_.data_bytes, stream_.initialized_bytes);
    if (offset >= end) return std::nullopt;
    std::optional<Extent> found;
    const auto& runs = stream_.runs.runs();
    auto run = std::ranges::upper_bound(runs, offset / cluster_bytes_, {}, &Run::vcn);
    if (run != runs.begin()) --run;
    for (; run != runs.end() && run->vcn < div_round_up(end, cluster_bytes_); ++run) {
      if (!run->lcn) {
        if (found) break;
        continue;
      }
      const std::uint64_t last = run->vcn + run->length;
      const std::uint64_t to = last > end / cluster_bytes_ ? end : last * cluster_bytes_;
      const std::uint64_t from = std::max(offset, run->vcn * cluster_bytes_);
      if (to <= from) continue;
      if (found) found->length = to - found->start;
      else found = Extent{from, to - from};
    }
    return found;
  }

 protected:
  const Mft& mft_;
  Stream stream_;
  std::uint64_t cluster_bytes_;
};

class CompressedContent final : public RunContent {
 public:
  CompressedContent(const Mft& mft, Stream stream, std::uint64_t unit_bytes)
      : RunContent(mft, std::move(stream)), unit_clusters_(unit_bytes / cluster_bytes_), unit_(unit_bytes) {}

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (!fits(offset, out.size(), stream_.data_bytes)) return past_end();
    while (!out.empty()) {
      const std::uint64_t within = offset % unit_.size();
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), unit_.size() - within));
      TRY(load(offset / unit_.size()));
      std::copy_n(unit_.begin() + static_cast<std::ptrdiff_t>(within), n, out.begin());
      if (offset + n > stream_.initialized_bytes) {
        const std::size_t kept = offset >= stream_.initialized_bytes ? 0 : static_cast<std::size_t>(stream_.initialized_bytes - offset);
        std::ranges::fill(out.subspan(kept, n - kept), std::byte{0});
      }
      out = out.subspan(n);
      offset += n;
    }
    return {};
  }

  // In whole units: a compressed one has a hole behind its clusters that is none of the file.
  Result<std::optional<Extent>> next_data(std::uint64_t offset) override {
    if (offset >= stream_.data_bytes) return std::nullopt;
    const auto stored = TRY(RunContent::next_data(round_down(offset, unit_.size())));
    if (!stored) return std::nullopt;
    const std::uint64_t from = std::max(offset, round_down(stored->start, unit_.size()));
    const std::uint64_t to = std::min(stream_.data_bytes, round_up(stored->end(), unit_.size()));
    return Extent{from, to - from};
  }

 private:
  Result<void> load(std::uint64_t number) {
    if (loaded_ == number) return {};
    loaded_.reset();
    const std::uint64_t first = number * unit_clusters_;
    const std::uint64_t clusters = std::min(unit_clusters_, stream_.runs.clusters() - std::min(first, stream_.runs.clusters()));
    const std::uint64_t stored = stored_clusters(first, clusters);
    std::ranges::fill(unit_, std::byte{0});
    const std::size_t bytes = static_cast<std::size_t>(stored * cluster_bytes_);
    const std::uint64_t at = first * cluster_bytes_;
    if (stored == clusters) {
      TRY(stream_.runs.read(mft_.drive(), cluster_bytes_, at, MutableByteSpan(unit_).first(bytes)));
    } else if (stored > 0) {
      packed_.resize(bytes);
      TRY(stream_.runs.read(mft_.drive(), cluster_bytes_, at, packed_));
      TRY(unpack_lznt1(packed_, unit_));
    }
    loaded_ = number;
    return {};
  }

  // How many clusters of [first, first + count) lie before the first hole.
  std::uint64_t stored_clusters(std::uint64_t first, std::uint64_t count) const {
    const auto& runs = stream_.runs.runs();
    auto run = std::ranges::upper_bound(runs, first, {}, &Run::vcn);
    std::uint64_t at = first;
    for (run = run == runs.begin() ? run : run - 1; run != runs.end() && at < first + count && run->lcn; ++run) at = run->vcn + run->length;
    return std::min(at - first, count);
  }

  std::uint64_t unit_clusters_;
  Bytes unit_, packed_;
  std::optional<std::uint64_t> loaded_;
};

}  // namespace

std::unique_ptr<FileContent> content_of(Bytes bytes) { return std::make_unique<BytesContent>(std::move(bytes)); }

Result<std::unique_ptr<FileContent>> open_content(const Mft& mft, Stream stream) {
  if (stream.flags & kEncrypted)
    return fail(ErrorCode::unsupported, "it is encrypted by Windows (EFS), and the key is not here",
                "restore the partition and open the file as the user who encrypted it");
  if (stream.resident) return content_of(std::move(stream.value));
  if (!(stream.flags & kCompressedMask)) return std::make_unique<RunContent>(mft, std::move(stream));
  const std::uint64_t unit_bytes = stream.compression_unit < 16 ? std::uint64_t{mft.boot().cluster_bytes} << stream.compression_unit : 0;
  if ((stream.flags & kCompressedMask) != kLznt1 || stream.compression_unit == 0 || unit_bytes > kMaxUnitBytes || unit_bytes == 0)
    return fail(ErrorCode::unsupported, "it is compressed in a way that is not known here");
  return std::make_unique<CompressedContent>(mft, std::move(stream), unit_bytes);
}

}  // namespace tintype::ntfs
