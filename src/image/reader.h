// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "image/catalog.h"
#include "image/chain.h"
#include "image/frame.h"
#include "image/hash.h"
#include "image/page.h"
#include "image/part_reader.h"

namespace tintype {

// Gives the password when an image needs one; called at most once an open.
using PasswordSource = std::function<Result<std::string>()>;

// A finished image, for random access: opening reads the catalog, pages are read when asked for, and so are the earlier images
// that a changes-only image builds on. Thread safe, but for ChunkReader, of which every thread has its own.
class ImageReader {
 public:
  // `finder`: where earlier images are looked for; null: beside the image and in the folders it remembers.
  static Result<std::shared_ptr<ImageReader>> open(std::shared_ptr<Place> place, std::string image, const PasswordSource& password,
                                                   std::shared_ptr<LinkFinder> finder = nullptr);

  const Catalog& catalog() const { return catalog_; }
  const PartHeader& header() { return chain_.own().header(); }
  PartReader& parts() { return chain_.own(); }  // of this image alone
  Chain& chain() { return chain_; }
  const std::optional<SecretKey>& data_key() const { return data_key_; }
  const SessionId& session() const { return session_; }  // that finished the image; zeros if it is not encrypted

  // One earlier image of the chain (1: the first of catalog().links), opened and its catalog read.
  Result<Catalog> link_catalog(std::uint32_t link);
  // That every earlier image is there, whole in size, and the one that was used. The first that is not is named.
  Result<void> check_links();

  // Records of the regions of an area, one directory at a time; checked against the catalog's hash.
  Result<std::vector<PageRef>> directory(std::size_t area, std::uint64_t group);
  // Places in it count from this image. The page of a region, checked against its directory; null if the region has no used bytes. Recent ones are kept.
  Result<std::shared_ptr<const Page>> page(std::size_t area, std::uint64_t region);
  Result<std::shared_ptr<const Page>> page(std::size_t area, std::uint64_t region, const PageRef& ref);

 private:
  explicit ImageReader(std::unique_ptr<PartReader> parts) : chain_(std::move(parts)) {}
  Result<PageRef> page_ref(std::size_t area, std::uint64_t region);
  Result<Bytes> read_index(const FramePlace& place, FrameType type, FrameAddress address, const Hash& hash);

  Chain chain_;
  Catalog catalog_;
  std::optional<SecretKey> data_key_;
  SessionId session_{};

  struct CachedPage {
    std::size_t area;
    std::uint64_t region;
    std::shared_ptr<const Page> page;
  };
  std::mutex mutex_;
  std::list<CachedPage> pages_;  // most recent first
  struct CachedDirectory {
    std::size_t area;
    std::uint64_t group;
    std::vector<PageRef> refs;
  };
  std::optional<CachedDirectory> directory_;  // the last one used
};

// Reads, decrypts, decodes and checks chunks. One per thread.
class ChunkReader {
 public:
  explicit ChunkReader(std::shared_ptr<ImageReader> image);
  // The content of a chunk; `out` is resized to `length`. Any doubt about it is Error{corrupt} naming the part file.
  Result<void> read(std::size_t area, std::uint64_t number, std::uint64_t length, const ChunkEntry& entry, Bytes& out);
  // Its first `most` bytes, for who wants a little of it: decoded only that far, and not compared with the hash, which is of the whole. What
  // is checked is the frame: its checksum, its tag if it is encrypted, and that it belongs here. Where that is not enough (the chunk takes
  // anything from an earlier image, or another run of the program wrote it under the same key) all of it is read and its hash compared.
  Result<void> read_beginning(std::size_t area, std::uint64_t number, std::uint64_t length, const ChunkEntry& entry, std::size_t most, Bytes& out);
  // The content of a delta whose earlier state somebody seems to have at hand, such as the drive that it was of: nothing but its own
  // frame is read. False: it is no delta, or not one against that state.
  Result<bool> read_onto(std::size_t area, std::uint64_t number, std::uint64_t length, const ChunkEntry& entry, ByteSpan state, Bytes& out);
  // What these frames give, the first of which stands for itself and the others are deltas, each against what those before it give.
  // The hash of that is not known: only what the frames say of themselves is checked. `out` is empty if there are none.
  Result<void> read_state(std::size_t area, std::uint64_t number, std::span<const FramePlace> frames, Bytes& out);

 private:
  Result<FrameHeader> read_frame(FrameAddress address, const FramePlace& place, ByteSpan base, Bytes& out, std::size_t most = kChunkBytes);
  Result<void> lay_moved(std::size_t area, std::uint64_t length, const ChunkEntry& entry);

  std::shared_ptr<ImageReader> image_;
  FrameOpener opener_;
  ChunkHasher hasher_;
  Bytes frame_;
  Bytes base_, next_;  // states that a delta builds on
  Bytes moved_;        // state of a chunk that it takes data from
};

}  // namespace tintype
