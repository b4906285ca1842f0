// SPDX-License-Identifier: GPL-3.0-or-later
// Purging a folder of real image sets, cut off at every single step by a kill, a failure or a power cut: what is left are whole
// sets whose bases are there, and leftovers that the next purge removes.
#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "image/part_names.h"
#include "image_fixture.h"
#include "job/purge.h"
#include "support/memory_place.h"

namespace tintype {
namespace {

using test::ImageLab;
using test::MemoryPlace;
using Names = std::vector<std::string>;

constexpr std::uint64_t kMiB = 1U << 20;
constexpr auto kNow = std::chrono::sys_seconds(std::chrono::seconds(1795439109));

class PurgeTest : public ::testing::Test {
 protected:
  // An image of `mib` incompressible MiB, made so many days ago; with a base it claims to build on that one.
  void make(const std::shared_ptr<MemoryPlace>& place, const std::string& name, unsigned days_ago, const std::string& base = {},
            std::uint64_t mib = 1, std::optional<std::string> password = {}) {
    ImageLab lab;
    lab.clock = FixedClock(kNow - std::chrono::days(days_ago));
    BackupRequest request = lab.request(drive_, place);
    if (mib != 1) request.drive = lab.noise_drive(mib * kMiB, 1);
    request.image = name + ".tti";
    request.password = std::move(password);
    request.encrypt = request.password.has_value();
    const auto made = lab.backup(request, ++seed_);
    ASSERT_TRUE(made) << made.error().message();
    if (!base.empty()) set_base(*place, name, id_of(*place, base));
  }

  static SetId id_of(MemoryPlace& place, const std::string& name) {
    const auto header = read_part_header(place, name + ".tti");
    EXPECT_TRUE(header) << name;
    return header ? header->set_id : SetId{};
  }

  static void set_base(MemoryPlace& place, const std::string& name, const SetId& base) {
    const auto files = find_parts(place, name + ".tti");
    ASSERT_TRUE(files);
    for (const PartFile& file : *files) {
      PartHeader header = *read_part_header(place, file.name);
      header.base_id = base;
      Bytes content = place.get(file.name);
      const auto encoded = header.encode();
      std::copy(encoded.begin(), encoded.end(), content.begin());
      place.put(file.name, content);
    }
  }

  static ImageFolder scan(const std::shared_ptr<Place>& place, const std::optional<std::string>& password = {}) {
    const CancelToken cancel;
    auto folder = scan_images(place, password, cancel);
    EXPECT_TRUE(folder) << folder.error().message();
    return folder ? *folder : ImageFolder{};
  }

  static std::vector<Retention> decide(const ImageFolder& folder, const KeepRules& rules) {
    std::vector<RetentionSet> sets;
    for (const FoundSet& found : folder.sets) sets.push_back(found.set);
    return retain(sets, rules, kNow);
  }

  Result<PurgeReport> purge(const std::shared_ptr<Place>& place, const KeepRules& rules, const std::optional<std::string>& password = {}) {
    ImageLab lab;
    SeededRandom random(0);
    JobContext context{lab.events, lab.cancel, lab.clock, random, 1};
    ImageFolder folder = TRY(scan_images(place, password, lab.cancel));
    return run_purge(place, folder, decide(folder, rules), context);
  }

  // Monday full (three parts, with recovery data), Tuesday and Wednesday built on it; a newer full; somebody else's files.
  std::shared_ptr<MemoryPlace> week() {
    auto place = std::make_shared<MemoryPlace>();
    make(place, "monday", 9, "", 2);
    make(place, "tuesday", 8, "monday", 2);
    make(place, "wednesday", 7, "tuesday");
    make(place, "full2", 1);
    const SetId monday = id_of(*place, "monday");
    Bytes parity(5000);
    std::copy(monday.begin(), monday.end(), parity.begin() + 24);
    place->put("monday.tti.parity", parity);
    place->put("tuesday.tti.parity", Bytes(5000));  // of something else
    place->put("notes.txt", Bytes(10));
    place->put("monday.tti.9", Bytes(5000));
    return place;
  }

  // Each image there is whole, and what it builds on is there.
  static void check(const std::shared_ptr<MemoryPlace>& place, const std::string& when) {
    std::set<SetId> ids;
    std::vector<std::pair<std::string, SetId>> bases;
    for (const std::string& name : place->names()) {
      if (!name.ends_with(".tti")) continue;
      ImageLab lab;
      const auto image = lab.open(place, "", name);
      ASSERT_TRUE(image) << when << ", " << name << ": " << (image ? "" : image.error().message());
      const auto report = lab.validate(*image);
      ASSERT_TRUE(report && report->sound()) << when << ", " << name;
      ids.insert((*image)->header().set_id);
      if ((*image)->header().base_id != SetId{}) bases.emplace_back(name, (*image)->header().base_id);
    }
    for (const auto& [name, base] : bases) EXPECT_TRUE(ids.contains(base)) << when << ": the base of " << name << " is gone";
  }

