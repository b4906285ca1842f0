// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "image/reader.h"

namespace tintype {

// Which chunk of which area; `area` is its place in the catalog.
struct ChunkKey {
  std::size_t area = 0;
  std::uint64_t number = 0;
  friend bool operator==(const ChunkKey&, const ChunkKey&) = default;
};

// Decoded chunks of an image, the most recently used ones kept. A chunk that several threads want is decoded once. Thread safe.
class ChunkCache {
 public:
  // Null stands for a chunk that reads as zeros.
  using Content = std::shared_ptr<const Bytes>;

  // Keeps up to `chunks` decoded chunks, plus those that callers hold. `threads` decode what prefetch() asks for; they start with
  // the first request. 0: prefetch() does nothing.
  ChunkCache(std::shared_ptr<ImageReader> image, std::size_t chunks, unsigned threads);
  ~ChunkCache();
  ChunkCache(const ChunkCache&) = delete;
  ChunkCache& operator=(const ChunkCache&) = delete;

  // Waits if another thread is decoding it. A failure is told to everybody who waits and not remembered.
  Result<Content> get(const ChunkKey& key);
  bool has(const ChunkKey& key);  // decoded, or being decoded
  // A hint; more than a few at a time are forgotten.
  void prefetch(const ChunkKey& key);
  // A hint that nobody will want it again: it makes room before all others.
  void used_up(const ChunkKey& key);
  void clear();

 private:
  struct KeyHash {
    std::size_t operator()(const ChunkKey& key) const { return std::hash<std::uint64_t>()(key.number * 1031 + key.area); }
  };
  struct Entry {
    bool loading = true;
    std::optional<Error> error;
    std::shared_ptr<Bytes> content;
    std::list<ChunkKey>::iterator recent;  // once it is loaded
  };
  using EntryPtr = std::shared_ptr<Entry>;

  Result<std::shared_ptr<Bytes>> load(const ChunkKey& key, std::shared_ptr<Bytes> buffer);
  Result<Content> load_into(const ChunkKey& key, const EntryPtr& entry, std::unique_lock<std::mutex>& lock);
  void evict();
  std::shared_ptr<Bytes> take_buffer();
  std::unique_ptr<ChunkReader> take_reader();
  void work(const std::stop_token& stop);

  const std::shared_ptr<ImageReader> image_;
  const std::size_t capacity_;
  const unsigned thread_count_;
  std::mutex mutex_;
  std::condition_variable loaded_;
  std::condition_variable_any wanted_;
  std::unordered_map<ChunkKey, EntryPtr, KeyHash> entries_;
  std::list<ChunkKey> recent_;  // most recent first
  std::vector<std::unique_ptr<ChunkReader>> readers_;  // idle ones
  std::vector<std::shared_ptr<Bytes>> spare_;          // buffers that left the cache; callers may still hold them
  std::deque<ChunkKey> queue_;
  std::vector<std::jthread> threads_;
};

}  // namespace tintype
