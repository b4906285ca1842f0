// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "image/reader.h"
#include "job/backup.h"
#include "job/validate.h"

namespace tintype::test {

class QuietEvents final : public Events {
 public:
  void stage(const std::string&, std::uint64_t) override {}
  void progress(const Progress&) override {}
  void message(const Message&) override {}
  Answer ask(const Question& question) override {
    questions.push_back(question.id);
    return on_ask ? on_ask() : Answer::abort;
  }
  std::function<Answer()> on_ask;
  std::vector<std::string> questions;
};

// What backups into a place need, with a fixed clock and chance that differs by `seed`.
struct ImageLab {
  QuietEvents events;
  CancelToken cancel;
  FixedClock clock{std::chrono::sys_seconds(std::chrono::seconds(1795439109))};

  // A drive without a table whose first bytes do not shrink.
  static std::shared_ptr<Drive> noise_drive(std::uint64_t noise_bytes, std::uint64_t seed, std::uint64_t size_bytes = 8U << 20) {
    auto drive = make_memory_drive(size_bytes);
    Bytes noise(static_cast<std::size_t>(noise_bytes));
    SeededRandom random(seed);
    EXPECT_TRUE(random.fill(noise));
    EXPECT_TRUE(drive->write(0, noise));
    return drive;
  }

  static BackupRequest request(std::shared_ptr<Drive> drive, std::shared_ptr<Place> place) {
    BackupRequest r;
    r.layout.sector_bytes = drive->info().logical_sector_bytes;
    r.drive = std::move(drive);
    r.place = std::move(place);
    r.image = "pc.tti";
    r.max_part_bytes = 1U << 20;
    r.program = "test";
    r.host = "host";
    return r;
  }

  Result<BackupReport> backup(const BackupRequest& r, std::uint64_t seed) {
    SeededRandom random(seed);
    JobContext context{events, cancel, clock, random, 1};
    return run_backup(r, context);
  }

  static Result<std::shared_ptr<ImageReader>> open(std::shared_ptr<Place> place, std::string password = {}, std::string name = "pc.tti") {
    return ImageReader::open(std::move(place), std::move(name), [password]() -> Result<std::string> { return password; });
  }

  Result<ValidateReport> validate(std::shared_ptr<ImageReader> image) {
    SeededRandom random(0);
    JobContext context{events, cancel, clock, random, 1};
    return run_validate(std::move(image), context);
  }
};

}  // namespace tintype::test
