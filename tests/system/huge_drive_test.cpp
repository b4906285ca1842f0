// SPDX-License-Identifier: GPL-3.0-or-later
// Memory must not grow with the drive: file systems of 8 TiB in sparse files, backed up and validated in a process of its own
// whose peak is measured.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "drive/open.h"
#include "job/backup.h"
#include "job/validate.h"
#include "support/scratch.h"

namespace tintype {
namespace {

constexpr std::uint64_t kDriveBytes = std::uint64_t{8} << 40;
constexpr long kMostKib = 256 * 1024;

class NoEvents final : public Events {
 public:
  void stage(const std::string&, std::uint64_t) override {}
  void progress(const Progress&) override {}
  void message(const Message& message) override { std::fprintf(stderr, "%s\n", message.text.c_str()); }
  Answer ask(const Question&) override { return Answer::abort; }
};

struct Outcome {
  long peak_kib = 0;
  std::uint64_t used_bytes = 0, image_bytes = 0;
  bool known = false, sound = false;
};

Result<Outcome> back_up(const std::string& source, const std::string& folder) {
  NoEvents events;
  const CancelToken cancel;
  JobContext context{events, cancel, system_clock(), system_random(), 2};
  BackupRequest request;
  request.drive = TRY(open_drive(source));
  request.layout = TRY(read_layout(*request.drive));
  request.place = TRY(open_local_place(folder));
  request.image = "huge.tti";
  const BackupReport report = TRY(run_backup(request, context));
  const auto image = TRY(ImageReader::open(request.place, request.image, {}));
  const ValidateReport checked = TRY(run_validate(image, context));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return Outcome{usage.ru_maxrss, report.used_bytes, report.image_bytes, image->catalog().areas[0].fs.used_map_known, checked.sound()};
}

// Runs in a child, so that what other tests of this program used does not count.
std::optional<Outcome> back_up_apart(const std::string& source, const std::string& folder) {
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<Outcome> result = back_up(source, folder);
    if (!result) std::fprintf(stderr, "%s\n", result.error().message().c_str());
    const bool told = result && ::write(ends[1], &*result, sizeof(Outcome)) == sizeof(Outcome);
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  Outcome outcome;
  const bool got = ::read(ends[0], &outcome, sizeof outcome) == sizeof outcome;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return got ? std::optional(outcome) : std::nullopt;
}

class HugeDrive : public ::testing::Test {
 protected:
  void check(const std::string& tool, const std::string& command) {
    if (!test::have_program(tool)) GTEST_SKIP() << tool << " is not installed";
    auto file = test::ScratchFile::make(kDriveBytes);
    if (!file) GTEST_SKIP() << "no sparse files of 8 TiB here: " << file.error().message();
    const auto made = test::run(command + " " + test::shell_word(file->path()));
    ASSERT_EQ(made.status, 0) << made.output;
    const std::string folder = file->path().string() + ".images";
    std::filesystem::create_directory(folder);
    const auto outcome = back_up_apart(file->path().string(), folder);
    std::filesystem::remove_all(folder);
    ASSERT_TRUE(outcome);
    std::fprintf(stderr, "%s: peak %ld KiB, used %llu bytes, image %llu bytes\n", tool.c_str(), outcome->peak_kib,
                 static_cast<unsigned long long>(outcome->used_bytes), static_cast<unsigned long long>(outcome->image_bytes));
    EXPECT_TRUE(outcome->known);
    EXPECT_TRUE(outcome->sound);
    EXPECT_LT(outcome->peak_kib, kMostKib);
    EXPECT_LT(outcome->used_bytes, kDriveBytes / 100);
    EXPECT_LT(outcome->image_bytes, 64U << 20);
  }
};

TEST_F(HugeDrive, NtfsOf8TiB) { check("mkntfs", "mkntfs -q -Q -F -s 512 -p 0 -H 255 -S 63"); }

TEST_F(HugeDrive, Ext4Of8TiB) {
  check("mke2fs", "mke2fs -q -F -t ext4 -i 4194304 -E nodiscard,lazy_itable_init=1,lazy_journal_init=1");
}

}  // namespace
}  // namespace tintype
