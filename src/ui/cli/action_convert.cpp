// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>

#include "base/text.h"
#include "image/image_drive.h"
#include "job/convert.h"
#include "naming/image_name.h"
#include "ui/cli/actions.h"
#include "ui/cli/copy_source.h"
#include "ui/cli/restore_target.h"

namespace tintype::cli {
namespace {

struct Source {
  std::shared_ptr<Drive> drive;
  std::string words;
  std::optional<OpenedImage> image;
};

// An image, or the name of any drive.
Result<Source> open_source(const std::string& text, Session& session) {
  const Result<ImageName> name = parse_image_name(text);
  const Result<std::string> path = name ? resolve_image_path(*name, ImageUse::read) : Result<std::string>(fail(name.error()));
  if (path && is_image(*path, session)) {
    Source out;
    out.image = TRY(open_image(text, session));
    TRY(require_chain(*out.image));
    out.drive = make_image_drive(out.image->reader, {.name = out.image->path});
    out.words = out.image->path;
    return out;
  }
  ResolvedDrive found = TRY(resolve(text, this_machine(), {.open = {.lock = true}}));
  if (found.partitions.size() > 1) return fail(ErrorCode::usage, "one partition can be converted at a time", "name one");
  Source out;
  out.words = found.drive->info().path;
  out.drive = found.partitions.empty() ? found.drive : TRY(open_partition(found.drive, found.layout, found.partitions.front()));
  return out;
}

bool is_locked(int fd) {
  struct flock lock{.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};  // as QEMU locks
  return ::flock(fd, LOCK_EX | LOCK_NB) != 0 || ::fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

// NAME.PID.partial of processes that were killed. Another machine's process could be alive, but has its file locked.
void remove_leftovers(const std::string& path) {
  const SplitPath split = split_path(path);
  std::error_code error;
  for (const auto& each : std::filesystem::directory_iterator(split.folder, error)) {
    const std::string name = each.path().filename().string(), front = split.name + ".";
    constexpr std::string_view kEnd = ".partial";
    if (!name.starts_with(front) || !name.ends_with(kEnd) || name.size() <= front.size() + kEnd.size()) continue;
    const std::string_view digits = std::string_view(name).substr(front.size(), name.size() - front.size() - kEnd.size());
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
    if (bad != std::errc() || end != digits.data() + digits.size() || pid <= 0 || ::kill(pid, 0) == 0 || errno != ESRCH) continue;
    const int fd = ::open(each.path().c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat found{};
    if (fd >= 0 && ::fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && !is_locked(fd)) ::unlink(each.path().c_str());
    if (fd >= 0) ::close(fd);
  }
}

// The file under a temporary name until it is complete.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)), partial_(fmt::format("{}.{}.partial", path_, ::getpid())) { remove_leftovers(path_); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (!finished_) ::unlink(partial_.c_str());
  }
  const std::string& partial() const { return partial_; }

  Result<void> finish() {
    // Whoever made a file of that name meanwhile keeps it.
    if (::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
      const int code = errno;
      if (code != EINVAL && code != ENOSYS) return fail(os_error(code, fmt::format("cannot give {} its name", printable(path_))));
      if (::rename(partial_.c_str(), path_.c_str()) != 0) return fail(os_error(errno, fmt::format("cannot give {} its name", printable(path_))));
    }
    finished_ = true;
    return (TRY(open_local_place(split_path(path_).folder)))->sync();
  }

 private:
  std::string path_, partial_;
  bool finished_ = false;
};

}  // namespace

Result<Report> run_convert_action(Session& session) {
  const options::ParsedCommand& command = session.command();
  const std::string to = *command.text("to");
  if (file_exists(to))
    return fail(ErrorCode::exists, fmt::format("{} exists", printable(to)), "give a new name; restore and copy write to drives that are there");
  const Source source = TRY(open_source(*command.text("file"), session));
  const DriveFormat format = new_drive(command).format.value_or(format_of_name(to).value_or(DriveFormat::raw));
  TRY(check_new_name(to, format));
  NewFile file(to);
  std::uint64_t data_bytes = 0;
  {
    const std::shared_ptr<Drive> target =
        TRY(create_drive_file(file.partial(), source.drive->size_bytes(), format,
                              {.lock = true, .cache = session.tuning().cache(), .sector_bytes = source.drive->info().logical_sector_bytes}));
    JobContext context = session.context();
    data_bytes = TRY(run_convert(source.drive, session.tuning().gently(target), context)).data_bytes;
  }
  TRY(file.finish());
  Report end;
  end.facts = {{"source", source.words}, {"target", to}, {"type", std::string(to_string(format))}, {"data_bytes", data_bytes},
               {"size_bytes", source.drive->size_bytes()}};
  end.summary.push_back(fmt::format("{} converted to {} ({}), {}, of which {} are data", printable(source.words), printable(to), to_string(format),
                                    format_size(source.drive->size_bytes()), format_size(data_bytes)));
  return end;
}

}  // namespace tintype::cli
