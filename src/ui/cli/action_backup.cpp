// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"
#include "job/backup.h"
#include "image/part_names.h"
#include "naming/resolve.h"
#include "ui/cli/actions.h"
#include "ui/cli/after_backup.h"
#include "ui/cli/backup_source.h"
#include "ui/cli/damage.h"
#include "ui/cli/drive_checks.h"
#include "ui/cli/file_sets.h"
#include "ui/cli/new_image.h"
#include "ui/cli/open_image.h"
#include "ui/cli/password.h"
#include "ui/cli/purge_old.h"
#include "ui/cli/version.h"

namespace tintype::cli {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

class BackupAction {
 public:
  BackupAction(Session& session, const OneOfSeveral* one) : session_(session), command_(session.command()), one_(one) {}

  Result<Report> run() {
    TRY(find_source());
    TRY(find_place());
    TRY(ask_to_replace());
    TRY(fill_request());
    warn_of_room();
    JobContext context = session_.context();
    const auto started = std::chrono::steady_clock::now();
    const BackupReport report = TRY(run_backup(request_, context));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    TRY(check_afterwards());
    return result(report, seconds);
  }

 private:
  // A changes-only backup takes the drive of its base.
  Result<void> open_base() {
    base_ = TRY(open_image(command_.texts("base").front(), session_));
    const Catalog& catalog = base_->reader->catalog();
    const bool relaxed = command_.flag("relaxed-matching");
    if (command_.has("drive")) {
      source_ = TRY(resolve_source(command_.texts("drive")));
      TRY(check_source_of(catalog, source_, relaxed));
    } else {
      source_ = TRY(find_source_of(catalog, relaxed));
      session_.events().info(fmt::format("the source is {}", source_.listed ? source_.listed->text() : printable(source_.drive->info().path)));
    }
    request_.base = BackupBase{base_->reader, base_->name, absolute_folder(split_path(base_->path).folder)};
    request_.multi_pass = command_.flag("multi-pass");
    if (const Result<void> chain = base_->reader->check_links(); !chain)
      session_.events().warn(fmt::format("the new image can only be restored with all of its chain: {}", chain.error().message()));
    return {};
  }

  Result<void> find_source() {
    if (command_.has("base"))
      TRY(open_base());
    else
      source_ = TRY(resolve_source(command_.texts("drive")));
    if (one_ != nullptr) source_.partitions = {one_->partition};
    path_ = one_ != nullptr ? one_->path : TRY(new_image_path(command_, source_));
    const SourceUse use = TRY(check_source(source_, path_, command_.flag("allow-in-use")));
    // Opened again, now that it is known whether it may be claimed.
    OpenOptions options{.exclusive = use.exclusive && !use.shared_with_image, .lock = !use.shared_with_image, .cache = session_.tuning().cache(),
                        .sector_bytes = source_.layout.sector_bytes};
    request_.drive = session_.tuning().gently(TRY(this_machine().open(source_.drive->info().path, options)));
    request_.source_path = absolute_path(source_.drive->info().path);
    request_.layout = source_.layout;
    request_.partitions = source_.partitions;
    request_.consistency = use.consistency;
    if (use.consistency == "in-use")
      session_.events().warn("the source is in use: the image will not be of one point in time");
    return {};
  }

  Result<void> find_place() {
    const SplitPath split = split_path(path_);
    request_.place = TRY(session_.tuning().open_place(split.folder, command_.flag("make-dir")));
    request_.image = split.name;
    return {};
  }

  Result<void> ask_to_replace() {
    TRY(keep_the_chain());
    if (!TRY(request_.place->exists(request_.image))) return {};
    const Answer answer = session_.events().ask(
        {QuestionKind::yes_no, "replace-image", fmt::format("{} exists. Replace it when the new image is complete?", path_), {path_}});
    if (answer == Answer::yes) return {};
    return fail(ErrorCode::exists, fmt::format("{} exists and is not replaced", printable(path_)),
                "give another name, or answer yes (--unattended-yes does)");
  }

  // An image must not replace one that it builds on.
  Result<void> keep_the_chain() {
    if (!base_) return {};
    const Result<PartHeader> there = read_part_header(*request_.place, request_.image);
    if (!there) return {};
    const Catalog& base = base_->reader->catalog();
    const bool in_chain = there->set_id == base_->reader->header().set_id ||
                          std::ranges::any_of(base.links, [&](const Link& link) { return link.set_id == there->set_id; });
    if (!in_chain) return {};
    return fail(ErrorCode::refused, fmt::format("{} is an image that the new one would build on", printable(path_)), "give the new image another name");
  }

