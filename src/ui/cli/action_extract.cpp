// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "job/extract.h"
#include "ui/cli/actions.h"
#include "ui/cli/browse.h"

namespace tintype::cli {
namespace {

// Of all that is asked for, where that can be told without looking for it.
std::uint64_t expected_bytes(const ExtractRequest& request, std::uint64_t used_bytes) {
  const bool everything = std::ranges::any_of(request.paths, [](const std::string& path) { return path.find_first_not_of('/') == std::string::npos; });
  return everything ? used_bytes : 0;
}

ExitStatus status_of(const ExtractReport& report, bool existing_is_fine) {
  const bool short_of_it = report.incomplete + report.not_saved + report.failed != 0 || !report.unmatched.empty();
  const bool refused = report.existing != 0 && !existing_is_fine;
  if (!short_of_it && !refused) return ExitStatus::success;
  if (report.files + report.symlinks + report.hard_links != 0) return ExitStatus::bad_sectors;
  return short_of_it ? ExitStatus::failed : ExitStatus::refused;
}

std::string counted(std::uint64_t count, const char* one, const char* several) { return fmt::format("{} {}", count, count == 1 ? one : several); }

std::vector<std::string> summary_of(const ExtractReport& report, const std::string& to, double seconds) {
  std::vector<std::string> lines;
  const double speed = static_cast<double>(report.bytes) / std::max(seconds, 0.001);
  lines.push_back(fmt::format("{}: {}, {}, {}, {} in {:.1f} s, {}/s", to.empty() ? "would be extracted" : "extracted to " + to,
                              counted(report.files + report.hard_links, "file", "files"), counted(report.folders, "folder", "folders"),
                              counted(report.symlinks, "link", "links"), format_size(report.bytes), seconds,
                              format_size(static_cast<std::uint64_t>(speed))));
  const auto add = [&](std::uint64_t count, const char* what) {
    if (count != 0) lines.push_back(fmt::format("  {}: {}", what, count));
  };
  add(report.existing, "there already, left alone");
  add(report.passed_over, "passed over");
  add(report.not_saved, "not made, their data is not in the image");
  add(report.incomplete, "incomplete");
  add(report.failed, "failed");
  add(report.unmatched.size(), "paths that are not there");
  return lines;
}

}  // namespace

Result<Report> run_extract_action(Session& session) {
  const options::ParsedCommand& command = session.command();
  const BrowsedSource browsed = TRY(open_browsed_source(session));
  OpenedTree opened = TRY(open_tree(browsed.source, browsed.partition));
  if (const std::string odd = opened.tree->warning(); !odd.empty()) session.events().warn(fmt::format("partition {}: {}", opened.partition_id, odd));
  ExtractRequest request;
  request.tree = std::move(opened.tree);
  request.partition = std::move(opened.partition);
  request.lost = std::move(opened.lost);
  request.paths = command.texts("path");
  request.expected_bytes = expected_bytes(request, opened.used_bytes);
  const std::string to = command.flag("dry-run") ? std::string() : *command.text("to");
  std::unique_ptr<OutFolder> target;
  if (!to.empty()) target = TRY(open_out_folder(to));
  request.target = target.get();
  if (command.flag("overwrite")) request.on_existing = ExtractRequest::OnExisting::replace;
  if (command.flag("skip-existing")) request.on_existing = ExtractRequest::OnExisting::skip;
  const std::uint64_t streams = command.number("streams").value_or(0);
  request.streams = streams == 1 ? ExtractRequest::Streams::files : streams == 2 ? ExtractRequest::Streams::attributes : ExtractRequest::Streams::none;
  const bool root = ::geteuid() == 0;
  request.owner = root && command.flag("owner");
  request.special_bits = root && command.flag("special-bits");
  JobContext context = session.context();
  const auto started = std::chrono::steady_clock::now();
  const ExtractReport report = TRY(run_extract(request, context));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  Report end;
  end.status = status_of(report, request.on_existing != ExtractRequest::OnExisting::refuse);
  end.summary = summary_of(report, printable(to), seconds);
  if (command.flag("dry-run") && command.has("to")) end.summary.push_back(fmt::format("  what {} holds already was not looked at", printable(*command.text("to"))));
  end.facts = {{"folder", to},
               {"partition", opened.partition_id},
               {"files", report.files},
               {"folders", report.folders},
               {"symlinks", report.symlinks},
               {"hard_links", report.hard_links},
               {"streams", report.streams},
               {"bytes", report.bytes},
               {"existing", report.existing},
               {"passed_over", report.passed_over},
               {"not_saved", report.not_saved},
               {"incomplete", report.incomplete},
               {"lost_bytes", report.lost_bytes},
               {"failed", report.failed},
               {"unmatched", std::uint64_t{report.unmatched.size()}},
               {"problem_count", report.problem_count},
               {"problems", report.problems}};
  return end;
}

}  // namespace tintype::cli
