// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "drive/faulty_drive.h"
#include "job/backup.h"
#include "job/compare.h"
#include "job/restore.h"
#include "job/validate.h"
#include "layout/edit.h"
#include "layout/render.h"

namespace tintype {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;

class QuietEvents final : public Events {
 public:
  void stage(const std::string&, std::uint64_t) override {}
  void progress(const Progress& progress) override {
    if (on_progress) on_progress(progress);
  }
  void message(const Message& message) override { messages.push_back(message.text); }
  Answer ask(const Question& question) override {
    questions.push_back(question.id);
    return answer;
  }
  std::function<void(const Progress&)> on_progress;
  std::vector<std::string> messages, questions;
  Answer answer = Answer::abort;
};

// A folder of its own for every test, and what an operation runs with.
class JobTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tintype-job-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    place_ = *open_local_place(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A drive with an MBR, two partitions of unknown file systems, and holes.
  std::shared_ptr<Drive> make_source(std::uint64_t size = 40 * kMiB) {
    auto drive = make_memory_drive(size);
    SeededRandom random(1);
    Layout layout = *make_layout(TableKind::mbr, size / 512, 512, random);
    Partition wanted;
    wanted.mbr_type = 0x83;
    for (const std::uint64_t mib : {10, 20}) {
      wanted.sector_count = mib * kMiB / 512;
      layout = add_partition(layout, wanted, {}, random)->layout;
    }
    const auto tables = render_tables(layout, size / 512);
    for (const TableSectors& t : *tables) EXPECT_TRUE(drive->write(t.start_sector * 512, t.bytes));
    Bytes noise(3 * kMiB + 512);
    EXPECT_TRUE(random.fill(noise));
    EXPECT_TRUE(drive->write(2 * kMiB, noise));
    Bytes text(5 * kMiB, std::byte{'t'});
    EXPECT_TRUE(drive->write(13 * kMiB + 1024, text));
    return drive;
  }

  BackupRequest request(std::shared_ptr<Drive> drive) {
    BackupRequest r;
    r.layout = *read_layout(*drive);
    r.drive = std::move(drive);
    r.place = place_;
    r.image = "pc.tti";
    r.program = "test";
    r.host = "host";
    return r;
  }

  Result<BackupReport> backup(const BackupRequest& r, unsigned workers = 2) {
    SeededRandom random(42);
    JobContext context{events_, cancel_, clock_, random, workers};
    return run_backup(r, context);
  }

  Result<std::shared_ptr<ImageReader>> open(std::optional<std::string> password = {}) {
    return ImageReader::open(place_, "pc.tti", [password]() -> Result<std::string> {
      if (!password) return fail(ErrorCode::denied, "no password");
      return *password;
    });
  }

  Result<ValidateReport> validate(std::shared_ptr<ImageReader> image) {
    SeededRandom random(1);
    JobContext context{events_, cancel_, clock_, random, 2};
    return run_validate(std::move(image), context);
  }

  Result<RestoreReport> restore(std::shared_ptr<ImageReader> image, std::shared_ptr<Drive> target, const RestoreOptions& options = {}) {
    SeededRandom random(1);
    JobContext context{events_, cancel_, clock_, random, 2};
    RestoreRequest r;
    const Layout before = TRY(read_layout(*target));
    r.plan = TRY(plan_restore(image->catalog(), target->info(), before, options, {}, random));
    r.image = std::move(image);
    r.target = std::move(target);
    r.compare_after = true;
    return run_restore(r, context);
  }

  Bytes file(const std::string& name) {
    auto f = *place_->open(name);
    Bytes bytes(f->size());
    EXPECT_TRUE(f->read(0, bytes));
    return bytes;
  }
  void put(const std::string& name, ByteSpan bytes) {
    auto f = *place_->create(name);
    const std::array<ByteSpan, 1> pieces = {bytes};
    ASSERT_TRUE(f->append(pieces));
  }
  static Bytes contents(Drive& drive) {
    Bytes bytes(drive.size_bytes());
    EXPECT_TRUE(drive.read(0, bytes));
    return bytes;
  }

  std::string folder_;
  std::shared_ptr<Place> place_;
  QuietEvents events_;
  CancelToken cancel_;
  FixedClock clock_{std::chrono::sys_seconds(std::chrono::seconds(1795439109))};
};

TEST_F(JobTest, RestoresADriveExactly) {
  auto source = make_source();
  const auto report = backup(request(source));
  ASSERT_TRUE(report) << report.error().message();
  auto image = open();
  ASSERT_TRUE(image) << image.error().message();
  const auto checked = validate(*image);
  ASSERT_TRUE(checked);
  EXPECT_TRUE(checked->sound()) << checked->damage.front().what;
  auto target = make_memory_drive(40 * kMiB);
  const auto restored = restore(*image, target);
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(contents(*source), contents(*target));
}

TEST_F(JobTest, AllLevelsPartsAndEncryptionGiveTheSameDrive) {
  auto source = make_source();
  for (const int level : {0, 1, 2, 7, 10}) {
    for (const bool encrypt : {false, true}) {
      BackupRequest r = request(source);
      r.compression = level;
      r.max_part_bytes = kMiB;
      r.encrypt = encrypt;
      if (encrypt) r.password = "gr\xC3\xBCn";
      ASSERT_TRUE(backup(r)) << level;
      auto image = open(r.password);
      ASSERT_TRUE(image) << image.error().message();
      EXPECT_GT((*image)->parts().parts(), 2U);
      auto target = make_memory_drive(64 * kMiB);
      const auto restored = restore(*image, target);
      ASSERT_TRUE(restored) << restored.error().message();
      Bytes wanted = contents(*source);
      Bytes got = contents(*target);
      got.resize(wanted.size());
      EXPECT_EQ(wanted, got);
    }
  }
}

TEST_F(JobTest, OutputDoesNotDependOnTheNumberOfWorkers) {
  auto source = make_source();
  BackupRequest r = request(source);
  r.password = "x";
  r.encrypt = true;
  ASSERT_TRUE(backup(r, 1));
  const Bytes one = file("pc.tti");
  for (const unsigned workers : {2U, 7U}) {
    ASSERT_TRUE(backup(r, workers));
    EXPECT_EQ(one, file("pc.tti")) << workers;
  }
}

TEST_F(JobTest, EveryFlippedByteIsFound) {
  auto source = make_source(6 * kMiB + 40 * kMiB);
  BackupRequest r = request(source);
  r.partitions = {2};
  ASSERT_TRUE(backup(r));
  const Bytes good = file("pc.tti");
  ASSERT_LT(good.size(), 2 * kMiB);
  // Every byte of what is not chunk data, and a sample of that.
  for (std::size_t at = 0; at < good.size(); at += at < 200 || at + 6000 > good.size() ? 61 : 4999) {
    Bytes bad = good;
    bad[at] ^= std::byte{0x40};
    put("pc.tti", bad);
    auto image = open();
    if (!image) continue;
    const auto report = validate(*image);
    ASSERT_TRUE(report);
    EXPECT_FALSE(report->sound()) << "byte " << at;
  }
}

TEST_F(JobTest, CutOffAndMissingPartsAreFound) {
  auto source = make_source();
  BackupRequest r = request(source);
  r.max_part_bytes = kMiB;
  ASSERT_TRUE(backup(r));
  const Bytes one = file("pc.tti.1"), two = file("pc.tti.2");
  put("pc.tti.1", two);
  put("pc.tti.2", one);
  auto swapped = open();
  ASSERT_FALSE(swapped);
  EXPECT_EQ(swapped.error().code, ErrorCode::corrupt);
  put("pc.tti.2", two);
  put("pc.tti.1", ByteSpan(one).first(one.size() - 1));
  ASSERT_FALSE(open());
  ASSERT_TRUE(place_->remove("pc.tti.1"));
  auto missing = open();
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_NE(missing.error().message().find("pc.tti.1"), std::string::npos);
}

TEST_F(JobTest, WrongPasswordIsDenied) {
  BackupRequest r = request(make_source());
  r.password = "right";
  ASSERT_TRUE(backup(r));  // checked only, not encrypted
  EXPECT_EQ(open("wrong").error().code, ErrorCode::denied);
  EXPECT_TRUE(open("right"));
}

TEST_F(JobTest, NothingReadableWithoutThePassword) {
  auto source = make_source();
  Bytes secret(4096);
  for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::byte>("secret words "[i % 13]);
  ASSERT_TRUE(source->write(2 * kMiB, secret));
  BackupRequest r = request(source);
  r.password = "p";
  r.encrypt = true;
  r.compression = 0;
  r.description = "tell nobody";
  r.host = "hostname";
  ASSERT_TRUE(backup(r));
  const Bytes bytes = file("pc.tti");
  const std::string_view text = as_text(bytes);
  for (const char* word : {"secret words", "tell nobody", "hostname", "mbr", "partition"})
    EXPECT_EQ(text.find(word), std::string_view::npos) << word;
}

TEST_F(JobTest, AFailedBackupLeavesTheOldImage) {
  auto source = make_source();
  ASSERT_TRUE(backup(request(source)));
  const Bytes before = file("pc.tti");
  FaultPlan plan;
  plan.read_bad.push_back({{2 * kMiB, 512}});
  auto faulty = make_faulty_drive(source, plan);
  const auto failed = backup(request(faulty));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::io);
  EXPECT_EQ(file("pc.tti"), before);
  EXPECT_EQ(place_->list()->size(), 1U);
}

