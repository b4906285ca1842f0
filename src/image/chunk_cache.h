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
#include "base/pages.h"
#include "image/reader.h"

namespace tintype {

// Which chunk of which area; `area` is its place in the catalog.
struct ChunkKey {
  std::size_t area = 0;
  std::uint64_t number = 0;
  friend bool operator==(const ChunkKey&, const ChunkKey&) = default;
};

// Decoded chunks of an image, the most recently used ones kept. A chunk that several threads want is decoded once. Of a chunk whose
// beginning is wanted no more than that is decoded, until somebody wants more: then all of it. What was decoded so is checked by its frame; for
// who wants kWhole the hash is compared as well, unless all of it is there already. Thread safe.
class ChunkCache {
 public:
  // Without memory it stands for a chunk that reads as zeros.
  struct Content {
    std::shared_ptr<const std::byte[]> memory;
    std::size_t size = 0;
    ByteSpan bytes() const { return {memory.get(), size}; }
  };

  // Keeps up to `bytes` of decoded chunks, but one at least, plus what callers hold. `threads` decode what prefetch() asks for; they start with
  // the first request. 0: prefetch() does nothing.
  ChunkCache(std::shared_ptr<ImageReader> image, std::size_t bytes, unsigned threads);
  ~ChunkCache();
  ChunkCache(const ChunkCache&) = delete;
  ChunkCache& operator=(const ChunkCache&) = delete;

  static constexpr std::size_t kWhole = SIZE_MAX;

  // At least the first `bytes` bytes. Waits if another thread is decoding it. A failure is told to everybody who waits and not remembered.
  Result<Content> get(const ChunkKey& key, std::size_t bytes = kWhole);
  // A hint; more than a few at a time are forgotten.
  void prefetch(const ChunkKey& key, std::size_t bytes = kWhole);
  // A hint that nobody will want it again: it makes room before all others.
  void used_up(const ChunkKey& key);
  void clear();

 private:
  struct KeyHash {
    std::size_t operator()(const ChunkKey& key) const { return std::hash<std::uint64_t>()(key.number * 1031 + key.area); }
  };
  struct Entry {
    std::size_t bytes = 0;  // as many of the first ones as were wanted
    bool loading = true;
    std::optional<Error> error;
    Content content;
    std::list<ChunkKey>::iterator recent;  // once it is loaded
  };
  using EntryPtr = std::shared_ptr<Entry>;

  struct Reader {
    ChunkReader chunks;
    Bytes buffer;
  };

  Result<Content> load(const ChunkKey& key, std::size_t bytes);
  Result<Content> load_new(const ChunkKey& key, std::size_t bytes, std::unique_lock<std::mutex>& lock);
  void forget(std::list<ChunkKey>::iterator which);
  static bool has_enough(const Entry& entry, std::size_t bytes);
  Content keep(ByteSpan bytes);
  std::unique_ptr<Reader> take_reader();
  void work(const std::stop_token& stop);

  const std::shared_ptr<ImageReader> image_;
  const std::size_t capacity_;
  const unsigned thread_count_;
  std::mutex mutex_;
  std::condition_variable loaded_;
  std::condition_variable_any wanted_;
  std::unordered_map<ChunkKey, EntryPtr, KeyHash> entries_;
  std::list<ChunkKey> recent_;  // most recent first
  std::size_t kept_bytes_ = 0;  // by those in it
  std::vector<std::unique_ptr<Reader>> readers_;  // idle ones
  const std::shared_ptr<PagePool> memory_ = std::make_shared<PagePool>();
  struct Wanted {
    ChunkKey key;
    std::size_t bytes = 0;
  };
  std::deque<Wanted> queue_;
  std::vector<std::jthread> threads_;
};

}  // namespace tintype
