// SPDX-License-Identifier: GPL-3.0-or-later
// The strongest test of a used map: wipe every byte outside it, and fsck and the files must not notice.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <regex>

#include "fs/filesystem.h"
#include "support/corpus.h"
#include "support/exfat_image.h"
#include "support/scratch.h"

namespace tintype::test {
namespace {

struct Variant {
  const char* mkfs;  // options
  std::uint64_t size_bytes;
  FsType type;
};
constexpr std::uint64_t kMiB = 1U << 20;
const Variant kFatVariants[] = {
    {"-F 12 -s 1", 1474560, FsType::fat12},          {"-F 12 -s 8", 8 * kMiB, FsType::fat12},
    {"-F 16 -s 1", 16 * kMiB, FsType::fat16},        {"-F 16 -s 4 -f 1", 64 * kMiB + 512 * 7, FsType::fat16},
    {"-F 32 -s 1", 40 * kMiB, FsType::fat32},        {"-F 32 -s 8", 300 * kMiB, FsType::fat32},
    {"-F 32 -s 1 -S 4096", 300 * kMiB, FsType::fat32}, {"-F 32 -s 2 -R 64", 150 * kMiB, FsType::fat32},
};

ExtentSet map_of(const std::filesystem::path& file, FsInfo& info) {
  const auto fs = open_file_system(load_drive(file).value());
  EXPECT_TRUE(fs);
  if (!fs) return {};
  info = (*fs)->info();
  auto stream = (*fs)->used_map();
  EXPECT_TRUE(stream);
  return stream ? collect(**stream).value() : ExtentSet{};
}

// Files of many sizes, every second one deleted again, then larger ones into the gaps: fragmented, and nearly full.
std::string fill(const std::string& image) {
  return fmt::format(
      "set -e; d=$(mktemp -d); trap 'rm -rf $d' EXIT; export MTOOLS_SKIP_CHECK=1\n"
      "for i in $(seq 1 40); do head -c $((i * 377)) /dev/urandom > $d/f$i; done; mmd -i {0} ::/sub\n"
      "mcopy -i {0} $d/f* ::/sub; for i in $(seq 1 2 40); do mdel -i {0} ::/sub/f$i; done\n"
      "head -c 180000 /dev/urandom > $d/big; mcopy -i {0} $d/big ::/BIG; mmd -i {0} '::/sub/a longer name'\n"
      "mcopy -i {0} $d/f7 '::/sub/a longer name/kept'; head -c 90000 /dev/urandom > $d/gone; mcopy -i {0} $d/gone ::/GONE\n"
      "mdel -i {0} ::/GONE",
      image);
}

std::string digest(const std::string& image) {
  return run(fmt::format("d=$(mktemp -d); MTOOLS_SKIP_CHECK=1 mcopy -s -n -i {} ::/ $d && (cd $d && find . -type f | sort | "
                         "xargs -d '\\n' sha256sum); rm -rf $d", image)).output;
}

TEST(WipeUnused, FatSurvives) {
  for (const char* tool : {"mkfs.fat", "fsck.fat", "mcopy"})
    if (!have_program(tool)) GTEST_SKIP() << tool << " is missing";
  for (const Variant& variant : kFatVariants) {
    SCOPED_TRACE(variant.mkfs);
    const auto file = ScratchFile::make(variant.size_bytes);
    ASSERT_TRUE(file);
    const std::string image = shell_word(file->path());
    ASSERT_EQ(run(fmt::format("mkfs.fat {} -n WIPED -i 1234abcd {}", variant.mkfs, image)).status, 0);
    const CommandOutcome filled = run(fill(image));
    ASSERT_EQ(filled.status, 0) << filled.output;
    const std::string before = digest(image);
    FsInfo info;
    const ExtentSet used = map_of(file->path(), info);
    EXPECT_EQ(info.type, variant.type);
    EXPECT_EQ(info.label, "WIPED");
    EXPECT_EQ(info.serial, "1234-ABCD");
    EXPECT_EQ(info.state, FsState::clean);
    EXPECT_TRUE(info.used_map_known) << info.warning;
    EXPECT_LT(used.total_bytes(), variant.size_bytes / 10 * 9);
    ASSERT_TRUE(wipe_all_but(file->path(), used));
    const CommandOutcome check = run("fsck.fat -n -v " + image);
    EXPECT_EQ(check.status, 0) << check.output;
    std::smatch counts;
    ASSERT_TRUE(std::regex_search(check.output, counts, std::regex("(\\d+)/(\\d+) clusters"))) << check.output;
    EXPECT_EQ(info.used_bytes / info.cluster_bytes, std::stoull(counts[1]));
    EXPECT_EQ((info.used_bytes + info.free_bytes) / info.cluster_bytes, std::stoull(counts[2]));
    EXPECT_GT(before.size(), 1000U);
    EXPECT_EQ(digest(image), before);
  }
}

TEST(WipeUnused, FatLeavesOutThePageFileOnly) {
  for (const char* tool : {"mkfs.fat", "fsck.fat", "mcopy"})
    if (!have_program(tool)) GTEST_SKIP() << tool << " is missing";
  const auto file = ScratchFile::make(40 * kMiB);
  ASSERT_TRUE(file);
  const std::string image = shell_word(file->path());
  const CommandOutcome made = run(fmt::format(
      "set -e; mkfs.fat -F 32 -s 1 {0}; d=$(mktemp -d); trap 'rm -rf $d' EXIT; export MTOOLS_SKIP_CHECK=1\n"
      "head -c 300000 /dev/urandom > $d/pagefile.sys; (printf hibr; head -c 99999 /dev/urandom) > $d/hiberfil.sys\n"
      "mcopy -i {0} $d/pagefile.sys $d/hiberfil.sys ::/; mmd -i {0} ::/SUB; mcopy -i {0} $d/pagefile.sys ::/SUB", image));
  ASSERT_EQ(made.status, 0) << made.output;
  const auto fs = open_file_system(load_drive(file->path()).value());
  ASSERT_TRUE(fs);
  EXPECT_EQ((*fs)->info().state, FsState::hibernated);
  const auto files = (*fs)->left_out_files();
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[0].path, "/pagefile.sys");
  EXPECT_EQ((*files)[0].extents.total_bytes(), round_up(300000, 512));
  EXPECT_EQ((*files)[1].kind, LeftOutFile::Kind::hibernation);
  EXPECT_EQ((*files)[1].extents.total_bytes(), round_up(100003, 512));
  FsInfo info;
  ExtentSet kept = map_of(file->path(), info);
  for (const LeftOutFile& out : *files)
    for (const Extent& extent : out.extents.items()) kept.remove(extent);
  const std::string before = run("MTOOLS_SKIP_CHECK=1 mtype -i " + image + " ::/SUB/pagefile.sys | sha256sum").output;
  ASSERT_TRUE(wipe_all_but(file->path(), kept));
  EXPECT_EQ(run("fsck.fat -n " + image).status, 0);
  EXPECT_EQ(run("MTOOLS_SKIP_CHECK=1 mtype -i " + image + " ::/SUB/pagefile.sys | sha256sum").output, before);
  EXPECT_EQ(run("MTOOLS_SKIP_CHECK=1 mtype -i " + image + " ::/pagefile.sys | tr -d '\\0' | wc -c").output, "0\n");
}

TEST(WipeUnused, FreshExfatSurvives) {
  for (const char* tool : {"mkfs.exfat", "fsck.exfat", "dump.exfat"})
    if (!have_program(tool)) GTEST_SKIP() << tool << " is missing";
  for (const char* options : {"", "-c 512", "-c 128K", "-b 4M"}) {
    SCOPED_TRACE(options);
    const auto file = ScratchFile::make(100 * kMiB);
    ASSERT_TRUE(file);
    const std::string image = shell_word(file->path());
    ASSERT_EQ(run(fmt::format("mkfs.exfat {} -L wiped {}", options, image)).status, 0);
    FsInfo info;
    const ExtentSet used = map_of(file->path(), info);
    EXPECT_EQ(info.type, FsType::exfat);
    EXPECT_EQ(info.label, "wiped");
    EXPECT_TRUE(info.used_map_known) << info.warning;
    ASSERT_TRUE(wipe_all_but(file->path(), used));
    const CommandOutcome check = run("fsck.exfat -n " + image);
    EXPECT_EQ(check.status, 0) << check.output;
    const CommandOutcome dump = run("dump.exfat " + image);
    std::smatch free;
    ASSERT_TRUE(std::regex_search(dump.output, free, std::regex("Free Clusters:\\s+(\\d+)")));
    EXPECT_EQ(info.free_bytes / info.cluster_bytes, std::stoull(free[1]));
  }
}

// Files by hand: no mkfs fills exFAT, and not every kernel mounts it. fsck.exfat walks folders and chains but reads no
// data, so the data is compared here.
TEST(WipeUnused, ExfatWithFilesSurvives) {
  if (!have_program("fsck.exfat")) GTEST_SKIP() << "fsck.exfat is missing";
  ExfatImage built;
  const std::uint32_t first = built.first_free_cluster();
  built.add_file("contiguous.bin", 5 * ExfatImage::kClusterBytes, {first, first + 1, first + 2, first + 3, first + 4}, 'a');
  built.add_file("a fragmented file with a long name.bin", 9000, {400, 30, 200}, 'b');
  built.add_file("small", 1, {31}, 'c');
  built.add_file("empty", 0, {}, 'd');
  built.finish();
  Bytes& bytes = built.bytes();
  for (const std::uint32_t free : {first + 5, 29U, 32U, 401U})
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(built.extent_of(free).start), ExfatImage::kClusterBytes, std::byte{0xDB});
  const auto file = ScratchFile::make(bytes.size());
  ASSERT_TRUE(file);
  {
    std::ofstream out(file->path(), std::ios::binary);
    out.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
  }
  const std::string check = "fsck.exfat -n " + shell_word(file->path());
  const CommandOutcome before = run(check);
  ASSERT_EQ(before.status, 0) << before.output;
  EXPECT_THAT(before.output, ::testing::HasSubstr("files 4")) << "the judge must have seen the files";
  FsInfo info;
  const ExtentSet used = map_of(file->path(), info);
  EXPECT_TRUE(info.used_map_known) << info.warning;
  ASSERT_TRUE(wipe_all_but(file->path(), used));
  const CommandOutcome after = run(check);
  EXPECT_EQ(after.status, 0) << after.output;
  const auto wiped = load_drive(file->path()).value();
  const auto all_are = [&](std::uint32_t cluster, std::size_t count, char fill) {
    Bytes data(count);
    EXPECT_TRUE(wiped->read(built.extent_of(cluster).start, data));
    return std::all_of(data.begin(), data.end(), [fill](std::byte b) { return b == static_cast<std::byte>(fill); });
  };
  for (std::uint32_t i = 0; i < 5; ++i) EXPECT_TRUE(all_are(first + i, ExfatImage::kClusterBytes, 'a'));
  for (const std::uint32_t cluster : {400U, 30U}) EXPECT_TRUE(all_are(cluster, ExfatImage::kClusterBytes, 'b'));
  EXPECT_TRUE(all_are(200, 9000 - 2 * ExfatImage::kClusterBytes, 'b'));
  EXPECT_TRUE(all_are(31, 1, 'c'));
  EXPECT_TRUE(all_are(401, ExfatImage::kClusterBytes, 0)) << "nothing was wiped";
}

