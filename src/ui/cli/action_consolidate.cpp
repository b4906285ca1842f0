// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "image/part_names.h"
#include "job/consolidate.h"
#include "naming/image_name.h"
#include "ui/cli/actions.h"
#include "ui/cli/open_image.h"
#include "ui/cli/version.h"

namespace tintype::cli {
namespace {

class ConsolidateAction {
 public:
  explicit ConsolidateAction(Session& session) : session_(session), command_(session.command()) {}

  Result<Report> run() {
    image_ = TRY(open_image(*command_.text("file"), session_));
    TRY(find_base());
    TRY(fill_request());
    JobContext context = session_.context();
    const auto started = std::chrono::steady_clock::now();
    const ConsolidateReport report = TRY(run_consolidate(request_, context));
    return result(report, std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count());
  }

 private:
  // The first --base is what the new image builds on; it has to be in the chain.
  Result<void> find_base() {
    if (!command_.has("base")) return {};
    const ImageName name = TRY(parse_image_name(command_.texts("base").front()));
    const std::string path = TRY(resolve_image_path(name, ImageUse::read));
    const SplitPath split = split_path(path);
    const std::unique_ptr<Place> place = TRY(open_any_place(split.folder));
    const PartHeader header = TRY(read_part_header(*place, split.name));
    const std::vector<Link>& links = image_.reader->catalog().links;
    const auto found = std::ranges::find(links, header.set_id, &Link::set_id);
    if (found == links.end())
      return fail(ErrorCode::usage, fmt::format("{} is none of the images that {} builds on", printable(path), printable(image_.path)),
                  "\"tintype list --file\" shows what an image builds on");
    request_.base_link = static_cast<std::uint32_t>(found - links.begin()) + 1;
    return {};
  }

  Result<void> fill_request() {
    request_.image = image_.reader;
    const ImageName name = TRY(parse_image_name(*command_.text("to")));
    path_ = TRY(resolve_image_path(name, ImageUse::write));
    const SplitPath split = split_path(path_);
    request_.place = TRY(open_any_place(split.folder, command_.flag("make-dir")));
    request_.name = split.name;
    request_.max_part_bytes = command_.number("max-file-size").value_or(0);
    request_.password = image_.password;
    request_.description = command_.text("description");
    request_.program = fmt::format("tintype {}", kVersion);
    request_.validate = !command_.has("post-validate") || command_.flag("post-validate");
    request_.remove_replaced = command_.flag("replace");
    request_.keep_failed = command_.flag("keep-failed-backups");
    return {};
  }

  Report result(const ConsolidateReport& report, double seconds) const {
    Report end;
    end.facts = {{"image", path_},
                 {"set_id", report.set_id},
                 {"kind", report.kind},
                 {"images", report.images},
                 {"used_bytes", report.used_bytes},
                 {"image_bytes", report.image_bytes},
                 {"removed", report.removed},
                 {"kept", report.kept}};
    end.summary.push_back(fmt::format("{}: {} image of {} in {}, made of {} {}, {:.1f} s{}", path_, report.kind, format_size(report.used_bytes),
                                      format_size(report.image_bytes), report.images, report.images == 1 ? "image" : "images", seconds,
                                      request_.validate ? ", validated" : ""));
    for (const std::string& path : report.removed) end.summary.push_back(fmt::format("deleted {}", printable(path)));
    for (const std::string& sentence : report.kept) end.summary.push_back(sentence);
    return end;
  }

  Session& session_;
  const options::ParsedCommand& command_;
  OpenedImage image_;
  std::string path_;
  ConsolidateRequest request_;
};

}  // namespace

Result<Report> run_consolidate_action(Session& session) { return ConsolidateAction(session).run(); }

}  // namespace tintype::cli
