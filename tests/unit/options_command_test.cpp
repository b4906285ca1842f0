// SPDX-License-Identifier: GPL-3.0-or-later
// From all four places to one command.
#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "options_fixture.h"

namespace tintype::options {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Inputs backup_with(std::vector<std::string> more) {
  std::vector<std::string> words = {"/b", "/d:0", "/f:a"};
  words.insert(words.end(), more.begin(), more.end());
  return line(words);
}

TEST(Precedence, CommandLineThenEnvironmentThenIni) {
  Inputs inputs = backup_with({});
  EXPECT_EQ(parsed(inputs).number("event-log-level"), 3U);
  inputs.ini_files = {{"tintype.ini", "[Options]\nEventLogLevel=1\n"}, {"/etc/tintype.ini", "[Options]\nEventLogLevel=0\n"}};
  EXPECT_EQ(parsed(inputs).number("event-log-level"), 1U);
  inputs.ifw = "evlogl:2";
  EXPECT_EQ(parsed(inputs).number("event-log-level"), 2U);
  inputs.tintype = "evlogl:3";
  EXPECT_EQ(parsed(inputs).number("event-log-level"), 3U);
  inputs.arguments.push_back("/evlogl:4");
  EXPECT_EQ(parsed(inputs).number("event-log-level"), 4U);
}

TEST(Precedence, TheIniCanBeOverruled) {
  Inputs inputs = backup_with({"/kfb:0"});
  inputs.ini_files = {{"tintype.ini", "[options]\r\nkeepfailedbackups = 1\r\n"}};
  EXPECT_FALSE(parsed(inputs).flag("keep-failed-backups"));
  inputs.arguments.pop_back();
  EXPECT_TRUE(parsed(inputs).flag("keep-failed-backups"));
}

TEST(Environment, ListsOptionsAsOnTheCommandLine) {
  Inputs inputs = backup_with({});
  inputs.ifw = "comp:7;desc:\"a;b\"; /skp:0;;uy;o";  // o belongs to restore: set for other commands
  const ParsedCommand command = parsed(inputs);
  EXPECT_EQ(command.number("compression"), 7U);
  EXPECT_EQ(command.text("description"), "a;b");
  EXPECT_FALSE(command.flag("skip-page-file"));
  EXPECT_TRUE(command.answers_yes());
  EXPECT_THAT(command.settings, testing::Not(IsEmpty()));
}

TEST(Environment, SaysWhatIsWrong) {
  Inputs inputs = backup_with({});
  inputs.tintype = "comp:5";
  EXPECT_THAT(refusal(inputs), HasSubstr("the variable TINTYPE: comp"));
  inputs.tintype = "compp:7";
  EXPECT_THAT(refusal(inputs), HasSubstr("did you mean comp?"));
  inputs.tintype = "desc:\"open";
  EXPECT_THAT(refusal(inputs), HasSubstr("not closed"));
  inputs.tintype = "comp";
  EXPECT_THAT(refusal(inputs), HasSubstr("needs a value"));
  inputs.tintype = "x;comp:1";  // x is restore's, and not built: no concern of a backup
  EXPECT_EQ(refusal(inputs), "");
  inputs.tintype = "bc";
  EXPECT_THAT(refusal(inputs), HasSubstr("not built yet"));
}

TEST(Environment, Password) {
  Inputs inputs = line({"validate", "--file", "a"});
  inputs.password = "from outside";
  EXPECT_EQ(*read_password(parsed(inputs)), "from outside");
  inputs.arguments.push_back("--password=typed");
  EXPECT_EQ(*read_password(parsed(inputs)), "typed");
  Inputs plain = backup_with({});
  plain.password = "for other commands";
  EXPECT_EQ(refusal(plain), "");
}

TEST(Password, FromFileAndDescriptor) {
  const std::string path = testing::TempDir() + "/options_password.txt";
  std::ofstream(path) << "Größe 7\r\nsecond line\n";
  EXPECT_EQ(*read_password(parsed(line({"/v", "/f:a", "--password-file", path}))), "Größe 7");
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(*read_password(parsed(line({"/v", "/f:a", "--password-fd", std::to_string(fd)}))), "Größe 7");
  char next = 0;
  EXPECT_EQ(::read(fd, &next, 1), 1);
  EXPECT_EQ(next, 's') << "what follows the line must stay in the descriptor";
  ::close(fd);
  std::ofstream(path, std::ios::trunc) << std::string(129, 'x');
  EXPECT_FALSE(read_password(parsed(line({"/v", "/f:a", "--password-file", path}))));
  std::ofstream(path, std::ios::trunc) << std::string(1 << 20, 'x');
  EXPECT_FALSE(read_password(parsed(line({"/v", "/f:a", "--password-file", path}))));
  ::unlink(path.c_str());
  EXPECT_FALSE(read_password(parsed(line({"/v", "/f:a", "--password-file", path}))));
  EXPECT_EQ(*read_password(parsed(line({"/v", "/f:a"}))), std::nullopt);
}

TEST(Unattended, TheLaterOfNoAndYesHolds) {
  EXPECT_TRUE(parsed(backup_with({"/un"})).answers_no());
  EXPECT_TRUE(parsed(backup_with({"/un", "/uy"})).answers_yes());
  EXPECT_TRUE(parsed(backup_with({"/uy", "/un"})).answers_no());
  EXPECT_FALSE(parsed(backup_with({"/uy", "/un"})).answers_yes());
  EXPECT_FALSE(parsed(backup_with({})).answers_no());
}

TEST(Notes, SayOnceWhatHasNoEffectHere) {
  const ParsedCommand command = parsed(backup_with({"/usbign:1", "/usbign:2", "/fnts:0"}));
  EXPECT_THAT(command.notes, ElementsAre(HasSubstr("/usbign"), HasSubstr("/fnts")));
}

TEST(Quit, NeedsNoAction) {
  EXPECT_EQ(refusal(line({"/quit"})), "");
  EXPECT_TRUE(parsed(line({"/b", "/quit"})).flag("quit"));
}

TEST(Defaults, Hold) {
  const ParsedCommand command = parsed(backup_with({}));
  EXPECT_EQ(command.number("compression"), 1U);
  EXPECT_EQ(command.number("encryption"), 0U);
  EXPECT_TRUE(command.flag("skip-page-file"));
  EXPECT_TRUE(command.flag("save-log"));
  EXPECT_FALSE(command.flag("raw-mode"));
  EXPECT_EQ(command.number("max-file-size"), std::nullopt);
  EXPECT_EQ(command.number("snapshot-disk-cache-size"), 200U << 20);
  EXPECT_EQ(parsed(any_line({"/r", "/f:a", "/kf:10"})).number("keep-free"), 10U << 20);
  EXPECT_EQ(parsed(any_line({"/r", "/f:a", "/sp:0x301"})).number("source-partition"), 0x301U);
}

}  // namespace
}  // namespace tintype::options
