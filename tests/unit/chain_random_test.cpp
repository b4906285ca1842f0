// SPDX-License-Identifier: GPL-3.0-or-later
// Chains as chance makes them: changes, data that a file system moves, moved and grown partitions, every kind of image on every kind of base, consolidations, deletions;
// and whatever is left gives back what the drive held when it was made. A step that fails prints the seed and what was done so far.
// TINTYPE_RANDOM_CHAINS=N runs N more seeds, TINTYPE_RANDOM_CHAIN_FROM=S begins them at S.
#include <fmt/format.h>

#include <cstdlib>

#include "chain_fixture.h"
#include "support/fat_image.h"

namespace tintype::test {
namespace {

constexpr std::uint64_t kDriveBytes = 12 * kMiB;
constexpr std::uint32_t kClusters = 1000;  // of 4 KiB, of the first partition

class RandomChains {
 public:
  explicit RandomChains(std::uint64_t seed, bool may_encrypt) : lab_(seed, kDriveBytes), may_encrypt_(may_encrypt) {
    lab_.password = "geheim";
    const Partition first = read_layout(*lab_.drive)->partitions[0];
    fat_start_ = first.start_sector * 512;
    EXPECT_TRUE(lab_.drive->zero(fat_start_, first.sector_count * 512));
    for (int i = 0; i < 20; ++i) change_files();
  }

  void run(int steps) {
    save("");
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    for (const auto& [name, image] : images_) EXPECT_TRUE(lab_.gives(name, image.truth)) << name;
  }
  std::string story() const { return story_; }
  std::size_t taken() const { return taken_; }  // chunks that took data from others

 private:
  struct Image {
    Bytes truth;
    bool encrypted = false;
    std::vector<std::string> builds_on;  // oldest first
  };
  using Entry = std::map<std::string, Image>::value_type;

  void step() {
    switch (lab_.number(12)) {
      case 0: rearrange(); break;
      case 1: save(""); break;
      case 2: save(pick([](const Entry& entry) { return entry.second.builds_on.empty(); })); break;
      case 3: case 4: case 5: case 6: save(pick([](const Entry&) { return true; })); break;
      case 7: case 8: consolidate(); break;
      case 9: remove(); break;
      case 10: check(); break;
      default: break;
    }
    change();
  }

  // Bytes of the first track, behind its table, and of the second partition.
  std::vector<Extent> places() {
    const Partition last = read_layout(*lab_.drive)->partitions[1];
    return {{4096, 512 * 1024}, {last.start_sector * 512, last.sector_count * 512}};
  }

  // Clusters of the file system in the first partition come, go, move or change. Those that are not in use are zero: restores leave them.
  void change_files() {
    const std::uint64_t what = lab_.number(6);
    const auto count = static_cast<std::uint32_t>(1 + lab_.number(lab_.number(3) == 0 ? 200 : 20));
    const auto first = static_cast<std::uint32_t>(2 + lab_.number(kClusters - count)), to = static_cast<std::uint32_t>(2 + lab_.number(kClusters - count));
    Bytes data(4096);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t cluster = first + i, target = to + i;
      const std::uint64_t at = fat_start_ + fat_.extent_of(cluster).start;
      if (what < 2 && !used_[cluster]) {
        lab_.scribble(at, 4096);
        use(cluster, true);
      } else if (what == 2 && used_[cluster]) {
        EXPECT_TRUE(lab_.drive->zero(at, 4096));
        use(cluster, false);
      } else if (what == 3 && used_[cluster] && i == 0) {
        lab_.scribble(at + lab_.number(4000), 90);
      } else if (what > 3 && used_[cluster] && !used_[target]) {
        EXPECT_TRUE(lab_.drive->read(at, data));
        EXPECT_TRUE(lab_.drive->zero(at, 4096));
        EXPECT_TRUE(lab_.drive->write(fat_start_ + fat_.extent_of(target).start, data));
        use(cluster, false);
        use(target, true);
      }
    }
    EXPECT_TRUE(lab_.drive->write(fat_start_, fat_.bytes()));
  }
  void use(std::uint32_t cluster, bool used) {
    used_[cluster] = used;
    fat_.set_entry(cluster, used ? fat_.end_mark() : 0);
  }

