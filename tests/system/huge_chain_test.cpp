// SPDX-License-Identifier: GPL-3.0-or-later
// A chain on a huge drive must not cost more memory than one on a small drive: an ext4 in a sparse file, with data spread over all of
// it, saved as a full, a differential and an incremental image with 1 % of the data changed before each, then planned for a restore
// and validated. All in a process of its own whose peak is measured.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "drive/open.h"
#include "job/backup.h"
#include "job/validate.h"
#include "plan/restore_plan.h"
#include "support/scratch.h"

namespace tintype {
namespace {

constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
constexpr long kMostKib = 256 * 1024;
constexpr long kMostGrowthKib = 32 * 1024;
constexpr std::uint64_t kPieces = 2000;  // of data, spread evenly
constexpr std::size_t kPieceBytes = 16 * 1024;

class NoEvents final : public Events {
 public:
  void stage(const std::string&, std::uint64_t) override {}
  void progress(const Progress&) override {}
  void message(const Message& message) override { std::fprintf(stderr, "%s\n", message.text.c_str()); }
  Answer ask(const Question&) override { return Answer::abort; }
};

struct Outcome {
  long peak_kib = 0;
  std::uint64_t pieces = 0, changed_bytes = 0, full_bytes = 0, chain_bytes = 0, planned_bytes = 0, used_bytes = 0;
  std::size_t links = 0;
  bool sound = false;
};

// One drive and its chain of images.
class Chain3 {
 public:
  static Result<Outcome> run(const std::string& source, const std::string& folder) {
    Chain3 chain;
    OpenOptions options;
    options.access = OpenOptions::Access::write;
    chain.drive_ = TRY(open_drive(source, options));
    chain.place_ = TRY(open_local_place(folder));
    chain.folder_ = folder;
    TRY(chain.find_places());
    for (const std::uint64_t place : chain.places_) TRY(chain.scribble(place));
    chain.outcome_.pieces = chain.places_.size();
    chain.outcome_.full_bytes = TRY(chain.back_up("full.tti", "")).image_bytes;
    TRY(chain.change(0));
    TRY(chain.back_up("differential.tti", "full.tti"));
    TRY(chain.change(50));
    const BackupReport last = TRY(chain.back_up("incremental.tti", "differential.tti"));
    chain.outcome_.changed_bytes = last.changed_bytes;
    chain.outcome_.used_bytes = last.used_bytes;
    TRY(chain.judge("incremental.tti"));
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    chain.outcome_.peak_kib = usage.ru_maxrss;
    return chain.outcome_;
  }

 private:
  // Tables of unused inodes lie all over an ext4, count as used, and may hold anything.
  Result<void> find_places() {
    const std::unique_ptr<FileSystem> file_system = TRY(open_file_system(drive_));
    const std::unique_ptr<ExtentStream> map = TRY(file_system->used_map());
    const std::uint64_t apart = drive_->size_bytes() / kPieces;
    std::uint64_t next = std::uint64_t{4} << 30;  // behind what is in use
    while (const std::optional<Extent> extent = TRY(map->next())) {
      const std::uint64_t start = std::max(extent->start + (extent->length > kPieceBytes ? extent->length - kPieceBytes : 0), next);
      if (start + kPieceBytes > extent->end()) continue;
      places_.push_back(start);
      next = start + apart;
    }
    return {};
  }

  Result<void> scribble(std::uint64_t place) {
    TRY(random_.fill(noise_));
    return drive_->write(place, noise_);
  }

  // Every hundredth piece.
  Result<void> change(std::size_t first) {
    for (std::size_t at = first; at < places_.size(); at += 100) TRY(scribble(places_[at]));
    return {};
  }

  Result<BackupReport> back_up(const std::string& name, const std::string& base) {
    BackupRequest request;
    request.drive = drive_;
    request.layout = TRY(read_layout(*drive_));
    request.place = place_;
    request.image = name;
    if (!base.empty()) request.base = BackupBase{TRY(ImageReader::open(place_, base, {})), base, folder_};
    JobContext context{events_, cancel_, system_clock(), system_random(), 2};
    const BackupReport report = TRY(run_backup(request, context));
    outcome_.chain_bytes += report.image_bytes;
    return report;
  }

