// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/part_writer.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <numeric>
#include <thread>

#include "image/parity_file.h"
#include "image/part_names.h"

namespace tintype {

// Two locks keep backups of one name apart: that of the first part being written, which goes with it when it gets the
// image's name, and that of the image which has the name at the start, under which cut-off publishes are finished.

namespace {

Result<void> check_part_size(std::uint64_t max_part_bytes) {
  if (max_part_bytes == 0 || max_part_bytes >= kMinPartBytes) return {};
  return fail(ErrorCode::usage, fmt::format("parts of {} bytes are too small", max_part_bytes), "use at least 1 MiB");
}

}  // namespace

Result<std::unique_ptr<PartWriter>> PartWriter::create(std::shared_ptr<Place> place, PartWriterOptions options) {
  TRY(check_part_size(options.max_part_bytes));
  std::unique_ptr<PartWriter> writer(new PartWriter(std::move(place), std::move(options)));
  TRY(writer->start_part());
  TRY(writer->take_the_name());
  return writer;
}

Result<std::unique_ptr<PartWriter>> PartWriter::resume(std::shared_ptr<Place> place, PartWriterOptions options,
                                                       const std::vector<std::uint64_t>& part_bytes) {
  TRY(check_part_size(options.max_part_bytes));
  std::unique_ptr<PartWriter> writer(new PartWriter(std::move(place), std::move(options)));
  writer->keep_ = true;
  writer->created_ = static_cast<std::uint32_t>(part_bytes.size());
  writer->finished_.assign(part_bytes.begin(), part_bytes.end() - 1);
  const std::string& image = writer->options_.image;
  writer->first_ = TRY(writer->place_->reopen(partial_name(image, 0), part_bytes.front()));
  const PartHeader header = TRY(read_part_header(*writer->place_, partial_name(image, 0)));
  if (header.set_id != writer->options_.header.set_id)
    return fail(ErrorCode::busy, writer->place_->describe(image) + " is being written by another backup", "wait until it is done");
  if (writer->part() > 0) writer->file_ = TRY(writer->place_->reopen(partial_name(image, writer->part()), part_bytes.back()));
  TRY(writer->take_the_name());
  return writer;
}

// With the lock of the first part: finishes what an earlier run published by half, and removes parts that are nobody's.
Result<void> PartWriter::take_the_name() {
  TRY(lock_image());
  TRY(check_no_repair());
  TRY(finish_publishing(*place_, options_.image));
  for (const PartFile& file : TRY(find_parts(*place_, options_.image)))
    if (file.partial && file.part >= created_) TRY(place_->remove(file.name));
  TRY(place_->remove(partial_parity_name(options_.image)));
  return remove_repair_leftovers(*place_, options_.image);
}

PartWriter::~PartWriter() {
  // The first part goes last: its lock keeps the next backup of this name from starting among what is removed here.
  if (published_ || keep_) return;
  if (has_parity_) (void)place_->remove(partial_parity_name(options_.image));
  for (std::uint32_t i = created_; i-- > 0;) (void)place_->remove(partial_name(options_.image, i));
}

Result<void> PartWriter::lock_image() {
  // A reader that finishes a cut-off publish, or a backup in its last renames, is done in a moment.
  constexpr int kAttempts = 20;
  for (int attempt = 1;; ++attempt) {
    Result<std::unique_ptr<PlaceLock>> lock = place_->lock(options_.image);
    if (lock) {
      image_lock_ = std::move(*lock);
      return {};
    }
    if (lock.error().code == ErrorCode::not_found) return {};
    if (lock.error().code != ErrorCode::busy || attempt == kAttempts) return fail(std::move(lock).error());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

Result<void> PartWriter::check_no_repair() const {
  // A repair holds this lock before it asks for that of the first part being written, which we have: one of us sees the other.
  const Result<std::unique_ptr<PlaceLock>> lock = place_->lock(parity_name(options_.image));
  if (lock || lock.error().code != ErrorCode::busy) return {};
  return fail(ErrorCode::busy, place_->describe(options_.image) + " is being repaired", "wait until it is done, or choose another name");
}

Result<void> PartWriter::start_part() {
  if (part() > kMaxParts - 1)
    return fail(ErrorCode::usage, fmt::format("the image would have more than {} parts", kMaxParts), "use larger parts");
  std::unique_ptr<AppendFile> created = TRY(place_->create(partial_name(options_.image, part())));
  (part() == 0 ? first_ : file_) = std::move(created);
  created_ = part() + 1;
  PartHeader header = options_.header;
  header.part = part();
  return write(header.encode());
}

Result<void> append_with_room(AppendFile& file, ByteSpan bytes, const MakeRoom& make_room) {
  while (true) {
    const std::uint64_t before = file.size();
    const std::array<ByteSpan, 1> pieces = {bytes};
    Result<void> result = file.append(pieces);
    if (result) return result;
    // What arrived stays; only the rest is tried again.
    bytes = bytes.subspan(static_cast<std::size_t>(file.size() - before));
    if (result.error().code != ErrorCode::no_space || !make_room || !make_room(result.error())) return result;
  }
}

// A place that ran full, or is gone, leaves what can be continued when there is room or when it is back.
Result<void> PartWriter::keep_if_place_failed(Result<void> result) {
  if (result || !options_.resumable || (result.error().code != ErrorCode::no_space && result.error().code != ErrorCode::io)) return result;
  keep_ = true;
  return fail(std::move(result).error().with_hint("what is done stays there as .partial files: --resume goes on with it"));
}

Result<void> PartWriter::write(ByteSpan bytes) { return keep_if_place_failed(append_with_room(file(), bytes, options_.make_room)); }

Result<void> PartWriter::ensure_room(std::uint64_t bytes) {
  if (options_.max_part_bytes == 0 || fits(file().size(), bytes, options_.max_part_bytes)) return {};
  if (kPartHeaderBytes + bytes > options_.max_part_bytes)
    return fail(ErrorCode::usage, fmt::format("parts of {} bytes are too small for a record of {} bytes",
                                              options_.max_part_bytes, bytes), "use larger parts");
  TRY(file().sync());
  finished_.push_back(file().size());
  return start_part();
}

Result<FramePlace> PartWriter::append(ByteSpan frame) {
  TRY(ensure_room(frame.size()));
  const FramePlace place{0, part(), file().size(), static_cast<std::uint32_t>(frame.size())};
  TRY(write(frame));
  return place;
}

std::uint64_t PartWriter::total_bytes() const {
  return std::accumulate(finished_.begin(), finished_.end(), std::uint64_t{0}) + (first_ ? file().size() : 0);
}

Result<void> PartWriter::publish(Trailer trailer) {
  trailer.set_id = options_.header.set_id;
  trailer.parts = part() + 1;
  trailer.part_bytes = file().size() + kTrailerBytes;
  TRY(write(trailer.encode()));
  if (options_.add_parity) {
    // Before the last part is flushed: the drive is still writing it out meanwhile.
    std::vector<std::uint64_t> part_bytes = finished_;
    part_bytes.push_back(file().size());
    has_parity_ = true;  // whatever of it is there is ours to remove
    Result<bool> added = options_.add_parity(trailer.set_id, part_bytes);
    if (!added) return keep_if_place_failed(std::unexpected(std::move(added).error()));
    has_parity_ = *added;
  }
  TRY(file().sync());
  TRY(place_->sync());
  TRY(name_first_part());
  TRY(place_->sync());
  return name_other_parts(trailer.parts);
}

Result<void> PartWriter::name_first_part() {
  Result<void> renamed = place_->rename(partial_name(options_.image, 0), options_.image);
  if (!renamed) {
    // Places behind a network can report failure for what they did. Removing the other parts would then destroy the image.
    const Result<PartHeader> now = read_part_header(*place_, options_.image);
    const bool ours = now && now->set_id == options_.header.set_id;
    const bool known = now || now.error().code == ErrorCode::not_found || now.error().code == ErrorCode::corrupt;
    if (!known) keep_ = true;
    if (!ours) return renamed;
  }
  // From here on the new image has the name, whatever happens: nothing of it may be removed any more.
  published_ = true;
  return {};
}

Result<void> PartWriter::name_other_parts(std::uint32_t parts) {
  const std::string& image = options_.image;
  for (std::uint32_t i = 1; i < parts; ++i) TRY(place_->rename(partial_name(image, i), part_name(image, i)));
  for (const PartFile& file : TRY(find_parts(*place_, image))) {
    if (file.partial || file.part < parts) continue;
    // Only what is a part of an image: the name alone may be somebody else's.
    const Result<PartHeader> header = read_part_header(*place_, file.name);
    if (header && header->part == file.part) TRY(place_->remove(file.name));
  }
  TRY(name_parity());
  return place_->sync();
}

Result<void> PartWriter::name_parity() {
  const std::string name = parity_name(options_.image);
  if (has_parity_) return place_->rename(partial_parity_name(options_.image), name);
  // That of the older image; a file that is none of ours only happens to have the name.
  return TRY(parity_set_id(*place_, name)) ? place_->remove(name) : Result<void>{};
}

}  // namespace tintype