TEST(WipeUnused, ExfatOfOthersSurvives) {
  if (!have_program("fsck.exfat")) GTEST_SKIP() << "fsck.exfat is missing";
  const auto entries = corpus_entries("raw:exfat");
  if (entries.empty()) GTEST_SKIP() << "no corpus folder (set TINTYPE_CORPUS)";
  int judged = 0;
  for (const CorpusEntry& entry : entries) {
    SCOPED_TRACE(entry.path);
    const auto file = unpack(entry);
    ASSERT_TRUE(file);
    const std::string check = "fsck.exfat -n " + shell_word(file->path());
    const CommandOutcome before = run(check);
    if (before.status != 0) continue;
    FsInfo info;
    const ExtentSet used = map_of(file->path(), info);
    ASSERT_TRUE(wipe_all_but(file->path(), used));
    const CommandOutcome after = run(check);
    EXPECT_EQ(after.status, 0) << after.output;
    judged += info.used_map_known ? 1 : 0;
  }
  EXPECT_GE(judged, 3);
}

TEST(WipeUnused, SwapSurvives) {
  if (!have_program("mkswap") || !have_program("blkid")) GTEST_SKIP() << "mkswap or blkid is missing";
  for (const char* page : {"4096", "16384", "65536"}) {
    SCOPED_TRACE(page);
    const auto file = ScratchFile::make(20 * kMiB);
    ASSERT_TRUE(file);
    const std::string image = shell_word(file->path());
    ASSERT_EQ(run(fmt::format("mkswap -p {} -L wiped {}", page, image)).status, 0);
    FsInfo info;
    const ExtentSet used = map_of(file->path(), info);
    EXPECT_EQ(used.items(), (std::vector<Extent>{{0, std::stoull(page)}}));
    EXPECT_EQ(info.label, "wiped");
    ASSERT_TRUE(wipe_all_but(file->path(), used));
    EXPECT_EQ(run("blkid -p -o value -s UUID " + image).output, info.serial + "\n");
    ASSERT_EQ(run(fmt::format("printf 'S1SUSPEND\\0' | dd of={} bs=1 seek=$(({} - 10)) conv=notrunc", image, page)).status, 0);
    EXPECT_EQ(map_of(file->path(), info).total_bytes(), 20 * kMiB);
    EXPECT_EQ(info.state, FsState::hibernated);
  }
}

}  // namespace
}  // namespace tintype::test
