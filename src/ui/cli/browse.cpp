// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/browse.h"
#include "ui/cli/tuning.h"

#include "image/part_names.h"
#include "naming/source_name.h"
#include "ui/cli/open_image.h"

namespace tintype::cli {
namespace {

// By its extension too: a damaged image is still one.
bool is_image(const std::string& path) {
  if (path.ends_with(".tti")) return true;
  const SplitPath split = split_path(path);
  const auto place = open_any_place(split.folder);
  return place && read_part_header(**place, split.name);
}

}  // namespace

Result<BrowsedSource> open_browsed_source(Session& session) {
  const SourceName name = TRY(parse_source_name(*session.command().text("file"), is_image));
  BrowsedSource out;
  if (!name.partitions.empty()) out.partition = name.partitions.front();
  if (name.image.empty()) {
    ResolvedDrive drive = TRY(resolve(name.drive, this_machine()));
    if (!out.partition && drive.partitions.size() == 1) out.partition = drive.partitions.front();  // a label, a mount point
    out.source = file_source_of(drive);
  } else {
    OpenedImage image = TRY(open_image(name.image, session));
    out.source = file_source_of(std::move(image.reader), image.path);
  }
  return out;
}

}  // namespace tintype::cli
