// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/list_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/environment.h"
#include "base/text.h"
#include "ui/cli/chain_text.h"
#include "ui/cli/partition_bar.h"
#include "ui/cli/progress_text.h"

namespace tintype::cli {
namespace {

constexpr std::size_t kMaxBarColumns = 100;

using Row = std::vector<std::string>;

// Columns as wide as their widest cell, numbers (marked by a leading tab) to the right; empty columns are left out.
std::string aligned(const std::vector<Row>& rows) {
  std::string text;
  const std::size_t count = rows.front().size();
  std::vector<std::size_t> width(count, 0);
  std::vector<bool> shown(count, false);
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (std::size_t c = 0; c < count; ++c) {
      width[c] = std::max(width[c], columns_of(rows[r][c]) - (rows[r][c].starts_with('\t') ? 1 : 0));
      shown[c] = shown[c] || (r > 0 && rows[r][c].size() > (rows[r][c].starts_with('\t') ? 1U : 0U));
    }
  for (const Row& row : rows) {
    std::string line = " ";
    for (std::size_t c = 0; c < count; ++c) {
      if (!shown[c]) continue;
      const bool right = row[c].starts_with('\t');
      const std::string cell = right ? row[c].substr(1) : row[c];
      const std::string pad(width[c] - columns_of(cell), ' ');
      line += " " + (right ? pad + cell : cell + pad) + " ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + printable(word);
  return text;
}

std::string type_text(const PartitionListing& partition, const DriveListing& drive) {
  if (drive.layout.kind == TableKind::none) return "";
  if (!partition.entry.type_guid) return fmt::format("0x{:02x}", partition.entry.mbr_type);
  return guid_to_string(*partition.entry.type_guid).substr(0, 8);
}

std::string state_text(const PartitionListing& partition) {
  std::string text = partition.fs.state == FsState::unknown || !partition.looked_at ? "" : to_string(partition.fs.state);
  if (partition.entry.active) text += text.empty() ? "active" : ", active";
  return text;
}

Row partition_row(const PartitionListing& partition, const DriveListing& drive, const ListStyle& style, bool image) {
  const FsInfo& fs = partition.fs;
  const bool known = partition.looked_at && fs.type != FsType::unknown;
  const auto size = [](bool show, std::uint64_t bytes) { return "\t" + (show ? format_size(bytes) : std::string()); };
  const std::uint64_t bytes = checked_mul(partition.entry.sector_count, drive.layout.sector_bytes).value_or(0);
  Row row{partition.id, size(true, bytes), partition.entry.extended ? "extended" : to_string(fs.type), printable(fs.label)};
  if (style.free_space) {
    row.push_back(size(known, fs.used_bytes));
    row.push_back(size(known, fs.free_bytes));
  }
  row.push_back(state_text(partition));
  row.push_back(type_text(partition, drive));
  row.push_back(printable(partition.entry.name));
  row.push_back(fs.serial);
  if (image) row.push_back(partition.saved ? size(true, partition.saved_bytes) : "\t" + std::string(partition.entry.extended ? "" : "not saved"));
  else row.push_back(joined(partition.mount_points, ", "));
  return row;
}

std::string partition_table(const DriveListing& drive, const ListStyle& style, bool image) {
  Row heading{"id", "\tsize", "file system", "label"};
  if (style.free_space) {
    heading.push_back("\tused");
    heading.push_back("\tfree");
  }
  for (const char* word : {"state", "type", "name", "serial"}) heading.push_back(word);
  heading.push_back(image ? "\tin the image" : "mounted on");
  std::vector<Row> rows{heading};
  for (const PartitionListing& partition : drive.partitions) rows.push_back(partition_row(partition, drive, style, image));
  return aligned(rows);
}

std::string drive_heading(const DriveListing& drive, bool image) {
  std::string line = image ? "source: " : drive.number ? fmt::format("drive {}: ", *drive.number) : "";
  if (drive.virtual_number) line = fmt::format("drive v{}: ", *drive.virtual_number);
  line += printable(drive.info.path);
  std::vector<std::string> words;
  if (!drive.info.format.empty()) words.push_back(drive.info.format);
  if (!drive.info.model.empty()) words.push_back(drive.info.model);
  if (!drive.info.serial.empty()) words.push_back("serial " + drive.info.serial);
  words.push_back(format_size(drive.info.size_bytes));
  words.push_back(fmt::format("{}-byte sectors", drive.layout.sector_bytes));
  if (drive.layout.kind == TableKind::none) words.push_back("no partition table");
  else words.push_back(fmt::format("{} {}", to_string(drive.layout.kind), drive.layout.signature_text()));
  if (drive.info.read_only) words.push_back("read-only");
  return line + ", " + joined(words, ", ") + "\n";
}

std::string drive_text(const DriveListing& drive, const ListStyle& style, bool image) {
  std::string text = drive_heading(drive, image);
  const std::size_t columns = std::min(style.columns, kMaxBarColumns);
  // With single partitions chosen the rest would look like free space.
  const bool all = drive.layout.kind == TableKind::none || drive.partitions.size() == drive.layout.partitions.size();
  const std::string bar = !all ? std::string() : partition_bar(drive, std::max<std::size_t>(columns, 24) - 4, style.utf8);
  if (!bar.empty()) text += "  " + bar + "\n";
  if (!drive.partitions.empty()) text += partition_table(drive, style, image);
  for (const Use& use : drive.uses)
    if (use.kind != Use::Kind::mount) text += "  in use: " + printable(use.text()) + "\n";
  for (const std::string& warning : drive.warnings) text += "  warning: " + printable(warning) + "\n";
  for (const PartitionListing& partition : drive.partitions)
    if (!partition.warning.empty()) text += fmt::format("  warning: partition {}: {}\n", partition.id, printable(partition.warning));
  return text;
}

std::string time_text(std::int64_t seconds) {
  if (seconds < 0 || seconds > 253402300799) return "unknown";
  return iso8601(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
}

std::string image_text(const ImageListing& image, const ListStyle& style) {
  const Catalog& catalog = image.catalog;
  std::uint64_t total = 0, saved = 0, unreadable = 0;
  for (const std::uint64_t bytes : image.part_bytes) total += bytes;
  for (const Area& area : catalog.areas) {
    saved += area.used_bytes;
    unreadable += area.unreadable_bytes;
  }
  const std::size_t parts = image.part_bytes.size();
  std::string text = fmt::format("image: {}, {} in {} {}\n", printable(image.path), format_size(total), parts, parts == 1 ? "file" : "files");
  text += fmt::format("  made {} by {} on {}\n", time_text(catalog.created), printable(catalog.program), printable(catalog.host));
  if (!catalog.description.empty()) text += fmt::format("  description: {}\n", printable(catalog.description));
  text += fmt::format("  {} image of {} of data, compression {}, {}\n", printable(catalog.kind), format_size(saved), catalog.compression,
                      image.header.encrypted ? "AES-256" : image.header.password_needed ? "password, not encrypted" : "not encrypted");
  if (catalog.consistency == "in-use") text += "  warning: made while the source was in use: not of one point in time\n";
  if (unreadable != 0) text += fmt::format("  warning: {} of the source could not be read\n", format_size(unreadable));
  for (const Area& area : catalog.areas)
    for (const LeftOutFile& file : area.left_out)
      text += fmt::format("  left out: {} ({})\n", printable(file.path), format_size(file.size_bytes));
  return text + chain_text(image, style.columns, style.utf8);
}

}  // namespace

std::string list_text(const std::vector<DriveListing>& drives, const ImageListing* image, const ListStyle& style) {
  std::string text;
  if (image != nullptr) text += image_text(*image, style) + "\n";
  for (const DriveListing& drive : drives) {
    if (&drive != &drives.front()) text += "\n";
    text += drive_text(drive, style, image != nullptr);
  }
  if (drives.empty()) text += "No drives were found; \"tintype list --drive FILE\" looks into a file.\n";
  return text;
}

}  // namespace tintype::cli
