// SPDX-License-Identifier: GPL-3.0-or-later
// What the recovery file promises: one contiguous loss of up to the share, or any M blocks a stripe, comes back wherever it lies;
// one too much is refused and nothing is touched; whatever a repair is cut off at, nothing is worse than before.
#include "parity_fixture.h"

namespace tintype {
namespace {

using test::Files;
using test::files_of;
using test::MemoryPlace;
using test::ParityLab;

constexpr std::uint64_t kMiB = 1U << 20;

TEST(Parity, TheCodeGivesBackAnyLostBlocks) {
  std::mt19937_64 random(1);
  for (const auto& [data, parity] : {std::pair{1U, 4U}, {5U, 4U}, {79U, 4U}, {79U, 80U}, {251U, 4U}}) {
    const ParityCode code(data, parity);
    std::vector<Bytes> blocks(data + parity, Bytes(4096));
    for (std::uint32_t k = 0; k < data; ++k)
      for (std::byte& b : blocks[k]) b = static_cast<std::byte>(random());
    std::vector<const std::byte*> sources;
    std::vector<std::byte*> targets;
    for (std::uint32_t k = 0; k < data; ++k) sources.push_back(blocks[k].data());
    for (std::uint32_t p = 0; p < parity; ++p) targets.push_back(blocks[data + p].data());
    code.encode(sources, targets, 4096);
    const std::vector<Bytes> whole = blocks;
    for (int round = 0; round < 10; ++round) {
      std::vector<std::uint32_t> lost, sound(parity);
      for (std::uint32_t k = 0; k < data; ++k) lost.push_back(k);
      std::shuffle(lost.begin(), lost.end(), random);
      lost.resize(1 + random() % std::min(data, parity));
      std::sort(lost.begin(), lost.end());
      for (std::uint32_t p = 0; p < parity; ++p) sound[p] = p;
      std::shuffle(sound.begin(), sound.end(), random);
      sound.resize(lost.size());
      const ParityCode::Recipe recipe = code.recipe(lost, sound);
      std::vector<const std::byte*> from;
      std::vector<std::byte*> to;
      for (const std::uint32_t at : recipe.sources) from.push_back(blocks[at].data());
      for (const std::uint32_t at : recipe.lost) {
        std::fill(blocks[at].begin(), blocks[at].end(), std::byte{0xEE});
        to.push_back(blocks[at].data());
      }
      ParityCode::rebuild(recipe, from, to, 4096);
      EXPECT_EQ(blocks, whole) << data << "+" << parity;
    }
  }
}

// The arithmetic of the format, done the slow way: what is on disk must not depend on a library.
TEST(Parity, TheCodeIsTheOneOfTheFormat) {
  const auto times = [](unsigned a, unsigned b) {
    unsigned product = 0;
    for (; b != 0; b >>= 1, a = (a << 1) ^ ((a & 0x80) != 0 ? 0x11DU : 0U))
      if ((b & 1) != 0) product ^= a;
    return product & 0xFF;
  };
  const std::uint32_t data = 7, parity = 5;
  const ParityCode code(data, parity);
  std::vector<Bytes> in(data, Bytes(4096)), out(parity, Bytes(4096));
  std::mt19937 random(3);
  std::vector<const std::byte*> sources;
  std::vector<std::byte*> targets;
  for (Bytes& block : in) {
    for (std::byte& b : block) b = static_cast<std::byte>(random());
    sources.push_back(block.data());
  }
  for (Bytes& block : out) targets.push_back(block.data());
  code.encode(sources, targets, 4096);
  for (std::uint32_t p = 0; p < parity; ++p)
    for (std::size_t at = 0; at < 4096; at += 97) {
      unsigned sum = 0;
      for (std::uint32_t k = 0; k < data; ++k) {
        unsigned inverse = 1;
        while (times(inverse, (data + p) ^ k) != 1) ++inverse;
        sum ^= times(inverse, std::to_integer<unsigned>(in[k][at]));
      }
      EXPECT_EQ(sum, std::to_integer<unsigned>(out[p][at]));
    }
}

TEST(Parity, APlanKeepsItsPromiseForEverySizeAndShare) {
  std::mt19937_64 random(5);
  for (const std::uint64_t size : {4224ULL, 20000ULL, 300000ULL, 1048576ULL, 77777777ULL, 1600000000ULL, 123456789012ULL, 10000000000000ULL})
    for (const std::uint32_t share : {1U, 2U, 3U, 5U, 10U, 33U, 50U, 100U}) {
      const ParityHead head = ParityHead::plan({}, {size}, share);
      const std::string what = std::to_string(size) + " at " + std::to_string(share);
      const auto again = ParityHead::decode(head.encode(), "x");
      ASSERT_TRUE(again) << what << ": " << again.error().message();
      EXPECT_EQ(again->encode(), head.encode());
      EXPECT_GE(head.parity_blocks, 4U);
      const std::uint64_t lost = size / 100 * share;
      for (int i = 0; i < 20; ++i) {
        const std::uint64_t at = lost < size ? random() % (size - lost) : 0;
        const std::uint64_t touched = lost == 0 ? 0 : (at + lost - 1) / head.block_bytes - at / head.block_bytes + 1;
        EXPECT_LE(div_round_up(touched, head.stripes), head.parity_blocks) << what;
      }
      if (size < 300000000) continue;
      EXPECT_LT(head.file_bytes(), size / 2500 * 26 * (share == 1 ? 2 : share) + size / 200) << what;
    }
}

struct Shape {
  std::vector<std::uint64_t> parts;
  std::uint32_t share;
};

class ParityRepair : public ::testing::TestWithParam<Shape> {
 protected:
  ParityLab lab_{GetParam().parts, GetParam().share};
};

TEST_P(ParityRepair, WholeIsWhole) {
  for (const bool data : {false, true}) {
    const auto report = lab_.check(data);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->parts_sound() && report->file_sound() && report->repairable());
    EXPECT_EQ(report->worst, 0U);
  }
  const auto report = lab_.repair();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->repaired_files.empty());
  lab_.expect_whole("nothing to do");
}

