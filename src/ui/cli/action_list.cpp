// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "naming/resolve.h"
#include "ui/cli/actions.h"
#include "ui/cli/list_json.h"
#include "ui/cli/list_text.h"
#include "ui/cli/open_image.h"

namespace tintype::cli {
namespace {

Result<std::vector<DriveListing>> chosen_drives(const std::vector<std::string>& names) {
  std::vector<DriveListing> drives;
  std::vector<std::string> wanted = names;
  if (names.empty()) {
    drives = TRY(list_machine(this_machine()));
    for (const auto& [number, drive] : this_machine().virtual_drives()) wanted.push_back(fmt::format("v{}", number));
  }
  for (const std::string& name : wanted) {
    const ResolvedDrive resolved = TRY(resolve(name, this_machine()));
    DriveListing listing = list_drive(resolved);
    if (!resolved.partitions.empty())
      std::erase_if(listing.partitions, [&](const PartitionListing& partition) {
        return std::ranges::find(resolved.partitions, partition.entry.id) == resolved.partitions.end();
      });
    drives.push_back(std::move(listing));
  }
  return drives;
}

}  // namespace

Result<Report> run_list_action(Session& session) {
  const options::ParsedCommand& command = session.command();
  std::optional<ImageListing> image;
  std::vector<DriveListing> drives;
  if (const std::optional<std::string> file = command.text("file")) {
    if (command.has("drive")) return fail(ErrorCode::usage, "--file and --drive exclude each other here", "list one of them");
    const OpenedImage opened = TRY(open_image(*file, session));
    image = list_image(*opened.reader, opened.path);
    drives.push_back(image->source);
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
