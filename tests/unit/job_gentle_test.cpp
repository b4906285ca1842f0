// SPDX-License-Identifier: GPL-3.0-or-later
// A gentle backup gives the same image, bit for bit, as a plain one (same clock, same random numbers).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "drive/gentle_drive.h"
#include "job/backup.h"
#include "store/gentle_place.h"
#include "support/memory_place.h"

namespace tintype {
namespace {

class SilentEvents final : public Events {
 public:
  void stage(const std::string&, std::uint64_t) override {}
  void progress(const Progress&) override {}
  void message(const Message&) override {}
  Answer ask(const Question&) override { return Answer::abort; }
};

std::shared_ptr<Drive> make_source() {
  auto drive = make_memory_drive(6U << 20);
  SeededRandom random(7);
  Bytes noise((3U << 20) + 512);
  EXPECT_TRUE(random.fill(noise));
  EXPECT_TRUE(drive->write(1U << 20, noise));
  return drive;
}

std::vector<Bytes> image_of(const std::shared_ptr<Drive>& drive, std::shared_ptr<Place> place, unsigned workers) {
  BackupRequest request;
  request.layout = *read_layout(*drive);
  request.drive = drive;
  request.place = place;
  request.image = "pc.tti";
  request.max_part_bytes = 2U << 20;
  request.program = "test";
  request.host = "host";
  SilentEvents events;
  CancelToken cancel;
  FixedClock clock{std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000))};
  SeededRandom random(42);
  JobContext context{events, cancel, clock, random, workers};
  const Result<BackupReport> report = run_backup(request, context);
  EXPECT_TRUE(report) << report.error().message();
  std::vector<std::string> names = *place->list();
  std::ranges::sort(names);
  std::vector<Bytes> parts;
  for (const std::string& name : names) {
    const std::unique_ptr<ReadFile> file = *place->open(name);
    Bytes bytes(file->size());
    EXPECT_TRUE(file->read(0, bytes));
    parts.push_back(std::move(bytes));
  }
  return parts;
}

TEST(GentleBackup, GivesTheSameBytes) {
  const std::shared_ptr<Drive> source = make_source();
  const std::vector<Bytes> plain = image_of(source, std::make_shared<test::MemoryPlace>(), 2);
  ASSERT_GT(plain.size(), 1U);
  const auto pacer = std::make_shared<Pacer>();
  const CacheUse paced{.keep_read = false, .keep_written = false, .dirty_bytes = 2 * Pacer::kMostBytes};
  std::string folder = (std::filesystem::temp_directory_path() / "tintype-gentle-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::shared_ptr<Place> place = make_gentle_place(*open_local_place(folder, false, paced), pacer);
  EXPECT_EQ(image_of(make_gentle_drive(source, pacer), place, 2), plain);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tintype