  // What builds on a protected image is protected in the same way, by the same password.
  Result<void> choose_password() {
    request_.encrypt = command_.number("encryption") == 3;
    const bool as_base = base_ && base_->password && (base_->reader->header().encrypted || !request_.encrypt);
    request_.password = as_base ? base_->password : TRY(password_to_write(session_));
    return {};
  }

  Result<void> fill_request() {
    request_.max_part_bytes = command_.number("max-file-size").value_or(0);
    TRY(choose_password());
    request_.compression = static_cast<int>(command_.number("compression").value_or(1));
    request_.description = command_.text("description").value_or("");
    request_.parity_percent = static_cast<std::uint32_t>(command_.number("parity").value_or(0));
    request_.raw = command_.flag("raw-mode") || (base_ && is_raw_drive(base_->reader->catalog()));
    request_.skip_page_files = command_.flag("skip-page-file");
    request_.skip_hibernation_files = command_.flag("skip-hibernation-file");
    request_.allow_errors = command_.flag("allow-errors");
    request_.retries = static_cast<unsigned>(command_.number("retries").value_or(request_.retries));
    request_.keep_failed = command_.flag("keep-failed-backups");
    request_.resume = command_.flag("resume");
    request_.program = fmt::format("tintype {}", kVersion);
    request_.host = host_name();
    return {};
  }

  // Compared with what the file systems say is used, since nobody knows beforehand how far data shrinks.
  void warn_of_room() {
    const Result<std::uint64_t> room = request_.place->free_bytes();
    if (!room || source_.drive->size_bytes() <= *room) return;
    const std::uint64_t used = used_bytes_of(source_, request_.raw);
    if (used > *room)
      session_.events().warn(fmt::format("{} are to be saved and {} has {} free: the image may not fit",
                                         format_size(used), split_path(path_).folder, format_size(*room)));
  }

  Result<void> check_afterwards() {
    const bool compare = command_.flag("byte-for-byte");
    if (!compare && !command_.flag("post-validate")) return {};
    JobContext context = session_.context();
    return check_backup(request_, path_, compare, TRY(named_bases(session_)), context);
  }

  Report result(const BackupReport& report, double seconds) {
    Report end;
    end.facts = {{"image", path_},
                 {"set_id", report.set_id},
                 {"kind", report.kind},
                 {"used_bytes", report.used_bytes},
                 {"changed_bytes", report.changed_bytes},
                 {"continued_bytes", report.continued_bytes},
                 {"image_bytes", report.image_bytes},
                 {"parity_bytes", report.parity_bytes},
                 {"unreadable_bytes", report.unreadable_bytes}};
    const double speed = static_cast<double>(report.used_bytes) / std::max(seconds, 0.001);
    const std::string what = base_ ? fmt::format("{} of {} changed since {}, saved", format_size(report.changed_bytes), format_size(report.used_bytes), base_->path)
                                   : fmt::format("{} saved", format_size(report.used_bytes));
    end.summary.push_back(fmt::format("{}: {} in {}, {:.1f} s, {}/s", path_, what, format_size(report.image_bytes), seconds,
                                      format_size(static_cast<std::uint64_t>(speed))));
    if (report.continued_bytes > 0) end.summary.push_back(fmt::format("{} of it were there already", format_size(report.continued_bytes)));
    if (report.parity_bytes > 0) end.summary.push_back(fmt::format("its recovery file has {}", format_size(report.parity_bytes)));
    if (report.outcome == Outcome::with_bad_sectors) {
      end.status = ExitStatus::bad_sectors;
      end.summary.push_back(fmt::format("{} of the source could not be read; the image has zeros there", format_size(report.unreadable_bytes)));
      tell_hits(request_.drive, report.unreadable, session_, end);
    }
    return end;
  }

  Session& session_;
  const options::ParsedCommand& command_;
  std::optional<OpenedImage> base_;
  const OneOfSeveral* one_;  // null: all that was asked for in one image
  ResolvedDrive source_;
  std::string path_;
  BackupRequest request_;
};

}  // namespace

Result<Report> back_up(Session& session, const OneOfSeveral* one) { return BackupAction(session, one).run(); }

Result<Report> run_backup_action(Session& session) {
  Report report = TRY(session.command().flag("multiple-file-sets") ? back_up_each_partition(session) : back_up(session));
  purge_old_images(session, report);
  return report;
}

}  // namespace tintype::cli
