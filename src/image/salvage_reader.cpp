// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/salvage_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype {
namespace {

// A catalog and the prologue of the same image. Frames of an image that was stored inside this one must not pass for its own.
bool belong_together(const Catalog& a, const Catalog& b) {
  const auto same = [](const Area& x, const Area& y) { return x.start_byte == y.start_byte && x.size_bytes == y.size_bytes; };
  return a.created == b.created && a.source.size_bytes == b.source.size_bytes && std::ranges::equal(a.areas, b.areas, same);
}

}  // namespace

Result<std::unique_ptr<SalvageReader>> SalvageReader::open(std::shared_ptr<Place> place, std::string image, const PasswordSource& password,
                                                           const CancelToken& cancel, std::shared_ptr<LinkFinder> finder) {
  if (!finder) finder = std::make_shared<LinkFinder>(place);
  std::unique_ptr<SalvageParts> parts = TRY(SalvageParts::find(place, std::move(image)));
  std::unique_ptr<SalvageReader> reader(new SalvageReader(std::move(parts), std::move(finder), cancel));
  TRY(reader->unlock(*place, password));
  reader->read_catalog();
  if (!TRY(reader->index_is_whole())) TRY(reader->survey());
  return reader;
}

Result<void> SalvageReader::unlock(Place& place, const PasswordSource& password) {
  for (const SalvagePart& part : parts().list()) {
    if (!part.header) continue;
    if (!part.header->password_needed) break;
    if (!password) return fail(ErrorCode::denied, fmt::format("{} needs a password", place.describe(part.name)), "give it with --password-file");
    const std::string given = TRY(password());
    data_key_ = TRY(unwrap_key(*part.header, given, place.describe(part.name)));
    break;
  }
  chain_.set_key(data_key_);
  return {};
}

// By the trailer, if the end of the set is there.
void SalvageReader::read_catalog() {
  const std::vector<SalvagePart>& list = parts().list();
  for (std::size_t i = list.size(); i-- > 0;) {
    const Result<std::shared_ptr<ReadFile>> last = parts().file(i);
    if (!last || (*last)->size() < kTrailerBytes) continue;
    Bytes bytes(kTrailerBytes), content;
    if (!(*last)->read((*last)->size() - kTrailerBytes, bytes)) continue;
    const Result<Trailer> trailer = Trailer::decode(bytes, list[i].name);
    if (!trailer || (list[i].header && trailer->set_id != list[i].header->set_id)) continue;
    parts().expect(trailer->parts);
    if (parts().read(trailer->catalog, FrameType::catalog, {}, chain_.opener(), {}, content)) take_catalog(content, Basis::catalog);
    by_trailer_ = basis_ == Basis::catalog;
    return;
  }
}

// Of several catalogs the last is taken, as it ends an image; the prologue comes first of all.
void SalvageReader::take_catalog(ByteSpan content, Basis basis) {
  Result<Catalog> decoded = Catalog::decode(content, basis == Basis::catalog ? Catalog::Stage::complete : Catalog::Stage::prologue);
  if (!decoded || (prologue_known_ && !belong_together(catalog_, *decoded))) return;
  catalog_ = std::move(*decoded);
  chain_.set_links(catalog_.links);
  basis_ = basis;
  prologue_known_ |= basis == Basis::prologue;
}

Result<bool> SalvageReader::index_is_whole() {
  if (basis_ != Basis::catalog) return false;
  for (std::size_t area = 0; area < catalog_.areas.size(); ++area) {
    for (std::uint64_t group = 0; group < catalog_.areas[area].directories.size(); ++group) {
      const std::vector<PageRef>* refs = directory(area, group);
      if (refs == nullptr) return false;
      for (std::uint64_t i = 0; i < refs->size(); ++i) {
        TRY(cancel_.check());
        if ((*refs)[i].present && !page(area, group * kRegionsPerDirectory + i)) return false;
      }
    }
  }
  return true;
}

Result<void> SalvageReader::survey() {
  parts().each_frame(cancel_, [this](FrameScanner& scanner, const PartFrame& found, bool first) { survey_frame(scanner, found, first); });
  directory_key_.reset();
  page_key_.reset();
  return cancel_.check();
}

void SalvageReader::survey_frame(FrameScanner& scanner, const PartFrame& found, bool first) {
  const FrameType type = found.frame.header.type;
  const bool piece = type == FrameType::page || type == FrameType::directory;
  const bool wanted = piece || (type == FrameType::catalog && !by_trailer_) || (type == FrameType::prologue && first && basis_ == Basis::none);
  if (!wanted || !parts().is_ours(found.frame.header)) return;
  Bytes content;
  const Result<OpenedFrame> opened = scanner.open(found.frame, chain_.opener(), kMaxRawBytes, content);
  if (!opened) return;
  if (piece)
    found_.add(type, opened->address, found);
  else
    take_catalog(content, type == FrameType::catalog ? Basis::catalog : Basis::prologue);
}

// By its place, else what the survey found under its address; with a hash only what fits it.
std::optional<Bytes> SalvageReader::read_piece(const FramePlace* place, const Hash* hash, FrameType type, FrameAddress address) {
  Bytes content;
  if (place != nullptr && chain_.read(*place, type, address, {}, content) && sha256(content) == *hash) return content;
  const std::vector<PartFrame>* list = found_.find(type, address);
  if (list == nullptr) return std::nullopt;
  for (auto found = list->rbegin(); found != list->rend(); ++found)
    if (parts().read(*found, chain_.opener(), {}, content) && (hash == nullptr || sha256(content) == *hash)) return content;
  return std::nullopt;
}

