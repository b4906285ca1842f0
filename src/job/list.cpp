// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "image/part_reader.h"

namespace tintype {
namespace {

// Partitions listed at most: a hostile table cannot make the list endless.
constexpr std::size_t kMaxPartitions = 1024;

void add_sentence(std::string& text, const std::string& sentence) {
  if (sentence.empty()) return;
  if (!text.empty()) text += "; ";
  text += sentence;
}

void look_at(PartitionListing& listing, const std::shared_ptr<Drive>& drive, const Layout& layout) {
  const Result<std::shared_ptr<Drive>> slice = open_partition(drive, layout, listing.entry.id);
  if (!slice) return add_sentence(listing.warning, slice.error().message());
  const Result<std::unique_ptr<FileSystem>> fs = open_file_system(*slice);
  if (!fs) return add_sentence(listing.warning, fs.error().message());
  listing.fs = (*fs)->info();
  listing.looked_at = true;
  add_sentence(listing.warning, listing.fs.warning);
}

void name_mount_points(PartitionListing& listing, const DriveListing& drive) {
  const std::uint64_t sector = drive.layout.sector_bytes;
  const auto start = checked_mul(listing.entry.start_sector, sector);
  const auto length = checked_mul(listing.entry.sector_count, sector);
  if (!start || !length || listing.entry.extended) return;
  for (const Use& use : drive.uses)
    if (use.kind == Use::Kind::mount && use.touches({*start, *length})) listing.mount_points.push_back(use.mount_point);
}

// A drive without a table may still hold something: a file system, or data that nobody knows, or that cannot be read now.
bool begins_with_data(Drive& drive) {
  Bytes head(static_cast<std::size_t>(std::min<std::uint64_t>(drive.size_bytes(), 128 * 1024)));
  return !head.empty() && (!drive.read(0, head) || !all_zero(head));
}

PartitionListing whole_drive_entry(const DriveListing& drive) {
  PartitionListing listing;
  listing.entry.sector_count = drive.info.size_bytes / drive.layout.sector_bytes;
  listing.id = "0";
  return listing;
}

void add_partitions(DriveListing& listing, const std::shared_ptr<Drive>& drive) {
  if (listing.layout.kind == TableKind::none) {
    PartitionListing whole = whole_drive_entry(listing);
    look_at(whole, drive, listing.layout);
    if (whole.fs.type != FsType::unknown || begins_with_data(*drive)) listing.partitions.push_back(std::move(whole));
  }
  for (const Partition& entry : listing.layout.partitions) {
    if (listing.partitions.size() == kMaxPartitions) {
      listing.warnings.push_back(fmt::format("only the first {} partitions are listed", kMaxPartitions));
      break;
    }
    PartitionListing partition;
    partition.entry = entry;
    partition.id = entry.id_text(listing.layout.kind);
    if (!entry.extended) look_at(partition, drive, listing.layout);
    listing.partitions.push_back(std::move(partition));
  }
  for (PartitionListing& partition : listing.partitions) name_mount_points(partition, listing);
}

DriveListing list_numbered(const ListedDrive& found, Machine& machine) {
  DriveListing listing;
  listing.number = found.number;
  listing.info = found.info;
  listing.uses = found.uses;
  listing.layout.sector_bytes = std::max(1U, found.info.logical_sector_bytes);
  const auto warn = [&](const Error& error) {
    listing.warnings.push_back(error.message());
    return listing;
  };
  const Result<std::shared_ptr<Drive>> drive = machine.open(found.info.path, {});
  if (!drive) return warn(drive.error());
  Result<Layout> layout = read_layout(**drive);
  if (!layout) return warn(layout.error());
  listing.layout = std::move(layout).take();
  listing.warnings = listing.layout.problems;
  add_partitions(listing, *drive);
  return listing;
}

void add_saved(PartitionListing& partition, const Catalog& catalog) {
  for (const Area& area : catalog.areas) {
    const bool whole_drive = area.kind == AreaKind::drive;
    if (area.kind == AreaKind::first_track || (!whole_drive && area.partition != partition.entry.id)) continue;
    partition.saved = true;
    if (whole_drive && partition.id != "0") continue;  // raw: its figures are the drive's
    partition.fs = area.fs;
    partition.looked_at = true;
    partition.warning = area.fs.warning;
    partition.saved_bytes = area.used_bytes;
    partition.stored_bytes = area.stored_bytes;
    if (area.unreadable_bytes != 0)
      add_sentence(partition.warning, fmt::format("{} bytes of the source could not be read", area.unreadable_bytes));
  }
}

void add_figures(ChainListing& listing, const Catalog& catalog, PartReader& parts) {
  listing.path = parts.describe(0);
  listing.size_bytes = parts.trailer().part_bytes;
  for (const std::uint64_t bytes : catalog.part_bytes) listing.size_bytes = checked_add(listing.size_bytes, bytes).value_or(0);
  for (const Area& area : catalog.areas) listing.stored_bytes = checked_add(listing.stored_bytes, area.stored_bytes).value_or(0);
}

std::vector<ChainListing> list_chain(ImageReader& image, const std::string& path) {
  std::vector<ChainListing> chain;
  const Catalog& own = image.catalog();
  for (std::uint32_t number = 1; number <= own.links.size(); ++number) {
    const Link& link = own.links[number - 1];
    ChainListing& listing = chain.emplace_back();
    listing.set_id = to_hex(link.set_id);
    listing.kind = link.kind;
    listing.name = link.name;
    listing.created = link.created;
    const Result<Catalog> catalog = image.link_catalog(number);
    const Result<PartReader*> parts = image.chain().parts(number);
    if (catalog && parts)
      add_figures(listing, *catalog, **parts);
    else
      listing.problem = catalog ? parts.error().message() : catalog.error().message();
  }
  ChainListing& last = chain.emplace_back();
  last.set_id = to_hex(image.header().set_id);
  last.kind = own.kind;
  last.name = path.substr(path.rfind('/') + 1);
  last.created = own.created;
  add_figures(last, own, image.parts());
  return chain;
}

}  // namespace

Result<std::vector<DriveListing>> list_machine(Machine& machine) {
  std::vector<DriveListing> drives;
  for (const ListedDrive& found : TRY(machine.drives())) drives.push_back(list_numbered(found, machine));
  return drives;
}

DriveListing list_drive(const ResolvedDrive& resolved) {
  DriveListing listing;
  listing.info = resolved.drive->info();
  if (resolved.listed) {
    listing.number = resolved.listed->number;
    listing.info = resolved.listed->info;
    listing.uses = resolved.listed->uses;
  } else if (Result<std::vector<Use>> uses = find_uses(listing.info.path)) {
    listing.uses = std::move(uses).take();
  }
  listing.layout = resolved.layout;
  listing.warnings = resolved.layout.problems;
  add_partitions(listing, resolved.drive);
  return listing;
}

ImageListing list_image(ImageReader& image, std::string path) {
  ImageListing listing;
  listing.path = std::move(path);
  listing.header = image.header();
  listing.catalog = image.catalog();
  listing.part_bytes = listing.catalog.part_bytes;
  listing.part_bytes.push_back(image.parts().trailer().part_bytes);
  listing.chain = list_chain(image, listing.path);
  DriveListing& source = listing.source;
  source.info = listing.catalog.source;
  source.layout = listing.catalog.layout;
  source.warnings = source.layout.problems;
  if (source.layout.kind == TableKind::none && !listing.catalog.areas.empty())
    source.partitions.push_back(whole_drive_entry(source));
  for (const Partition& entry : source.layout.partitions) {
    PartitionListing partition;
    partition.entry = entry;
    partition.id = entry.id_text(source.layout.kind);
    source.partitions.push_back(std::move(partition));
  }
  for (PartitionListing& partition : source.partitions)
    if (!partition.entry.extended) add_saved(partition, listing.catalog);
  return listing;
}

}  // namespace tintype
