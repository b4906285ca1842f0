// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "image/frame.h"
#include "store/place.h"

namespace tintype {

// The parts of one image, for reading. Parts are opened when needed and checked to belong to the set. Thread safe.
class PartReader {
 public:
  static Result<std::unique_ptr<PartReader>> open(std::shared_ptr<Place> place, std::string image);

  const std::shared_ptr<Place>& place() const { return place_; }
  const std::string& image() const { return image_; }  // file name of the first part
  const PartHeader& header() const { return header_; }
  const Trailer& trailer() const { return trailer_; }
  std::uint32_t parts() const { return trailer_.parts; }
  // Path of a part, for messages.
  std::string describe(std::uint32_t part) const;
  // Error{not_found} naming the file if it is missing, Error{corrupt} if it belongs to another image or has another number.
  Result<std::shared_ptr<ReadFile>> part(std::uint32_t number);
  // Reads a whole frame; the place has been checked against the part's size.
  Result<void> read(const FramePlace& place, Bytes& out);

 private:
  PartReader(std::shared_ptr<Place> place, std::string image) : place_(std::move(place)), image_(std::move(image)) {}
  Result<std::shared_ptr<ReadFile>> open_part(std::uint32_t number);

  std::shared_ptr<Place> place_;
  std::string image_;
  PartHeader header_;
  Trailer trailer_;
  std::mutex mutex_;
  std::map<std::uint32_t, std::shared_ptr<ReadFile>> open_;
};

}  // namespace tintype