const std::vector<PageRef>* SalvageReader::directory(std::size_t area, std::uint64_t group) {
  const Key key{area, group};
  if (directory_key_ != key) {
    directory_key_ = key;
    directory_.reset();
    const Area& a = catalog_.areas[area];
    const std::uint64_t regions = region_count(a.size_bytes);
    const std::uint64_t first = group * kRegionsPerDirectory;
    const DirectoryRef* ref = group < a.directories.size() ? &a.directories[static_cast<std::size_t>(group)] : nullptr;
    const auto content = first >= regions ? std::nullopt
                                          : read_piece(ref != nullptr ? &ref->place : nullptr, ref != nullptr ? &ref->hash : nullptr,
                                                       FrameType::directory, {a.number, group});
    if (content)
      if (Result<std::vector<PageRef>> refs = decode_directory(*content, static_cast<std::size_t>(std::min<std::uint64_t>(kRegionsPerDirectory, regions - first))))
        directory_ = std::move(*refs);
  }
  return directory_ ? &*directory_ : nullptr;
}

std::shared_ptr<const Page> SalvageReader::page(std::size_t area, std::uint64_t region) {
  const Key key{area, region};
  if (page_key_ == key) return page_;
  page_key_ = key;
  page_.reset();
  const Extent extent = region_extent(catalog_.areas[area].size_bytes, region);
  if (extent.length == 0) return page_;
  const std::vector<PageRef>* refs = directory(area, region / kRegionsPerDirectory);
  const PageRef* ref = refs != nullptr ? &(*refs)[static_cast<std::size_t>(region % kRegionsPerDirectory)] : nullptr;
  if (ref != nullptr && !ref->present) return page_;
  const auto content = read_piece(ref != nullptr ? &ref->place : nullptr, ref != nullptr ? &ref->hash : nullptr, FrameType::page,
                                  {catalog_.areas[area].number, region});
  if (content) {
    if (Result<Page> decoded = Page::decode(*content, extent)) {
      // Without a directory a page was found in this set.
      decoded->seen_from(ref != nullptr ? ref->place.link : 0);
      page_ = std::make_shared<const Page>(std::move(*decoded));
    }
  }
  return page_;
}

void SalvageReader::add_found(FrameType type, std::size_t area, std::vector<std::uint64_t>& numbers) const {
  const std::uint32_t number = catalog_.areas[area].number;
  for (auto at = found_.all().lower_bound({type, number, 0}); at != found_.all().end(); ++at) {
    const auto& [found_type, found_area, found_number] = at->first;
    if (found_type != type || found_area != number) break;
    numbers.push_back(found_number);
  }
}

Result<std::vector<std::uint64_t>> SalvageReader::known_regions(std::size_t area) {
  std::vector<std::uint64_t> out, groups;
  const std::uint64_t regions = region_count(catalog_.areas[area].size_bytes);
  for (std::uint64_t group = 0; group < catalog_.areas[area].directories.size(); ++group) groups.push_back(group);
  add_found(FrameType::directory, area, groups);
  std::ranges::sort(groups);
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  for (const std::uint64_t group : groups) {
    TRY(cancel_.check());
    if (group > regions / kRegionsPerDirectory) break;
    if (const std::vector<PageRef>* refs = directory(area, group))
      for (std::size_t i = 0; i < refs->size(); ++i) out.push_back(group * kRegionsPerDirectory + i);
  }
  add_found(FrameType::page, area, out);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  while (!out.empty() && out.back() >= regions) out.pop_back();
  return out;
}

// The first of the frames that is lost; null if none is.
const FramePlace* SalvageReader::read_state(FrameAddress address, std::span<const FramePlace> frames, Bytes& out) {
  Bytes next;
  out.clear();
  for (const FramePlace& place : frames) {
    if (!chain_.read(place, FrameType::chunk, address, out, next)) return &place;
    std::swap(out, next);
  }
  return nullptr;
}

SalvageReader::Chunk SalvageReader::read_chunk(std::size_t area, std::uint64_t number, const ChunkEntry& entry, Bytes& out) {
  const Area& a = catalog_.areas[area];
  const auto lost = [](const FramePlace& place) { return place.link == 0 ? Chunk::lost : Chunk::lost_in_earlier_image; };
  Bytes base, moved;
  bool earlier = false;
  entry.each_place([&](const FramePlace& place) { earlier |= place.link != 0; });
  if (const FramePlace* missing = read_state({a.number, number}, entry.bases, base)) return lost(*missing);
  if (!entry.moved.empty()) base.resize(static_cast<std::size_t>(chunk_extent(a.size_bytes, number).length));
  for (const MovedData& data : entry.moved) {
    if (const FramePlace* missing = read_state({a.number, data.chunk}, data.frames, moved)) return lost(*missing);
    if (!lay_over(data, moved, base)) return lost(data.frames.back());
  }
  if (!chain_.read(entry.place, FrameType::chunk, {a.number, number}, base, out)) return lost(entry.place);
  if (out.size() == chunk_extent(a.size_bytes, number).length && hasher_.hash(out) == entry.hash) return Chunk::whole;
  return earlier ? Chunk::lost_in_earlier_image : Chunk::lost;
}

}  // namespace tintype
