// SPDX-License-Identifier: GPL-3.0-or-later
// The catalogue against the tables of the reference manual, against the rows of the feature catalogue, and against
// itself.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "options/catalogue.h"
#include "options/value.h"
#include "options/words.h"

namespace tintype::options {
namespace {

std::vector<std::string> golden_lines(const std::string& name) {
  std::ifstream file(std::string(TINTYPE_SOURCE_DIR) + "/tests/golden/" + name);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  return lines;
}

std::vector<std::string> words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> out;
  for (std::string word; stream >> word;) out.push_back(word);
  return out;
}

std::string section_name(const Option& option) {
  switch (option.section) {
    case IniSection::options: return "options";
    case IniSection::phylock: return "phylock";
    case IniSection::hd: return "hd";
    default: return "defaults";
  }
}

// Each line of the golden file: actions, slash name, INI section, INI key ("-": cannot be said there).
TEST(Catalogue, HoldsEveryRowOfTheManualsTables) {
  const std::vector<std::string> lines = golden_lines("manual_options.txt");
  ASSERT_GT(lines.size(), 120U);
  for (const std::string& line : lines) {
    const std::vector<std::string> row = words(line);
    ASSERT_EQ(row.size(), 4U) << line;
    const ActionInfo* action = find_gnu_action(row[0]);
    ASSERT_NE(action, nullptr) << line;
    const Option* found = find_slash(action->action, row[1]);
    ASSERT_NE(found, nullptr) << line;
    EXPECT_EQ(found->slash, row[1]) << line;
    EXPECT_EQ(found->ini.empty() ? "-" : found->ini, row[3]) << line;
    if (!found->ini.empty()) {
      EXPECT_EQ(section_name(*found), row[2]) << line;
    }
  }
}

// And nothing that a table denies to an action: copy has no pw, mp, cds … (tables 9 and 10).
TEST(Catalogue, GivesNoActionWhatTheManualDeniesIt) {
  // But base and pw: its copy takes no images, ours does.
  for (const char* name : {"mp", "cds", "mo", "v", "sp", "noej", "iobs", "cdrs", "irlm", "nlrm", "mgv",
                           "comp", "enc", "d", "f"})
    EXPECT_EQ(find_slash(Action::copy, name), nullptr) << name;
  for (const char* name : {"o", "clr", "x", "sig", "fts", "noosn", "base-none"})
    EXPECT_EQ(find_slash(Action::backup, name), nullptr) << name;
  for (const char* name : {"comp", "enc", "raw", "desc", "purge", "skp", "pldis"})
    EXPECT_EQ(find_slash(Action::restore, name), nullptr) << name;
  for (const char* name : {"d", "v", "vb", "err", "o"})
    EXPECT_EQ(find_slash(Action::validate, name), nullptr) << name;
}

TEST(Catalogue, ClaimsEveryFeatureThatIsAnOption) {
  std::set<std::string> claimed;
  for (const Option& each : catalogue())
    for (const std::string& id : words(each.features)) claimed.insert(id);
  for (const ActionInfo& each : all_actions())
    for (const std::string& id : words(each.feature)) claimed.insert(id);
  std::size_t count = 0;
  for (const std::string& line : golden_lines("option_features.txt")) {
    for (const std::string& id : words(line)) EXPECT_TRUE(claimed.contains(id)) << id << " is in no option";
    count += words(line).size();
  }
  EXPECT_GT(count, 100U);
}

TEST(Catalogue, NamesAreUniqueAndWellFormed) {
  std::set<std::string_view> gnu;
  for (const Option& each : catalogue()) {
    EXPECT_TRUE(gnu.insert(each.gnu).second) << each.gnu;
    EXPECT_EQ(each.gnu.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string_view::npos) << each.gnu;
    EXPECT_FALSE(each.help.empty()) << each.gnu;
    EXPECT_TRUE(each.help.ends_with('.')) << each.gnu;
    EXPECT_FALSE(each.features.empty()) << each.gnu;
    EXPECT_EQ(each.kind == Kind::flag, each.value_name.empty()) << each.gnu;
    EXPECT_EQ(each.kind == Kind::choice || each.kind == Kind::sum, !each.choices.empty()) << each.gnu;
    if (!each.default_value.empty()) {
      EXPECT_TRUE(parse_value(each, each.default_value)) << each.gnu;
    }
  }
  for (const ActionInfo& action : all_actions()) {
    std::set<std::string> slash;
    for (const Option* each : options_of(action.action)) {
      if (each->slash.empty()) continue;
      EXPECT_TRUE(slash.insert(lower(each->slash)).second) << action.gnu << " /" << each->slash;
      EXPECT_EQ(find_slash(action.action, each->slash), each);
    }
  }
}

TEST(Catalogue, FlagsThatShareAnIniKeyHaveValuesOfTheirOwn) {
  const Option& v = option("post-validate");
  const Option& vb = option("byte-for-byte");
  EXPECT_EQ(v.ini, vb.ini);
  EXPECT_EQ(v.ini_on, "1");
  EXPECT_EQ(vb.ini_on, "2");
  EXPECT_EQ(vb.ini_on_copy, "1");
}

// Said on the command line only, as the rules of the feature catalogue demand.
TEST(Catalogue, NeverFromTheIni) {
  for (const char* name : {"overwrite", "clear", "unattended-no", "unattended-yes", "unattended-ignore",
                           "unattended-media", "reboot", "password", "quit", "drive", "file", "base"})
    EXPECT_TRUE(option(name).ini.empty()) << name;
}

TEST(Catalogue, OnlyTheseHaveNoEffectHere) {
  std::set<std::string_view> names;
  for (const Option& each : catalogue())
    if (each.no_effect_here) names.insert(each.slash);
  EXPECT_EQ(names, (std::set<std::string_view>{"usbign", "fnts"}));
}

// The list shrinks as the work goes on; a line taken out here needs the option to work.
TEST(Catalogue, NotBuiltYet) {
  std::vector<std::string> lines;
  for (const ActionInfo& each : all_actions())
    if (!each.built) lines.push_back("action " + std::string(each.gnu));
  for (const Option& each : catalogue())
    if (!each.built) lines.push_back("option " + std::string(each.gnu));
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  EXPECT_EQ(lines, golden_lines("options_not_built.txt")) << "what the catalogue says:\n" << text;
}

}  // namespace
}  // namespace tintype::options
