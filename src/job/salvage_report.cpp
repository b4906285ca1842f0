// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/salvage_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tintype {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostLines = 100;

Json extents_object(const SalvageExtents& extents) {
  Json listed = Json::array();
  for (const Extent& extent : extents.listed) listed.push_back({extent.start, extent.length});
  return {{"bytes", extents.bytes}, {"ranges", extents.ranges}, {"extents", std::move(listed)}};
}

Json area_object(const SalvagedArea& area) {
  return {{"area", area.number},
          {"name", area.name},
          {"file", area.file},
          {"file_byte", area.file_byte},
          {"size_bytes", area.size_bytes},
          {"restored_bytes", area.restored_bytes},
          {"unconfirmed_bytes", area.unconfirmed_bytes},
          {"unreadable_bytes", area.unreadable_bytes},
          {"lost", extents_object(area.lost)},
          {"earlier_image", extents_object(area.earlier)},
          {"unknown", extents_object(area.unknown)}};
}

void append_extents(std::string& text, const char* what, const SalvageExtents& extents) {
  if (extents.bytes == 0) return;
  text += fmt::format("  {}: {} in {} {}\n", what, format_size(extents.bytes), extents.ranges, extents.ranges == 1 ? "range" : "ranges");
  for (std::size_t i = 0; i < extents.listed.size() && i < kMostLines; ++i)
    text += fmt::format("    bytes {} to {}\n", extents.listed[i].start, extents.listed[i].end() - 1);
  if (extents.ranges > kMostLines) text += fmt::format("    and {} more\n", extents.ranges - kMostLines);
}

}  // namespace

std::string salvage_json(const SalvageReport& report, const std::string& image) {
  Json areas = Json::array();
  for (const SalvagedArea& area : report.areas) areas.push_back(area_object(area));
  Json hit_list = Json::array();
  for (const Hit& hit : report.hits.listed)
    hit_list.push_back({{"kind", to_string(hit.kind)}, {"partition", hit.partition}, {"what", hit.what}, {"part", hit.part}, {"bytes", hit.bytes}});
  const Json json = {{"image", image},
                     {"layout_from", report.layout_from},
                     {"restored_bytes", report.restored_bytes()},
                     {"lost_bytes", report.lost_bytes()},
                     {"unknown_bytes", report.unknown_bytes()},
                     {"chunks", report.chunks},
                     {"damaged_chunks", report.damaged_chunks},
                     {"foreign_chunks", report.foreign_chunks},
                     {"lone_deltas", report.lone_deltas},
                     {"hits", report.hits.lines()},
                     {"hit_count", report.hits.count},
                     {"hit_list", std::move(hit_list)},
                     {"notes", report.notes},
                     {"areas", std::move(areas)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string salvage_text(const SalvageReport& report, const std::string& image) {
  std::string text = fmt::format("Salvage of {}\n\n{}\n", printable(image), salvage_shares(report));
  text += report.layout_from == "nothing"
              ? "Neither catalog nor prologue is left: every area has a file of its own, and its size is a guess.\n"
              : fmt::format("The layout of the drive was read from the {}.\n", report.layout_from);
  text += fmt::format("{} chunks brought back, {} found damaged, {} passed over because they do not belong.\n", report.chunks, report.damaged_chunks,
                      report.foreign_chunks);
  if (report.lone_deltas > 0)
    text += fmt::format("{} chunks of changes cannot be used: the index that tells what they change is lost.\n", report.lone_deltas);
  for (const std::string& note : report.notes) text += printable(note) + "\n";
  for (const SalvagedArea& area : report.areas) {
    text += fmt::format("\n{}: {} from byte {}, {} bytes\n  brought back: {}\n", printable(area.name), area.file, area.file_byte, area.size_bytes,
                        format_size(area.restored_bytes));
    if (area.unconfirmed_bytes > 0)
      text += fmt::format("  of this without an index to confirm it: {}\n", format_size(area.unconfirmed_bytes));
    if (area.unreadable_bytes > 0)
      text += fmt::format("  could not be read when the image was made: {}\n", format_size(area.unreadable_bytes));
    append_extents(text, "lost", area.lost);
    append_extents(text, "lost in an earlier image of the chain", area.earlier);
    append_extents(text, "unknown, perhaps never in use", area.unknown);
  }
  if (report.hits.count > 0) text += "\nWhat is hit by what is lost or unknown, as far as the file systems that were brought back can tell:\n";
  for (const std::string& hit : report.hits.lines()) text += "  " + hit + "\n";
  return text;
}

std::string salvage_shares(const SalvageReport& report) {
  const auto restored = static_cast<double>(report.restored_bytes()), lost = static_cast<double>(report.lost_bytes()),
             unknown = static_cast<double>(report.unknown_bytes());
  const double all = restored + lost + unknown;
  // Something that is lost never reads as nothing.
  const auto share = [&](double part) {
    const double percent = all == 0 ? 0 : part * 100 / all;
    if (part > 0 && percent < 0.1) return std::string("less than 0.1 %");
    if (part < all && percent > 99.9) return std::string("more than 99.9 %");
    return fmt::format("{:.1f} %", percent);
  };
  return fmt::format("{} brought back, {} lost, {} unknown", share(restored), share(lost), share(unknown));
}

}  // namespace tintype