TEST_P(ParityRepair, OneLossOfTheShareAnywhere) {
  const std::uint64_t size = lab_.head.set_bytes;
  const std::uint64_t lost = std::max<std::uint64_t>(1, size * GetParam().share / 100);
  for (int round = 0; round < 12; ++round) {
    lab_.reset();
    // The first header, the trailer, and anywhere.
    const std::uint64_t at = round == 0 ? 0 : round == 1 ? size - lost : lab_.random() % (size - lost + 1);
    lab_.spoil_row(at, lost);
    const auto found = lab_.check();
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->parts_sound());
    EXPECT_LE(found->worst, found->limit);
    EXPECT_FALSE(found->lost.empty());
    lab_.expect_repaired(std::to_string(lost) + " bytes at " + std::to_string(at));
  }
}

TEST_P(ParityRepair, AsManyBlocksAStripeAsThereIsParityOfWhateverKind) {
  for (int round = 0; round < 4; ++round) {
    lab_.reset();
    for (std::uint64_t stripe = 0; stripe < lab_.head.stripes; ++stripe) {
      std::vector<std::uint32_t> all;
      for (std::uint32_t at = 0; at < lab_.head.stripe_blocks(); ++at)
        if (at >= lab_.head.data_blocks || lab_.head.block_of(stripe, at) < lab_.head.blocks) all.push_back(at);
      std::shuffle(all.begin(), all.end(), lab_.random);
      for (std::uint32_t i = 0; i < lab_.head.parity_blocks; ++i) {
        if (all[i] < lab_.head.data_blocks) lab_.spoil_block(lab_.head.block_of(stripe, all[i]));
        else lab_.spoil_parity(stripe, all[i] - lab_.head.data_blocks);
      }
    }
    lab_.expect_repaired("scattered, round " + std::to_string(round));
  }
}

TEST_P(ParityRepair, OneBlockTooManyIsRefusedAndNothingIsTouched) {
  const std::uint32_t limit = lab_.head.parity_blocks;
  for (int round = 0; round < 6; ++round) {
    lab_.reset();
    const std::uint64_t stripe = lab_.random() % lab_.head.stripes;
    std::vector<std::uint32_t> all;
    for (std::uint32_t at = 0; at < lab_.head.data_blocks; ++at)
      if (lab_.head.block_of(stripe, at) < lab_.head.blocks) all.push_back(at);
    std::shuffle(all.begin(), all.end(), lab_.random);
    std::uint32_t spoilt = 0;
    for (const std::uint32_t at : all) {
      if (spoilt > limit) break;
      lab_.spoil_block(lab_.head.block_of(stripe, at));
      ++spoilt;
    }
    for (std::uint32_t p = 0; spoilt <= limit; ++p, ++spoilt) lab_.spoil_parity(stripe, p);
    const Files before = files_of(*lab_.place);
    const auto found = lab_.check();
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->repairable());
    EXPECT_EQ(found->worst, limit + 1);
    EXPECT_EQ(found->hopeless_stripes, 1U);
    const auto report = lab_.repair();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::corrupt);
    EXPECT_NE(report.error().message().find("salvage"), std::string::npos);
    EXPECT_EQ(files_of(*lab_.place), before);
  }
}

