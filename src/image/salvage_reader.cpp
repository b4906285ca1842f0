// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/salvage_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "image/part_names.h"

namespace tintype {
namespace {

// A catalog and the prologue of the same image. Frames of an image that was stored inside this one must not pass for its own.
bool belong_together(const Catalog& a, const Catalog& b) {
  const auto same = [](const Area& x, const Area& y) { return x.start_byte == y.start_byte && x.size_bytes == y.size_bytes; };
  return a.created == b.created && a.source.size_bytes == b.source.size_bytes && std::ranges::equal(a.areas, b.areas, same);
}

// Pieces of the index that a survey remembers; a real image of a petabyte has as many.
constexpr std::size_t kMostFound = 1U << 20;
constexpr std::size_t kMostOfOneAddress = 4;
constexpr std::size_t kMostMissingListed = 20;

}  // namespace

Result<std::unique_ptr<SalvageReader>> SalvageReader::open(std::shared_ptr<Place> place, std::string image, const PasswordSource& password,
                                                           const CancelToken& cancel) {
  std::unique_ptr<SalvageReader> reader(new SalvageReader(std::move(place), std::move(image)));
  TRY(reader->find_files());
  TRY(reader->unlock(password));
  reader->read_catalog();
  if (!TRY(reader->index_is_whole(cancel))) TRY(reader->survey(cancel));
  return reader;
}

// Of two files for one part the finished one, unless its header says that it belongs to another image.
Result<void> SalvageReader::find_files() {
  std::vector<SalvagePart> candidates;
  const std::vector<PartFile> files = TRY(find_parts(*place_, image_));
  for (const PartFile& file : files) {
    SalvagePart part{file.part, file.name, {}};
    if (Result<PartHeader> header = read_part_header(*place_, file.name)) part.header = *header;
    candidates.push_back(std::move(part));
  }
  const std::optional<SetId> set = choose_set(candidates);
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
  note_missing();
  return {};
}

// The set of the first part, else that of most parts.
std::optional<SetId> SalvageReader::choose_set(const std::vector<SalvagePart>& candidates) const {
  std::map<SetId, unsigned> votes;
  for (const SalvagePart& part : candidates) {
    if (!part.header) continue;
    if (part.name == image_) return part.header->set_id;
    ++votes[part.header->set_id];
  }
  const auto most = std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; });
  return most == votes.end() ? std::nullopt : std::optional(most->first);
}

void SalvageReader::note_missing() {
  std::uint32_t expected = 0;
  std::size_t missing = 0;
  for (const SalvagePart& part : parts_) {
    for (; expected < part.number; ++expected)
      if (++missing <= kMostMissingListed) notes_.push_back(fmt::format("part {} is missing: {}", expected + 1, place_->describe(part_name(image_, expected))));
    expected = std::max(expected, part.number + 1);
  }
  if (missing > kMostMissingListed) notes_.push_back(fmt::format("{} more parts are missing", missing - kMostMissingListed));
}

Result<void> SalvageReader::unlock(const PasswordSource& password) {
  for (const SalvagePart& part : parts_) {
    if (!part.header) continue;
    encrypted_ = part.header->encrypted;
    if (!part.header->password_needed) break;
    if (!password) return fail(ErrorCode::denied, fmt::format("{} needs a password", place_->describe(part.name)), "give it with --password-file");
    const std::string given = TRY(password());
    data_key_ = TRY(unwrap_key(*part.header, given, place_->describe(part.name)));
    break;
  }
  opener_.emplace(data_key_);
  return {};
}

Result<std::shared_ptr<ReadFile>> SalvageReader::file(std::size_t part) {
  if (part != file_part_ || !file_) {
    file_ = std::shared_ptr<ReadFile>(TRY(place_->open(parts_[part].name)));
    file_part_ = part;
  }
  return file_;
}

