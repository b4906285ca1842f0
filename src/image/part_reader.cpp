// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/part_reader.h"

#include <fmt/format.h>

#include "image/part_names.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxOpenParts = 64;

}  // namespace

Result<std::unique_ptr<PartReader>> PartReader::open(std::shared_ptr<Place> place, std::string image) {
  // Best effort: on a place that cannot be written, the parts are found under their temporary names.
  finish_publishing_if_idle(*place, image);
  std::unique_ptr<PartReader> reader(new PartReader(std::move(place), std::move(image)));
  reader->header_ = TRY(read_part_header(*reader->place_, reader->image_));
  if (reader->header_.part != 0)
    return fail(ErrorCode::usage,
                fmt::format("{} is part {} of an image", reader->describe(0), reader->header_.part + 1),
                "give the name of its first part, the one without a number");
  // The last part is the highest number that is there; its trailer says how many there should be.
  std::uint32_t last = 0;
  for (const PartFile& file : TRY(find_parts(*reader->place_, reader->image_))) {
    if (file.part <= last) continue;
    const Result<PartHeader> header = read_part_header(*reader->place_, file.name);
    if (header && header->set_id == reader->header_.set_id && header->part == file.part) last = file.part;
  }
  const std::shared_ptr<ReadFile> file = TRY(reader->open_part(last));
  if (file->size() < kPartHeaderBytes + kTrailerBytes)
    return fail(ErrorCode::corrupt, fmt::format("{} is cut off", reader->describe(last)));
  Bytes bytes(kTrailerBytes);
  TRY(file->read(file->size() - kTrailerBytes, bytes));
  reader->trailer_ = TRY(Trailer::decode(bytes, reader->describe(last)));
  const Trailer& trailer = reader->trailer_;
  if (trailer.set_id != reader->header_.set_id || trailer.parts != last + 1 || trailer.part_bytes != file->size())
    return fail(ErrorCode::corrupt, fmt::format("{} does not end where the image says", reader->describe(last)),
                "a part may be missing or replaced");
  for (std::uint32_t i = 1; i < last; ++i)
    if (!TRY(reader->place_->exists(part_name(reader->image_, i))) &&
        !TRY(reader->place_->exists(partial_name(reader->image_, i))))
      return fail(ErrorCode::not_found, fmt::format("part {} of {} is missing: {}", i + 1, trailer.parts, reader->describe(i)),
                  "put all parts of the image into one folder");
  return reader;
}

std::string PartReader::describe(std::uint32_t part) const { return place_->describe(part_name(image_, part)); }

Result<std::shared_ptr<ReadFile>> PartReader::open_part(std::uint32_t number) {
  for (const std::string& name : {part_name(image_, number), partial_name(image_, number)}) {
    if (!TRY(place_->exists(name))) continue;
    const Result<PartHeader> header = read_part_header(*place_, name);
    const bool ours = header && header->set_id == header_.set_id && header->part == number;
    if (!ours && name != part_name(image_, number)) continue;
    if (!ours && TRY(place_->exists(partial_name(image_, number)))) continue;
    if (!header) return fail(header.error());
    if (!ours)
      return fail(ErrorCode::corrupt,
                  fmt::format("{} is {}", place_->describe(name),
                              header->set_id == header_.set_id ? fmt::format("part {} of this image, not part {}", header->part, number)
                                                               : "a part of another image"),
                  "put the right file in its place");
    return std::shared_ptr<ReadFile>(TRY(place_->open(name)));
  }
  return fail(ErrorCode::not_found, fmt::format("part {} of the image is missing: {}", number + 1, describe(number)),
              "put all parts of the image into one folder");
}

Result<std::shared_ptr<ReadFile>> PartReader::part(std::uint32_t number) {
  const std::lock_guard lock(mutex_);
  if (const auto found = open_.find(number); found != open_.end()) return found->second;
  if (number >= trailer_.parts) return fail(ErrorCode::corrupt, "the index names a part that the image does not have");
  std::shared_ptr<ReadFile> file = TRY(open_part(number));
  if (open_.size() >= kMaxOpenParts) open_.erase(open_.begin());
  open_.emplace(number, file);
  return file;
}

Result<void> PartReader::read(const FramePlace& place, Bytes& out) {
  const std::shared_ptr<ReadFile> file = TRY(part(place.part));
  const std::uint64_t end = place.part + 1 == parts() ? file->size() - kTrailerBytes : file->size();
  const bool sane = place.bytes >= kContentAt && place.bytes <= kMaxRawBytes + kContentAt + kTagBytes &&
                    place.offset >= kPartHeaderBytes && fits(place.offset, place.bytes, end);
  if (!sane) {
    // The part is shorter than the index says, or the index is wrong: either way this frame is lost.
    Error error = make_error(ErrorCode::corrupt, fmt::format("a record leaves {}, which has {} bytes", describe(place.part), file->size()));
    error.offset_bytes = place.offset;
    return fail(std::move(error));
  }
  out.resize(place.bytes);
  return file->read(place.offset, out);
}

}  // namespace tintype
