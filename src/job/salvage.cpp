// SPDX-License-Identifier: GPL-3.0-or-later
// One pass over the parts in the order of their bytes: every sound chunk goes straight to its place in the result, so that
// memory holds one bit a chunk. What the index knows is asked for as regions come by, and once more at the end, for the account;
// chunks that build on an earlier state, or lie in an earlier image of the chain, are read by their places then.
#include "job/salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>
#include <map>

#include "image/salvage_reader.h"
#include "job/areas.h"
#include "job/progress.h"

namespace tintype {
namespace {

constexpr std::size_t kMostExtents = 100000;
constexpr std::uint64_t kGrainBytes = 4096;
// What a hostile image can make us keep track of: a petabyte of regions, and areas as in a catalog.
constexpr std::size_t kMostRegions = 1U << 20;
constexpr std::uint32_t kMostAreas = 1024;
constexpr std::uint64_t kMostAreaBytes = std::uint64_t{1} << 62;

struct Target {
  SalvagedArea area;
  std::size_t index = 0;  // in the catalog, if the layout is known
  std::shared_ptr<Drive> drive;
  std::map<std::uint64_t, std::bitset<kChunksPerRegion>> found;  // by region
};

class Salvage {
 public:
  Salvage(const SalvageRequest& request, JobContext& context) : request_(request), context_(context) {}

  Result<SalvageReport> run() {
    reader_ = TRY(SalvageReader::open(request_.place, request_.image, request_.password, context_.cancel, request_.finder));
    known_ = reader_->basis() != SalvageReader::Basis::none;
    report_.layout_from = known_ ? reader_->basis() == SalvageReader::Basis::catalog ? "catalog" : "prologue" : "nothing";
    TRY(known_ ? place_by_layout() : place_by_number());
    TRY(each_chunk("salvage", [this](const FrameAddress& address, ByteSpan content) { return bring_back(address, content); }));
    if (known_) TRY(write_tables());
    begin_account();
    for (auto& [number, target] : targets_) {
      if (meter_) meter_->object(target.area.name);
      TRY(known_ ? account(target) : account_without_index(target));
      if (!known_) TRY(target.drive->flush());
      report_.areas.push_back(std::move(target.area));
    }
    TRY(context_.cancel.check());  // a search that was cancelled found too little
    if (meter_) meter_->finish();
    if (known_) TRY(drive_->flush());
    report_.notes = reader_->notes();
    return std::move(report_);
  }

 private:
  using Take = std::function<Result<void>(const FrameAddress&, ByteSpan)>;

  Result<void> place_by_layout() {
    const Catalog& catalog = reader_->catalog();
    drive_ = TRY(request_.create("drive.raw", catalog.source.size_bytes));
    for (std::size_t i = 0; i < catalog.areas.size(); ++i) {
      const Area& area = catalog.areas[i];
      Target& target = targets_[area.number];
      target.index = i;
      target.area.name = describe(area, catalog.layout);
      target.area.number = area.number;
      target.area.first_track = area.kind == AreaKind::first_track;
      target.area.file = "drive.raw";
      target.area.file_byte = area.start_byte;
      target.area.size_bytes = area.size_bytes;
      target.drive = drive_;
    }
    return {};
  }

  // Only the frames tell how large the areas are, at least.
  Result<void> place_by_number() {
    std::map<std::uint32_t, std::uint64_t> ends;
    TRY(each_chunk("search", [&](const FrameAddress& address, ByteSpan content) -> Result<void> {
      if (address.area >= kMostAreas || address.number >= kMostAreaBytes / kChunkBytes) return {};
      std::uint64_t& end = ends[address.area];
      end = std::max(end, address.number * kChunkBytes + content.size());
      return {};
    }));
    report_.damaged_chunks = report_.lone_deltas = report_.locked_frames = 0;  // counted again by the pass that follows
    for (const auto& [number, end] : ends) {
      Target& target = targets_[number];
      target.area.number = number;
      target.area.name = fmt::format("area {}", number);
      target.area.file = fmt::format("area-{}.raw", number);
      target.area.size_bytes = end;
      target.drive = TRY(request_.create(target.area.file, end));
    }
    return {};
  }