  static Names find_names(MemoryPlace& place, const std::string& image) {
    Names names;
    for (const PartFile& file : find_parts(place, image).value_or(std::vector<PartFile>{})) names.push_back(file.name);
    return names;
  }

  std::shared_ptr<Drive> drive_ = ImageLab::noise_drive(kMiB / 2, 1);
  std::uint64_t seed_ = 0;
  const Names end_ = {"full2.tti", "monday.tti.9", "notes.txt", "tuesday.tti.parity"};
};

TEST_F(PurgeTest, DeletesWholeSetsWithAllTheirFilesAndNothingElse) {
  const auto place = week();
  ASSERT_GT(place->names().size(), end_.size() + 5);
  const auto report = purge(place, {.last = 1});
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->removed, (Names{"wednesday.tti", "tuesday.tti", "monday.tti"})) << "dependents first";
  EXPECT_TRUE(report->failed.empty());
  EXPECT_EQ(place->names(), end_);
}

TEST_F(PurgeTest, KilledAtEveryStep) {
  const auto trial = week();
  const std::uint64_t before = trial->operations();
  ASSERT_TRUE(purge(trial, {.last = 1}));
  const std::uint64_t steps = trial->operations() - before;
  ASSERT_GT(steps, 30U);
  const auto start = week();
  std::set<std::size_t> seen;
  for (std::uint64_t n = 1; n <= steps; ++n) {
    for (const bool killed : {true, false}) {
      const auto place = start->copy();
      (killed ? place->faults.stop_at : place->faults.fail_at) = place->operations() + n;
      (void)purge(place, {.last = 1});
      const auto rest = place->copy();
      seen.insert(rest->names().size());
      check(rest, fmt::format("{} at step {}", killed ? "killed" : "failed", n));
      const auto next = purge(rest, {.last = 1});
      ASSERT_TRUE(next) << n;
      EXPECT_TRUE(next->failed.empty()) << n << ": " << next->failed.front();
      EXPECT_EQ(rest->names(), end_) << n;
    }
  }
  EXPECT_GT(seen.size(), 5U) << "the cuts fell into the middle of the work";
}

TEST_F(PurgeTest, PowerCutAtEveryStep) {
  const auto start = week();
  const auto trial = start->copy();
  ASSERT_TRUE(purge(trial, {.last = 1}));
  for (std::uint64_t n = 1; n <= trial->operations(); ++n) {
    const auto place = start->copy();
    place->faults.stop_at = n;
    (void)purge(place, {.last = 1});
    // Any of the unsynced changes may have reached the disk: none, all, each alone, all but each.
    const std::size_t changes = place->unsynced_changes();
    std::vector<std::function<bool(std::size_t)>> worlds = {[](std::size_t) { return false; }, [](std::size_t) { return true; }};
    for (std::size_t c = 0; c < changes; ++c) {
      worlds.emplace_back([c](std::size_t i) { return i == c; });
      worlds.emplace_back([c](std::size_t i) { return i != c; });
    }
    for (const auto& world : worlds) {
      const auto rest = place->after_power_cut(world);
      check(rest, fmt::format("power cut at step {}", n));
      ASSERT_TRUE(purge(rest, {.last = 1})) << n;
      EXPECT_EQ(rest->names(), end_) << n;
    }
  }
}

TEST_F(PurgeTest, ASetThatSomebodyHoldsStaysWithItsBases) {
  const auto place = week();
  const auto lock = place->lock("wednesday.tti");
  ASSERT_TRUE(lock);
  const auto report = purge(place, {.last = 1});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->removed.empty());
  EXPECT_EQ(report->failed.size(), 3U);
  check(place, "held");
  EXPECT_EQ(place->names(), week()->names());
}

TEST_F(PurgeTest, AnUnfinishedBackupKeepsItsBase) {
  const auto place = week();
  PartHeader header;
  header.set_id[3] = std::byte{7};
  header.base_id = id_of(*place, "tuesday");
  place->put("thursday.tti.partial", header.encode());
  const auto report = purge(place, {.last = 1});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->removed, Names{"wednesday.tti"});
  EXPECT_TRUE(place->exists("thursday.tti.partial").value_or(false));
}

