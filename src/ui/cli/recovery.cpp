// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/recovery.h"
#include "ui/cli/tuning.h"

#include <fmt/format.h>

#include "naming/image_name.h"
#include "ui/cli/open_image.h"

namespace tintype::cli {
namespace {

std::string state_word(const Recovery& recovery) {
  switch (recovery.found.state) {
    case FoundParity::State::none: return "none";
    case FoundParity::State::of_another_image: return "of_another_image";
    case FoundParity::State::unreadable: return "unreadable";
    case FoundParity::State::there: break;
  }
  return recovery.report->file_sound() ? "sound" : "damaged";
}

// What tintype repair would do about the image.
std::string repair_word(const Recovery& recovery, bool image_damaged) {
  if (!image_damaged) return "not_needed";
  if (!recovery.report) return "no_recovery_file";
  if (recovery.report->parts_sound()) return "no_help";
  return recovery.report->repairable() ? "possible" : "impossible";
}

std::string repair_sentence(const ParityReport& report, const std::string& path) {
  if (report.parts_sound())
    return fmt::format("the files of {} are as they were when {} was made: tintype repair cannot help", path, report.path);
  if (report.repairable())
    return fmt::format("tintype repair can mend {}: {} blocks are damaged or missing, at most {} in a stripe, where {} can be rebuilt", path,
                       report.damaged_blocks, report.worst, report.limit);
  return fmt::format("{} is damaged beyond repair: {} stripes have lost up to {} blocks, where {} can be rebuilt; tintype salvage saves what is left",
                     path, report.hopeless_stripes, report.worst, report.limit);
}

std::string damage_sentence(const ParityReport& report) {
  return fmt::format("{} is damaged itself: {} of its heads and tables, {} of its blocks{}", report.path, report.damaged_records,
                     report.damaged_parity_blocks, report.wrong_length ? ", and it has not its length" : "");
}

}  // namespace

Result<ImageFiles> find_image_files(const std::string& file) {
  ImageFiles out;
  const ImageName name = TRY(parse_image_name(file));
  Result<std::string> path = resolve_image_path(name, ImageUse::read);
  if (!path && path.error().code == ErrorCode::not_found) {
    Result<std::string> lost = resolve_image_path(name, ImageUse::write);
    if (lost && file_exists(parity_name(*lost))) path = std::move(lost);
  }
  out.path = TRY(std::move(path));
  const SplitPath split = split_path(out.path);
  out.name = split.name;
  out.place = TRY(open_any_place(split.folder));
  return out;
}

Result<Recovery> check_recovery(const ImageFiles& files, bool image_damaged, JobContext& context) {
  Recovery recovery;
  recovery.found = TRY(find_parity(*files.place, files.name));
  if (recovery.found.state == FoundParity::State::of_another_image) context.events.warn(recovery.found.why);
  if (recovery.found.state != FoundParity::State::there) return recovery;
  PartRow row = parts_beside(files.place, files.name, recovery.found.file->head());
  recovery.report = TRY(check_parity(*recovery.found.file, row, *files.place, files.name, image_damaged, context));
  return recovery;
}

void add_recovery(Report& report, const Recovery& recovery, const ImageFiles& files, bool image_damaged) {
  report.facts.push_back({"recovery_file", state_word(recovery)});
  report.facts.push_back({"repair", repair_word(recovery, image_damaged)});
  if (recovery.found.state == FoundParity::State::unreadable) {
    report.status = ExitStatus::damaged;
    report.summary.push_back(recovery.found.why);
  }
  if (!recovery.report) return;
  const ParityReport& found = *recovery.report;
  report.facts.push_back({"damaged_blocks", found.damaged_blocks});
  report.facts.push_back({"worst_stripe_blocks", std::uint64_t{found.worst}});
  report.facts.push_back({"stripe_blocks_repairable", std::uint64_t{found.limit}});
  if (!found.file_sound()) {
    report.status = ExitStatus::damaged;
    report.summary.push_back(damage_sentence(found) + (image_damaged ? "" : "; tintype repair makes it anew"));
  }
  if (image_damaged) report.summary.push_back(repair_sentence(found, files.path));
}

}  // namespace tintype::cli