  Result<void> judge(const std::string& name) {
    const std::shared_ptr<ImageReader> image = TRY(ImageReader::open(place_, name, {}));
    outcome_.links = image->catalog().links.size();
    TRY(image->check_links());
    Layout empty;
    empty.sector_bytes = drive_->info().logical_sector_bytes;
    const RestorePlan plan = TRY(plan_restore(image->catalog(), drive_->info(), empty, {}, {}, system_random()));
    outcome_.planned_bytes = plan.total_bytes;
    JobContext context{events_, cancel_, system_clock(), system_random(), 2};
    outcome_.sound = TRY(run_validate(image, context)).sound();
    return {};
  }

  NoEvents events_;
  CancelToken cancel_;
  SeededRandom random_{1};
  std::shared_ptr<Drive> drive_;
  std::shared_ptr<Place> place_;
  std::string folder_;
  std::vector<std::uint64_t> places_;
  Bytes noise_ = Bytes(kPieceBytes);
  Outcome outcome_;
};

std::optional<Outcome> run_apart(const std::string& source, const std::string& folder) {
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<Outcome> result = Chain3::run(source, folder);
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

// Null if the temporary folder's file system takes no file of that size.
std::optional<Outcome> chain_on(std::uint64_t drive_bytes) {
  const auto file = test::ScratchFile::make(drive_bytes);
  if (!file) return std::nullopt;
  const auto made = test::run("mke2fs -q -F -t ext4 -i 4194304 -O sparse_super2 -E num_backup_sb=0,nodiscard,lazy_itable_init=1,lazy_journal_init=1 " +
                              test::shell_word(file->path()));
  EXPECT_EQ(made.status, 0) << made.output;
  const std::string folder = file->path().string() + ".images";
  std::filesystem::create_directory(folder);
  const auto outcome = run_apart(file->path().string(), folder);
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(outcome);
  if (!outcome) return std::nullopt;
  std::fprintf(stderr, "%llu TiB: peak %ld KiB, %llu pieces, %llu bytes used, full %llu, chain %llu bytes, changed %llu\n",
               static_cast<unsigned long long>(drive_bytes / kTiB), outcome->peak_kib, static_cast<unsigned long long>(outcome->pieces),
               static_cast<unsigned long long>(outcome->used_bytes), static_cast<unsigned long long>(outcome->full_bytes),
               static_cast<unsigned long long>(outcome->chain_bytes), static_cast<unsigned long long>(outcome->changed_bytes));
  return outcome;
}

void expect_a_sound_chain(const Outcome& outcome) {
  EXPECT_TRUE(outcome.sound);
  EXPECT_EQ(outcome.links, 2U);
  EXPECT_GT(outcome.pieces, kPieces / 4);
  EXPECT_EQ(outcome.planned_bytes, outcome.used_bytes);
  // 1 % of the pieces, each within one or two chunks; both changes-only images together store about 2 % of what the full one does.
  EXPECT_GE(outcome.changed_bytes, outcome.pieces / 100 * kPieceBytes);
  EXPECT_LE(outcome.changed_bytes, (outcome.pieces / 100 + 1) * 2 * 512 * 1024);
  EXPECT_LT(outcome.chain_bytes - outcome.full_bytes, outcome.full_bytes / 4);
  EXPECT_LT(outcome.peak_kib, kMostKib);
}

TEST(HugeChain, MemoryDoesNotGrowWithTheDrive) {
  if (!test::have_program("mke2fs")) GTEST_SKIP() << "mke2fs is not installed";
  const auto small = chain_on(kTiB);
  if (!small) GTEST_SKIP() << "no sparse files of 1 TiB here";
  expect_a_sound_chain(*small);
  auto large = chain_on(32 * kTiB);
  if (!large) large = chain_on(15 * kTiB);  // ext4 ends a file at 16 TiB
  if (!large) GTEST_SKIP() << "no sparse files of 15 TiB here";
  expect_a_sound_chain(*large);
  EXPECT_LT(large->peak_kib, small->peak_kib + kMostGrowthKib);
}

}  // namespace
}  // namespace tintype