TEST_P(ParityRepair, ADamagedRecoveryFileIsMadeAnew) {
  const std::uint64_t size = lab_.head.file_bytes();
  for (int round = 0; round < 10; ++round) {
    lab_.reset();
    // Short enough to leave one copy of each table.
    const std::uint64_t length = 1 + lab_.random() % 3000;
    const std::uint64_t at = round == 0 ? 0 : round == 1 ? size - length : lab_.random() % (size - length);
    lab_.spoil("pc.tti.parity", at, length);
    const auto found = lab_.check(false);
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->file_sound());
    lab_.expect_repaired(std::to_string(length) + " bytes of the recovery file at " + std::to_string(at));
  }
}

TEST_P(ParityRepair, OneHeadIsEnough) {
  for (std::size_t kept = 0; kept < 3; ++kept) {
    lab_.reset();
    for (std::size_t i = 0; i < 3; ++i)
      if (i != kept) lab_.spoil("pc.tti.parity", lab_.head.heads_at()[i], lab_.head.head_bytes());
    lab_.spoil_row(0, 5000);
    lab_.expect_repaired("only head " + std::to_string(kept));
  }
  lab_.reset();
  for (const std::uint64_t at : lab_.head.heads_at()) lab_.spoil("pc.tti.parity", at, 1);
  const Files before = files_of(*lab_.place);
  const auto report = lab_.repair();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::corrupt);
  EXPECT_EQ(files_of(*lab_.place), before);
}

// Both copies of a table are lost: what it covers can be neither checked nor rebuilt, all else can.
TEST_P(ParityRepair, WithoutATableNothingIsGuessed) {
  const ParityGroup group = lab_.head.group(0);
  lab_.spoil("pc.tti.parity", lab_.head.table_at(group), 1);
  lab_.spoil("pc.tti.parity", lab_.head.second_table_at(group), 1);
  auto report = lab_.repair();
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->parity_rebuilt);
  EXPECT_FALSE(report->parity_left.empty());
  report = lab_.repair([]() -> Result<bool> { return false; });
  EXPECT_TRUE(report && !report->parity_rebuilt);
  report = lab_.repair([]() -> Result<bool> { return true; });
  EXPECT_TRUE(report && report->parity_rebuilt);
  lab_.expect_whole("rebuilt because the image is sound");
}

TEST_P(ParityRepair, PartsCutOffTooLongOrUnderTemporaryNames) {
  const std::uint32_t last = static_cast<std::uint32_t>(GetParam().parts.size() - 1);
  const std::string name = part_name("pc.tti", last);
  Bytes bytes = lab_.whole.at(name);
  bytes.resize(bytes.size() - 1);
  lab_.place->put(name, bytes);
  lab_.expect_repaired("cut off");
  bytes = lab_.whole.at(name);
  bytes.resize(bytes.size() + 10000);
  lab_.place->put(name, bytes);
  const auto found = lab_.check();
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->damaged_parts[last] && found->damaged_blocks == 0);
  lab_.expect_repaired("too long");
  if (last == 0) return;
  ASSERT_TRUE(lab_.place->rename(name, partial_name("pc.tti", last)));
  lab_.spoil("pc.tti", 0, 4096);  // so that no reader finishes the publishing
  lab_.expect_repaired("a damaged first part and a last one that has its temporary name");
}

INSTANTIATE_TEST_SUITE_P(Shapes, ParityRepair,
                         ::testing::Values(Shape{{4224}, 5}, Shape{{20000}, 5}, Shape{{300000}, 100}, Shape{{2 * kMiB + 17}, 10},
                                           Shape{{kMiB, kMiB - 5, kMiB, kMiB, kMiB, kMiB, 700001}, 20},
                                           Shape{{4 * kMiB, 5000}, 1}, Shape{{3 * kMiB + 1, 3 * kMiB}, 5}),
                         [](const auto& shape) {
                           return std::to_string(shape.index) + "of" + std::to_string(shape.param.parts.size()) + "parts" +
                                  std::to_string(shape.param.share) + "percent";
                         });

TEST(ParityParts, ALostPartComesBack) {
  ParityLab lab({kMiB, kMiB, kMiB, kMiB, kMiB, kMiB, 700001}, 20);
  for (std::uint32_t i = 0; i < 7; ++i) {
    lab.reset();
    ASSERT_TRUE(lab.place->remove(part_name("pc.tti", i)));
    lab.expect_repaired("without part " + std::to_string(i));
    // Or it is there, but that of another image.
    lab.reset();
    const ParityLab other({kMiB, kMiB}, 5, 2);
    lab.place->put(part_name("pc.tti", i), other.whole.at("pc.tti.1"));
    lab.expect_repaired("with a strange part " + std::to_string(i));
  }
  ASSERT_TRUE(lab.place->remove("pc.tti.1"));
  ASSERT_TRUE(lab.place->remove("pc.tti.3"));
  const Files before = files_of(*lab.place);
  EXPECT_FALSE(lab.repair());
  EXPECT_EQ(files_of(*lab.place), before);
}