TEST_F(JobTest, UnreadableSectorsAreRecorded) {
  auto source = make_source();
  FaultPlan plan;
  plan.read_bad.push_back({{2 * kMiB + 1024, 512}});
  BackupRequest r = request(make_faulty_drive(source, plan));
  r.allow_errors = true;
  const auto report = backup(r);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->outcome, Outcome::with_bad_sectors);
  EXPECT_EQ(report->unreadable_bytes, 512U);
  auto target = make_memory_drive(40 * kMiB);
  const auto restored = restore(*open(), target);
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->outcome, Outcome::with_bad_sectors);
  Bytes wanted = contents(*source);
  std::fill_n(wanted.begin() + 2 * kMiB + 1024, 512, std::byte{0});
  EXPECT_EQ(wanted, contents(*target));
}

TEST_F(JobTest, CancellingLeavesNothing) {
  events_.on_progress = [this](const Progress&) { cancel_.cancel(); };
  const auto report = backup(request(make_source()));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::cancelled);
  EXPECT_TRUE(place_->list()->empty());
}

TEST_F(JobTest, AnUnfinishedRestoreDoesNotLookWhole) {
  auto source = make_source();
  ASSERT_TRUE(backup(request(source)));
  auto target = make_memory_drive(40 * kMiB);
  ASSERT_TRUE(target->write(0, contents(*source)));  // an older, whole system
  FaultPlan plan;
  plan.write_bad.push_back({{14 * kMiB, 512}});
  const auto failed = restore(*open(), make_faulty_drive(target, plan));
  ASSERT_FALSE(failed);
  EXPECT_EQ(read_layout(*target)->kind, TableKind::none);
}

