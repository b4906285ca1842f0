// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/base_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace tintype {
namespace {


struct Candidate {
  const Area& area;
  const Layout& layout;
  const Partition* entry() const { return layout.find(area.partition); }
};

bool same_guid(const Candidate& a, const Candidate& b) {
  const Partition* x = a.entry();
  const Partition* y = b.entry();
  return x != nullptr && y != nullptr && x->partition_guid && x->partition_guid == y->partition_guid;
}
bool same_file_system(const Candidate& a, const Candidate& b) {
  return !a.area.fs.serial.empty() && a.area.fs.type == b.area.fs.type && a.area.fs.serial == b.area.fs.serial;
}
bool same_start(const Candidate& a, const Candidate& b) { return a.area.start_byte == b.area.start_byte; }
bool same_id(const Candidate& a, const Candidate& b) { return a.area.partition == b.area.partition; }

}  // namespace

std::string why_another_drive(const Catalog& image, const DriveInfo& drive, const Layout& layout, bool relaxed) {
  const DriveInfo& source = image.source;
  const std::string wanted = image.layout.signature_text();
  const std::string found = layout.signature_text();
  const bool signature = !wanted.empty() && wanted == found;
  const bool path = source.path == drive.path;
  const bool serials_known = !source.serial.empty() && !drive.serial.empty();
  if (source.logical_sector_bytes != layout.sector_bytes)
    return fmt::format("its sectors have {} bytes, those of the source had {}", layout.sector_bytes, source.logical_sector_bytes);
  if (relaxed) {
    if (signature || path || (serials_known && source.serial == drive.serial)) return {};
    return "neither its signature nor its serial number nor its path is that of the source";
  }
  if (wanted != found) return fmt::format("its signature is {}, that of the source was {}", found.empty() ? "none" : found, wanted.empty() ? "none" : wanted);
  if (serials_known && source.serial != drive.serial)
    return fmt::format("its serial number is {}, that of the source was {}", drive.serial, source.serial);
  if (source.size_bytes != drive.size_bytes) return fmt::format("it has {} bytes, the source had {}", drive.size_bytes, source.size_bytes);
  // Nothing but size and path tells drives without a signature apart.
  if (wanted.empty() && !serials_known && !path) return fmt::format("it has no signature, and the source was {}", source.path);
  return {};
}

std::vector<std::optional<std::size_t>> match_areas(const Catalog& base, const std::vector<Area>& areas, const Layout& layout) {
  std::vector<std::optional<std::size_t>> matched(areas.size());
  std::vector<bool> taken(base.areas.size());
  const auto pair_up = [&](const std::function<bool(const Candidate&, const Candidate&)>& same) {
    for (std::size_t i = 0; i < areas.size(); ++i) {
      for (std::size_t k = 0; k < base.areas.size() && !matched[i]; ++k) {
        if (taken[k] || areas[i].kind != base.areas[k].kind) continue;
        if (!same({areas[i], layout}, {base.areas[k], base.layout})) continue;
        matched[i] = k;
        taken[k] = true;
      }
    }
  };
  for (const auto& same : {same_guid, same_file_system, same_start, same_id}) pair_up(same);
  return matched;
}

}  // namespace tintype
