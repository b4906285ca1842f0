// SPDX-License-Identifier: GPL-3.0-or-later
// The partition lists of real images against what sfdisk and another reader said about them.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "layout_fixture.h"
#include "support/corpus.h"

namespace tintype {
namespace {
using namespace test;

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);) parts.push_back(part);
  return parts;
}

std::vector<std::string> from_sfdisk(const std::string& facts) {
  auto parts = split(facts, ',');
  std::erase_if(parts, [](const std::string& part) { return part.find("+0:") != std::string::npos; });
  std::ranges::sort(parts);
  return parts;
}

std::vector<std::string> ours(const Layout& layout) {
  std::vector<std::string> parts;
  for (const Partition& p : layout.partitions)
    parts.push_back(fmt::format("{}+{}:{}{}", p.start_sector, p.sector_count,
                                p.type_guid ? guid_to_string(*p.type_guid) : fmt::format("{:x}", p.mbr_type),
                                p.active && !p.type_guid ? "*" : ""));
  std::ranges::sort(parts);
  return parts;
}

bool is_table_row(const CorpusEntry& entry) {
  for (const char* const table : {"mbr", "gpt"})
    if (entry.type.find(table) != std::string::npos) return true;
  return false;
}

TEST(LayoutCorpus, PartitionsAreAsRecorded) {
  const auto entries = corpus_entries("raw:");
  if (entries.empty()) GTEST_SKIP() << "no corpus of real images here";
  int compared = 0;
  for (const CorpusEntry& entry : entries) {
    if (!is_table_row(entry) || entry.unpacked_bytes > 300'000'000) continue;
    SCOPED_TRACE(entry.path);
    const auto drive = load_corpus(entry);
    ASSERT_TRUE(drive) << drive.error().message();
    const std::uint32_t sector_bytes = detect_sector_bytes(**drive);
    EXPECT_EQ(sector_bytes, entry.number("ptable.gpt_sector").value_or(512));
    const auto layout = read_layout(**drive, sector_bytes);
    ASSERT_TRUE(layout) << layout.error().message();
    ++compared;
    if (const auto own = entry.fact("ptable.gpt_own.primary.parts")) {
      std::string text;
      for (const Partition& p : layout->partitions) {
        if (!p.type_guid) continue;
        text += text.empty() ? "" : ",";
        text += fmt::format("#{}:{}-{}", p.id, p.start_sector, p.end_sector() - 1);
      }
      std::string wanted;
      for (const std::string& part : split(*own, ','))
        wanted += (wanted.empty() ? "" : ",") + split(part, ':')[0] + ":" + split(part, ':')[1];
      EXPECT_EQ(text, wanted);
    } else if (const auto parts = entry.fact("ptable.parts")) {
      EXPECT_EQ(layout->kind, TableKind::mbr);
      EXPECT_EQ(ours(*layout), from_sfdisk(*parts)) << problems(*layout);
    }
    const auto id = entry.fact("ptable.pt_id");
    if (id && entry.fact("ptable.pt") == "gpt") {
      EXPECT_EQ(layout->signature_text(), *id);
    }
    if (layout->kind == TableKind::mbr) {
      EXPECT_EQ(layout->mbr_signature, entry.number("ptable.pt_id"));
    }
  }
  EXPECT_GT(compared, 15);
}

TEST(LayoutCorpus, FileSystemsAreNoTables) {
  const auto entries = corpus_entries("raw:");
  if (entries.empty()) GTEST_SKIP() << "no corpus of real images here";
  int compared = 0;
  for (const CorpusEntry& entry : entries) {
    // Big ones only where other readers were deceived.
    const std::uint64_t limit = entry.fact("ptable.pt") ? 1'100'000'000 : 12'000'000;
    if (is_table_row(entry) || entry.unpacked_bytes > limit) continue;
    const bool own_table = entry.type == "raw:bsd" || entry.type == "raw:atari" || entry.type.find("mac") != std::string::npos;
    const bool ours_too = entry.type.find("unknown") != std::string::npos || entry.type.find("raid") != std::string::npos;
    if (own_table || ours_too) continue;
    SCOPED_TRACE(entry.path + " " + entry.type);
    const auto drive = load_corpus(entry);
    ASSERT_TRUE(drive) << drive.error().message();
    EXPECT_EQ(read_ok(**drive).kind, TableKind::none);
    ++compared;
  }
  EXPECT_GT(compared, 100);
}

}  // namespace
}  // namespace tintype