  void change() {
    for (std::uint64_t i = lab_.number(4); i-- > 0;) change_files();
    const std::vector<Extent> all = places();
    for (std::uint64_t i = lab_.number(4); i-- > 0;) {
      const Extent& place = all[static_cast<std::size_t>(lab_.number(all.size()))];
      const std::uint64_t most = lab_.number(3) == 0 ? kMiB : 6000;
      const std::uint64_t at = lab_.number(place.length);
      const std::uint64_t length = std::min(1 + lab_.number(most), place.length - at);
      if (lab_.number(8) == 0)
        EXPECT_TRUE(lab_.drive->write(place.start + at, Bytes(static_cast<std::size_t>(length))));
      else
        lab_.scribble(place.start + at, length);
    }
  }

  // The last partition gets another start and another length, as far as there is room.
  void rearrange() {
    const Layout layout = *read_layout(*lab_.drive);
    const Partition& first = layout.partitions[0];
    const Partition& last = layout.partitions[1];
    const std::uint64_t free = (first.start_sector + first.sector_count) * 512;
    const std::uint64_t start = free + lab_.number(4) * 64 * 1024;
    const std::uint64_t length = round_down(4 * kMiB + lab_.number(kDriveBytes - start - 4 * kMiB), 4096);
    Bytes data(static_cast<std::size_t>(std::min(length, last.sector_count * 512)));
    EXPECT_TRUE(lab_.drive->read(last.start_sector * 512, data));
    EXPECT_TRUE(lab_.drive->write(free, Bytes(static_cast<std::size_t>(kDriveBytes - free))));
    EXPECT_TRUE(lab_.drive->write(start, data));
    std::array<std::byte, 8> entry{};
    store_le(entry, 0, static_cast<std::uint32_t>(start / 512));
    store_le(entry, 4, static_cast<std::uint32_t>(length / 512));
    EXPECT_TRUE(lab_.drive->write(446 + 16 + 8, entry));
    tell("partition 2 now has {} bytes at {}", length, start);
  }

  static std::uint64_t round_down(std::uint64_t value, std::uint64_t unit) { return value / unit * unit; }

  template <class Wanted>
  std::string pick(const Wanted& wanted) {
    std::vector<std::string> names;
    for (const Entry& entry : images_)
      if (wanted(entry)) names.push_back(entry.first);
    return names.empty() ? "" : names[static_cast<std::size_t>(lab_.number(names.size()))];
  }

  std::string new_name() { return fmt::format("i{}.tti", ++count_); }

  void save(const std::string& base) {
    const std::string name = new_name();
    BackupRequest r = lab_.request(name);
    const bool inherits = !base.empty() && images_[base].encrypted;
    const bool encrypt = inherits || (may_encrypt_ && lab_.number(4) == 0);
    r.encrypt = encrypt;
    if (!encrypt) r.password.reset();
    r.compression = lab_.number(4) == 0 ? 0 : 1;
    r.max_part_bytes = lab_.number(4) == 0 ? kMiB : 0;
    r.multi_pass = !base.empty() && lab_.number(5) == 0;
    Image image{lab_.content(), encrypt, {}};
    if (!base.empty()) {
      const auto opened = lab_.open(base);
      ASSERT_TRUE(opened) << opened.error().message();
      r.base = BackupBase{*opened, base, ""};
      image.builds_on = images_[base].builds_on;
      image.builds_on.push_back(base);
    }
    const auto report = lab_.run(r);
    tell("{} saved on \"{}\"{}", name, base, encrypt ? ", encrypted" : "");
    ASSERT_TRUE(report) << report.error().message();
    images_[name] = std::move(image);
    count_taken(name);
  }

