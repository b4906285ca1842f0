// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/environment.h"
#include "image/catalog.h"
#include "image/frame.h"
#include "image/hash.h"
#include "image/page.h"
#include "image/part_writer.h"
#include "image/unfinished.h"

namespace tintype {

// Of an area of the new image and a region; null if there is none. Called on the writer's thread.
using EarlierPages = std::function<Result<std::shared_ptr<const EarlierPage>>(std::size_t area, std::uint64_t region)>;

// What an image takes over from earlier ones.
struct WriterBase {
  SetId set_id{};                     // of the image it builds on; zero: it is full, made out of the frames of others
  std::optional<SecretKey> data_key;  // if its frames are encrypted: the new ones are then too, with the same key
};

struct ImageWriterOptions {
  std::string image;                     // file name of the first part
  std::uint64_t max_part_bytes = 0;      // 0: no limit
  std::optional<std::string> password;
  bool encrypt = false;                  // false with a password: the password is only checked
  std::function<bool(const Error&)> make_room;
  std::optional<WriterBase> base;        // needs a password if the base has a data key
  std::vector<EarlierPages> pages;       // a page that one of these has already is not written again
  bool resumable = false;                // what a full or failed place leaves is kept, to be continued
  AddParity add_parity = nullptr;            // null: no recovery file
};

// A chunk as a worker hands it over.
struct FinishedChunk {
  std::uint64_t number = 0;  // in the area
  ChunkEntry entry;          // the place is filled in by the writer if there is a frame
  ByteSpan frame;            // empty: nothing new, or it lies in an earlier image, where the entry says
  std::span<const Extent> used;        // bytes of the area inside the chunk, ascending
  std::span<const Extent> unreadable;
};

// Writes one image: prologue, chunks area by area in ascending order, pages as regions fill up, directories, catalog,
// trailer. One thread; memory does not grow with the drive but for 64 bytes a GiB.
class ImageWriter {
 public:
  // `catalog` is what is known now; it is written as the prologue.
  static Result<std::unique_ptr<ImageWriter>> create(std::shared_ptr<Place> place, ImageWriterOptions options,
                                                     Catalog catalog, Random& random);
  // The same for an image that a backup began and did not finish: goes on behind what is sound of it. The password has been proved
  // by opening it; `catalog` fits its prologue. On failure the unfinished files stay.
  static Result<std::unique_ptr<ImageWriter>> resume(std::shared_ptr<Place> place, ImageWriterOptions options, Catalog catalog,
                                                     const Unfinished& unfinished, Random& random);
  // A sealer for the chunks, to be used by one worker; chunk counters are numbered from 0 by the caller.
  Result<FrameSealer> chunk_sealer() const;

  Result<void> begin_area(std::size_t area);
  Result<void> add(const FinishedChunk& chunk);
  // Appends a frame that the chunk to be added next builds on; its place is for the entry's bases.
  Result<FramePlace> append_base(ByteSpan frame);
  Result<void> end_area();
  // Writes the catalog and publishes. After success the image has its name.
  Result<void> finish(Clock& clock);
  void keep_unfinished() { parts_->keep_unfinished(); }

  const Catalog& catalog() const { return catalog_; }
  const SetId& set_id() const { return set_id_; }
  std::uint64_t total_bytes() const { return parts_->total_bytes(); }

 private:
  explicit ImageWriter(Catalog catalog) : catalog_(std::move(catalog)) {}
  static PartWriterOptions part_options(ImageWriterOptions& options, PartHeader header);
  struct Written {
    FramePlace place;
    Hash hash;
  };
  Result<ByteSpan> seal(FrameType type, FrameAddress address, ByteSpan content);
  Result<Written> append(FrameType type, FrameAddress address, ByteSpan content);
  Result<void> flush_page();
  Result<bool> reuse_page(PageRef& ref);
  Result<void> write_catalog();

  Catalog catalog_;
  SetId set_id_{};
  std::vector<EarlierPages> earlier_pages_;
  std::optional<WritingKey> key_;
  std::unique_ptr<PartWriter> parts_;
  std::optional<FrameSealer> sealer_;
  Bytes frame_;  // buffer for everything but chunks
  std::uint64_t next_counter_ = kOtherFrames;
  Written catalog_frame_{};

  std::size_t area_ = 0;
  std::vector<PageRef> pages_;
  std::uint64_t region_ = 0;
  Page page_;
  bool page_dirty_ = false;
};

}  // namespace tintype