  // Calls for every sound chunk of the set, in the order of the files.
  Result<void> each_chunk(const char* stage, const Take& take) {
    SalvageParts& parts = reader_->parts();
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < parts.list().size(); ++i)
      if (const Result<std::shared_ptr<ReadFile>> file = parts.file(i)) total += (*file)->size();
    ProgressMeter meter(context_.events, stage, total);
    FrameOpener opener(reader_->data_key());
    Bytes content;
    for (std::size_t i = 0; i < parts.list().size(); ++i) {
      const Result<std::shared_ptr<ReadFile>> file = parts.file(i);
      if (!file) {
        context_.events.warn(file.error().message());
        continue;
      }
      meter.object(parts.list()[i].name);
      FrameScanner scanner(*file);
      std::uint64_t at = 0;
      while (const std::optional<FoundFrame> frame = scanner.next()) {
        TRY(context_.cancel.check());
        meter.advance(scanner.position() - at);
        at = scanner.position();
        if (frame->header.type != FrameType::chunk || !parts.is_ours(frame->header)) continue;
        if (frame->header.codec == Codec::delta) {
          const Result<FrameAddress> address = scanner.address(*frame, opener);
          address ? note_delta(*address) : count_unsound(address.error());
          continue;
        }
        const Result<OpenedFrame> opened = scanner.open(*frame, opener, kChunkBytes, content);
        if (opened)
          TRY(take(opened->address, content));
        else
          count_unsound(opened.error());
      }
    }
    meter.finish();
    return {};
  }

  void count_unsound(const Error& error) { ++(error.code == ErrorCode::denied ? report_.locked_frames : report_.damaged_chunks); }

  // Deltas that the index knows are read for the account.
  void note_delta(const FrameAddress& address) {
    const auto at = targets_.find(address.area);
    const std::uint64_t region = address.number / kChunksPerRegion;
    const bool known = known_ && at != targets_.end() && chunk_extent(at->second.area.size_bytes, address.number).length != 0;
    const auto page = known ? reader_->page(at->second.index, region) : nullptr;
    if (!known_ || (known && !page && !saved_nothing(at->second, region)))
      ++report_.lone_deltas;
    else if (!page || page->entries[static_cast<std::size_t>(address.number % kChunksPerRegion)].kind != ChunkEntry::Kind::delta)
      ++report_.foreign_chunks;
  }

  Result<void> bring_back(const FrameAddress& address, ByteSpan content) {
    const auto at = targets_.find(address.area);
    const Extent extent = at == targets_.end() ? Extent{} : chunk_extent(at->second.area.size_bytes, address.number);
    const std::uint64_t region = address.number / kChunksPerRegion;
    if (extent.length == 0 || extent.length != content.size() || !can_track(at->second, region) || !fits_index(at->second, address, content)) {
      ++report_.foreign_chunks;
      return {};
    }
    auto bit = track(at->second, region)[static_cast<std::size_t>(address.number % kChunksPerRegion)];
    TRY(write_sparse(*at->second.drive, at->second.area.file_byte + extent.start, content, !bit));
    if (!bit) ++report_.chunks;
    bit = true;
    return {};
  }

  // Where the index is sound it decides, by the hash; elsewhere the frame's own address is all there is.
  bool fits_index(const Target& target, const FrameAddress& address, ByteSpan content) {
    if (!known_) return true;
    const auto page = reader_->page(target.index, address.number / kChunksPerRegion);
    if (!page) return !saved_nothing(target, address.number / kChunksPerRegion);
    const ChunkEntry& entry = page->entries[static_cast<std::size_t>(address.number % kChunksPerRegion)];
    return entry.has_frame() && hasher_.hash(content) == entry.hash;
  }

