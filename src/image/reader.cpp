// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/reader.h"

#include <fmt/format.h>

namespace tintype {
namespace {

constexpr std::size_t kCachedPages = 8;

// Adds which file, and where in it, to what went wrong with a frame.
Error located(Error error, PartReader& parts, const FramePlace& place) {
  if (!error.offset_bytes) error.offset_bytes = place.offset;
  return std::move(error).within(parts.describe(place.part));
}

Error other_links() {
  return make_error(ErrorCode::unsupported, "the image needs an earlier image, which this version cannot follow",
                    "use a newer tintype");
}

}  // namespace

Result<std::shared_ptr<ImageReader>> ImageReader::open(std::shared_ptr<Place> place, std::string image,
                                                       const PasswordSource& password) {
  std::unique_ptr<PartReader> opened_parts = TRY(PartReader::open(std::move(place), std::move(image)));
  std::shared_ptr<ImageReader> reader(new ImageReader(std::move(opened_parts)));
  PartReader& parts = *reader->parts_;
  if (parts.header().password_needed) {
    if (!password)
      return fail(ErrorCode::denied, fmt::format("{} needs a password", parts.describe(0)),
                  "give it with --password-file, or run in a terminal to be asked");
    const std::string given = TRY(password());
    reader->data_key_ = TRY(unwrap_key(parts.header(), given, parts.describe(0)));
  }
  const FramePlace at = parts.trailer().catalog;
  Bytes frame;
  TRY(parts.read(at, frame));
  if (sha256(frame) != parts.trailer().catalog_hash)
    return fail(located(make_error(ErrorCode::corrupt, "the image's catalog is damaged"), parts, at));
  FrameOpener opener(reader->data_key_);
  Bytes content;
  Result<OpenedFrame> opened = opener.open(frame, kMaxRawBytes, content);
  if (!opened) return fail(located(std::move(opened).error(), parts, at));
  if (opened->header.type != FrameType::catalog || opened->header.encrypted != parts.header().encrypted)
    return fail(located(make_error(ErrorCode::corrupt, "the image's catalog is not where it should be"), parts, at));
  reader->catalog_ = TRY(Catalog::decode(content));
  if (reader->catalog_.part_bytes.size() + 1 != parts.parts())
    return fail(ErrorCode::corrupt, fmt::format("{} and its catalog disagree on the number of parts", parts.describe(0)));
  for (std::uint32_t i = 0; i + 1 < parts.parts(); ++i) {
    const std::shared_ptr<ReadFile> file = TRY(parts.part(i));
    if (file->size() != reader->catalog_.part_bytes[i])
      return fail(ErrorCode::corrupt, fmt::format("{} has {} bytes instead of {}", parts.describe(i), file->size(),
                                                  reader->catalog_.part_bytes[i]),
                  "it was cut off or changed; take the part from another copy");
  }
  return reader;
}

Result<Bytes> ImageReader::read_index(const FramePlace& place, FrameType type, FrameAddress address, const Hash& hash) {
  if (place.link != 0) return fail(other_links());
  Bytes frame, content;
  TRY(parts_->read(place, frame));
  FrameOpener opener(data_key_);
  Result<OpenedFrame> opened = opener.open(frame, kMaxRawBytes, content);
  if (!opened) return fail(located(std::move(opened).error(), *parts_, place));
  if (opened->header.type != type || opened->address != address || sha256(content) != hash ||
      opened->header.encrypted != header().encrypted)
    return fail(located(make_error(ErrorCode::corrupt, "a piece of the index is not the one that belongs here"), *parts_, place));
  return content;
}

Result<std::vector<PageRef>> ImageReader::directory(std::size_t area, std::uint64_t group) {
  const Area& a = catalog_.areas[area];
  const std::uint64_t regions = region_count(a.size_bytes);
  const std::uint64_t first = group * kRegionsPerDirectory;
  if (group >= a.directories.size() || first >= regions) return fail(ErrorCode::corrupt, "the image has no index for an area");
  const DirectoryRef& ref = a.directories[static_cast<std::size_t>(group)];
  const Bytes content = TRY(read_index(ref.place, FrameType::directory, {static_cast<std::uint32_t>(area), group}, ref.hash));
  return decode_directory(content, static_cast<std::size_t>(std::min<std::uint64_t>(kRegionsPerDirectory, regions - first)));
}

Result<std::shared_ptr<const Page>> ImageReader::page(std::size_t area, std::uint64_t region, const PageRef& ref) {
  if (!ref.present) return std::shared_ptr<const Page>();
  const Extent extent = region_extent(catalog_.areas[area].size_bytes, region);
  const Bytes content = TRY(read_index(ref.place, FrameType::page, {static_cast<std::uint32_t>(area), region}, ref.hash));
  return std::make_shared<const Page>(TRY(Page::decode(content, extent)));
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
  const std::vector<PageRef> refs = TRY(directory(area, region / kRegionsPerDirectory));
  std::shared_ptr<const Page> found = TRY(page(area, region, refs[static_cast<std::size_t>(region % kRegionsPerDirectory)]));
  const std::lock_guard lock(mutex_);
  pages_.push_front({area, region, found});
  if (pages_.size() > kCachedPages) pages_.pop_back();
  return found;
}

ChunkReader::ChunkReader(std::shared_ptr<ImageReader> image) : image_(std::move(image)), opener_(image_->data_key()) {}

Result<void> ChunkReader::read(std::size_t area, std::uint64_t number, std::uint64_t length, const ChunkEntry& entry, Bytes& out) {
  if (entry.kind != ChunkEntry::Kind::stored) {
    out.assign(static_cast<std::size_t>(length), std::byte{0});
    return {};
  }
  if (entry.place.link != 0) return fail(other_links());
  PartReader& parts = image_->parts();
  if (entry.place.bytes > frame_room(kChunkBytes))
    return fail(located(make_error(ErrorCode::corrupt, "the index claims an absurd size for a chunk"), parts, entry.place));
  TRY(parts.read(entry.place, frame_));
  Result<OpenedFrame> opened = opener_.open(frame_, kChunkBytes, out);
  if (!opened) return fail(located(std::move(opened).error(), parts, entry.place));
  const FrameAddress wanted{static_cast<std::uint32_t>(area), number};
  if (opened->header.type != FrameType::chunk || opened->address != wanted || out.size() != length ||
      opened->header.encrypted != image_->header().encrypted)
    return fail(located(make_error(ErrorCode::corrupt, "a chunk is not the one that belongs here"), parts, entry.place));
  if (hasher_.hash(out) != entry.hash)
    return fail(located(make_error(ErrorCode::corrupt, "a chunk's hash does not fit its content"), parts, entry.place));
  return {};
}

}  // namespace tintype
