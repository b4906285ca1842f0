// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/target_plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "drive/open.h"
#include "image/part_names.h"

namespace tintype::cli {

Result<RestorePlan> make_plan(const SourceView& source, const RestoreTarget& target, const RestoreOptions& options, Random& random) {
  Result<RestorePlan> plan = plan_restore(source, target.info, target.layout, options, target.words, random);
  if (plan || plan.error().code != ErrorCode::no_space) return plan;
  Error error = plan.error();
  error.code = ErrorCode::refused;
  return fail(std::move(error));
}

Report describe_plan(const RestorePlan& plan, const RestoreTarget& target) {
  Report end;
  end.summary.push_back(fmt::format("What would be done with {}:", target.text));
  if (target.is_new) end.summary.push_back(fmt::format("  make it, {} bytes, sparse", target.info.size_bytes));
  for (const std::string& line : plan.summary) end.summary.push_back("  " + line);
  end.summary.push_back(plan.lost.empty() ? "Nothing would be destroyed." : "What would be destroyed:");
  for (const std::string& line : plan.lost) end.summary.push_back("  " + line);
  end.summary.push_back("Nothing was written.");
  end.facts = {{"target", target.path}, {"plan", plan.summary}, {"lost", plan.lost}, {"total_bytes", plan.total_bytes}};
  return end;
}

Result<void> ask_to_overwrite(const RestorePlan& plan, const RestoreTarget& target, Session& session) {
  if (plan.lost.empty() || session.command().flag("overwrite")) return {};
  const Answer answer = session.events().ask(
      {QuestionKind::yes_no, "overwrite-target", fmt::format("Overwrite {}? This destroys:", target.text), plan.lost});
  if (answer == Answer::yes) return {};
  std::string lost = plan.lost.front();
  if (plan.lost.size() > 1) lost += fmt::format(" and {} more", plan.lost.size() - 1);
  return fail(ErrorCode::refused, fmt::format("{} is not overwritten; it holds {}", printable(target.path), printable(lost)),
              "answer yes, or use --overwrite");
}

// All partitions are done at this point, so 0 and 2 come to the same.
void tell_system(Drive& target, const RestorePlan& plan, Session& session) {
  if (session.command().number("no-os-notification") == 1 || plan.write_last.empty()) return;
  const Result<bool> done = reread_table(target);
  if (!done) session.events().warn(done.error().message());
}

Error without_file(Error error, const RestoreTarget& target) {
  ::unlink(target.path.c_str());
  if (error.code == ErrorCode::cancelled) error.hint = fmt::format("{} was removed again", printable(target.path));
  return error;
}

std::vector<std::string> files_of(OpenedImage& image) {
  std::vector<std::string> files;
  for (std::uint32_t part = 0; part < image.reader->parts().parts(); ++part)
    for (const std::string& name : {part_name(image.name, part), partial_name(image.name, part)}) files.push_back(image.place->describe(name));
  for (std::uint32_t link = 1; link <= image.reader->catalog().links.size(); ++link) {
    const Result<PartReader*> earlier = image.reader->chain().parts(link);
    if (!earlier) continue;
    for (std::uint32_t part = 0; part < (*earlier)->parts(); ++part) files.push_back((*earlier)->describe(part));
  }
  return files;
}

}  // namespace tintype::cli