  // True if a sound directory says so.
  bool saved_nothing(const Target& target, std::uint64_t region) {
    const std::vector<PageRef>* refs = reader_->directory(target.index, region / kRegionsPerDirectory);
    return refs != nullptr && !(*refs)[static_cast<std::size_t>(region % kRegionsPerDirectory)].present;
  }

  bool can_track(const Target& target, std::uint64_t region) const { return tracked_ < kMostRegions || target.found.contains(region); }
  std::bitset<kChunksPerRegion>& track(Target& target, std::uint64_t region) {
    const auto [at, fresh] = target.found.try_emplace(region);
    tracked_ += fresh ? 1 : 0;
    return at->second;
  }

  // Zeros stay holes. `fresh`: nothing was written there before.
  Result<void> write_sparse(Drive& drive, std::uint64_t offset, ByteSpan content, bool fresh) {
    if (!fresh) TRY(drive.zero(offset, content.size()));
    for (std::size_t at = 0, run = 0; at < content.size();) {
      const std::size_t n = std::min<std::size_t>(kGrainBytes - (offset + at) % kGrainBytes, content.size() - at);
      const bool zero = all_zero(content.subspan(at, n));
      if (zero && run < at) TRY(drive.write(offset + run, content.subspan(run, at - run)));
      at += n;
      if (zero) run = at;
      if (!zero && at == content.size()) TRY(drive.write(offset + run, content.subspan(run)));
    }
    return {};
  }

  Result<void> write_tables() {
    const Layout& layout = reader_->catalog().layout;
    for (const TableSectors& table : layout.table_sectors) {
      const std::optional<std::uint64_t> at = checked_mul(table.start_sector, layout.sector_bytes);
      if (at && fits(*at, table.bytes.size(), drive_->size_bytes())) TRY(drive_->write(*at, table.bytes));
    }
    return {};
  }

  // ---- the account ----

  // Takes time only where it reads chunks.
  void begin_account() {
    if (!known_ || reader_->catalog().links.empty()) return;
    std::uint64_t used = 0;
    for (const Area& area : reader_->catalog().areas) used += area.used_bytes;
    meter_.emplace(context_.events, "salvage chain", used);
  }

  Result<void> account(Target& target) {
    std::vector<std::uint64_t> regions = TRY(reader_->known_regions(target.index));
    for (const auto& [region, bits] : target.found) regions.push_back(region);
    std::ranges::sort(regions);
    regions.erase(std::unique(regions.begin(), regions.end()), regions.end());
    std::uint64_t next = 0;  // byte of the area up to which everything is accounted for
    for (const std::uint64_t region : regions) {
      TRY(context_.cancel.check());
      const Extent extent = region_extent(target.area.size_bytes, region);
      target.area.unknown.add({next, extent.start - next});
      next = extent.end();
      TRY(account_region(target, region, extent));
    }
    target.area.unknown.add({next, target.area.size_bytes - next});
    return {};
  }

  Result<void> account_without_index(Target& target) {
    std::uint64_t next = 0;
    for (const auto& [region, bits] : target.found) {
      const Extent extent = region_extent(target.area.size_bytes, region);
      target.area.unknown.add({next, extent.start - next});
      next = extent.end();
      account_by_frames(target, region, extent);
    }
    target.area.unknown.add({next, target.area.size_bytes - next});
    return {};
  }

  Result<void> account_region(Target& target, std::uint64_t region, Extent extent) {
    const auto page = reader_->page(target.index, region);
    if (page) return account_page(target, region, *page);
    if (!saved_nothing(target, region)) account_by_frames(target, region, extent);
    return {};
  }

  void account_by_frames(Target& target, std::uint64_t region, Extent extent) {
    const auto bits = target.found.find(region);
    const std::uint64_t first = region * kChunksPerRegion;
    for (std::uint64_t i = 0; i < div_round_up(extent.length, kChunkBytes); ++i) {
      const Extent chunk = chunk_extent(target.area.size_bytes, first + i);
      if (bits == target.found.end() || !bits->second[static_cast<std::size_t>(i)]) {
        target.area.unknown.add(chunk);
        continue;
      }
      target.area.restored_bytes += chunk.length;
      target.area.unconfirmed_bytes += chunk.length;
    }
  }

