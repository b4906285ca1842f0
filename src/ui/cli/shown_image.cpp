// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/shown_image.h"

#include <fmt/format.h>

#include "base/text.h"
#include "drive/overlay_drive.h"
#include "image/image_drive.h"
#include "naming/suggest_name.h"

namespace tintype::cli {
namespace {

// A partition of the image's layout that it holds something of.
bool is_shown(const Catalog& catalog, const Partition& partition) {
  if (partition.extended || partition.leaves_drive) return false;
  for (const Area& area : catalog.areas)
    if (area.kind == AreaKind::partition && area.partition == partition.id) return true;
  return false;
}

Result<void> add_tree(Shown& shown, const std::shared_ptr<Drive>& drive, const std::string& name, std::vector<std::string>& notes) {
  Result<std::unique_ptr<FileTree>> tree = open_file_tree(drive);
  if (tree) shown.trees.push_back({name, std::move(*tree)});
  else notes.push_back(fmt::format("no files of partition {} are shown: {}", name, tree.error().message()));
  return {};
}

}  // namespace

ShowOptions show_options(const options::ParsedCommand& command) {
  ShowOptions out;
  if (const std::optional<std::string> folder = command.text("overlay-folder")) out.scratch_folder = *folder;
  return out;
}

Result<Shown> show_image(const OpenedImage& image, const ShowOptions& options, std::vector<std::string>& notes) {
  const Catalog& catalog = image.reader->catalog();
  Shown shown;
  shown.source = image.path;
  shown.time = std::chrono::sys_seconds(std::chrono::seconds(catalog.created));
  const std::shared_ptr<Drive> whole = make_image_drive(image.reader, {.name = image.path});
  std::shared_ptr<Drive> drive = whole;
  if (options.writable) drive = make_overlay_drive(whole, TRY(make_scratch_file(options.scratch_folder, whole->size_bytes())));
  shown.drives.push_back({kWholeDrive, drive, options.writable});
  if (options.partitions) {
    for (const Partition& partition : catalog.layout.partitions) {
      if (!is_shown(catalog, partition)) continue;
      const std::string word = partition_word(partition.id);
      const Extent range{partition.start_sector * catalog.layout.sector_bytes, partition.sector_count * catalog.layout.sector_bytes};
      if (!fits(range.start, range.length, whole->size_bytes())) continue;
      shown.drives.push_back({fmt::format("partition-{}.img", word), make_slice(drive, range, word), options.writable});
      if (options.files) TRY(add_tree(shown, make_slice(whole, range, fmt::format("{}@{}", image.path, word)), word, notes));
    }
  }
  if (options.files && catalog.layout.kind == TableKind::none) TRY(add_tree(shown, whole, "0", notes));
  return shown;
}

}  // namespace tintype::cli
