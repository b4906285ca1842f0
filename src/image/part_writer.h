// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "image/format.h"
#include "store/place.h"

namespace tintype {

// Asked when the place is full; true: room was made, try again. Null: fail.
using MakeRoom = std::function<bool(const Error&)>;
// Appends all of it; what arrived before a place was full stays, only the rest is tried again.
Result<void> append_with_room(AppendFile& file, ByteSpan bytes, const MakeRoom& make_room);

// Writes the recovery file of a set that is complete, under partial_parity_name(), and flushes it. The parts still have their
// temporary names. False: none was written.
using AddParity = std::function<Result<bool>(const SetId& set_id, std::span<const std::uint64_t> part_bytes)>;

struct PartWriterOptions {
  std::string image;                  // "pc.tti"
  PartHeader header;                  // as in every part; the part number is filled in
  std::uint64_t max_part_bytes = 0;   // 0: no limit
  MakeRoom make_room;
  AddParity add_parity = nullptr;     // null: no recovery file
  bool resumable = false;             // what a full or failed place leaves can be continued: it is not removed
};

// Appends frames to the parts of one image under temporary names and publishes them by one rename. One thread.
// Destroyed unpublished, it removes what it wrote, unless keep_unfinished() was called, or it is resumable and the place failed or ran full: then what is
// there can be continued.
class PartWriter {
 public:
  // Finishes or removes what an earlier, interrupted backup of this name left behind. The image that has the name now
  // stays untouched until publish(). Error{busy}, with nothing touched, while another backup writes this name.
  static Result<std::unique_ptr<PartWriter>> create(std::shared_ptr<Place> place, PartWriterOptions options);
  // Goes on with parts that a backup began: the last of them is cut off to its sound bytes. Whatever goes wrong from here on, they stay.
  static Result<std::unique_ptr<PartWriter>> resume(std::shared_ptr<Place> place, PartWriterOptions options,
                                                    const std::vector<std::uint64_t>& part_bytes);
  ~PartWriter();

  // Starts a new part if the current one has no room for this many bytes more.
  Result<void> ensure_room(std::uint64_t bytes);
  Result<FramePlace> append(ByteSpan frame);
  // Writes the trailer (its part counts are filled in), flushes everything, renames.
  Result<void> publish(Trailer trailer);
  void keep_unfinished() { keep_ = true; }

  const std::vector<std::uint64_t>& finished_part_bytes() const { return finished_; }
  std::uint64_t total_bytes() const;

 private:
  PartWriter(std::shared_ptr<Place> place, PartWriterOptions options)
      : place_(std::move(place)), options_(std::move(options)) {}
  Result<void> lock_image();
  Result<void> take_the_name();
  Result<void> start_part();
  Result<void> name_first_part();
  Result<void> name_other_parts(std::uint32_t parts);
  Result<void> name_parity();
  Result<void> check_no_repair() const;
  Result<void> keep_if_place_failed(Result<void> result);
  Result<void> write(ByteSpan bytes);
  AppendFile& file() const { return file_ ? *file_ : *first_; }
  std::uint32_t part() const { return static_cast<std::uint32_t>(finished_.size()); }

  std::shared_ptr<Place> place_;
  PartWriterOptions options_;
  std::unique_ptr<AppendFile> first_;     // part 0 stays open to the end: it holds the lock of the name being written
  std::unique_ptr<AppendFile> file_;      // the current part if that is another one
  std::unique_ptr<PlaceLock> image_lock_; // of the image that has the name now
  std::uint32_t created_ = 0;             // parts that are ours to remove
  std::vector<std::uint64_t> finished_;
  bool has_parity_ = false;
  bool published_ = false;
  bool keep_ = false;
};

}  // namespace tintype
