// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/unfinished.h"

#include "image/hash.h"
#include "image/part_names.h"

namespace tintype {
namespace {
constexpr std::size_t kKeptPages = 4;
}

Result<std::unique_ptr<Unfinished>> Unfinished::open(std::shared_ptr<Place> place, const std::string& image, const PasswordSource& password) {
  // Nobody writes it while it is looked at. Whoever goes on with it takes the lock again, and finds out if it is gone.
  Result<std::unique_ptr<PlaceLock>> lock = place->lock(partial_name(image, 0));
  if (!lock && lock.error().code == ErrorCode::not_found) return std::unique_ptr<Unfinished>();
  if (!lock) return fail(std::move(lock).error());
  std::unique_ptr<Unfinished> found(new Unfinished(std::move(place), image));
  if (!TRY(found->scan(password))) found.reset();
  return found;
}

Result<bool> Unfinished::scan(const PasswordSource& password) {
  const Result<PartHeader> header = read_part_header(*place_, partial_name(image_, 0));
  if (!header && header.error().code != ErrorCode::corrupt) return fail(header.error());
  if (!header || header->part != 0) return false;
  header_ = *header;
  if (header_.password_needed) {
    if (!password) return fail(ErrorCode::denied, "the unfinished image needs a password", "give it with --password-file");
    const std::string given = TRY(password());
    data_key_ = TRY(unwrap_key(header_, given, place_->describe(partial_name(image_, 0))));
  }
  FrameOpener opener(data_key_);
  for (std::uint32_t part = 0; TRY(scan_part(part, opener)); ++part) {
  }
  if (!has_prologue_) return false;
  TRY(hash_loose_chunks(opener));
  return true;
}

// Whether the part is there and sound to its end, so that another may follow.
Result<bool> Unfinished::scan_part(std::uint32_t part, FrameOpener& opener) {
  const std::string name = partial_name(image_, part);
  if (part >= kMaxParts || !TRY(place_->exists(name))) return false;
  const Result<PartHeader> header = read_part_header(*place_, name);
  if (!header || header->set_id != header_.set_id || header->part != part) return false;
  const std::unique_ptr<ReadFile> file = TRY(place_->open(name));
  std::uint64_t at = kPartHeaderBytes;
  Bytes frame(kFrameHeaderBytes);
  while (fits(at, kFrameHeaderBytes, file->size())) {
    frame.resize(kFrameHeaderBytes);
    TRY(file->read(at, frame));
    const Result<FrameHeader> found = FrameHeader::decode(frame);
    if (!found || !fits(at + kFrameHeaderBytes, found->stored_bytes, file->size())) break;
    frame.resize(kFrameHeaderBytes + found->stored_bytes);
    TRY(file->read(at, frame));
    const FramePlace place{0, part, at, static_cast<std::uint32_t>(frame.size())};
    if (!TRY(take_frame(place, frame, opener))) break;
    at += frame.size();
  }
  part_bytes_.push_back(at);
  return at == file->size();
}

// False if the frame is not sound.
Result<bool> Unfinished::take_frame(const FramePlace& place, MutableByteSpan frame, FrameOpener& opener) {
  const FrameHeader header = TRY(FrameHeader::decode(frame));
  if (frame_checksum(frame.subspan(kFrameHeaderBytes)) != header.payload_checksum || header.encrypted != header_.encrypted) return false;
  if (header.type == FrameType::chunk) {
    // Its address is all that is wanted now, but an encrypted one shows it only when it is opened.
    FrameAddress address = FrameAddress::decode(frame.subspan(kFrameHeaderBytes));
    if (header.encrypted) {
      const Result<FrameAddress> peeked = opener.peek_address(frame);
      if (!peeked) return false;
      address = *peeked;
    }
    const Area* owner = area(address.area);
    if (owner == nullptr || chunk_extent(owner->size_bytes, address.number).length == 0) return false;
    ChunkEntry& entry = loose_[{address.area, address.number}];
    entry = {};
    entry.kind = header.codec == Codec::delta ? ChunkEntry::Kind::nothing : ChunkEntry::Kind::stored;
    entry.place = place;
    return true;
  }
  Bytes content;
  const Result<OpenedFrame> opened = opener.open(frame, kMaxRawBytes, content);
  if (!opened) return false;
  if (header.type == FrameType::prologue && !has_prologue_) {
    Result<Catalog> decoded = Catalog::decode(content, Catalog::Stage::prologue);
    if (!decoded) return false;
    prologue_ = std::move(*decoded);
    has_prologue_ = true;
  } else if (header.type == FrameType::page) {
    const auto [number, region] = opened->address;
    const Area* owner = area(number);
    if (owner == nullptr || region >= region_count(owner->size_bytes)) return false;
    pages_[{number, region}] = {true, place, 0, sha256(content)};
    // The page says all there is to say about the chunks of its region.
    loose_.erase(loose_.lower_bound({number, region * kChunksPerRegion}), loose_.lower_bound({number, (region + 1) * kChunksPerRegion}));
  }
  return true;
}

Result<void> Unfinished::hash_loose_chunks(FrameOpener& opener) {
  ChunkHasher hasher;
  Bytes content;
  for (auto& [piece, entry] : loose_) {
    if (entry.kind != ChunkEntry::Kind::stored) continue;
    Bytes frame = TRY(read(entry.place));
    const Result<OpenedFrame> opened = opener.open(frame, kChunkBytes, content);
    const Area* owner = area(piece.first);
    if (opened && owner != nullptr && content.size() == chunk_extent(owner->size_bytes, piece.second).length)
      entry.hash = hasher.hash(content);
    else
      entry = {};
  }
  return {};
}

Result<Bytes> Unfinished::read(const FramePlace& place) const {
  const std::unique_ptr<ReadFile> file = TRY(place_->open(partial_name(image_, place.part)));
  Bytes frame(place.bytes);
  TRY(file->read(place.offset, frame));
  return frame;
}

const Area* Unfinished::area(std::uint32_t number) const {
  for (const Area& each : prologue_.areas)
    if (each.number == number) return &each;
  return nullptr;
}

Result<std::shared_ptr<const EarlierPage>> Unfinished::page(std::uint32_t area_number, std::uint64_t region) {
  const Piece piece{area_number, region};
  const auto found = pages_.find(piece);
  const Area* owner = area(area_number);
  if (found == pages_.end() || owner == nullptr) return std::shared_ptr<const EarlierPage>();
  const std::lock_guard lock(mutex_);
  for (auto at = kept_.begin(); at != kept_.end(); ++at) {
    if (at->piece != piece) continue;
    kept_.splice(kept_.begin(), kept_, at);
    return at->page;
  }
  Bytes frame = TRY(read(found->second.place));
  Bytes content;
  FrameOpener opener(data_key_);
  TRY(opener.open(frame, kMaxRawBytes, content));
  Page decoded = TRY(Page::decode(content, region_extent(owner->size_bytes, region)));
  PageRef ref = found->second;
  for (const Extent& extent : decoded.used) ref.used_bytes += extent.length;
  auto made = std::make_shared<const EarlierPage>(EarlierPage{ref, std::make_shared<const Page>(std::move(decoded))});
  kept_.push_front({piece, made});
  if (kept_.size() > kKeptPages) kept_.pop_back();
  return std::shared_ptr<const EarlierPage>(made);
}

Result<ChunkEntry> Unfinished::entry(std::uint32_t area_number, std::uint64_t chunk) {
  if (const auto loose = loose_.find({area_number, chunk}); loose != loose_.end()) return loose->second;
  const std::shared_ptr<const EarlierPage> found = TRY(page(area_number, chunk / kChunksPerRegion));
  const auto in_region = static_cast<std::size_t>(chunk % kChunksPerRegion);
  if (!found || in_region >= found->page->entries.size()) return ChunkEntry{};
  return found->page->entries[in_region];
}

}  // namespace tintype
