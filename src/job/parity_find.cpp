// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "image/part_names.h"
#include "job/parity.h"

namespace tintype {
namespace {

// The header of a part if it has one that makes sense.
std::optional<PartHeader> header_of(Place& place, const std::string& name) {
  Result<PartHeader> header = read_part_header(place, name);
  return header ? std::optional(*std::move(header)) : std::nullopt;
}

}  // namespace

Result<FoundParity> find_parity(Place& place, const std::string& image) {
  finish_publishing_if_idle(place, image);
  std::optional<PartHeader> first = header_of(place, image);
  if (first && first->part != 0) first.reset();  // some other part has taken its place
  FoundParity found;
  for (const std::string& name : {parity_name(image), partial_parity_name(image)}) {
    if (!TRY(place.exists(name))) continue;
    const bool partial = name != parity_name(image);
    Result<std::shared_ptr<ParityFile>> file = ParityFile::open(place, name);
    const bool other = file && first && (*file)->head().set_id != first->set_id;
    // One that was still being written counts only if it is certainly that of this image.
    if (partial && (!file || !first || other)) continue;
    if (!file && !means_lost(file.error())) return fail(file.error());
    if (!file) {
      found = {FoundParity::State::unreadable, nullptr, name, file.error().message()};
    } else if (other) {
      found = {FoundParity::State::of_another_image, nullptr, name, fmt::format("{} belongs to another image and is ignored", (*file)->path())};
    } else {
      return FoundParity{FoundParity::State::there, *std::move(file), name, ""};
    }
  }
  return found;
}

std::string found_part_name(Place& place, const std::string& image, const SetId& set_id, std::uint32_t part) {
  for (const std::string& name : {part_name(image, part), partial_name(image, part)}) {
    const std::optional<PartHeader> header = header_of(place, name);
    if (header && header->set_id == set_id && header->part == part) return name;
  }
  const bool only_partial = !place.exists(part_name(image, part)).value_or(true) && place.exists(partial_name(image, part)).value_or(false);
  return only_partial && part > 0 ? partial_name(image, part) : part_name(image, part);
}

PartRow parts_beside(std::shared_ptr<Place> place, const std::string& image, const ParityHead& head) {
  return PartRow(head.part_bytes, [place, image, set_id = head.set_id](std::uint32_t part) -> Result<std::shared_ptr<ReadFile>> {
    return std::shared_ptr<ReadFile>(TRY(place->open(found_part_name(*place, image, set_id, part))));
  });
}

}  // namespace tintype
