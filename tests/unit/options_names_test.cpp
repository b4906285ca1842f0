// SPDX-License-Identifier: GPL-3.0-or-later
// Name variables: what each stands for, in every place where a path can be said, and what is refused.
#include "options_fixture.h"

namespace tintype::options {
namespace {

using namespace std::chrono;
using ::testing::HasSubstr;

// Thursday, 7 March 2024, 09:05: the 67th day of a leap year; with one name saved.
NameVariables variables(local_seconds moment = local_days(2024y / March / 7) + 9h + 5min + 59s) {
  return {.moment = moment, .version = "1.2.3", .saved = []() -> Result<std::map<std::string, std::string>> {
            return std::map<std::string, std::string>{{"lastfull", "/bk/pc $~YYYY$.tti"}};
          }};
}

Inputs with_names(std::vector<std::string> words) {
  Inputs inputs = any_line(std::move(words));
  inputs.names = variables();
  return inputs;
}

std::string expanded(const std::string& text) {
  const Result<std::string> out = expand_names(text, variables());
  EXPECT_TRUE(out) << out.error().message();
  return out ? *out : "";
}

TEST(NameVariables, StandForWhatTheManualSays) {
  EXPECT_EQ(expanded("Backup on $~YYYY$-$~MM$-$~DD$"), "Backup on 2024-03-07");
  EXPECT_EQ(expanded("$~YY$ $~DOY$ $~DOW$ $~HHMM$ $~VER$"), "24 067 Thu 0905 1.2.3");
  EXPECT_EQ(expanded("no variable, $5 and ~ and $"), "no variable, $5 and ~ and $");
  EXPECT_EQ(expanded(""), "");
  EXPECT_EQ(expanded("a$~lastfull$b"), "a/bk/pc $~YYYY$.ttib") << "a value is not looked at again";
}

TEST(NameVariables, DaysAtTheEdges) {
  const auto at = [](year_month_day day, seconds time) { return *expand_names("$~YYYY$$~DOY$$~DOW$$~HHMM$", variables(local_days(day) + time)); };
  EXPECT_EQ(at(2024y / December / 31, 23h + 59min + 59s), "2024366Tue2359");
  EXPECT_EQ(at(2023y / December / 31, 0s), "2023365Sun0000");
  EXPECT_EQ(at(2000y / January / 1, 12h), "2000001Sat1200");
}

TEST(NameVariables, UnknownOnesAreRefusedWithAListOfThoseThereAre) {
  for (const char* text : {"$~yyyy$", "$~nothing$", "$~$", "$~YYYY-$~MM$"}) {
    const Result<std::string> out = expand_names(text, variables());
    ASSERT_FALSE(out) << text;
    EXPECT_EQ(out.error().code, ErrorCode::usage);
    for (const char* name : {"YYYY", "YY", "MM", "DD", "DOY", "DOW", "HHMM", "VER", "lastfull"})
      EXPECT_THAT(out.error().message(), HasSubstr(name)) << text;
  }
  EXPECT_THAT(expand_names("pc-$~YYYY", variables()).error().message(), HasSubstr("not closed"));
}

TEST(NameVariables, InEverySpellingAndPlace) {
  EXPECT_EQ(*parsed(with_names({"/b", "/d:0", "/f:pc-$~DOW$"})).text("file"), "pc-Thu");
  EXPECT_EQ(*parsed(with_names({"backup", "--drive", "0", "--file", "pc-$~DD$"})).text("file"), "pc-07");
  EXPECT_EQ(*parsed(with_names({"/b", "/base:$~lastfull$", "/f:x"})).text("base"), "/bk/pc $~YYYY$.tti");
  Inputs inputs = with_names({"validate", "--file=x"});
  inputs.tintype = "logfile:\"log $~YY$\"";
  EXPECT_EQ(*parsed(inputs).text("log-file"), "log 24");
  inputs.tintype.reset();
  inputs.ini_files = {{"tintype.ini", "[Options]\nLogFile=/var/log/$~HHMM$\n"}};
  EXPECT_EQ(*parsed(inputs).text("log-file"), "/var/log/0905");
  EXPECT_EQ(*parsed(with_names({"purge", "--folder=/bk/$~YYYY$", "--keep-last=1"})).text("folder"), "/bk/2024");
  EXPECT_EQ(parsed(with_names({"validate", "--file=x"})).moment, variables().moment);
}

TEST(NameVariables, OnlyWhatCountsIsLookedUpAndTextsStayAsTheyAre) {
  Inputs inputs = with_names({"/b", "/d:0", "/f:pc", "/desc:$~YYYY$"});
  inputs.ini_files = {{"tintype.ini", "[Options]\nLogFile=$~gone$\n"}};
  EXPECT_THAT(refusal(inputs), HasSubstr("tintype.ini:2: there is no variable $~gone$"));
  inputs.arguments.emplace_back("/logfile:here");
  EXPECT_EQ(*parsed(inputs).text("description"), "$~YYYY$");
  inputs.names->saved = []() -> Result<std::map<std::string, std::string>> { return fail(ErrorCode::corrupt, "damaged"); };
  EXPECT_TRUE(parse_command(inputs)) << "saved names are not read where none is used";
  inputs.names.reset();
  inputs.arguments[2] = "/f:$~YYYY$";
  EXPECT_EQ(*parsed(inputs).text("file"), "$~YYYY$");
}

TEST(NameVariables, NamesToSaveAreChecked) {
  for (const char* good : {"lastfull", "a", "last-full_2.b"}) EXPECT_TRUE(check_saved_name(good)) << good;
  for (const char* bad : {"", "YYYY", "yyyy", "Ver", "a b", "a$", "../x", "ä"}) EXPECT_FALSE(check_saved_name(bad)) << bad;
  EXPECT_THAT(refusal(line({"/b", "/d:0", "/f:x", "/savename:doy"})), HasSubstr("/savename:doy: $~DOY$ has a meaning of its own"));
  EXPECT_THAT(refusal(line({"backup", "--drive=0", "--file=x", "--multiple-file-sets", "--save-name=a"})), HasSubstr("exclude each other"));
}

TEST(PurgeCommand, NeedsAFolderAndARule) {
  EXPECT_THAT(refusal(line({"purge", "--keep-last=1"})), HasSubstr("--folder"));
  EXPECT_THAT(refusal(line({"purge", "--folder=x"})), HasSubstr("nothing is deleted"));
  EXPECT_THAT(refusal(line({"purge", "--folder=x", "--keep-last=0"})), HasSubstr("nothing is deleted"));
  for (const char* bad : {"30", "d", "0d", "3x", "1d2d", "", "-1d", "99999999999d"})
    EXPECT_FALSE(refusal(line({"purge", "--folder=x", std::string("--keep-within=") + bad})).empty()) << bad;
  EXPECT_EQ(refusal(line({"/purge", "/folder:x", "/keep-within:1y6m2w3d12h"})), "");
  EXPECT_EQ(parsed(line({"/b", "/d:0", "/f:x", "/purge:7"})).number("purge"), 7U);
}

}  // namespace
}  // namespace tintype::options
