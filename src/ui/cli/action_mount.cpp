// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "base/text.h"
#include "ui/cli/actions.h"
#include "ui/cli/background.h"
#include "ui/cli/shown_image.h"

namespace tintype::cli {
namespace {

struct MountedImage {
  std::unique_ptr<Mount> mount;
  std::vector<std::string> lines;  // what is shown, and what is not
};

Result<MountedImage> mount_image(const OpenedImage& image, const options::ParsedCommand& command) {
  ShowOptions options = show_options(command);
  options.writable = command.flag("writable");
  options.files = command.flag("files");
  MountedImage out;
  Shown shown = TRY(show_image(image, options, out.lines));
  shown.allow_other = command.flag("allow-other");
  std::string what;
  for (const ShownDrive& drive : shown.drives) what += fmt::format("{}{}", what.empty() ? "" : ", ", drive.name);
  for (const ShownTree& tree : shown.trees) what += fmt::format(", files/{}", printable(tree.name));
  out.lines.insert(out.lines.begin(), fmt::format("shown: {}{}", what, options.writable ? "; what is written goes to a temporary file" : ""));
  out.mount = TRY(mount(*command.text("to"), std::move(shown)));
  return out;
}

Report mounted(const OpenedImage& image, const std::string& folder, const std::vector<std::string>& lines) {
  Report end;
  end.summary.push_back(fmt::format("{} is mounted on {}", printable(image.path), printable(folder)));
  for (const std::string& line : lines) end.summary.push_back("  " + line);
  end.facts = {{"image", image.path}, {"folder", folder}};
  return end;
}

}  // namespace

Result<Report> run_mount_action(Session& session) {
  const options::ParsedCommand& command = session.command();
  OpenedImage image = TRY(open_image(*command.text("file"), session));
  TRY(require_chain(image));
  const std::string folder = *command.text("to");
  if (!command.flag("foreground")) {
    // The child opens the drive itself: threads do not come along.
    const auto work = [&](const Ready& ready) -> Result<void> {
      const MountedImage shown = TRY(mount_image(image, command));
      ready(shown.lines);
      while (!shown.mount->wait(std::chrono::milliseconds(200)) && !told_to_end()) {
      }
      return {};
    };
    const std::vector<std::string> lines = TRY(run_in_background(work));
    Report end = mounted(image, folder, lines);
    end.summary.push_back(fmt::format("\"tintype unmount {}\" ends it", printable(folder)));
    return end;
  }
  const MountedImage shown = TRY(mount_image(image, command));
  for (const std::string& line : mounted(image, folder, shown.lines).summary) session.events().info(line);
  while (!shown.mount->wait(std::chrono::milliseconds(200)) && !session.cancel().cancelled()) {
  }
  shown.mount->stop();
  Report end;
  end.summary.push_back(fmt::format("{} is no longer mounted on {}", printable(image.path), printable(folder)));
  end.facts = {{"image", image.path}, {"folder", folder}};
  return end;
}

Result<Report> run_unmount_action(Session& session) {
  const std::string folder = *session.command().text("mount-point");
  TRY(unmount(folder));
  Report end;
  end.summary.push_back(fmt::format("{} is no longer mounted", printable(folder)));
  end.facts = {{"folder", folder}};
  return end;
}

}  // namespace tintype::cli
