// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/part_writer.h"

#include <fmt/format.h>

#include <array>
#include <numeric>

#include "image/part_names.h"

namespace tintype {

Result<std::unique_ptr<PartWriter>> PartWriter::create(std::shared_ptr<Place> place, PartWriterOptions options) {
  if (options.max_part_bytes != 0 && options.max_part_bytes < kMinPartBytes)
    return fail(ErrorCode::usage, fmt::format("parts of {} bytes are too small", options.max_part_bytes),
                "use at least 1 MiB");
  TRY(finish_publishing(*place, options.image));
  std::unique_ptr<PartWriter> writer(new PartWriter(std::move(place), std::move(options)));
  // Takes the lock of part 0 first: if another backup is writing this image, nothing of it is touched.
  TRY(writer->start_part());
  for (const PartFile& file : TRY(find_parts(*writer->place_, writer->options_.image)))
    if (file.partial && file.part > 0) TRY(writer->place_->remove(file.name));
  return writer;
}

PartWriter::~PartWriter() {
  if (published_ || keep_) return;
  file_.reset();
  for (std::uint32_t i = 0; i <= part(); ++i) (void)place_->remove(partial_name(options_.image, i));
}

Result<void> PartWriter::start_part() {
  file_ = TRY(place_->create(partial_name(options_.image, part())));
  PartHeader header = options_.header;
  header.part = part();
  return write(header.encode());
}

Result<void> PartWriter::write(ByteSpan bytes) {
  while (true) {
    const std::uint64_t before = file_->size();
    const std::array<ByteSpan, 1> pieces = {bytes};
    Result<void> result = file_->append(pieces);
    if (result) return result;
    // What arrived stays; only the rest is tried again.
    bytes = bytes.subspan(static_cast<std::size_t>(file_->size() - before));
    if (result.error().code != ErrorCode::no_space || !options_.make_room || !options_.make_room(result.error()))
      return result;
  }
}

Result<void> PartWriter::ensure_room(std::uint64_t bytes) {
  if (options_.max_part_bytes == 0 || fits(file_->size(), bytes, options_.max_part_bytes)) return {};
  if (kPartHeaderBytes + bytes > options_.max_part_bytes)
    return fail(ErrorCode::usage, fmt::format("parts of {} bytes are too small for a record of {} bytes",
                                              options_.max_part_bytes, bytes), "use larger parts");
  TRY(file_->sync());
  finished_.push_back(file_->size());
  return start_part();
}

Result<FramePlace> PartWriter::append(ByteSpan frame) {
  TRY(ensure_room(frame.size()));
  const FramePlace place{0, part(), file_->size(), static_cast<std::uint32_t>(frame.size())};
  TRY(write(frame));
  return place;
}

std::uint64_t PartWriter::total_bytes() const {
  return std::accumulate(finished_.begin(), finished_.end(), std::uint64_t{0}) + (file_ ? file_->size() : 0);
}

Result<void> PartWriter::publish(Trailer trailer) {
  trailer.set_id = options_.header.set_id;
  trailer.parts = part() + 1;
  trailer.part_bytes = file_->size() + kTrailerBytes;
  TRY(write(trailer.encode()));
  TRY(file_->sync());
  TRY(place_->sync());
  const std::string& image = options_.image;
  TRY(place_->rename(partial_name(image, 0), image));
  // From here on the new image has the name, whatever happens: nothing may be removed any more.
  published_ = true;
  TRY(place_->sync());
  for (std::uint32_t i = 1; i < trailer.parts; ++i) TRY(place_->rename(partial_name(image, i), part_name(image, i)));
  for (const PartFile& file : TRY(find_parts(*place_, image)))
    if (file.part >= trailer.parts) TRY(place_->remove(file.name));
  return place_->sync();
}

}  // namespace tintype
