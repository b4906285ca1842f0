// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/salvage_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "image/part_names.h"

namespace tintype {
namespace {

// A real image of a petabyte has as many pages.
constexpr std::size_t kMostFound = 1U << 20;
constexpr std::size_t kMostOfOneAddress = 4;
constexpr std::size_t kMostMissingListed = 20;

std::uint32_t most_raw(FrameType type) { return static_cast<std::uint32_t>(type == FrameType::chunk ? kChunkBytes : kMaxRawBytes); }

}  // namespace

void FrameMap::add(FrameType type, FrameAddress address, const PartFrame& frame) {
  if (count_ == kMostFound) return;
  std::vector<PartFrame>& list = frames_[{type, address.area, address.number}];
  if (list.size() == kMostOfOneAddress)
    list.erase(list.begin());
  else
    ++count_;
  list.push_back(frame);
}

const std::vector<PartFrame>* FrameMap::find(FrameType type, FrameAddress address) const {
  const auto found = frames_.find({type, address.area, address.number});
  return found == frames_.end() ? nullptr : &found->second;
}

Result<std::unique_ptr<SalvageParts>> SalvageParts::find(std::shared_ptr<Place> place, std::string image, std::optional<SetId> set) {
  std::unique_ptr<SalvageParts> parts(new SalvageParts(std::move(place), std::move(image)));
  TRY(parts->find_files(set));
  return parts;
}

// Of two files for one part the finished one, unless its header says that it belongs to another image.
Result<void> SalvageParts::find_files(std::optional<SetId> set) {
  std::vector<SalvagePart> candidates;
  const std::vector<PartFile> files = TRY(find_parts(*place_, image_));
  for (const PartFile& file : files) {
    SalvagePart part{file.part, file.name, {}};
    if (Result<PartHeader> header = read_part_header(*place_, file.name)) part.header = *header;
    candidates.push_back(std::move(part));
  }
  if (!set) set = choose_set(candidates);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    SalvagePart& part = candidates[i];
    if (part.header && set && part.header->set_id != *set) {
      notes_.push_back(fmt::format("{} belongs to another image and is passed over", place_->describe(part.name)));
      continue;
    }
    const bool taken = std::ranges::find(parts_, part.number, &SalvagePart::number) != parts_.end();
    if (!part.header && (files[i].partial || taken)) continue;
    if (!part.header) notes_.push_back(fmt::format("{} has no sound header; it is taken for a part by its name", place_->describe(part.name)));
    if (part.header) part.number = part.header->part;
    parts_.push_back(std::move(part));
  }
  std::ranges::stable_sort(parts_, {}, &SalvagePart::number);
  if (parts_.empty())
    return fail(ErrorCode::not_found, fmt::format("there is no image {} and no part of it", place_->describe(image_)),
                "give the name of its first part, even if that is lost");
  std::uint32_t expected = 0;
  std::size_t missing = 0;
  for (const SalvagePart& part : parts_) {
    for (; expected < part.number; ++expected)
      if (++missing <= kMostMissingListed) notes_.push_back(fmt::format("part {} is missing: {}", expected + 1, place_->describe(part_name(image_, expected))));
    expected = std::max(expected, part.number + 1);
  }
  if (missing > kMostMissingListed) notes_.push_back(fmt::format("{} more parts are missing", missing - kMostMissingListed));
  return {};
}

std::optional<SetId> SalvageParts::choose_set(const std::vector<SalvagePart>& candidates) const {
  std::map<SetId, unsigned> votes;
  for (const SalvagePart& part : candidates) {
    if (!part.header) continue;
    if (part.name == image_) return part.header->set_id;
    ++votes[part.header->set_id];
  }
  const auto most = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
  return most == votes.end() ? std::nullopt : std::optional(most->first);
}

void SalvageParts::expect(std::uint32_t parts) {
  const std::uint32_t last = parts_.back().number;
  for (std::uint32_t n = last + 1; n < parts && n <= last + kMostMissingListed; ++n)
    notes_.push_back(fmt::format("part {} is missing: {}", n + 1, place_->describe(part_name(image_, n))));
}

std::optional<bool> SalvageParts::encrypted() const {
  const auto part = std::ranges::find_if(parts_, [](const SalvagePart& p) { return p.header.has_value(); });
  return part == parts_.end() ? std::nullopt : std::optional(part->header->encrypted);
}

Result<std::shared_ptr<ReadFile>> SalvageParts::file(std::size_t part) {
  if (part != file_part_ || !file_) {
    file_ = std::shared_ptr<ReadFile>(TRY(place_->open(parts_[part].name)));
    file_part_ = part;
  }
  return file_;
}

bool SalvageParts::read(const FramePlace& place, FrameType type, FrameAddress address, FrameOpener& opener, ByteSpan base, Bytes& content) {
  const auto part = std::ranges::find(parts_, place.part, &SalvagePart::number);
  if (part == parts_.end() || place.bytes < kContentAt) return false;
  const Result<std::shared_ptr<ReadFile>> opened = file(static_cast<std::size_t>(part - parts_.begin()));
  std::array<std::byte, kFrameHeaderBytes> bytes{};
  if (!opened || !(*opened)->read(place.offset, bytes)) return false;
  const Result<FrameHeader> header = FrameHeader::decode(bytes);
  if (!header || header->type != type || !is_ours(*header)) return false;
  const Result<OpenedFrame> frame = FrameScanner(*opened).open({*header, place.offset}, opener, most_raw(type), content, base);
  return frame && frame->address == address;
}

bool SalvageParts::read(const PartFrame& found, FrameOpener& opener, ByteSpan base, Bytes& content) {
  const Result<std::shared_ptr<ReadFile>> opened = file(found.part);
  return opened && FrameScanner(*opened).open(found.frame, opener, most_raw(found.frame.header.type), content, base);
}

std::optional<PartFrame> SalvageParts::moved(const FramePlace& place, FrameType type, FrameAddress address, FrameOpener& opener, const CancelToken& cancel) {
  if (!moved_) {
    moved_.emplace();
    each_frame(cancel, [&](FrameScanner& scanner, const PartFrame& found, bool) {
      const FrameHeader& header = found.frame.header;
      if ((header.type != FrameType::chunk && header.type != FrameType::page) || !is_ours(header)) return;
      if (const Result<FrameAddress> at = scanner.address(found.frame, opener)) moved_->add(header.type, *at, found);
    });
  }
  const std::vector<PartFrame>* list = moved_->find(type, address);
  if (list == nullptr) return std::nullopt;
  const auto same = std::find_if(list->rbegin(), list->rend(), [&](const PartFrame& f) { return f.frame.bytes() == place.bytes; });
  return same == list->rend() ? std::nullopt : std::optional(*same);
}

void SalvageParts::each_frame(const CancelToken& cancel, const Visit& visit) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Result<std::shared_ptr<ReadFile>> opened = file(i);
    if (!opened) continue;  // told when its chunks are looked for
    FrameScanner scanner(*opened);
    for (bool first = true; const std::optional<FoundFrame> frame = scanner.next(); first = false) {
      if (cancel.cancelled()) return;
      visit(scanner, {i, *frame}, first);
    }
  }
}

}  // namespace tintype
