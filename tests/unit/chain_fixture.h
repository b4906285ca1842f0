// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "image/reader.h"
#include "job/backup.h"
#include "job/consolidate.h"
#include "job/restore.h"
#include "job/validate.h"
#include "layout/edit.h"
#include "layout/render.h"
#include "support/memory_place.h"

namespace tintype::test {

constexpr std::uint64_t kMiB = 1U << 20;

class ChainEvents final : public Events {
 public:
  void stage(const std::string& name, std::uint64_t) override {
    stages.push_back(name);
    if (on_stage) on_stage(name);
  }
  void progress(const Progress&) override {}
  void message(const Message& message) override { messages.push_back(message.text); }
  Answer ask(const Question&) override { return Answer::abort; }
  std::vector<std::string> messages, stages;
  std::function<void(const std::string&)> on_stage;  // what happens meanwhile
};

// A drive that changes, images of it, and what it held at each of them.
class ChainLab {
 public:
  // `data`: as much is written to the drive as to one of this size.
  explicit ChainLab(std::uint64_t seed = 1, std::uint64_t size = 24 * kMiB, std::uint64_t data = 0)
      : random(seed), drive(make_drive(size, data != 0 ? data : size)) {}

  SeededRandom random;
  ChainEvents events;
  CancelToken cancel;
  FixedClock clock{std::chrono::sys_seconds(std::chrono::seconds(1795439109))};
  std::shared_ptr<MemoryPlace> place = std::make_shared<MemoryPlace>();
  std::shared_ptr<Drive> drive;
  std::optional<std::string> password;
  std::uint64_t max_part_bytes = 0;
  int compression = 1;
  bool multi_pass = false;

  std::uint64_t number(std::uint64_t below) {
    std::array<std::byte, 8> bytes{};
    EXPECT_TRUE(random.fill(bytes));
    return le64(bytes, 0) % below;
  }

  // Text-like bytes: they shrink, but not to nothing.
  void scribble(std::uint64_t offset, std::uint64_t length) {
    Bytes data(static_cast<std::size_t>(length));
    EXPECT_TRUE(random.fill(data));
    for (std::byte& b : data) b &= std::byte{0x1F};
    EXPECT_TRUE(drive->write(offset, data));
  }

  std::shared_ptr<Drive> make_drive(std::uint64_t size, std::uint64_t data) {
    auto made = make_memory_drive(size);
    Layout layout = *make_layout(TableKind::mbr, size / 512, 512, random);
    Partition wanted;
    wanted.mbr_type = 0x83;
    // Whole MiB, so that they lie side by side from 1 MiB on: nothing in front of 0.8 of the drive is outside of them.
    for (const std::uint64_t part : {3, 5}) {
      wanted.sector_count = div_round_up(size * part / 10, kMiB) * kMiB / 512;
      layout = add_partition(layout, wanted, {}, random)->layout;
    }
    const auto tables = render_tables(layout, size / 512);
    for (const TableSectors& t : *tables) EXPECT_TRUE(made->write(t.start_sector * 512, t.bytes));
    std::swap(drive, made);
    scribble(2 * kMiB, data / 3);
    scribble(size / 2, data / 5);
    std::swap(drive, made);
    return made;
  }

  Result<std::shared_ptr<ImageReader>> open(const std::string& name, std::vector<NamedImage> named = {}) {
    return ImageReader::open(place, name, [this]() -> Result<std::string> { return password.value_or(""); },
                             std::make_shared<LinkFinder>(place, std::move(named)));
  }

  BackupRequest request(const std::string& name) {
    BackupRequest r;
    r.layout = *read_layout(*drive);
    r.drive = drive;
    r.place = place;
    r.image = name;
    r.password = password;
    r.encrypt = password.has_value();
    r.max_part_bytes = max_part_bytes;
    r.compression = compression;
    r.multi_pass = multi_pass;
    return r;
  }

  Result<BackupReport> run(const BackupRequest& r, unsigned workers = 2) {
    JobContext context{events, cancel, clock, random, workers};
    return run_backup(r, context);
  }

  // Saves the drive; with a base only what changed since.
  Result<BackupReport> backup(const std::string& name, const std::string& base = {}, unsigned workers = 2) {
    BackupRequest r = request(name);
    if (!base.empty()) r.base = BackupBase{TRY(open(base)), base, ""};
    return run(r, workers);
  }

  // Merges what comes after link number `base` of an image, up to that image.
  Result<ConsolidateReport> consolidate(const std::string& name, const std::string& to, std::uint32_t base = 0, bool replace = false,
                                        unsigned workers = 2) {
    ConsolidateRequest r;
    r.image = TRY(open(name));
    r.base_link = base;
    r.place = place;
    r.name = to;
    r.max_part_bytes = max_part_bytes;
    r.password = password;
    r.remove_replaced = replace;
    return run(r, workers);
  }
  Result<ConsolidateReport> run(const ConsolidateRequest& r, unsigned workers = 2) {
    JobContext context{events, cancel, clock, random, workers};
    return run_consolidate(r, context);
  }

  Bytes content(Drive& of) const {
    Bytes bytes(static_cast<std::size_t>(of.size_bytes()));
    EXPECT_TRUE(of.read(0, bytes));
    return bytes;
  }
  Bytes content() const { return content(*drive); }

  ::testing::AssertionResult gives(const std::string& name, const Bytes& truth) {
    const Result<Bytes> got = restored(name);
    if (!got) return ::testing::AssertionFailure() << name << ": " << got.error().message();
    const auto differ = std::ranges::mismatch(*got, truth);
    if (differ.in1 == got->end()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << name << " differs at byte " << differ.in1 - got->begin();
  }

  // What a restore of the image gives; compared by the restore itself too.
  Result<Bytes> restored(const std::string& name) {
    const std::shared_ptr<ImageReader> image = TRY(open(name));
    auto target = make_memory_drive(image->catalog().source.size_bytes);
    JobContext context{events, cancel, clock, random, 2};
    RestoreRequest r;
    const Layout before = TRY(read_layout(*target));
    r.plan = TRY(plan_restore(image->catalog(), target->info(), before, {}, {}, random));
    r.image = image;
    r.target = target;
    r.compare_after = true;
    TRY(run_restore(r, context));
    return content(*target);
  }

  Result<ValidateReport> validate(const std::string& name) {
    JobContext context{events, cancel, clock, random, 2};
    const std::shared_ptr<ImageReader> image = TRY(open(name));
    return run_validate(image, context);
  }

  std::uint64_t image_bytes(const std::string& name) const {
    std::uint64_t total = 0;
    for (const std::string& each : place->names())
      if (each.starts_with(name)) total += place->get(each).size();
    return total;
  }
};

}  // namespace tintype::test