  void count_taken(const std::string& name) {
    const auto image = lab_.open(name);
    ASSERT_TRUE(image);
    const std::vector<Area>& areas = (*image)->catalog().areas;
    const auto area = static_cast<std::size_t>(std::ranges::find(areas, fat_start_, &Area::start_byte) - areas.begin());
    const auto page = (*image)->page(area, 0);
    ASSERT_TRUE(page && *page);
    for (const ChunkEntry& entry : (*page)->entries) taken_ += entry.moved.empty() ? 0 : 1;
  }

  void consolidate() {
    const std::string from = pick([](const Entry&) { return true; });
    if (from.empty()) return;
    const Image& old = images_[from];
    const std::string name = new_name();
    const auto base = static_cast<std::uint32_t>(lab_.number(old.builds_on.size() + 1));
    const bool replace = lab_.number(3) == 0;
    lab_.max_part_bytes = lab_.number(4) == 0 ? kMiB : 0;
    const auto report = lab_.consolidate(from, name, base, replace);
    tell("{} made of {} after link {}{}", name, from, base, replace ? ", replacing" : "");
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->images, old.builds_on.size() - base + 1);
    Image merged{old.truth, old.encrypted, {old.builds_on.begin(), old.builds_on.begin() + base}};
    images_[name] = std::move(merged);
    for (const std::string& gone : report->removed) {
      tell("{} is gone", gone);
      images_.erase(gone);
    }
    EXPECT_EQ(replace, report->removed.size() + report->kept.size() == report->images);
    EXPECT_TRUE(lab_.gives(name, images_[name].truth));
  }

  void remove() {
    const std::string name = pick([this](const Entry& entry) { return images_.size() > 3 && !is_needed(entry.first); });
    if (name.empty()) return;
    tell("{} deleted", name);
    for (const std::string& file : lab_.place->names())
      if (file.starts_with(name)) {
        EXPECT_TRUE(lab_.place->remove(file));
      }
    images_.erase(name);
  }

  bool is_needed(const std::string& name) const {
    return std::ranges::any_of(images_, [&](const Entry& other) {
      const std::vector<std::string>& links = other.second.builds_on;
      return std::ranges::find(links, name) != links.end();
    });
  }

  void check() {
    const std::string name = pick([](const Entry&) { return true; });
    if (!name.empty()) {
      EXPECT_TRUE(lab_.gives(name, images_[name].truth)) << name;
    }
  }

  template <class... Words>
  void tell(fmt::format_string<Words...> text, Words&&... words) {
    story_ += fmt::format(text, std::forward<Words>(words)...) + "\n";
  }

  ChainLab lab_;
  bool may_encrypt_;
  FatImage fat_{{.bits = 12, .clusters = kClusters, .cluster_sectors = 8, .with_data = false}};
  std::uint64_t fat_start_ = 0;
  std::vector<bool> used_ = std::vector<bool>(kClusters + 2);
  std::size_t taken_ = 0;
  std::map<std::string, Image> images_;
  unsigned count_ = 0;
  std::string story_;
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Deriving keys takes most of the time of an encrypted chain: fewer steps there.
void run_seed(std::uint64_t seed) {
  const bool may_encrypt = seed % 4 == 0;
  RandomChains chains(seed, may_encrypt);
  chains.run(may_encrypt ? 25 : 60);
  EXPECT_GT(chains.taken(), 0U);
  if (::testing::Test::HasFailure()) GTEST_FAIL() << "seed " << seed << "\n" << chains.story();
}

class RandomChainsTest : public ::testing::TestWithParam<std::uint64_t> {};
TEST_P(RandomChainsTest, GiveBackWhatTheyWereMadeOf) { run_seed(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Seeds, RandomChainsTest, ::testing::Range<std::uint64_t>(1, 9));

TEST(RandomChains, MoreIfAsked) {
  const std::uint64_t first = from_environment("TINTYPE_RANDOM_CHAIN_FROM", 1000);
  const std::uint64_t count = from_environment("TINTYPE_RANDOM_CHAINS", 0);
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) run_seed(seed);
}

}  // namespace
}  // namespace tintype::test
