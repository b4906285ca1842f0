// SPDX-License-Identifier: GPL-3.0-or-later
// Real images, some damaged on purpose, against what dumpe2fs, debugreiserfs and blkid said of them.
#include <gtest/gtest.h>

#include <iostream>

#include "fs/probe.h"
#include "support/corpus.h"

namespace tintype::test {
namespace {

// What the map covers, or everything if damage shows up while it streams, as a backup would save it.
std::uint64_t saved_bytes(FileSystem& file_system, const Drive& drive) {
  Result<std::unique_ptr<ExtentStream>> stream = file_system.used_map();
  if (!stream) return drive.size_bytes();
  const Result<ExtentSet> map = collect(**stream);
  if (!map) return drive.size_bytes();
  EXPECT_EQ(map->end(), file_system.info().last_used_byte);
  EXPECT_LE(map->end(), drive.size_bytes());
  return map->total_bytes();
}

void check(const CorpusEntry& entry, Probe probe) {
  SCOPED_TRACE(entry.path + " " + entry.special);
  const Result<std::shared_ptr<Drive>> drive = load_corpus(entry);
  ASSERT_TRUE(drive) << drive.error().message();
  Result<std::unique_ptr<FileSystem>> found = probe(*drive);
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_TRUE(*found) << "not recognised";
  const FsInfo& info = (*found)->info();
  const std::string type = entry.type.substr(4);
  EXPECT_EQ(to_string(info.type), type == "jbd" ? std::string("unknown") : type);
  EXPECT_EQ(info.label, unescape_blkid(entry.fact("blkid.LABEL").value_or("")));
  EXPECT_EQ(info.serial, entry.fact("blkid.UUID").value_or(""));
  const std::uint64_t saved = saved_bytes(**found, **drive);
  if (!info.used_map_known) {
    EXPECT_FALSE(info.warning.empty());
    EXPECT_EQ(saved, (*drive)->size_bytes());
  }
  const auto blocks = entry.number("fs.blocks"), free = entry.number("fs.free"), block = entry.number("fs.bs");
  if (!blocks || !free || !block) return;
  const std::uint64_t used = (*blocks - *free) * *block;
  EXPECT_EQ(info.used_bytes, used);
  if (type != "jbd") {
    EXPECT_EQ(info.free_bytes, *free * *block);
  }
  if (*blocks * *block <= (*drive)->size_bytes()) {
    EXPECT_GE(saved, used) << "smaller than the truth";
  }
  const bool journal = entry.fact("fs.feat").value_or("").find("needs_recovery") != std::string::npos;
  const std::string state = entry.fact("fs.state").value_or("");
  if (type != "jbd") {
    EXPECT_EQ(info.state, !journal && (state == "clean" || state == "consistent") ? FsState::clean : FsState::dirty);
  }
  if (saved > used && info.used_map_known) std::cout << entry.path << ": " << saved - used << " bytes more than counted\n";
}

TEST(ExtCorpus, AgreesWithDumpe2fsAndBlkid) {
  if (!corpus_folder()) GTEST_SKIP() << "no corpus";
  for (const char* type : {"raw:ext2", "raw:ext3", "raw:ext4", "raw:jbd"})
    for (const CorpusEntry& entry : corpus_entries(type)) check(entry, probe_ext);
}

TEST(ReiserfsCorpus, AgreesWithDebugreiserfsAndBlkid) {
  if (!corpus_folder()) GTEST_SKIP() << "no corpus";
  for (const CorpusEntry& entry : corpus_entries("raw:reiserfs")) check(entry, probe_reiserfs);
}

}  // namespace
}  // namespace tintype::test