// By the trailer, if the end of the set is there.
void SalvageReader::read_catalog() {
  for (std::size_t i = parts_.size(); i-- > 0;) {
    const Result<std::shared_ptr<ReadFile>> last = file(i);
    if (!last || (*last)->size() < kTrailerBytes) continue;
    Bytes bytes(kTrailerBytes);
    if (!(*last)->read((*last)->size() - kTrailerBytes, bytes)) continue;
    const Result<Trailer> trailer = Trailer::decode(bytes, parts_[i].name);
    if (!trailer || (parts_[i].header && trailer->set_id != parts_[i].header->set_id)) continue;
    for (std::uint32_t n = parts_.back().number + 1; n < trailer->parts && n <= parts_.back().number + kMostMissingListed; ++n)
      notes_.push_back(fmt::format("part {} is missing: {}", n + 1, place_->describe(part_name(image_, n))));
    if (const std::optional<Bytes> content = read_at(trailer->catalog, FrameType::catalog, {})) take_catalog(*content, Basis::catalog);
    by_trailer_ = basis_ == Basis::catalog;
    return;
  }
}

// Of several catalogs the last is taken, as it ends an image; the prologue comes first of all.
void SalvageReader::take_catalog(ByteSpan content, Basis basis) {
  Result<Catalog> decoded = Catalog::decode(content, basis == Basis::catalog ? Catalog::Stage::complete : Catalog::Stage::prologue);
  if (!decoded || (prologue_known_ && !belong_together(catalog_, *decoded))) return;
  catalog_ = std::move(*decoded);
  basis_ = basis;
  prologue_known_ |= basis == Basis::prologue;
}

Result<bool> SalvageReader::index_is_whole(const CancelToken& cancel) {
  if (basis_ != Basis::catalog) return false;
  for (std::size_t area = 0; area < catalog_.areas.size(); ++area) {
    for (std::uint64_t group = 0; group < catalog_.areas[area].directories.size(); ++group) {
      const std::vector<PageRef>* refs = directory(area, group);
      if (refs == nullptr) return false;
      for (std::uint64_t i = 0; i < refs->size(); ++i) {
        TRY(cancel.check());
        if ((*refs)[i].present && !page(area, group * kRegionsPerDirectory + i)) return false;
      }
    }
  }
  return true;
}

Result<void> SalvageReader::survey(const CancelToken& cancel) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Result<std::shared_ptr<ReadFile>> opened = file(i);
    if (!opened) continue;  // told when its chunks are looked for
    FrameScanner scanner(*opened);
    for (bool first = true; const std::optional<FoundFrame> frame = scanner.next(); first = false) {
      TRY(cancel.check());
      survey_frame(i, scanner, *frame, first);
    }
  }
  directory_key_.reset();
  page_key_.reset();
  return {};
}

void SalvageReader::survey_frame(std::size_t part, FrameScanner& scanner, const FoundFrame& frame, bool first) {
  const FrameType type = frame.header.type;
  const bool piece = type == FrameType::page || type == FrameType::directory;
  const bool wanted = piece ? found_count_ < kMostFound
                            : (type == FrameType::catalog && !by_trailer_) || (type == FrameType::prologue && first && basis_ == Basis::none);
  if (!wanted || !is_ours(frame.header)) return;
  Bytes content;
  const Result<OpenedFrame> opened = scanner.open(frame, *opener_, kMaxRawBytes, content);
  if (!opened) return;
  if (!piece) {
    take_catalog(content, type == FrameType::catalog ? Basis::catalog : Basis::prologue);
    return;
  }
  std::vector<Found>& list = (type == FrameType::page ? pages_found_ : directories_found_)[{opened->address.area, opened->address.number}];
  if (list.size() == kMostOfOneAddress)
    list.erase(list.begin());
  else
    ++found_count_;
  list.push_back({part, frame});
}

std::optional<Bytes> SalvageReader::read_at(const FramePlace& place, FrameType type, FrameAddress address) {
  const auto part = std::ranges::find(parts_, place.part, &SalvagePart::number);
  if (place.link != 0 || part == parts_.end() || place.bytes < kContentAt) return std::nullopt;
  const std::size_t index = static_cast<std::size_t>(part - parts_.begin());
  const Result<std::shared_ptr<ReadFile>> opened = file(index);
  std::array<std::byte, kFrameHeaderBytes> bytes{};
  if (!opened || !(*opened)->read(place.offset, bytes)) return std::nullopt;
  const Result<FrameHeader> header = FrameHeader::decode(bytes);
  if (!header || header->type != type || !is_ours(*header)) return std::nullopt;
  Bytes content;
  const Result<OpenedFrame> frame = FrameScanner(*opened).open({*header, place.offset}, *opener_, kMaxRawBytes, content);
  if (!frame || frame->address != address) return std::nullopt;
  return content;
}

