// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/reader.h"

#include <fmt/format.h>

namespace tintype {
namespace {

// Of 1 GiB each; a page takes some 200 KiB of memory. Who reads here and there wants them all.
constexpr std::size_t kCachedPages = 32;

// Adds which file, and where in it, to what went wrong with a frame.
Error located(Error error, PartReader& parts, const FramePlace& place) {
  if (!error.offset_bytes) error.offset_bytes = place.offset;
  return std::move(error).within(parts.describe(place.part));
}

}  // namespace

Result<std::shared_ptr<ImageReader>> ImageReader::open(std::shared_ptr<Place> place, std::string image, const PasswordSource& password,
                                                       std::shared_ptr<LinkFinder> finder) {
  if (!finder) finder = std::make_shared<LinkFinder>(place);
  std::unique_ptr<PartReader> opened_parts = TRY(PartReader::open(std::move(place), std::move(image)));
  std::shared_ptr<ImageReader> reader(new ImageReader(std::move(opened_parts)));
  PartReader& parts = reader->parts();
  if (parts.header().password_needed) {
    if (!password)
      return fail(ErrorCode::denied, fmt::format("{} needs a password", parts.describe(0)),
                  "give it with --password-file, or run in a terminal to be asked");
    const std::string given = TRY(password());
    reader->data_key_ = TRY(unwrap_key(parts.header(), given, parts.describe(0)));
  }
  OpenedCatalog opened = TRY(read_catalog(parts, reader->data_key_));
  reader->catalog_ = std::move(opened.catalog);
  reader->session_ = opened.session;
  reader->chain_.set_links(reader->catalog_.links, std::move(finder));
  return reader;
}

Result<Catalog> ImageReader::link_catalog(std::uint32_t link) {
  PartReader& parts = *TRY(chain_.parts(link));
  return TRY(read_catalog(parts, data_key_)).catalog;
}

Result<void> ImageReader::check_links() {
  for (std::uint32_t link = 1; link <= catalog_.links.size(); ++link) TRY(link_catalog(link));
  return {};
}

Result<Bytes> ImageReader::read_index(const FramePlace& place, FrameType type, FrameAddress address, const Hash& hash) {
  PartReader& parts = *TRY(chain_.parts(place.link));
  Bytes frame, content;
  TRY(parts.read(place, frame));
  FrameOpener opener(data_key_);
  Result<OpenedFrame> opened = opener.open(frame, kMaxRawBytes, content);
  if (!opened) return fail(located(std::move(opened).error(), parts, place));
  if (opened->header.type != type || opened->address != address || sha256(content) != hash ||
      opened->header.encrypted != parts.header().encrypted)
    return fail(located(make_error(ErrorCode::corrupt, "a piece of the index is not the one that belongs here"), parts, place));
  return content;
}

Result<std::vector<PageRef>> ImageReader::directory(std::size_t area, std::uint64_t group) {
  const Area& a = catalog_.areas[area];
  const std::uint64_t regions = region_count(a.size_bytes);
  const std::uint64_t first = group * kRegionsPerDirectory;
  if (group >= a.directories.size() || first >= regions) return fail(ErrorCode::corrupt, "the image has no index for an area");
  const DirectoryRef& ref = a.directories[static_cast<std::size_t>(group)];
  if (ref.place.link != 0) return fail(ErrorCode::corrupt, "the image's index lies in another image");
  const Bytes content = TRY(read_index(ref.place, FrameType::directory, {a.number, group}, ref.hash));
  return decode_directory(content, static_cast<std::size_t>(std::min<std::uint64_t>(kRegionsPerDirectory, regions - first)));
}

Result<std::shared_ptr<const Page>> ImageReader::page(std::size_t area, std::uint64_t region, const PageRef& ref) {
  if (!ref.present) return std::shared_ptr<const Page>();
  const Area& a = catalog_.areas[area];
  const Bytes content = TRY(read_index(ref.place, FrameType::page, {a.number, region}, ref.hash));
  Page page = TRY(Page::decode(content, region_extent(a.size_bytes, region)));
  page.seen_from(ref.place.link);
  return std::make_shared<const Page>(std::move(page));
}

Result<std::shared_ptr<const Page>> ImageReader::page(std::size_t area, std::uint64_t region) {
  {
    const std::lock_guard lock(mutex_);
    for (auto at = pages_.begin(); at != pages_.end(); ++at) {
      if (at->area != area || at->region != region) continue;
      pages_.splice(pages_.begin(), pages_, at);
      return at->page;
    }
  }
  const PageRef ref = TRY(page_ref(area, region));
  std::shared_ptr<const Page> found = TRY(page(area, region, ref));
  const std::lock_guard lock(mutex_);
  pages_.push_front({area, region, found});
  if (pages_.size() > kCachedPages) pages_.pop_back();
  return found;
}

Result<PageRef> ImageReader::page_ref(std::size_t area, std::uint64_t region) {
  const std::uint64_t group = region / kRegionsPerDirectory;
  const auto in_group = static_cast<std::size_t>(region % kRegionsPerDirectory);
  {
    const std::lock_guard lock(mutex_);
    if (directory_ && directory_->area == area && directory_->group == group) return directory_->refs[in_group];
  }
  std::vector<PageRef> refs = TRY(directory(area, group));
  const PageRef ref = refs[in_group];
  const std::lock_guard lock(mutex_);
  directory_ = CachedDirectory{area, group, std::move(refs)};
  return ref;
}

ChunkReader::ChunkReader(std::shared_ptr<ImageReader> image) : image_(std::move(image)), opener_(image_->data_key()) {}

Result<FrameHeader> ChunkReader::read_frame(FrameAddress address, const FramePlace& place, ByteSpan base, Bytes& out, std::size_t most) {
  PartReader& parts = *TRY(image_->chain().parts(place.link));
  if (place.bytes > frame_room(kChunkBytes))
    return fail(located(make_error(ErrorCode::corrupt, "the index claims an absurd size for a chunk"), parts, place));
  TRY(parts.read(place, frame_));
  Result<OpenedFrame> opened = most < kChunkBytes ? opener_.open_beginning(frame_, kChunkBytes, most, out, base) : opener_.open(frame_, kChunkBytes, out, base);
  if (!opened) return fail(located(std::move(opened).error(), parts, place));
  if (opened->header.type != FrameType::chunk || opened->address != address || opened->header.encrypted != parts.header().encrypted)
    return fail(located(make_error(ErrorCode::corrupt, "a chunk is not the one that belongs here"), parts, place));
  return opened->header;
}

Result<void> ChunkReader::read(std::size_t area, std::uint64_t number, std::uint64_t length, const ChunkEntry& entry, Bytes& out) {
  if (!entry.has_frame()) {
    out.assign(static_cast<std::size_t>(length), std::byte{0});
    return {};
  }
  TRY(read_state(area, number, entry.bases, base_));
  TRY(lay_moved(area, length, entry));
  TRY(read_frame({image_->catalog().areas[area].number, number}, entry.place, base_, out));
  if (out.size() == length && hasher_.hash(out) == entry.hash) return {};
  return fail(located(make_error(ErrorCode::corrupt, "a chunk's hash does not fit its content"), *TRY(image_->chain().parts(entry.place.link)),
                      entry.place));
}

Result<void> ChunkReader::read_beginning(std::size_t area, std::uint64_t number, std::uint64_t length, const ChunkEntry& entry, std::size_t most,
                                         Bytes& out) {
  const bool stands_alone = entry.place.link == 0 && entry.bases.empty() && entry.moved.empty();
  if (!entry.has_frame() || !stands_alone) return read(area, number, length, entry, out);
  most = std::min<std::size_t>(most, length);
  // A frame of another session under the same key has a sound tag too: one of an image that this one builds on, laid over the frame here.
  if (TRY(read_frame({image_->catalog().areas[area].number, number}, entry.place, {}, out, most)).session != image_->session())
    return read(area, number, length, entry, out);
  if (out.size() == most) return {};
  return fail(located(make_error(ErrorCode::corrupt, "a chunk is shorter than its area says"), *TRY(image_->chain().parts(entry.place.link)), entry.place));
}

Result<void> ChunkReader::read_state(std::size_t area, std::uint64_t number, std::span<const FramePlace> frames, Bytes& out) {
  out.clear();
  for (const FramePlace& place : frames) {
    TRY(read_frame({image_->catalog().areas[area].number, number}, place, out, next_));
    std::swap(out, next_);
  }
  return {};
}

// What the entry takes from elsewhere goes over base_.
Result<void> ChunkReader::lay_moved(std::size_t area, std::uint64_t length, const ChunkEntry& entry) {
  if (entry.moved.empty()) return {};
  base_.resize(static_cast<std::size_t>(length));  // what was not there before counts as zeros
  for (const MovedData& data : entry.moved) {
    TRY(read_state(area, data.chunk, data.frames, moved_));
    if (!lay_over(data, moved_, base_))
      return fail(located(make_error(ErrorCode::corrupt, "a chunk takes data from where there is none"), *TRY(image_->chain().parts(entry.place.link)),
                          entry.place));
  }
  return {};
}

Result<bool> ChunkReader::read_onto(std::size_t area, std::uint64_t number, std::uint64_t length, const ChunkEntry& entry, ByteSpan state,
                                    Bytes& out) {
  if (entry.kind != ChunkEntry::Kind::delta) return false;
  base_.assign(state.begin(), state.end());
  Result<void> read = lay_moved(area, length, entry);
  if (read) {
    const auto frame = read_frame({image_->catalog().areas[area].number, number}, entry.place, base_, out);
    if (!frame) read = fail(frame.error());
  }
  if (!read && read.error().code != ErrorCode::corrupt) return fail(read.error());
  return read && out.size() == length && hasher_.hash(out) == entry.hash;
}

}  // namespace tintype