TEST(ParityParts, ARecoveryFileOfAnotherImageIsIgnored) {
  ParityLab lab({kMiB, kMiB}, 5);
  const ParityLab other({kMiB, kMiB}, 5, 2);
  lab.place->put("pc.tti.parity", other.whole.at("pc.tti.parity"));
  const auto found = find_parity(*lab.place, "pc.tti");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, FoundParity::State::of_another_image);
  const Files before = files_of(*lab.place);
  const auto report = lab.repair();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::not_found);
  ASSERT_TRUE(lab.place->remove("pc.tti.parity"));
  EXPECT_EQ(lab.repair().error().code, ErrorCode::not_found);
  EXPECT_EQ(files_of(*lab.place).size(), before.size() - 1);
}

TEST(ParityParts, OneAtATime) {
  ParityLab lab({kMiB, kMiB}, 5);
  for (const std::string name : {"pc.tti", "pc.tti.partial", "pc.tti.parity"}) {
    lab.reset();
    if (name == "pc.tti.partial") lab.place->put(name, as_bytes("x"));
    const auto lock = lab.place->lock(name);
    ASSERT_TRUE(lock);
    const auto report = lab.repair();
    ASSERT_FALSE(report) << name;
    EXPECT_EQ(report.error().code, ErrorCode::busy) << name;
  }
}

// Damage everywhere, then the repair is cut off at each of its steps, by a kill or by the power: the files are never worse, and
// a second run ends the work.
class ParityCutOff : public ::testing::Test {
 protected:
  void SetUp() override {
    lab_.spoil_row(0, 3000);
    lab_.spoil("pc.tti.2", 100000, 20000);
    EXPECT_TRUE(lab_.place->remove("pc.tti.1"));
    lab_.spoil("pc.tti.parity", 0, 100);
    damaged_ = files_of(*lab_.place);
    ASSERT_TRUE(lab_.repair());
    lab_.expect_whole("not cut off");
    steps_ = lab_.place->operations();
  }
  void start(std::uint64_t stop_at, std::uint64_t fail_at = 0) {
    lab_.place = std::make_shared<MemoryPlace>();
    for (const auto& [name, bytes] : damaged_) lab_.place->put(name, bytes);
    lab_.place->faults.stop_at = stop_at;
    lab_.place->faults.fail_at = fail_at;
    (void)lab_.repair();
    lab_.place->faults = {};
  }
  // Each file is as it was or as it should be.
  void expect_not_worse(const MemoryPlace& place, const std::string& when) {
    for (const auto& [name, bytes] : lab_.whole) {
      const Bytes now = place.get(name);
      EXPECT_TRUE(now == bytes || (damaged_.contains(name) ? now == damaged_.at(name) : now.empty())) << when << ": " << name;
    }
  }

  ParityLab lab_{{300000, 100000, 400001, 300000, 300000}, 15};
  Files damaged_;
  std::uint64_t steps_ = 0;
};

TEST_F(ParityCutOff, ByAKillAtEveryStep) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    start(n);
    expect_not_worse(*lab_.place, "killed at step " + std::to_string(n));
    lab_.expect_repaired("after a kill at step " + std::to_string(n));
  }
}

TEST_F(ParityCutOff, ByAFailureAtEveryStep) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    start(0, n);
    expect_not_worse(*lab_.place, "failed at step " + std::to_string(n));
    lab_.expect_repaired("after a failure at step " + std::to_string(n));
  }
}

TEST_F(ParityCutOff, ByThePowerAtEveryStep) {
  for (std::uint64_t n = 1; n <= steps_; ++n) {
    start(n);
    const std::size_t changes = lab_.place->unsynced_changes();
    const std::shared_ptr<MemoryPlace> before = lab_.place;
    for (std::size_t k = 0; k <= changes; ++k)
      for (const bool first : {true, false}) {
        const std::string when = "power cut at step " + std::to_string(n) + ", change " + std::to_string(k);
        lab_.place = before->after_power_cut([&](std::size_t i) { return first ? i < k : i >= k; });
        expect_not_worse(*lab_.place, when);
        lab_.expect_repaired(when);
      }
  }
}

TEST_F(ParityCutOff, ByAFullPlaceItLeavesNothing) {
  for (std::uint64_t room = 0; room < 500000; room += 90001) {
    start(1);
    std::uint64_t used = 0;
    for (const auto& [name, bytes] : damaged_) used += bytes.size();
    lab_.place->faults.capacity_bytes = used + room;
    const auto report = lab_.repair();
    lab_.place->faults = {};
    if (!report) {
      EXPECT_EQ(report.error().code, ErrorCode::no_space);
      for (const std::string& name : lab_.place->names()) EXPECT_FALSE(name.ends_with(".repair")) << name;
    }
    expect_not_worse(*lab_.place, "room for " + std::to_string(room));
    lab_.expect_repaired("when there is room again");
  }
}

}  // namespace
}  // namespace tintype
