// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "options/catalogue.h"
#include "options/words.h"

namespace tintype::options {
namespace {

struct Row {
  const char* option;
  const char* text;
  std::optional<std::uint64_t> number;  // empty: refused
};

class Values : public testing::TestWithParam<Row> {};

TEST_P(Values, AreChecked) {
  const Row& row = GetParam();
  const Result<Value> value = parse_value(option(row.option), row.text);
  ASSERT_EQ(value.has_value(), row.number.has_value()) << row.option << " " << row.text;
  if (value) {
    EXPECT_EQ(value->number, *row.number);
  } else {
    EXPECT_EQ(value.error().code, ErrorCode::usage);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, Values,
    testing::Values(
        Row{"raw-mode", "1", 1}, Row{"raw-mode", "OFF", 0}, Row{"raw-mode", "2", {}}, Row{"raw-mode", "", {}},
        Row{"compression", "10", 10}, Row{"compression", "MAX", 10}, Row{"compression", "3", {}},
        Row{"encryption", "3", 3}, Row{"encryption", "2", {}}, Row{"max-file-size", "650MiB", 650ULL << 20},
        Row{"max-file-size", "4gib", 4ULL << 30}, Row{"max-file-size", "650", {}},
        Row{"max-file-size", "10KiB", {}}, Row{"max-file-size", "-1MiB", {}},
        Row{"max-file-size", "99999999999999GiB", {}}, Row{"no-scale", "200m", 200ULL << 20},
        Row{"no-scale", "1000", 1000}, Row{"keep-free", "10", 10ULL << 20}, Row{"resize", "1.5GiB", 1536ULL << 20},
        Row{"first-track-sectors", "0", 0}, Row{"first-track-sectors", "0x3F", 63},
        Row{"first-track-sectors", "-1", {}}, Row{"mbr-slot", "3", 3}, Row{"mbr-slot", "4", {}},
        Row{"priority", "12", 12}, Row{"priority", "7", {}}, Row{"reboot", "8", 8}, Row{"reboot", "3", {}},
        Row{"last-cylinder", "1024", {}}, Row{"last-head", "254", 254}, Row{"sectors-per-track", "0", {}},
        Row{"source-partition", "0x301", 0x301}, Row{"source-partition", "C:", {}},
        Row{"no-lock", "65", 65}, Row{"no-lock", "/mnt/a,/mnt/b", 0}, Row{"no-lock", "G:", {}},
        Row{"email", "h*f*t", 0}, Row{"email", "h*f", {}}, Row{"email", "a*b*c*d*e*f*g*h", 0},
        Row{"performance-options", "0", 0}, Row{"performance-options", "16", 16}, Row{"performance-options", "1301", 1301},
        Row{"performance-options", "3871", 3871}, Row{"performance-options", "16+514", 530},
        Row{"performance-options", "cached-reads+small-on-backup", 1542}, Row{"performance-options", "257+257", 257},
        Row{"performance-options", "1", {}}, Row{"performance-options", "17", {}}, Row{"performance-options", "32", {}},
        Row{"performance-options", "3872", {}}, Row{"performance-options", "16+1", {}}, Row{"performance-options", "16+", {}},
        Row{"performance-options", "", {}},
        Row{"virtual-drive", "3:a.vhd", 3}, Row{"virtual-drive", "0:", 0}, Row{"virtual-drive", "3:", {}},
        Row{"virtual-drive", "10:a", {}}, Row{"virtual-drive", "1:a,C,vhdd", {}},
        Row{"virtual-drive", "1:a,X,vhdd,10", {}}, Row{"virtual-drive", "1:a,c,floppy,10", {}},
        Row{"virtual-drive", "1:a,c,VMDKS,0", {}}, Row{"file", "", {}}, Row{"message", "", 0},
        Row{"workers", "0", {}}, Row{"snapshot-cache-size", "8192", 8192ULL << 10}));

TEST(Value, LengthsCountCharactersNotBytes) {
  std::string umlauts;
  for (int i = 0; i < 128; ++i) umlauts += "ü";
  EXPECT_TRUE(parse_value(option("password"), umlauts));
  EXPECT_FALSE(parse_value(option("password"), umlauts + "x"));
  EXPECT_FALSE(parse_value(option("description"), umlauts));
}

TEST(Value, SecretsAreNotShown) {
  EXPECT_EQ(shown(option("password"), {"hush", 0}), "***");
  EXPECT_EQ(shown(option("email"), {"h*f*t*s*25*u*hush", 0}), "h*f*t*s*25*u****");
  EXPECT_EQ(shown(option("email"), {"h*f*t*s*25*u*hu*sh", 0}), "h*f*t*s*25*u****");
  EXPECT_EQ(shown(option("log-in"), {"*user*hu*sh", 0}), "*user****");
  EXPECT_EQ(shown(option("file"), {"a", 0}), "a");
}

TEST(Words, NearestIsNearOrNothing) {
  EXPECT_EQ(nearest("compresion", {"compression", "description"}), "compression");
  EXPECT_EQ(nearest("xyz", {"compression", "description"}), "");
  EXPECT_EQ(nearest(std::string(100000, 'a'), {"compression"}), "");
}

TEST(Words, WrapKeepsTheWidth) {
  EXPECT_EQ(wrap("one two three", 9, 2), "  one two\n  three\n");
  EXPECT_EQ(wrap("unbreakable", 4, 1), " unbreakable\n");
  EXPECT_EQ(wrap("a\nb", 10, 0), "a\nb\n");
}

TEST(Words, ShellWordsComeBackWhole) {
  EXPECT_EQ(shell_word("/f:/mnt/pc"), "/f:/mnt/pc");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("$(x)"), "'$(x)'");
}

}  // namespace
}  // namespace tintype::options
