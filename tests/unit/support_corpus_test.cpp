// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "support/corpus.h"

namespace tintype::test {
namespace {

TEST(Corpus, UnpacksAnImageAsItsManifestSays) {
  const auto entries = corpus_entries("raw:fat12");
  if (entries.empty()) GTEST_SKIP() << "no corpus folder (set TINTYPE_CORPUS)";
  const CorpusEntry& entry = entries.front();
  EXPECT_EQ(entry.number("fs.fat_bits"), 12U);
  const auto drive = load_corpus(entry);
  ASSERT_TRUE(drive) << drive.error().message();
  EXPECT_EQ((*drive)->size_bytes(), entry.unpacked_bytes);
  std::array<std::byte, 3> jump{};
  ASSERT_TRUE((*drive)->read(0, jump));
  EXPECT_EQ(u8(jump, 0), 0xEB);
}

TEST(Corpus, UnescapesBlkid) {
  EXPECT_EQ(unescape_blkid("M-PM-^]M-PM-\\>\\ a"), "\xD0\x9D\xD0\xBE a");
}

TEST(Scratch, WipesAllButTheKeptBytes) {
  auto file = ScratchFile::make(0);
  ASSERT_TRUE(file);
  ASSERT_EQ(run("head -c 200000 /dev/zero | tr '\\0' x > " + shell_word(file->path())).status, 0);
  ASSERT_TRUE(wipe_all_but(file->path(), ExtentSet({{10, 5}, {150000, 1}})));
  const auto drive = load_drive(file->path());
  ASSERT_TRUE(drive);
  Bytes all((*drive)->size_bytes());
  ASSERT_TRUE((*drive)->read(0, all));
  EXPECT_EQ(std::count(all.begin(), all.end(), std::byte{'x'}), 6);
  EXPECT_EQ(u8(all, 10), 'x');
  EXPECT_EQ(u8(all, 15), 0);
}

}  // namespace
}  // namespace tintype::test
