// SPDX-License-Identifier: GPL-3.0-or-later
// Files of FAT without mounting, against mtools: names, times, contents (mcopy) and clusters (mshowfat).
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "drive/open.h"
#include "fs/fat/boot_sector.h"
#include "tree_support.h"
#include "support/scratch.h"

namespace tintype::test {
namespace {

namespace fs = std::filesystem;

struct Case {
  const char* name;
  const char* options;
  std::uint64_t mebibytes;
  int info_sector = 0;  // where FAT32's hints are
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

constexpr const char* kEnvironment = "export LC_ALL=C.UTF-8 TZ=UTC MTOOLS_SKIP_CHECK=1; ";

// Names of every kind; then files in many pieces, in the room that deleted ones leave.
constexpr const char* kPopulate = R"sh(
set -e
mkdir -p "$1/A folder with a long name/below/lower" $1/many $1/UPPER
echo text > $1/UPPER/README.TXT; echo text > $1/lower.txt; echo text > $1/Mixed.Txt; echo x > $1/lowext.TXT; echo y > $1/UP.low
for i in $(seq 1 150); do echo $i > "$1/many/a file whose name takes several entries $i.text"; done
head -c 100000 /dev/urandom > "$1/A folder with a long name/below/lower/data"
echo u > "$1/$(printf 'caf\303\251 \316\251 \320\226')"; echo e > "$1/$(printf '\360\237\230\200 smiles')"; : > $1/empty; echo dots > $1/.hidden.tar.gz
echo long > "$1/$(head -c 200 /dev/zero | tr '\0' n)"
find $1 -type f -exec touch -d '1999-12-31 23:59:58' {} +
touch -d '2099-12-31 10:20:30' $1/lower.txt; touch -d '1980-01-01 00:00:00' $1/empty
mcopy -i $2 -s -m -Q $1/* $1/.hidden.tar.gz ::
for i in $(seq 1 40); do head -c 30000 /dev/urandom > $3/part; mcopy -i $2 $3/part ::/part$i; done
for i in $(seq 1 2 40); do mdel -i $2 ::/part$i; done
[ $4 = 0 ] || printf '\377\377\377\377' | dd of=$2 bs=1 seek=$(($4 + 492)) conv=notrunc status=none  # no hint where to go on
head -c 550000 /dev/urandom > $3/pieces; mcopy -i $2 -m $3/pieces "::/In many pieces"
)sh";

class FatTree : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!have_program("mkfs.fat") || !have_program("mcopy") || !have_program("mshowfat")) GTEST_SKIP() << "needs dosfstools and mtools";
    std::string name = (fs::temp_directory_path() / "tintype-fat-XXXXXX").string();
    scratch_ = ::mkdtemp(name.data());
    fs::create_directories(scratch_ / "source");
    fs::create_directories(scratch_ / "judge");
    ASSERT_EQ(run("truncate -s " + std::to_string(GetParam().mebibytes) + "M " + shell_word(image())).status, 0);
    const CommandOutcome made = run(std::string("mkfs.fat ") + GetParam().options + " -n LABEL " + shell_word(image()));
    ASSERT_EQ(made.status, 0) << made.output;
    const CommandOutcome filled = run(std::string(kEnvironment) + "bash -c " + shell_word(kPopulate) + " x " + shell_word(scratch_ / "source") +
                                      " " + shell_word(image()) + " " + shell_word(scratch_) + " " + std::to_string(GetParam().info_sector));
    ASSERT_EQ(filled.status, 0) << filled.output;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!scratch_.empty()) fs::remove_all(scratch_, ignored);
  }
  fs::path image() const { return scratch_ / "image"; }
  fs::path scratch_;
};

TEST_P(FatTree, HoldsWhatMcopyTakesOut) {
  const CommandOutcome out = run(std::string(kEnvironment) + "mcopy -s -m -n -i " + shell_word(image()) + " '::/*' ::/.hidden.tar.gz " + shell_word(scratch_ / "judge"));
  ASSERT_EQ(out.status, 0) << out.output;
  const auto tree = open_tree(image());
  ASSERT_TRUE(tree) << tree.error().message();
  Compared compared;
  compared.modes = compared.accessed = compared.created = compared.folder_times = false;
  EXPECT_EQ(differences(**tree, scratch_ / "judge", compared), "");
  EXPECT_TRUE(fs::exists(scratch_ / "judge/In many pieces"));
  const auto found = find_node(**tree, "\\a FOLDER with a long name\\BELOW");
  EXPECT_TRUE(found) << found.error().message();
  EXPECT_TRUE(find_node(**tree, "/CAF\xC3\x89 \xCF\x89 \xD0\xB6"));
}

TEST_P(FatTree, OwnersAreThoseThatMshowfatNames) {
  const auto drive = open_drive(image().string());
  ASSERT_TRUE(drive);
  std::array<std::byte, 512> sector{};
  ASSERT_TRUE((*drive)->read(0, sector));
  const auto g = fat::parse_boot_sector(sector);
  ASSERT_TRUE(g);
  const auto tree = open_file_tree(*drive);
  ASSERT_TRUE(tree) << tree.error().message();
  int checked = 0;
  for (const std::string path : {"/In many pieces", "/part2", "/A folder with a long name/below/lower/data", "/UPPER/README.TXT"}) {
    const std::string shown = run(std::string(kEnvironment) + "mshowfat -i " + shell_word(image()) + " " + shell_word("::" + path)).output;
    const std::regex range("<(\\d+)(?:-(\\d+))?>");
    for (std::sregex_iterator at(shown.begin(), shown.end(), range), end; at != end; ++at) {
      const std::uint64_t first = std::stoull((*at)[1]), last = (*at)[2].matched ? std::stoull((*at)[2]) : first;
      const Extent bytes{g->data_offset + (first - 2) * g->cluster_bytes, (last + 1 - first) * g->cluster_bytes};
      EXPECT_EQ(owner_of(**tree, bytes), "file: " + path) << shown;
      ++checked;
    }
  }
  EXPECT_GE(checked, 10);
  EXPECT_EQ(owner_of(**tree, {0, 1}), "structure: the boot sector");
  EXPECT_EQ(owner_of(**tree, {g->fat_offset + 5, 1}), "structure: the FAT");
  EXPECT_EQ(owner_of(**tree, {g->offset_of_copy(1) + 5, 1}), "structure: copy 2 of the FAT");
  const std::uint64_t last = g->data_offset + std::uint64_t{g->cluster_count - 1} * g->cluster_bytes;
  EXPECT_EQ(owner_of(**tree, {last, 10}), "free: free space");
  const std::uint64_t root = g->type == FsType::fat32 ? g->data_offset : g->root_offset;
  EXPECT_EQ(owner_of(**tree, {root, 10}), "folder: /");
}

INSTANTIATE_TEST_SUITE_P(Kinds, FatTree,
                         testing::Values(Case{"fat12", "-F 12 -s 8", 12}, Case{"fat16", "-F 16 -s 4", 32}, Case{"fat32", "-F 32 -s 1", 64, 512},
                                         Case{"fat32_4k_sectors", "-F 32 -S 4096 -s 1", 300, 4096}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace tintype::test