  Result<void> account_page(Target& target, std::uint64_t region, const Page& page) {
    const auto bits = target.found.find(region);
    std::size_t used = 0;
    for (std::size_t i = 0; i < page.entries.size(); ++i) {
      const std::uint64_t number = region * kChunksPerRegion + i;
      const Extent chunk = chunk_extent(target.area.size_bytes, number);
      const ChunkEntry& entry = page.entries[i];
      bool there = entry.kind == ChunkEntry::Kind::zero || (bits != target.found.end() && bits->second[i]);
      bool elsewhere = false;  // what is missing of it
      // All frames of this image that stand for themselves have been seen.
      if (!there && (entry.kind == ChunkEntry::Kind::delta || (entry.has_frame() && entry.place.link != 0))) {
        const SalvageReader::Chunk got = TRY(bring_by_index(target, number, chunk, entry));
        there = got == SalvageReader::Chunk::whole;
        elsewhere = got == SalvageReader::Chunk::lost_in_earlier_image;
      }
      for (; used < page.used.size() && page.used[used].start < chunk.end(); ++used) {
        const Extent part{std::max(page.used[used].start, chunk.start), 0};
        const std::uint64_t end = std::min(page.used[used].end(), chunk.end());
        if (there)
          target.area.restored_bytes += end - part.start;
        else
          (elsewhere ? target.area.earlier : target.area.lost).add({part.start, end - part.start});
        if (page.used[used].end() > chunk.end()) break;  // goes on in the next chunk
      }
    }
    for (const Extent& extent : page.unreadable) target.area.unreadable_bytes += extent.length;
    return {};
  }

  Result<SalvageReader::Chunk> bring_by_index(Target& target, std::uint64_t number, Extent chunk, const ChunkEntry& entry) {
    TRY(context_.cancel.check());
    const SalvageReader::Chunk got = reader_->read_chunk(target.index, number, entry, content_);
    if (meter_) meter_->advance(chunk.length);
    if (got != SalvageReader::Chunk::whole) return got;
    TRY(write_sparse(*target.drive, target.area.file_byte + chunk.start, content_, true));
    ++report_.chunks;
    return got;
  }

  const SalvageRequest& request_;
  JobContext& context_;
  std::unique_ptr<SalvageReader> reader_;
  bool known_ = false;            // the layout is
  std::shared_ptr<Drive> drive_;  // drive.raw
  std::map<std::uint32_t, Target> targets_;
  std::size_t tracked_ = 0;       // regions, over all targets
  ChunkHasher hasher_;
  Bytes content_;
  std::optional<ProgressMeter> meter_;  // of a changes-only image's account
  SalvageReport report_;
};

}  // namespace

void SalvageExtents::add(Extent extent) {
  if (extent.length == 0) return;
  bytes += extent.length;
  if (!listed.empty() && ranges == listed.size() && listed.back().end() == extent.start) {
    listed.back().length += extent.length;
    return;
  }
  ++ranges;
  if (listed.size() < kMostExtents) listed.push_back(extent);
}

std::uint64_t SalvageReport::restored_bytes() const {
  std::uint64_t sum = 0;
  for (const SalvagedArea& area : areas) sum += area.restored_bytes;
  return sum;
}
std::uint64_t SalvageReport::lost_bytes() const {
  std::uint64_t sum = 0;
  for (const SalvagedArea& area : areas) sum += area.lost.bytes + area.earlier.bytes;
  return sum;
}
std::uint64_t SalvageReport::unknown_bytes() const {
  std::uint64_t sum = 0;
  for (const SalvagedArea& area : areas) sum += area.unknown.bytes;
  return sum;
}

Result<SalvageReport> run_salvage(const SalvageRequest& request, JobContext& context) { return Salvage(request, context).run(); }

}  // namespace tintype
