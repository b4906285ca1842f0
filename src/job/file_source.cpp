// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/file_source.h"

#include <fmt/format.h>

#include "base/text.h"
#include "image/image_drive.h"
#include "naming/resolve.h"

namespace tintype {
namespace {

std::uint32_t id_of(const PartitionListing& partition) { return partition.id == "0" ? 0 : partition.entry.id; }

std::string words_for(const PartitionListing& partition) {
  std::string words = fmt::format("{} ({}", partition.id, to_string(partition.fs.type));
  if (!partition.fs.label.empty()) words += ", " + printable(partition.fs.label);
  return words + ")";
}

bool has_data(const FileSource& source, const PartitionListing& partition) {
  return !partition.entry.extended && (!source.image || partition.saved);
}

std::string there_are(const FileSource& source) {
  std::string text;
  for (const PartitionListing& each : source.listing.partitions)
    if (has_data(source, each)) text += (text.empty() ? "" : ", ") + words_for(each);
  return text.empty() ? "it holds none" : "there are " + text;
}

Result<OpenedTree> open_listed(const FileSource& source, const PartitionListing& partition) {
  OpenedTree opened;
  opened.partition_id = partition.id;
  opened.partition = TRY(open_partition(source.drive, source.layout, id_of(partition)));
  opened.tree = TRY(open_file_tree(opened.partition));
  opened.used_bytes = partition.looked_at ? partition.fs.used_bytes : 0;
  const auto start = checked_mul(partition.entry.start_sector, source.layout.sector_bytes);
  if (source.image) opened.lost = LostRanges(source.image, source.drive, start.value_or(0));
  return opened;
}

}  // namespace

FileSource file_source_of(std::shared_ptr<ImageReader> image, const std::string& path) {
  FileSource source;
  source.layout = image->catalog().layout;
  source.listing = list_image(*image, path).source;
  // Folders lie all over a drive, and are come back to.
  source.drive = make_image_drive(image, {.name = path, .cache_bytes = 256U << 20, .beginnings = true});
  source.image = std::move(image);
  return source;
}

FileSource file_source_of(const ResolvedDrive& drive) { return {drive.drive, nullptr, drive.layout, list_drive(drive)}; }

Result<OpenedTree> open_tree(const FileSource& source, std::optional<std::uint32_t> id) {
  const std::string name = printable(source.drive->info().path);
  if (id) {
    for (const PartitionListing& each : source.listing.partitions)
      if (id_of(each) == *id && has_data(source, each)) return open_listed(source, each);
    return fail(ErrorCode::not_found, fmt::format("{} holds no partition {}", name, *id > 128 ? fmt::format("0x{:x}", *id) : std::to_string(*id)), there_are(source));
  }
  std::vector<OpenedTree> trees;
  std::string words;
  std::optional<Error> why;
  for (const PartitionListing& each : source.listing.partitions) {
    if (!has_data(source, each)) continue;
    Result<OpenedTree> opened = open_listed(source, each);
    if (!opened) {
      if (!why || opened.error().code != ErrorCode::unsupported) why = opened.error();
      continue;
    }
    words += (words.empty() ? "" : ", ") + words_for(each);
    trees.push_back(std::move(opened).take());
  }
  if (trees.size() == 1) return std::move(trees.front());
  if (trees.size() > 1) return fail(ErrorCode::usage, fmt::format("{} has files on partitions {}", name, words), "name one of them behind '@', such as NAME@1");
  if (why) return fail(std::move(*why));
  return fail(ErrorCode::not_found, fmt::format("{} has no partition with files that can be read", name), there_are(source));
}

}  // namespace tintype