TEST_F(PurgeTest, WhatCannotBeReadStaysWithWhatItNeeds) {
  const auto place = week();
  Bytes damaged = place->get("wednesday.tti");
  damaged[damaged.size() - 3] ^= std::byte{1};  // the trailer
  place->put("wednesday.tti", damaged);
  const ImageFolder folder = scan(place);
  ASSERT_EQ(folder.sets.size(), 4U);
  EXPECT_TRUE(folder.sets[3].set.why_kept.starts_with("cannot be read")) << folder.sets[3].set.why_kept;
  ASSERT_TRUE(purge(place, {.last = 1}));
  for (const char* name : {"monday.tti", "tuesday.tti", "wednesday.tti"}) EXPECT_TRUE(place->exists(name).value_or(false)) << name;
  // The header itself, by a bit that is not the base's: what it says about the base still counts.
  damaged = place->get("wednesday.tti");
  damaged[60] ^= std::byte{1};
  place->put("wednesday.tti", damaged);
  ASSERT_TRUE(purge(place, {.last = 1}));
  EXPECT_TRUE(place->exists("tuesday.tti").value_or(false));
  // All of the header, but another part of the image is sound.
  make(place, "friday", 6, "tuesday", 2);
  ASSERT_TRUE(place->exists("friday.tti.1").value_or(false));
  place->put("friday.tti", Bytes(8192));
  ASSERT_TRUE(place->remove("wednesday.tti"));
  ASSERT_TRUE(purge(place, {.last = 1}));
  EXPECT_TRUE(place->exists("tuesday.tti").value_or(false));
  EXPECT_TRUE(place->exists("friday.tti").value_or(false));
}

TEST_F(PurgeTest, EncryptedSetsNeedTheirPassword) {
  auto place = std::make_shared<MemoryPlace>();
  make(place, "old", 9, "", 1, "secret");
  make(place, "new", 1, "", 1, "secret");
  EXPECT_EQ(scan(place).sets[0].set.why_kept, "needs a password to be read");
  EXPECT_EQ(scan(place, "wrong").sets[0].set.why_kept, "the password does not fit");
  EXPECT_TRUE(purge(place, {.last = 1})->removed.empty());
  EXPECT_TRUE(purge(place, {.last = 1}, "wrong")->removed.empty());
  EXPECT_EQ(purge(place, {.last = 1}, "secret")->removed, Names{"old.tti"});
}

TEST_F(PurgeTest, PartsOfAnImageWhoseFirstPartIsLostAreNotOurs) {
  const auto place = week();
  ASSERT_TRUE(place->remove("tuesday.tti"));
  ASSERT_TRUE(place->exists("tuesday.tti.1").value_or(false));
  ASSERT_TRUE(purge(place, {.last = 1}));
  EXPECT_TRUE(place->exists("tuesday.tti.1").value_or(false)) << "it may be all that is left to salvage";
}

TEST_F(PurgeTest, ANewImageOfTheNameKeepsItsParts) {
  const auto start = week();
  bool met = false;
  const auto trial = start->copy();
  ASSERT_TRUE(purge(trial, {.last = 1}));
  for (std::uint64_t n = 1; n <= trial->operations(); ++n) {
    const auto place = start->copy();
    place->faults.stop_at = n;
    (void)purge(place, {.last = 1});
    const auto rest = place->copy();
    if (!rest->exists("monday.tti.purged").value_or(false)) continue;
    met = true;
    make(rest, "monday", 0, "", 2);
    const Names before = find_names(*rest, "monday.tti");
    ASSERT_TRUE(purge(rest, {.last = 2}));
    check(rest, "a new image of the name");
    EXPECT_EQ(find_names(*rest, "monday.tti"), before);
    EXPECT_FALSE(rest->exists("monday.tti.purged").value_or(true));
  }
  EXPECT_TRUE(met);
}

TEST_F(PurgeTest, ChainsInCirclesStay) {
  auto place = std::make_shared<MemoryPlace>();
  make(place, "a", 5);
  make(place, "b", 4, "a");
  set_base(*place, "a", id_of(*place, "b"));
  make(place, "c", 1);
  const auto report = purge(place, {.last = 1});
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->removed.empty());
  EXPECT_EQ(report->failed.size(), 2U);
}

TEST_F(PurgeTest, SourcesAreToldApart) {
  Catalog catalog;
  catalog.host = "host";
  catalog.source.path = "disk.raw";
  catalog.source.size_bytes = 10 * kMiB;
  catalog.layout.kind = TableKind::mbr;
  catalog.layout.mbr_signature = 0xA1B2C3D4;
  for (const std::uint32_t id : {1, 2}) {
    Partition partition;
    partition.id = id;
    catalog.layout.partitions.push_back(partition);
    Area area;
    area.partition = id;
    catalog.areas.push_back(area);
  }
  const std::string whole = source_identity(catalog);
  Catalog other = catalog;
  other.source.path = "/dev/sdb";
  other.host = "another";
  EXPECT_EQ(source_identity(other), whole) << "the signature says that it is the same drive";
  other.areas.pop_back();
  EXPECT_NE(source_identity(other), whole) << "one of its partitions does not stand for all of it";
  other = catalog;
  other.layout.mbr_signature = 1;
  EXPECT_NE(source_identity(other), whole);
  other.layout.mbr_signature = 0;
  catalog.layout.mbr_signature = 0;
  EXPECT_EQ(source_identity(other), source_identity(catalog));
  other.source.path = "else.raw";
  EXPECT_NE(source_identity(other), source_identity(catalog));
  other.source.serial = catalog.source.serial = "S1";
  EXPECT_EQ(source_identity(other), source_identity(catalog)) << "a serial number counts more than a path";
}

}  // namespace
}  // namespace tintype