std::optional<Bytes> SalvageReader::read_found(const Found& found) {
  const Result<std::shared_ptr<ReadFile>> opened = file(found.part);
  Bytes content;
  if (!opened || !FrameScanner(*opened).open(found.frame, *opener_, kMaxRawBytes, content)) return std::nullopt;
  return content;
}

// By its place, else what the survey found under its address; with a hash only what fits it.
std::optional<Bytes> SalvageReader::read_piece(const FramePlace* place, const Hash* hash, FrameType type, FrameAddress address) {
  if (place != nullptr)
    if (std::optional<Bytes> content = read_at(*place, type, address); content && sha256(*content) == *hash) return content;
  const FoundMap& all = type == FrameType::page ? pages_found_ : directories_found_;
  const auto list = all.find({address.area, address.number});
  if (list == all.end()) return std::nullopt;
  for (auto found = list->second.rbegin(); found != list->second.rend(); ++found)
    if (std::optional<Bytes> content = read_found(*found); content && (hash == nullptr || sha256(*content) == *hash)) return content;
  return std::nullopt;
}

const std::vector<PageRef>* SalvageReader::directory(std::size_t area, std::uint64_t group) {
  const Key key{static_cast<std::uint32_t>(area), group};
  if (directory_key_ != key) {
    directory_key_ = key;
    directory_.reset();
    const Area& a = catalog_.areas[area];
    const std::uint64_t regions = region_count(a.size_bytes);
    const std::uint64_t first = group * kRegionsPerDirectory;
    const DirectoryRef* ref = group < a.directories.size() ? &a.directories[static_cast<std::size_t>(group)] : nullptr;
    const auto content = first >= regions ? std::nullopt
                                          : read_piece(ref != nullptr ? &ref->place : nullptr, ref != nullptr ? &ref->hash : nullptr,
                                                       FrameType::directory, {key.first, group});
    if (content)
      if (Result<std::vector<PageRef>> refs = decode_directory(*content, static_cast<std::size_t>(std::min<std::uint64_t>(kRegionsPerDirectory, regions - first))))
        directory_ = std::move(*refs);
  }
  return directory_ ? &*directory_ : nullptr;
}

std::shared_ptr<const Page> SalvageReader::page(std::size_t area, std::uint64_t region) {
  const Key key{static_cast<std::uint32_t>(area), region};
  if (page_key_ == key) return page_;
  page_key_ = key;
  page_.reset();
  const Extent extent = region_extent(catalog_.areas[area].size_bytes, region);
  if (extent.length == 0) return page_;
  const std::vector<PageRef>* refs = directory(area, region / kRegionsPerDirectory);
  const PageRef* ref = refs != nullptr ? &(*refs)[static_cast<std::size_t>(region % kRegionsPerDirectory)] : nullptr;
  if (ref != nullptr && !ref->present) return page_;
  const auto content = read_piece(ref != nullptr ? &ref->place : nullptr, ref != nullptr ? &ref->hash : nullptr, FrameType::page, {key.first, region});
  if (content)
    if (Result<Page> decoded = Page::decode(*content, extent)) page_ = std::make_shared<const Page>(std::move(*decoded));
  return page_;
}

Result<std::vector<std::uint64_t>> SalvageReader::known_regions(std::size_t area, const CancelToken& cancel) {
  std::vector<std::uint64_t> out;
  const auto number = static_cast<std::uint32_t>(area);
  const std::uint64_t regions = region_count(catalog_.areas[area].size_bytes);
  std::vector<std::uint64_t> groups;
  for (std::uint64_t group = 0; group < catalog_.areas[area].directories.size(); ++group) groups.push_back(group);
  for (auto at = directories_found_.lower_bound({number, 0}); at != directories_found_.end() && at->first.first == number; ++at)
    groups.push_back(at->first.second);
  std::ranges::sort(groups);
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  for (const std::uint64_t group : groups) {
    TRY(cancel.check());
    if (group > regions / kRegionsPerDirectory) break;
    if (const std::vector<PageRef>* refs = directory(area, group))
      for (std::size_t i = 0; i < refs->size(); ++i) out.push_back(group * kRegionsPerDirectory + i);
  }
  for (auto at = pages_found_.lower_bound({number, 0}); at != pages_found_.end() && at->first.first == number && at->first.second < regions; ++at)
    out.push_back(at->first.second);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace tintype
