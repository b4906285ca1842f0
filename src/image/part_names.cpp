// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/part_names.h"

#include <algorithm>
#include <charconv>

#include "image/parity_file.h"

namespace tintype {
namespace {
constexpr std::string_view kPartial = ".partial";
constexpr std::string_view kRepair = ".repair";

// The number that a name without ".partial" gives a part of the image; empty if it is none of its names. `spelled`: the image's name in it.
std::optional<std::uint32_t> part_number(Place& place, const std::string& name, const std::string& image, std::string* spelled = nullptr) {
  if (spelled != nullptr) *spelled = name;
  if (place.same_name(name, image)) return 0;
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot + 1 == name.size() || name[dot + 1] < '1' || name[dot + 1] > '9' || !place.same_name(name.substr(0, dot), image)) return std::nullopt;
  if (spelled != nullptr) spelled->resize(dot);
  const std::string rest = name.substr(dot + 1);
  std::uint32_t part = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), part);
  // Only the canonical spelling counts: "pc.tti.01" is somebody else's file.
  if (error != std::errc{} || end != rest.data() + rest.size() || std::to_string(part) != rest || part == 0) return std::nullopt;
  return part;
}

}  // namespace

std::string part_name(const std::string& image, std::uint32_t part) {
  return part == 0 ? image : image + "." + std::to_string(part);
}

std::string partial_name(const std::string& image, std::uint32_t part) {
  return part_name(image, part).append(kPartial);
}

Result<std::vector<PartFile>> find_parts(Place& place, const std::string& image) {
  std::vector<PartFile> found;
  const std::vector<std::string> names = TRY(place.list());
  const auto is_there = [&](const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  for (const std::string& name : names) {
    const bool partial = name.ends_with(kPartial);
    std::string spelled;
    const auto part = part_number(place, name.substr(0, name.size() - (partial ? kPartial.size() : 0)), image, &spelled);
    // NTFS may have two images whose names differ only in case.
    if (part && (spelled == image || !is_there(spelled) || !is_there(image))) found.push_back({*part, partial, name});
  }
  std::sort(found.begin(), found.end(), [](const PartFile& a, const PartFile& b) {
    return a.part != b.part ? a.part < b.part : a.partial < b.partial;
  });
  return found;
}

Result<PartHeader> read_part_header(Place& place, const std::string& name) {
  const std::unique_ptr<ReadFile> file = TRY(place.open(name));
  Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(kPartHeaderBytes, file->size())));
  TRY(file->read(0, bytes));
  return PartHeader::decode(bytes, place.describe(name));
}

namespace {

bool is_unfinished(const PartFile& file) { return file.partial && file.part > 0; }

// The header of a part, or nothing if it has none that makes sense.
Result<std::optional<PartHeader>> header_if_sound(Place& place, const std::string& name) {
  Result<PartHeader> header = read_part_header(place, name);
  if (header) return *header;
  const ErrorCode code = header.error().code;
  if (code == ErrorCode::corrupt || code == ErrorCode::unsupported || code == ErrorCode::not_found) return std::nullopt;
  return fail(std::move(header).error());
}

// Whether there is something that looks like the rest of a cut-off publish.
Result<bool> is_unfinished(Place& place, const std::string& image, const std::vector<PartFile>& files) {
  if (std::any_of(files.begin(), files.end(), [](const PartFile& file) { return is_unfinished(file); })) return true;
  return place.exists(partial_parity_name(image));
}

}  // namespace

Result<void> finish_publishing(Place& place, const std::string& image) {
  const std::vector<PartFile> files = TRY(find_parts(place, image));
  if (!TRY(is_unfinished(place, image, files))) return {};
  const std::optional<PartHeader> first = TRY(header_if_sound(place, image));
  if (!first) return {};
  bool synced = false;
  for (const PartFile& file : files) {
    if (!is_unfinished(file)) continue;
    const std::optional<PartHeader> header = TRY(header_if_sound(place, file.name));
    if (!header || header->set_id != first->set_id || header->part != file.part) continue;
    // The first part's rename must be durable before parts of the older image are replaced.
    if (!std::exchange(synced, true)) TRY(place.sync());
    TRY(place.rename(file.name, part_name(image, file.part)));
  }
  if (TRY(parity_set_id(place, partial_parity_name(image))) == first->set_id) {
    if (!std::exchange(synced, true)) TRY(place.sync());
    TRY(place.rename(partial_parity_name(image), parity_name(image)));
  }
  return synced ? place.sync() : Result<void>{};
}

Result<void> remove_repair_leftovers(Place& place, const std::string& image) {
  for (const std::string& name : TRY(place.list())) {
    if (!name.ends_with(kRepair)) continue;
    const std::string of = name.substr(0, name.size() - kRepair.size());
    const bool part = part_number(place, of, image) && TRY(header_if_sound(place, name));
    const bool parity = of == parity_name(image) && TRY(parity_set_id(place, name));
    if (part || parity) TRY(place.remove(name));
  }
  return {};
}

void finish_publishing_if_idle(Place& place, const std::string& image) {
  const Result<std::vector<PartFile>> files = find_parts(place, image);
  if (!files || !is_unfinished(place, image, *files).value_or(false)) return;
  const auto lock = place.lock(image);
  if (lock) (void)finish_publishing(place, image);
}

}  // namespace tintype
