// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/part_names.h"

#include <algorithm>
#include <charconv>

namespace tintype {
namespace {
constexpr std::string_view kPartial = ".partial";
}

std::string part_name(const std::string& image, std::uint32_t part) {
  return part == 0 ? image : image + "." + std::to_string(part);
}

std::string partial_name(const std::string& image, std::uint32_t part) {
  return part_name(image, part).append(kPartial);
}

Result<std::vector<PartFile>> find_parts(Place& place, const std::string& image) {
  std::vector<PartFile> found;
  for (const std::string& name : TRY(place.list())) {
    if (!name.starts_with(image)) continue;
    std::string_view rest = std::string_view(name).substr(image.size());
    PartFile file{0, rest.ends_with(kPartial), name};
    if (file.partial) rest.remove_suffix(kPartial.size());
    if (!rest.empty()) {
      if (rest.front() != '.') continue;
      rest.remove_prefix(1);
      const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), file.part);
      // Only the canonical spelling counts: "pc.tti.01" is somebody else's file.
      if (error != std::errc{} || end != rest.data() + rest.size() || std::to_string(file.part) != rest || file.part == 0)
        continue;
    }
    found.push_back(std::move(file));
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

}  // namespace

Result<void> finish_publishing(Place& place, const std::string& image) {
  const std::vector<PartFile> files = TRY(find_parts(place, image));
  if (std::none_of(files.begin(), files.end(), is_unfinished)) return {};
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
  return synced ? place.sync() : Result<void>{};
}

void finish_publishing_if_idle(Place& place, const std::string& image) {
  const Result<std::vector<PartFile>> files = find_parts(place, image);
  if (!files || std::none_of(files->begin(), files->end(), is_unfinished)) return;
  const auto lock = place.lock(image);
  if (lock) (void)finish_publishing(place, image);
}

}  // namespace tintype
