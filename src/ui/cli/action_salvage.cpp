// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "drive/open.h"
#include "job/damage_owners.h"
#include "job/salvage_report.h"
#include "naming/image_name.h"
#include "ui/cli/actions.h"
#include "ui/cli/open_image.h"
#include "ui/cli/password.h"

namespace tintype::cli {
namespace {

constexpr const char* kPartial = ".partial";

// The folder of the result. What is made in it has temporary names until all is there, and is removed if that never comes.
class ResultFolder {
 public:
  static Result<std::unique_ptr<ResultFolder>> open(const std::string& path) {
    std::error_code error;
    const bool made = std::filesystem::create_directory(path, error);
    if (error && !std::filesystem::is_directory(path))
      return fail(os_error(error.value(), fmt::format("cannot make the folder {}", printable(path))));
    auto folder = std::make_unique<ResultFolder>(path, made);
    folder->place_ = TRY(open_local_place(path));
    if (TRY(folder->place_->list()).empty()) return folder;
    return fail(ErrorCode::exists, fmt::format("the folder {} is not empty", printable(path)), "give one that is, or a new name");
  }

  ResultFolder(std::string path, bool made) : path_(std::move(path)), made_(made) {}
  ResultFolder(const ResultFolder&) = delete;
  ResultFolder& operator=(const ResultFolder&) = delete;
  ~ResultFolder() {
    if (finished_) return;
    for (const std::string& name : names_) (void)place_->remove(name + kPartial);
    std::error_code ignored;
    if (made_) std::filesystem::remove(path_, ignored);
  }

  Result<std::shared_ptr<Drive>> create_drive(const std::string& name, std::uint64_t size_bytes) {
    std::shared_ptr<Drive> drive = TRY(create_raw_file(place_->describe(name + kPartial), size_bytes));
    names_.push_back(name);
    return drive;
  }

  // Where a file of the result lies now.
  std::string path_of(const std::string& name) const { return place_->describe(name + kPartial); }

  Result<void> create_text(const std::string& name, const std::string& text) {
    const std::unique_ptr<AppendFile> file = TRY(place_->create(name + kPartial));
    names_.push_back(name);
    const std::array<ByteSpan, 1> pieces = {as_bytes(text)};
    TRY(file->append(pieces));
    return file->sync();
  }

  Result<void> finish() {
    for (const std::string& name : names_) {
      TRY(place_->rename(name + kPartial, name));
      finished_ = true;  // from the first on there is something worth keeping
    }
    return place_->sync();
  }

