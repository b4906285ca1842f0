// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "image/catalog.h"
#include "image/cipher.h"
#include "image/page.h"
#include "image/reader.h"
#include "store/place.h"

namespace tintype {

// What a backup that was cut off left under temporary names, as far as every byte of it is sound: whole frames from the start of
// each part. Chunks are known by the pages among them; those that no page describes yet are decoded and hashed. Memory does not
// grow with the image but for a record a GiB. Thread safe.
class Unfinished {
 public:
  // Null if nothing of that name can be continued. Error{busy} while another backup writes it, Error{denied} for a wrong password.
  static Result<std::unique_ptr<Unfinished>> open(std::shared_ptr<Place> place, const std::string& image, const PasswordSource& password);

  const PartHeader& header() const { return header_; }
  const std::optional<SecretKey>& data_key() const { return data_key_; }
  const Catalog& prologue() const { return prologue_; }
  // The sound bytes of each part, from its start; what lies behind in the last one is to be cut off.
  const std::vector<std::uint64_t>& part_bytes() const { return part_bytes_; }

  // What is known of a chunk; kind nothing: not there, or not sound.
  Result<ChunkEntry> entry(std::uint32_t area_number, std::uint64_t chunk);
  // The page of a region; null if there is none yet.
  Result<std::shared_ptr<const EarlierPage>> page(std::uint32_t area_number, std::uint64_t region);

 private:
  using Piece = std::pair<std::uint32_t, std::uint64_t>;  // area number, and region or chunk
  Unfinished(std::shared_ptr<Place> place, std::string image) : place_(std::move(place)), image_(std::move(image)) {}

  Result<bool> scan(const PasswordSource& password);
  Result<bool> scan_part(std::uint32_t part, FrameOpener& opener);
  Result<bool> take_frame(const FramePlace& place, MutableByteSpan frame, FrameOpener& opener);
  Result<void> hash_loose_chunks(FrameOpener& opener);
  Result<Bytes> read(const FramePlace& place) const;
  const Area* area(std::uint32_t number) const;

  std::shared_ptr<Place> place_;
  std::string image_;
  PartHeader header_;
  std::optional<SecretKey> data_key_;
  Catalog prologue_;
  bool has_prologue_ = false;
  std::vector<std::uint64_t> part_bytes_;
  std::map<Piece, PageRef> pages_;
  std::map<Piece, ChunkEntry> loose_;  // chunks written after the last page of their region

  struct Kept {
    Piece piece;
    std::shared_ptr<const EarlierPage> page;
  };
  std::mutex mutex_;
  std::list<Kept> kept_;  // most recent first
};

}  // namespace tintype
