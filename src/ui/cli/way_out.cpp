// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/way_out.h"

#include <fmt/format.h>

#include "base/text.h"
#include "image/part_names.h"
#include "ui/cli/recovery.h"

namespace tintype::cli {
namespace {

// The image that the command reads, whether "pc" or "pc@1" names it.
std::optional<ImageFiles> image_read_by(const options::ParsedCommand& command) {
  const std::optional<std::string> text = command.text(command.action == options::Action::copy ? "source-drive" : "file");
  if (!text) return std::nullopt;
  for (const std::string& name : {*text, text->substr(0, text->rfind('@'))}) {
    Result<ImageFiles> files = find_image_files(name);
    if (files && (files->name.ends_with(".tti") || read_part_header(*files->place, files->name))) return std::move(files).take();
  }
  return std::nullopt;
}

bool reads_an_image(options::Action action) {
  using enum options::Action;
  constexpr options::ActionSet kReaders = options::actions(restore, validate, list, copy, convert, ls, extract, mount, serve, boot);
  return (kReaders & options::bit(action)) != 0;
}

}  // namespace

Result<Report> with_way_out(Session& session, Result<Report> result) {
  const options::ParsedCommand& command = session.command();
  if (result || result.error().code != ErrorCode::corrupt || !result.error().hint.empty() || !reads_an_image(command.action)) return result;
  const std::optional<ImageFiles> files = image_read_by(command);
  // What lies in an earlier image of the chain is not mended by what lies beside this one.
  if (!files || result.error().what.find(files->name) == std::string::npos) return result;
  const Result<FoundParity> parity = find_parity(*files->place, files->name);
  const std::string path = printable(files->path);
  const bool repairable = parity && parity->state == FoundParity::State::there;
  return fail(std::move(result).error().with_hint(repairable ? fmt::format("try tintype repair --file {}", path)
                                                             : fmt::format("tintype salvage --file {} --to FOLDER brings back what is sound", path)));
}

}  // namespace tintype::cli
