// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/ini.h"

#include "options_fixture.h"

namespace tintype::options {
namespace {

using testing::HasSubstr;

IniSettings settings(std::string_view text, Action action, bool menus) {
  Result<IniSettings> found = settings_from_ini("t.ini", text, action, menus);
  EXPECT_TRUE(found) << found.error().message();
  return found ? *found : IniSettings{};
}

std::string refusal(std::string_view text) {
  const Result<IniSettings> found = settings_from_ini("t.ini", text, Action::backup, true);
  return found ? "" : found.error().message();
}

// "name=number" of each setting, for comparing.
std::vector<std::string> said(const IniSettings& found) {
  std::vector<std::string> out;
  for (const Setting& each : found.settings) out.push_back(std::string(each.option->gnu) + "=" + each.value.text);
  return out;
}

TEST(Ini, TakesCommentsBlanksByteOrderMarkAndCrLf) {
  const Result<std::vector<IniLine>> lines =
      read_ini("t.ini", "\xEF\xBB\xBF; comment\r\n# another\r\n\r\n [ Options ] \r\n  LogFile = \"a b;c\" \r\nSeqVolID=1");
  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 2U);
  EXPECT_EQ((*lines)[0].section, "options");
  EXPECT_EQ((*lines)[0].key, "LogFile");
  EXPECT_EQ((*lines)[0].value, "a b;c");
  EXPECT_EQ((*lines)[0].line, 5U);
  EXPECT_EQ((*lines)[1].line, 6U);
}

TEST(Ini, MalformedLinesNameFileAndLine) {
  EXPECT_THAT(refusal("[Options]\nnonsense\n"), HasSubstr("t.ini:2:"));
  EXPECT_THAT(refusal("[Options\n"), HasSubstr("t.ini:1:"));
  EXPECT_THAT(refusal("[]\n"), HasSubstr("t.ini:1:"));
  EXPECT_THAT(refusal("LogFile=a\n"), HasSubstr("t.ini:1: a value before the first section"));
  EXPECT_THAT(refusal("[Options]\n=a\n"), HasSubstr("t.ini:2:"));
  EXPECT_THAT(refusal("[Options]\nEventLogLevel=9\n"), HasSubstr("t.ini:2: EventLogLevel"));
  EXPECT_THAT(refusal("[Options]\nEventLogLevle=3\n"), HasSubstr("did you mean EventLogLevel?"));
  EXPECT_THAT(refusal("[Backup_Defaults]\nPostValidate=3\n"), HasSubstr("is not one of 0, 1, 2"));
  EXPECT_THAT(refusal("[Backup_Defaults]\nPreValidate=1\n"), HasSubstr("has no key PreValidate"));
  EXPECT_THAT(refusal(std::string("[Options]\nMessage=a\0b\n", 22)), HasSubstr("NUL"));
  EXPECT_THAT(refusal("\xFF\xFE[\0"), HasSubstr("UTF-16"));
}

TEST(Ini, SomeThingsAreNeverSaidThere) {
  for (const char* key : {"o", "clr", "un", "uy", "ui", "um", "rb", "pw", "overwrite", "password"})
    EXPECT_THAT(refusal("[Backup_Defaults]\n" + std::string(key) + "=1\n"), HasSubstr("cannot be said in an INI file"))
        << key;
}

TEST(Ini, PostValidateMeansWhatTheSectionsActionMakesOfIt) {
  const std::string both = "[Backup_Defaults]\nPostValidate=2\n[Copy_Defaults]\nPostValidate=1\n[Restore_Defaults]\nPostValidate=2\nPreValidate=1\n";
  EXPECT_THAT(said(settings(both, Action::backup, true)), testing::ElementsAre("post-validate=0", "byte-for-byte=1"));
  EXPECT_THAT(said(settings(both, Action::copy, true)), testing::ElementsAre("byte-for-byte=1"));
  EXPECT_THAT(said(settings(both, Action::restore, true)), testing::ElementsAre("byte-for-byte=1", "pre-validate=1"));
  EXPECT_THAT(said(settings("[Backup_Defaults]\nPostValidate=1\n", Action::backup, true)),
              testing::ElementsAre("post-validate=1", "byte-for-byte=0"));
}

TEST(Ini, ACommandLineUsesOnlyGlobalOptions) {
  const std::string text =
      "[Options]\nEventLogLevel=1\nWin7MBR=1\nNoScale=200m\nCheckBoxes=1\n[Backup_Defaults]\nCompression=7\n"
      "[PHYLock_Options]\nPHYLockDisable=1\n[HD0]\nNoPartTable=0x10000\nUseOrgGeo=1\n";
  EXPECT_THAT(said(settings(text, Action::backup, false)),
              testing::ElementsAre("event-log-level=1", "no-snapshot=1"));
  EXPECT_THAT(said(settings(text, Action::backup, true)),
              testing::ElementsAre("event-log-level=1", "win7-mbr=1", "no-scale=200m", "check-boxes=1",
                                   "compression=7", "no-snapshot=1", "no-partition-table=1"));
}

TEST(Ini, DriveSections) {
  const IniSettings found =
      settings("[HD1]\nNoPartTable=65536\nAssumeNoPartTable=0x40000\nc=1023\nAlignOnEnd=2\n", Action::restore, true);
  ASSERT_EQ(found.settings.size(), 4U);
  for (const Setting& each : found.settings) EXPECT_EQ(each.hd, 1U);
  EXPECT_EQ(found.settings[2].value.number, 1023U);
  EXPECT_THAT(refusal("[HD0]\nNoPartTable=1\n"), HasSubstr("is not one of 0, 0x10000"));
}

TEST(Ini, VirtualDrives) {
  const IniSettings found = settings("[Options]\nV3=a.vhd\nv4=b.raw,R,raw,10\n", Action::backup, false);
  ASSERT_EQ(found.settings.size(), 2U);
  EXPECT_EQ(found.settings[0].value, (Value{"a.vhd", 3}));
  EXPECT_EQ(found.settings[1].value, (Value{"b.raw,R,raw,10", 4}));
}

TEST(Ini, UnknownSectionsArePassedOverWithANote) {
  const IniSettings found = settings("[License]\nkey=a\nb=c\n[Options]\nSeqVolID=1\n", Action::backup, false);
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_THAT(found.notes[0], HasSubstr("t.ini:2: section [license]"));
  EXPECT_EQ(found.settings.size(), 1U);
}

// INI < IFW < TINTYPE < command line, for what rules how a run behaves beside others.
TEST(Ini, TheCommandLineWinsOverTheEnvironmentAndThatOverTheIniFile) {
  struct Row {
    const char *gnu, *ini, *variable, *typed;
    std::vector<const char*> values;  // of the INI file, IFW, TINTYPE, the command line
  };
  for (const Row& row : {Row{"priority", "Priority", "priority", "/priority", {"0", "1", "10", "12"}},
                         Row{"performance-options", "PerfOpt", "po", "/po", {"0", "257", "514", "1044"}},
                         Row{"email", "Email", "email", "/email", {"a*b@c*d@e", "h*b@c*d@e", "h*i@c*d@e", "h*i@c*j@e"}},
                         Row{"no-cancel", "NoCancel", "nocan", "/nocan", {"1", "0", "1", "0"}},
                         Row{"event-log-level", "EventLogLevel", "evlogl", "/evlogl", {"0", "1", "2", "4"}}}) {
    Inputs inputs;
    inputs.arguments = {"/b", "/d:0", "/f:a"};
    const auto now = [&] {
      const Result<ParsedCommand> command = parse_command(inputs);
      EXPECT_TRUE(command) << command.error().message();
      return command && command->has(row.gnu) ? command->find(row.gnu)->value.text : "nothing";
    };
    inputs.ini_files = {{"t.ini", std::string("[Options]\n") + row.ini + "=" + row.values[0] + "\n"}};
    EXPECT_EQ(now(), row.values[0]) << row.gnu;
    inputs.ifw = std::string(row.variable) + ":" + row.values[1];
    EXPECT_EQ(now(), row.values[1]) << row.gnu;
    inputs.tintype = std::string(row.variable) + ":" + row.values[2];
    EXPECT_EQ(now(), row.values[2]) << row.gnu;
    inputs.arguments.push_back(std::string(row.typed) + ":" + row.values[3]);
    EXPECT_EQ(now(), row.values[3]) << row.gnu;
  }
}

// IOBS stands in the sections of the actions, which serve menus only; the variable counts everywhere.
TEST(Ini, GentleRequestsAreADefaultOfMenus) {
  EXPECT_THAT(said(settings("[Backup_Defaults]\nIOBS=1\n", Action::backup, true)), testing::ElementsAre("gentle-io=1"));
  EXPECT_TRUE(settings("[Backup_Defaults]\nIOBS=1\n", Action::backup, false).settings.empty());
  Inputs inputs;
  inputs.arguments = {"/v", "/f:a"};
  inputs.tintype = "iobs;po:1028";
  const Result<ParsedCommand> command = parse_command(inputs);
  ASSERT_TRUE(command) << command.error().message();
  EXPECT_TRUE(command->flag("gentle-io"));
  EXPECT_EQ(command->number("performance-options"), 1028U);
}

// What only repeats the default asks for nothing that is missing.
TEST(Ini, UnbuiltOptionsCountOnlyWhenTheyAskForSomething) {
  Inputs inputs;
  inputs.arguments = {"/b", "/d:0", "/f:a"};
  inputs.ini_files = {{"t.ini", "[Options]\nIgnoreServices=0\n[PHYLock_Options]\nPHYLockWaitTime=4250\n"}};
  EXPECT_TRUE(parse_command(inputs));
  inputs.ini_files = {{"t.ini", "[Options]\nIgnoreServices=1\n"}};
  const Result<ParsedCommand> command = parse_command(inputs);
  ASSERT_FALSE(command);
  EXPECT_THAT(command.error().message(), HasSubstr("t.ini:2: the option --ignore-services (/ignsvc) is not built yet"));
}

}  // namespace
}  // namespace tintype::options
