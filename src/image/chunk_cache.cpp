// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/chunk_cache.h"

#include <algorithm>
#include <atomic>

namespace tintype {
namespace {

constexpr std::size_t kMaxQueue = 64;
constexpr std::size_t kMaxSpare = 8;

}  // namespace

ChunkCache::ChunkCache(std::shared_ptr<ImageReader> image, std::size_t chunks, unsigned threads)
    : image_(std::move(image)), capacity_(std::max<std::size_t>(chunks, 1)), thread_count_(threads) {}

ChunkCache::~ChunkCache() {
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();  // joins
}

Result<std::shared_ptr<Bytes>> ChunkCache::load(const ChunkKey& key, std::shared_ptr<Bytes> buffer) {
  const std::shared_ptr<const Page> page = TRY(image_->page(key.area, key.number / kChunksPerRegion));
  if (!page) return std::shared_ptr<Bytes>();
  const ChunkEntry& entry = page->entries[static_cast<std::size_t>(key.number % kChunksPerRegion)];
  if (!entry.has_frame()) return std::shared_ptr<Bytes>();
  std::unique_ptr<ChunkReader> reader = take_reader();
  const Extent extent = chunk_extent(image_->catalog().areas[key.area].size_bytes, key.number);
  Result<void> read = reader->read(key.area, key.number, extent.length, entry, *buffer);
  {
    const std::lock_guard lock(mutex_);
    readers_.push_back(std::move(reader));
  }
  if (!read) return fail(std::move(read).error());
  return buffer;
}

std::unique_ptr<ChunkReader> ChunkCache::take_reader() {
  {
    const std::lock_guard lock(mutex_);
    if (!readers_.empty()) {
      std::unique_ptr<ChunkReader> reader = std::move(readers_.back());
      readers_.pop_back();
      return reader;
    }
  }
  return std::make_unique<ChunkReader>(image_);
}

// Nobody can begin to use a spare one any more, so one that is ours alone stays so.
std::shared_ptr<Bytes> ChunkCache::take_buffer() {
  const auto unused = std::ranges::find_if(spare_, [](const std::shared_ptr<Bytes>& each) { return each.use_count() == 1; });
  if (unused == spare_.end()) return std::make_shared<Bytes>();
  std::atomic_thread_fence(std::memory_order_acquire);  // after the last reads of who let go of it
  std::shared_ptr<Bytes> buffer = std::move(*unused);
  spare_.erase(unused);
  return buffer;
}

Result<ChunkCache::Content> ChunkCache::load_into(const ChunkKey& key, const EntryPtr& entry, std::unique_lock<std::mutex>& lock) {
  std::shared_ptr<Bytes> buffer = take_buffer();
  lock.unlock();
  Result<std::shared_ptr<Bytes>> content = load(key, std::move(buffer));
  lock.lock();
  entry->loading = false;
  loaded_.notify_all();
  if (!content) {
    entry->error = content.error();
    entries_.erase(key);
    return fail(std::move(content).error());
  }
  entry->content = std::move(*content);
  recent_.push_front(key);
  entry->recent = recent_.begin();
  evict();
  return Content(entry->content);
}

void ChunkCache::evict() {
  while (recent_.size() > capacity_) {
    const auto last = entries_.find(recent_.back());
    const EntryPtr entry = std::move(last->second);
    entries_.erase(last);
    recent_.pop_back();
    // Whoever waited for this entry and has not woken up yet still takes its content from there.
    if (entry->content && spare_.size() < kMaxSpare) spare_.push_back(entry->content);
  }
}

Result<ChunkCache::Content> ChunkCache::get(const ChunkKey& key) {
  std::unique_lock lock(mutex_);
  const auto [found, added] = entries_.try_emplace(key);
  if (added) {
    const EntryPtr entry = found->second = std::make_shared<Entry>();
    return load_into(key, entry, lock);
  }
  const EntryPtr entry = found->second;
  if (entry->loading) {
    loaded_.wait(lock, [&] { return !entry->loading; });
    if (entry->error) return fail(*entry->error);
    return Content(entry->content);
  }
  recent_.splice(recent_.begin(), recent_, entry->recent);
  return Content(entry->content);
}

bool ChunkCache::has(const ChunkKey& key) {
  const std::lock_guard lock(mutex_);
  return entries_.contains(key);
}

void ChunkCache::prefetch(const ChunkKey& key) {
  if (thread_count_ == 0) return;
  const std::lock_guard lock(mutex_);
  if (entries_.contains(key) || queue_.size() >= kMaxQueue || std::ranges::find(queue_, key) != queue_.end()) return;
  queue_.push_back(key);
  if (threads_.empty())
    for (unsigned i = 0; i < thread_count_; ++i) threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  wanted_.notify_one();
}

void ChunkCache::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (wanted_.wait(lock, stop, [&] { return !queue_.empty(); })) {
    const ChunkKey key = queue_.front();
    queue_.pop_front();
    const auto [found, added] = entries_.try_emplace(key);
    if (!added) continue;
    const EntryPtr entry = found->second = std::make_shared<Entry>();
    static_cast<void>(load_into(key, entry, lock).has_value());  // whoever wants the chunk meets the failure again
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
}

}  // namespace tintype