TEST_F(JobTest, OnePartitionGoesIntoFreeSpaceOfALargerDrive) {
  auto source = make_source();
  ASSERT_TRUE(backup(request(source)));
  auto target = make_memory_drive(64 * kMiB);
  SeededRandom random(5);
  const auto tables = render_tables(*make_layout(TableKind::gpt, 64 * kMiB / 512, 512, random), 64 * kMiB / 512);
  for (const TableSectors& t : *tables) ASSERT_TRUE(target->write(t.start_sector * 512, t.bytes));
  RestoreOptions options;
  options.partition = 1;
  options.where = RestoreOptions::Where::free_space;
  const auto restored = restore(*open(), target, options);
  ASSERT_TRUE(restored) << restored.error().message();
  const Layout layout = *read_layout(*target);
  ASSERT_EQ(layout.partitions.size(), 1U);
  Bytes wanted(10 * kMiB), got(10 * kMiB);
  ASSERT_TRUE(source->read(kMiB, wanted));
  ASSERT_TRUE(target->read(layout.partitions[0].start_sector * 512, got));
  EXPECT_EQ(wanted, got);
}

TEST_F(JobTest, TooSmallATargetIsRefusedWithNumbers) {
  ASSERT_TRUE(backup(request(make_source())));
  const auto failed = restore(*open(), make_memory_drive(20 * kMiB));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::no_space);
}

}  // namespace
}  // namespace tintype
