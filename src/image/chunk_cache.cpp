// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/chunk_cache.h"

#include <algorithm>
#include <cstring>

namespace tintype {
namespace {

constexpr std::size_t kMaxQueue = 256;
// What is decoded comes in blocks of this size; and to go through a chunk in smaller steps would decode its beginning again and again.
constexpr std::size_t kGrain = 128U << 10;

std::size_t in_grains(std::size_t bytes) {
  return bytes >= kChunkBytes ? bytes : (bytes + kGrain - 1) / kGrain * kGrain;
}

// Of a chunk of which not enough is there, for the second time.
std::size_t all_of(std::size_t bytes) { return std::max<std::size_t>(bytes, kChunkBytes); }

// Bytes that it takes to keep it.
std::size_t weight(const ChunkCache::Content& content) {
  constexpr std::size_t kOfAnEntry = 256;
  return kOfAnEntry + content.size;
}

}  // namespace

ChunkCache::ChunkCache(std::shared_ptr<ImageReader> image, std::size_t bytes, unsigned threads)
    : image_(std::move(image)), capacity_(bytes), thread_count_(threads) {}

ChunkCache::~ChunkCache() {
  {
    const std::lock_guard lock(mutex_);
    queue_.clear();  // they would be decoded first
  }
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();  // joins
}

Result<ChunkCache::Content> ChunkCache::load(const ChunkKey& key, std::size_t bytes) {
  const std::shared_ptr<const Page> page = TRY(image_->page(key.area, key.number / kChunksPerRegion));
  if (!page) return Content();
  const ChunkEntry& entry = page->entries[static_cast<std::size_t>(key.number % kChunksPerRegion)];
  if (!entry.has_frame()) return Content();
  std::unique_ptr<Reader> reader = take_reader();
  const Extent extent = chunk_extent(image_->catalog().areas[key.area].size_bytes, key.number);
  const Result<void> read = bytes == kWhole ? reader->chunks.read(key.area, key.number, extent.length, entry, reader->buffer)
                                            : reader->chunks.read_beginning(key.area, key.number, extent.length, entry, bytes, reader->buffer);
  Result<Content> content = read ? Result<Content>(keep(reader->buffer)) : fail(read.error());
  const std::lock_guard lock(mutex_);
  readers_.push_back(std::move(reader));
  return content;
}

std::unique_ptr<ChunkCache::Reader> ChunkCache::take_reader() {
  {
    const std::lock_guard lock(mutex_);
    if (!readers_.empty()) {
      std::unique_ptr<Reader> reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
  }
  return std::make_unique<Reader>(Reader{ChunkReader(image_), {}});
}

ChunkCache::Content ChunkCache::keep(ByteSpan bytes) {
  std::shared_ptr<std::byte[]> memory = memory_->take(bytes.size());
  std::memcpy(memory.get(), bytes.data(), bytes.size());
  return {std::move(memory), bytes.size()};
}

// There must be no entry for it.
Result<ChunkCache::Content> ChunkCache::load_new(const ChunkKey& key, std::size_t bytes, std::unique_lock<std::mutex>& lock) {
  const auto entry = std::make_shared<Entry>();
  entry->bytes = bytes;
  entries_[key] = entry;
  lock.unlock();
  Result<Content> content = load(key, bytes);
  lock.lock();
  entry->loading = false;
  loaded_.notify_all();
  if (!content) {
    entry->error = content.error();
    entries_.erase(key);
    return fail(std::move(content).error());
  }
  entry->content = std::move(*content);
  if (entry->content.size != bytes) entry->bytes = kWhole;  // there is no more of it, or all of it had to be read
  recent_.push_front(key);
  entry->recent = recent_.begin();
  kept_bytes_ += weight(entry->content);
  while (kept_bytes_ > capacity_ && recent_.size() > 1) forget(std::prev(recent_.end()));
  return entry->content;
}

void ChunkCache::forget(std::list<ChunkKey>::iterator which) {
  const auto found = entries_.find(*which);
  const EntryPtr entry = std::move(found->second);
  entries_.erase(found);
  recent_.erase(which);
  kept_bytes_ -= weight(entry->content);
}

bool ChunkCache::has_enough(const Entry& entry, std::size_t bytes) { return entry.bytes >= std::min<std::size_t>(bytes, kChunkBytes); }

Result<ChunkCache::Content> ChunkCache::get(const ChunkKey& key, std::size_t bytes) {
  bytes = in_grains(bytes);
  std::unique_lock lock(mutex_);
  for (auto found = entries_.find(key); found != entries_.end(); found = entries_.find(key)) {
    const EntryPtr entry = found->second;
    const bool enough = has_enough(*entry, bytes);
    if (entry->loading) {
      loaded_.wait(lock, [&] { return !entry->loading; });
      if (entry->error && enough) return fail(*entry->error);
      if (enough) return entry->content;
    } else if (enough) {
      recent_.splice(recent_.begin(), recent_, entry->recent);
      return entry->content;
    } else {
      forget(entry->recent);
      bytes = all_of(bytes);
    }
  }
  return load_new(key, bytes, lock);
}

void ChunkCache::prefetch(const ChunkKey& key, std::size_t bytes) {
  if (thread_count_ == 0) return;
  bytes = in_grains(bytes);
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end() && (found->second->loading || has_enough(*found->second, bytes))) return;
  if (const auto queued = std::ranges::find(queue_, key, &Wanted::key); queued != queue_.end()) {
    queued->bytes = std::max(queued->bytes, bytes);
    return;
  }
  if (queue_.size() >= kMaxQueue) return;
  queue_.push_back({key, bytes});
  if (threads_.empty())
    for (unsigned i = 0; i < thread_count_; ++i) threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  wanted_.notify_one();
}

void ChunkCache::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (wanted_.wait(lock, stop, [&] { return !queue_.empty(); })) {
    Wanted next = queue_.front();
    queue_.pop_front();
    if (const auto found = entries_.find(next.key); found != entries_.end()) {
      const EntryPtr& entry = found->second;
      if (entry->loading || has_enough(*entry, next.bytes)) continue;
      forget(entry->recent);
      next.bytes = all_of(next.bytes);
    }
    static_cast<void>(load_new(next.key, next.bytes, lock).has_value());  // whoever wants the chunk meets the failure again
  }
}

void ChunkCache::used_up(const ChunkKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end() && !found->second->loading) recent_.splice(recent_.end(), recent_, found->second->recent);
}

void ChunkCache::clear() {
  const std::lock_guard lock(mutex_);
  queue_.clear();
  for (const ChunkKey& key : recent_) entries_.erase(key);
  recent_.clear();
  kept_bytes_ = 0;
}

}  // namespace tintype
