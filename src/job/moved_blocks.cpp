// SPDX-License-Identifier: GPL-3.0-or-later
// How: what a file system moves leaves clusters that were in use and are not any more. Their blocks, and only theirs, are hashed out of
// the base into a sorted table. A changed chunk is compared with its own earlier state; each block that differs is looked up, and what is
// found is laid over that state before the difference is made. The hash is a hint: a wrong one costs size, never content.
#include "job/moved_blocks.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "job/pipeline.h"
#include "job/used_changes.h"

namespace tintype {
namespace {

constexpr std::uint64_t kBlockBytes = 4096;
constexpr std::uint64_t kNowhere = ~std::uint64_t{0};
constexpr std::uint64_t kMostGoneBytes = std::uint64_t{4} << 30;  // a million blocks, 16 MiB of table
constexpr std::size_t kMostSources = 32768;
// A chunk is not decoded for less than this, neither now nor whenever the image is read. Measured on a 2 % change: with 4096 twice as
// many chunks are decoded for one percent less of size.
constexpr std::uint64_t kLeastBytes = 8192;
// 64 MiB: what was decoded for its hashes is mostly wanted again, for it lies in chunks that changed.
constexpr std::size_t kMostStates = 128;

static_assert(kMaxMovedRuns >= kChunkBytes / kBlockBytes);

// Clusters of a file system begin where others do, but that need not be at a multiple of 4 KiB. The commonest wins.
std::uint64_t common_phase(const std::vector<Extent>& extents) {
  std::array<std::uint64_t, kBlockBytes / kMapUnitBytes> bytes{};
  for (const Extent& extent : extents) bytes[extent.start % kBlockBytes / kMapUnitBytes] += extent.length;
  return static_cast<std::uint64_t>(std::ranges::max_element(bytes) - bytes.begin()) * kMapUnitBytes;
}

std::uint64_t bytes_of(const MovedData& data) {
  std::uint64_t bytes = 0;
  for (const MovedRun& run : data.runs) bytes += run.bytes;
  return bytes;
}

void add_block(std::vector<MovedData>& found, std::uint64_t chunk, std::uint32_t to, std::uint32_t from) {
  auto data = std::ranges::find(found, chunk, &MovedData::chunk);
  if (data == found.end()) data = found.insert(found.end(), {chunk, {}, {}});
  if (!data->runs.empty()) {
    MovedRun& last = data->runs.back();
    if (last.to + last.bytes == to && last.from + last.bytes == from) {
      last.bytes += kBlockBytes;
      return;
    }
  }
  data->runs.push_back({to, from, kBlockBytes});
}

}  // namespace

Result<std::unique_ptr<MovedBlocks>> MovedBlocks::gather(BaseData& base, std::size_t area, std::uint64_t area_bytes, ExtentStream& used,
                                                         JobContext& context) {
  if (!base.index().area_of(area) || !base.reachable()) return std::unique_ptr<MovedBlocks>();
  UsedChanges changes = TRY(used_changes(base.index(), area, area_bytes, used, kBlockBytes, kMostGoneBytes, context.cancel));
  if (changes.gone.empty() || !changes.some_came) return std::unique_ptr<MovedBlocks>();
  std::unique_ptr<MovedBlocks> moved(new MovedBlocks(base, *base.index().area_of(area)));
  moved->gone_ = std::move(changes.gone);
  moved->phase_ = common_phase(moved->gone_);
  TRY(moved->choose_sources(area, context.cancel));
  TRY(moved->hash_sources(context));
  if (moved->blocks_.empty()) moved.reset();
  return moved;
}

// Chunks that need others themselves are passed over: so no chain of them comes to be.
Result<void> MovedBlocks::choose_sources(std::size_t area, const CancelToken& cancel) {
  std::uint64_t next = 0;  // chunk
  for (std::size_t i = 0; i < gone_.size() && sources_.size() < kMostSources;) {
    TRY(cancel.check());
    // All that is gone of one chunk, and of the next one if an extent reaches into it.
    const std::uint64_t chunk = std::max(gone_[i].start / kChunkBytes, next);
    const std::size_t first = i;
    std::uint64_t bytes = 0;
    for (; i < gone_.size() && gone_[i].start < (chunk + 1) * kChunkBytes; ++i) {
      const std::uint64_t start = std::max(gone_[i].start, chunk * kChunkBytes);
      bytes += std::min(gone_[i].end(), (chunk + 1) * kChunkBytes) - start;
      if (gone_[i].end() > (chunk + 1) * kChunkBytes) break;
    }
    next = chunk + 1;
    if (bytes < kLeastBytes) continue;
    ChunkEntry entry = TRY(base_.index().entry(area, chunk));
    if (!entry.has_frame() || !entry.moved.empty()) continue;
    entry.bases.push_back(entry.place);
    sources_.push_back({chunk, std::move(entry.bases), first, {}});
  }
  return {};
}

Result<void> MovedBlocks::hash_sources(JobContext& context) {
  struct Slot {
    std::size_t source = 0;
    std::vector<Block> blocks;
  };
  const unsigned workers = worker_count(context.workers);
  std::vector<ChunkReader> readers;
  readers.reserve(workers);
  for (unsigned i = 0; i < workers; ++i) readers.emplace_back(base_.index().share());
  std::vector<Bytes> buffers(workers);
  std::vector<Slot> slots(slot_count(workers));
  std::size_t next = 0;
  PipelineSteps steps;
  steps.produce = [&](std::size_t slot) -> Result<bool> {
    if (next == sources_.size() || !base_.reachable()) return false;
    slots[slot].source = next++;
    return true;
  };
  steps.work = [&](unsigned worker, std::size_t slot) -> Result<void> {
    Source& source = sources_[slots[slot].source];
    slots[slot].blocks.clear();
    Bytes& content = slots[slot].source < kMostStates ? source.state : buffers[worker];
    if (Result<void> read = read_state(readers[worker], source, content); !read) {
      base_.failed(read.error());
      content.clear();
    }
    hash(source, content, slots[slot].blocks);
    return {};
  };
  steps.consume = [&](std::size_t slot) -> Result<void> {
    blocks_.insert(blocks_.end(), slots[slot].blocks.begin(), slots[slot].blocks.end());
    return {};
  };
  TRY(run_pipeline(workers, slots.size(), context.cancel, steps));
  std::ranges::sort(blocks_);
  return {};
}

Result<void> MovedBlocks::read_state(ChunkReader& reader, const Source& source, Bytes& out) const {
  return reader.read_state(base_area_, source.chunk, base_.index().within_base(source.frames), out);
}

void MovedBlocks::hash(const Source& source, ByteSpan content, std::vector<Block>& blocks) const {
  const Extent chunk{source.chunk * kChunkBytes, content.size()};
  for (std::size_t i = source.first_gone; i < gone_.size() && gone_[i].start < chunk.end(); ++i) {
    const std::uint64_t start = std::max(gone_[i].start, chunk.start), end = std::min(gone_[i].end(), chunk.end());
    for (std::uint64_t at = start + (phase_ + kBlockBytes - start % kBlockBytes) % kBlockBytes; at + kBlockBytes <= end; at += kBlockBytes) {
      const ByteSpan block = content.subspan(static_cast<std::size_t>(at - chunk.start), kBlockBytes);
      if (!all_zero(block)) blocks.push_back({frame_checksum(block), at});
    }
  }
}

const MovedBlocks::Source* MovedBlocks::source_of(std::uint64_t chunk) const {
  const auto found = std::ranges::lower_bound(sources_, chunk, {}, &Source::chunk);
  return found != sources_.end() && found->chunk == chunk ? &*found : nullptr;
}

// Where such a block lay; of several the wanted one, which goes on from the one before.
std::uint64_t MovedBlocks::lookup(ByteSpan block, std::uint64_t wanted) const {
  const std::uint64_t hash = frame_checksum(block);
  if (wanted != kNowhere && std::ranges::binary_search(blocks_, Block{hash, wanted})) return wanted;
  const auto found = std::ranges::lower_bound(blocks_, Block{hash, 0});
  return found == blocks_.end() || found->hash != hash ? kNowhere : found->at;
}

std::vector<MovedData> MovedBlocks::candidates(std::uint64_t chunk, ByteSpan content, ByteSpan state) const {
  std::vector<MovedData> found;
  std::uint64_t next = kNowhere;
  for (std::size_t at = static_cast<std::size_t>(phase_); at + kBlockBytes <= content.size(); at += kBlockBytes) {
    const ByteSpan block = content.subspan(at, kBlockBytes);
    const bool same = at + kBlockBytes <= state.size() && std::memcmp(block.data(), state.data() + at, kBlockBytes) == 0;
    const std::uint64_t from = same || all_zero(block) ? kNowhere : lookup(block, next);
    next = from == kNowhere ? kNowhere : from + kBlockBytes;
    // What moved within the chunk is found in its own earlier state.
    if (from == kNowhere || from / kChunkBytes == chunk) continue;
    add_block(found, from / kChunkBytes, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(from % kChunkBytes));
  }
  return found;
}

const Bytes* MovedBlocks::state(std::uint64_t chunk) const {
  const Source* source = source_of(chunk);
  return source != nullptr && !source->state.empty() ? &source->state : nullptr;
}

std::vector<MovedData> MovedBlocks::find(ChunkReader& reader, std::uint64_t chunk, ByteSpan content, ByteSpan state, Bytes& laid) const {
  std::vector<MovedData> found = candidates(chunk, content, state);
  std::erase_if(found, [](const MovedData& data) { return bytes_of(data) < kLeastBytes; });
  if (found.empty()) return {};
  std::ranges::stable_sort(found, std::ranges::greater(), bytes_of);
  if (found.size() > kMaxMovedFrom) found.resize(kMaxMovedFrom);
  laid.assign(state.begin(), state.end());
  laid.resize(content.size());
  std::vector<MovedData> used;
  Bytes read;
  for (MovedData& data : found) {
    const Source& source = *source_of(data.chunk);
    if (source.state.empty()) {
      const Result<void> there = base_.reachable() ? read_state(reader, source, read) : Result<void>();
      if (!there) base_.failed(there.error());
      if (!there || !base_.reachable()) continue;
    }
    if (!lay_over(data, source.state.empty() ? read : source.state, laid)) continue;
    data.frames = source.frames;
    used.push_back(std::move(data));
  }
  return used;
}

}  // namespace tintype
