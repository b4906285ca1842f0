// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/writer.h"

#include <algorithm>

namespace tintype {
namespace {

constexpr int kIndexLevel = 1;  // pages are mostly hashes, which do not shrink

void append_extents(std::vector<Extent>& out, std::span<const Extent> more) {
  for (const Extent& extent : more) {
    if (!out.empty() && out.back().end() == extent.start)
      out.back().length += extent.length;
    else
      out.push_back(extent);
  }
}

}  // namespace

Result<std::unique_ptr<ImageWriter>> ImageWriter::create(std::shared_ptr<Place> place, ImageWriterOptions options,
                                                         Catalog catalog, Random& random) {
  std::unique_ptr<ImageWriter> writer(new ImageWriter(std::move(catalog)));
  PartHeader header;
  TRY(random.fill(writer->set_id_));
  header.set_id = writer->set_id_;
  const bool inherits = options.base && options.base->data_key;
  if (options.base) {
    header.base_id = options.base->set_id;
  }
  if (inherits && !options.password) return fail(ErrorCode::denied, "an image that builds on an encrypted one needs its password");
  if (options.password) {
    SecretKey data_key{};
    if (inherits)
      data_key = *options.base->data_key;
    else
      TRY(random.fill(data_key));
    header.slots[0] = TRY(wrap_key(data_key, *options.password, header.set_id, random));
    header.password_needed = true;
    header.encrypted = options.encrypt || inherits;
    if (header.encrypted) {
      writer->key_.emplace();
      writer->key_->data_key = data_key;
      TRY(random.fill(writer->key_->session));
    }
  }
  writer->sealer_.emplace(TRY(FrameSealer::create(writer->key_, kIndexLevel)));
  writer->earlier_pages_ = std::move(options.pages);
  writer->parts_ = TRY(PartWriter::create(std::move(place), part_options(options, header)));
  const Bytes prologue = writer->catalog_.encode();
  // What could not be read back is refused now, not found out when the image is needed.
  TRY(Catalog::decode(prologue, Catalog::Stage::prologue));
  TRY(writer->append(FrameType::prologue, {}, prologue));
  return writer;
}

Result<std::unique_ptr<ImageWriter>> ImageWriter::resume(std::shared_ptr<Place> place, ImageWriterOptions options, Catalog catalog,
                                                         const Unfinished& unfinished, Random& random) {
  std::unique_ptr<ImageWriter> writer(new ImageWriter(std::move(catalog)));
  const PartHeader& header = unfinished.header();
  writer->set_id_ = header.set_id;
  if (header.encrypted) {
    writer->key_.emplace();
    writer->key_->data_key = *unfinished.data_key();
    TRY(random.fill(writer->key_->session));  // counters start anew, so the key must
  }
  writer->sealer_.emplace(TRY(FrameSealer::create(writer->key_, kIndexLevel)));
  writer->earlier_pages_ = std::move(options.pages);
  writer->parts_ = TRY(PartWriter::resume(std::move(place), part_options(options, header), unfinished.part_bytes()));
  writer->catalog_.sessions = 2;
  return writer;
}

PartWriterOptions ImageWriter::part_options(ImageWriterOptions& options, PartHeader header) {
  return {std::move(options.image), std::move(header), options.max_part_bytes, std::move(options.make_room), std::move(options.add_parity),
          options.resumable};
}

Result<FrameSealer> ImageWriter::chunk_sealer() const { return FrameSealer::create(key_, catalog_.compression); }

Result<ByteSpan> ImageWriter::seal(FrameType type, FrameAddress address, ByteSpan content) {
  if (content.size() > kMaxRawBytes) return fail(ErrorCode::unsupported, "the index of the image grows too large");
  if (frame_.size() < frame_room(content.size())) frame_.resize(frame_room(content.size()));
  return sealer_->seal(type, address, next_counter_++, content, frame_);
}

Result<ImageWriter::Written> ImageWriter::append(FrameType type, FrameAddress address, ByteSpan content) {
  const ByteSpan frame = TRY(seal(type, address, content));
  return Written{TRY(parts_->append(frame)), sha256(content)};
}

Result<void> ImageWriter::begin_area(std::size_t area) {
  area_ = area;
  pages_.assign(static_cast<std::size_t>(region_count(catalog_.areas[area].size_bytes)), {});
  region_ = 0;
  page_dirty_ = false;
  return {};
}

Result<void> ImageWriter::add(const FinishedChunk& chunk) {
  Area& area = catalog_.areas[area_];
  const std::uint64_t region = chunk.number / kChunksPerRegion;
  if (page_dirty_ && region != region_) TRY(flush_page());
  if (!page_dirty_) {
    region_ = region;
    page_ = {};
    page_.entries.resize(static_cast<std::size_t>(div_round_up(region_extent(area.size_bytes, region).length, kChunkBytes)));
    page_dirty_ = true;
  }
  ChunkEntry& entry = page_.entries[static_cast<std::size_t>(chunk.number % kChunksPerRegion)];
  entry = chunk.entry;
  if (!chunk.frame.empty()) entry.place = TRY(parts_->append(chunk.frame));
  if (entry.has_frame() && entry.place.link == 0) area.stored_bytes += entry.place.bytes;
  append_extents(page_.used, chunk.used);
  append_extents(page_.unreadable, chunk.unreadable);
  return {};
}

Result<FramePlace> ImageWriter::append_base(ByteSpan frame) {
  const FramePlace place = TRY(parts_->append(frame));
  catalog_.areas[area_].stored_bytes += frame.size();
  return place;
}

// Whether the very same page is there already: then that one will do.
Result<bool> ImageWriter::reuse_page(PageRef& ref) {
  for (const EarlierPages& pages : earlier_pages_) {
    const std::shared_ptr<const EarlierPage> earlier = TRY(pages(area_, region_));
    if (!earlier || earlier->page->entries != page_.entries || earlier->page->used != page_.used || earlier->page->unreadable != page_.unreadable)
      continue;
    ref = earlier->ref;
    return true;
  }
  return false;
}

Result<void> ImageWriter::flush_page() {
  Area& area = catalog_.areas[area_];
  PageRef& ref = pages_[static_cast<std::size_t>(region_)];
  if (!TRY(reuse_page(ref))) {
    const Bytes content = page_.encode(region_extent(area.size_bytes, region_));
    const Written written = TRY(append(FrameType::page, {area.number, region_}, content));
    ref = {true, written.place, 0, written.hash};
    for (const Extent& extent : page_.used) ref.used_bytes += extent.length;
  }
  for (const Extent& extent : page_.unreadable) area.unreadable_bytes += extent.length;
  area.used_bytes += ref.used_bytes;
  page_dirty_ = false;
  return {};
}

Result<void> ImageWriter::end_area() {
  if (page_dirty_) TRY(flush_page());
  for (std::size_t at = 0, group = 0; at < pages_.size(); at += kRegionsPerDirectory, ++group) {
    const std::size_t count = std::min<std::size_t>(kRegionsPerDirectory, pages_.size() - at);
    const Written written = TRY(append(FrameType::directory, {catalog_.areas[area_].number, group},
                                       encode_directory(std::span(pages_).subspan(at, count))));
    catalog_.areas[area_].directories.push_back({written.place, written.hash});
  }
  pages_.clear();
  return {};
}

Result<void> ImageWriter::write_catalog() {
  // The catalog lists the sizes of all parts but its own. If it needs a new part that list grows by one: make room
  // for a little more than it takes now, then encode it for good. (One number more can also tip it from just worth
  // compressing, by a 64th, to stored.)
  constexpr std::uint64_t kSlack = 256;
  const std::uint64_t now = TRY(seal(FrameType::catalog, {}, catalog_.encode())).size();
  const std::uint64_t room = now + now / 32 + kSlack + kTrailerBytes;
  TRY(parts_->ensure_room(room));
  catalog_.part_bytes = parts_->finished_part_bytes();
  const ByteSpan frame = TRY(seal(FrameType::catalog, {}, catalog_.encode()));
  catalog_frame_ = {TRY(parts_->append(frame)), sha256(frame)};
  return {};
}

Result<void> ImageWriter::finish(Clock& clock) {
  catalog_.finished = clock.now().time_since_epoch().count();
  catalog_.part_bytes = parts_->finished_part_bytes();
  TRY(write_catalog());
  Trailer trailer;
  trailer.catalog = catalog_frame_.place;
  trailer.catalog_hash = catalog_frame_.hash;
  return parts_->publish(trailer);
}

}  // namespace tintype
