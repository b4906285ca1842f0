// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "naming/resolve.h"
#include "ui/cli/actions.h"
#include "ui/cli/foreign_image.h"
#include "ui/cli/list_json.h"
#include "ui/cli/list_text.h"
#include "ui/cli/open_image.h"
#include "ui/cli/virtual_drives.h"

namespace tintype::cli {
namespace {

Result<DriveListing> list_named(const std::string& text) {
  const DriveName name = TRY(parse_drive_name(text));
  const VirtualDrives& defined = this_machine().virtual_drives();
  const bool is_virtual = name.kind == DriveName::Kind::virtual_drive;
  if (is_virtual && defined.contains(name.number)) TRY(make_missing(defined.at(name.number)));
  const ResolvedDrive resolved = TRY(resolve(name, this_machine()));
  DriveListing listing = list_drive(resolved);
  if (is_virtual) listing.virtual_number = name.number;
  if (!resolved.partitions.empty())
    std::erase_if(listing.partitions, [&](const PartitionListing& partition) {
      return std::ranges::find(resolved.partitions, partition.entry.id) == resolved.partitions.end();
    });
  return listing;
}

// Nobody asked for this one by name: what is wrong with it is a warning, as with the drives of the machine.
DriveListing list_defined(unsigned number, const VirtualDrive& drive) {
  Result<DriveListing> listing = list_named(fmt::format("v{}", number));
  if (listing) return std::move(listing).take();
  DriveListing out;
  out.virtual_number = number;
  out.info.path = drive.path;
  out.layout.sector_bytes = 512;
  out.warnings.push_back(listing.error().message());
  return out;
}

Result<std::vector<DriveListing>> chosen_drives(const std::vector<std::string>& names) {
  std::vector<DriveListing> drives;
  if (names.empty()) {
    drives = TRY(list_machine(this_machine()));
    for (const auto& [number, drive] : this_machine().virtual_drives()) drives.push_back(list_defined(number, drive));
  }
  for (const std::string& name : names) drives.push_back(TRY(list_named(name)));
  return drives;
}

}  // namespace

Result<Report> run_list_action(Session& session) {
  const options::ParsedCommand& command = session.command();
  std::optional<ImageListing> image;
  std::vector<DriveListing> drives;
  if (const std::optional<std::string> file = command.text("file")) {
    if (command.has("drive")) return fail(ErrorCode::usage, "--file and --drive exclude each other here", "list one of them");
    if (const std::optional<std::string> foreign = foreign_path(*file)) {
      drives.push_back(TRY(list_named(*foreign)));
    } else {
      const OpenedImage opened = TRY(open_image(*file, session));
      image = list_image(*opened.reader, opened.path);
      drives.push_back(image->source);
    }
  } else {
    drives = TRY(chosen_drives(command.texts("drive")));
  }
  const ImageListing* of = image ? &*image : nullptr;
  const TerminalFacts& facts = session.screen().facts();
  const ListStyle style{.columns = facts.stdout_is_terminal ? terminal_columns() : 100,
                        .utf8 = facts.utf8,
                        .free_space = command.flag("free-space")};
  const std::string text = command.flag("json") ? list_json(drives, of) : list_text(drives, of, style);
  Report end;
  // Nothing is said to somebody who has stopped reading.
  if (!session.screen().out(text)) end.status = ExitStatus::failed;
  return end;
}

}  // namespace tintype::cli