 private:
  std::string path_;
  bool made_;
  std::unique_ptr<Place> place_;
  std::vector<std::string> names_;
  bool finished_ = false;
};

// The first part may be what is lost.
Result<std::string> find_image(const std::string& typed) {
  const ImageName name = TRY(parse_image_name(typed));
  Result<std::string> there = resolve_image_path(name, ImageUse::read);
  return there || there.error().code != ErrorCode::not_found ? there : resolve_image_path(name, ImageUse::write);
}

// The images that --base names, which may be damaged too.
Result<std::vector<NamedImage>> damaged_bases(Session& session) {
  std::vector<NamedImage> named;
  for (const std::string& text : session.command().texts("base")) {
    const SplitPath split = split_path(TRY(find_image(text)));
    named.push_back({TRY(session.tuning().open_place(split.folder)), split.name});
  }
  return named;
}

// What is missing, looked up in what was brought back.
Hits hits_of(const SalvageReport& report, const ResultFolder& folder, const CancelToken& cancel) {
  std::map<std::string, std::vector<PartitionDamage>> by_file;
  for (const SalvagedArea& area : report.areas) {
    if (area.first_track) continue;
    PartitionDamage damage{area.name, {area.file_byte, area.size_bytes}, {}};
    std::vector<Extent> lost = area.lost.listed;
    lost.insert(lost.end(), area.earlier.listed.begin(), area.earlier.listed.end());
    damage.bytes = ExtentSet(std::move(lost));
    damage.doubtful = ExtentSet(area.unknown.listed);
    damage.unlisted_bytes = area.lost.bytes + area.earlier.bytes - damage.bytes.total_bytes();
    if (!damage.bytes.empty() || !damage.doubtful.empty()) by_file[area.file].push_back(std::move(damage));
  }
  Hits all;
  for (const auto& [file, damage] : by_file)
    if (const Result<std::shared_ptr<Drive>> drive = open_drive(folder.path_of(file), {.as_raw = true}))
      all.add(owners_of_damage(*drive, damage, cancel));
  return all;
}

}  // namespace

Result<Report> run_salvage_action(Session& session) {
  const options::ParsedCommand& command = session.command();
  const std::string path = TRY(find_image(*command.text("file")));
  const std::string to = *command.text("to");
  const SplitPath split = split_path(path);
  SalvageRequest request;
  request.place = TRY(session.tuning().open_place(split.folder));
  request.image = split.name;
  request.finder = std::make_shared<LinkFinder>(request.place, TRY(damaged_bases(session)), open_remembered_folder);
  request.password = password_to_read(session);
  const std::unique_ptr<ResultFolder> folder = TRY(ResultFolder::open(to));
  request.create = [&](const std::string& name, std::uint64_t size_bytes) { return folder->create_drive(name, size_bytes); };
  JobContext context = session.context();
  SalvageReport report = TRY(run_salvage(request, context));
  report.hits = hits_of(report, *folder, context.cancel);
  for (const std::string& note : report.notes) context.events.warn(note);
  if (report.restored_bytes() == 0) {
    if (report.locked_frames > 0)
      return fail(ErrorCode::corrupt, fmt::format("nothing of {} can be brought back: it is encrypted, and no header is left that holds the key", path));
    if (std::ranges::any_of(report.areas, [](const SalvagedArea& area) { return area.earlier.bytes > 0; }))
      return fail(ErrorCode::corrupt, fmt::format("nothing of {} can be brought back: all of it builds on earlier images that are missing or damaged", path),
                  "put them beside the image, or name them with --base");
    if (report.lone_deltas > 0)
      return fail(ErrorCode::corrupt,
                  fmt::format("nothing of {} can be brought back: it holds changes alone, and the index that tells what they change is lost", path),
                  "look for another copy of its last part, or salvage the image it builds on");
    return fail(ErrorCode::corrupt, fmt::format("nothing of {} can be brought back: no sound chunk was found", path), "look for another copy of its parts");
  }
  TRY(folder->create_text("salvage.json", salvage_json(report, path)));
  TRY(folder->create_text("salvage.txt", salvage_text(report, path)));
  TRY(folder->finish());
  Report end;
  end.facts = {{"image", path},
               {"folder", to},
               {"layout_from", report.layout_from},
               {"restored_bytes", report.restored_bytes()},
               {"lost_bytes", report.lost_bytes()},
               {"unknown_bytes", report.unknown_bytes()},
               {"hit_count", report.hits.count}};
  end.summary.push_back(fmt::format("{} salvaged to {}: {}", path, to, salvage_shares(report)));
  for (const SalvagedArea& area : report.areas) {
    const std::uint64_t lost = area.lost.bytes + area.earlier.bytes;
    end.summary.push_back(fmt::format("  {}: {} brought back, {} lost, {} unknown", printable(area.name), format_size(area.restored_bytes), format_size(lost),
                                      format_size(area.unknown.bytes)));
  }
  if (report.lost_bytes() == 0 && report.unknown_bytes() == 0) return end;
  end.status = ExitStatus::bad_sectors;
  end.summary.push_back(fmt::format("{} lists what is lost", (std::filesystem::path(to) / "salvage.txt").string()));
  return end;
}

}  // namespace tintype::cli
