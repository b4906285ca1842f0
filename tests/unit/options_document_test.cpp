// SPDX-License-Identifier: GPL-3.0-or-later
#include "options/document.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "options/words.h"
#include "options_fixture.h"

namespace tintype::options {
namespace {

using testing::HasSubstr;
using testing::Not;

// A manual page as it was written in troff, without the escapes.
std::string plain(std::string text) {
  const std::pair<const char*, const char*> escapes[] = {
      {"\\-", "-"}, {"\\(aq", "'"}, {"\\(dq", "\""}, {"\\(ti", "~"}, {"\\e", "\\"}};
  for (const auto& [from, to] : escapes)
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += 1)
      text.replace(at, std::string(from).size(), to);
  return text;
}

TEST(Help, EqualsTheManual) {
  for (const std::optional<Action>& topic : manual_topics()) {
    const Document document = describe(topic, Spelling::gnu);
    const std::string help = help_text(topic, Spelling::gnu, 10000);
    const std::string manual = plain(render_manual(document, "1.0"));
    for (const DocumentSection& section : document.sections) {
      for (const Entry& each : section.entries) {
        EXPECT_THAT(help, HasSubstr(section.brief ? each.term : "  " + each.term + "\n"));
        EXPECT_THAT(manual, HasSubstr(each.term));
        for (const std::string& paragraph : split_fields(each.text, '\n')) {
          if (!section.brief) {
            EXPECT_THAT(help, HasSubstr(paragraph));
          }
          EXPECT_THAT(manual, HasSubstr(paragraph));
        }
      }
    }
  }
}

// Every option is explained: in the help of each action that has it, or in the program's.
TEST(Help, ExplainsEveryOptionInBothSpellings) {
  const std::string program = help_text(std::nullopt, Spelling::gnu, 100);
  for (const ActionInfo& action : all_actions()) {
    if (action.gnu.empty()) continue;
    const std::string help = help_text(action.action, Spelling::slash, 100);
    for (const Option* each : options_of(action.action)) {
      const std::string& where = each->actions == kEveryAction ? program : help;
      const std::string dashes = each->kind == Kind::flag && each->default_value == "1" ? "--[no-]" : "--";
      EXPECT_THAT(where, HasSubstr(dashes + std::string(each->gnu))) << action.gnu;
      const std::string slash = "/" + std::string(each->slash.empty() ? each->gnu : each->slash);
      // An action whose words may begin with '/' must not promise a spelling that it takes for a word.
      const bool words = !action.words.empty() && each->actions != kEveryAction;
      if (words) EXPECT_THAT(where, Not(HasSubstr(", " + slash))) << action.gnu;
      else EXPECT_THAT(where, HasSubstr(slash)) << action.gnu;
    }
  }
  for (const ActionInfo& action : all_actions()) EXPECT_THAT(program, HasSubstr(std::string(action.gnu)));
}

TEST(Help, KeepsTheWidth) {
  for (const std::size_t width : {60U, 80U, 132U}) {
    for (const std::optional<Action>& topic : manual_topics()) {
      for (const std::string& text : split_fields(help_text(topic, Spelling::gnu, width), '\n')) {
        const bool breakable = text.find(' ', text.find_first_not_of(' ')) != std::string::npos;
        const bool code = text.starts_with("  tintype");
        if (breakable && !code) {
          EXPECT_LE(code_points(text), width) << text;
        }
      }
    }
  }
}

TEST(Help, SpeaksTheSpellingAskedFor) {
  EXPECT_THAT(help_text(Action::backup, Spelling::slash, 80), HasSubstr("tintype /b /d:0 /f:/mnt/bk/pc\n"));
  EXPECT_THAT(help_text(Action::backup, Spelling::gnu, 80), HasSubstr("tintype backup --drive 0 --file /mnt/bk/pc\n"));
  EXPECT_THAT(help_text(Action::disc, Spelling::gnu, 80), HasSubstr("This action is not built yet."));
}

TEST(Help, ExamplesAreCommandsThatWork) {
  for (const ActionInfo& action : all_actions()) {
    for (const std::string& example : split_fields(action.examples, '\n')) {
      if (example.empty()) continue;
      std::vector<std::string> words = split_fields(example, ' ');
      words.erase(words.begin());
      EXPECT_EQ(refusal(action.built ? line(words) : any_line(words)), "") << example;
    }
  }
}

int run(const std::string& command) { return std::system(command.c_str()); }

TEST(Manual, PleasesGroff) {
  if (run("command -v groff >/dev/null 2>&1") != 0) GTEST_SKIP() << "groff is not installed";
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "tintype_manual_test";
  std::filesystem::create_directories(folder);
  for (const std::optional<Action>& topic : manual_topics()) {
    const Document document = describe(topic, Spelling::gnu);
    const std::string page = (folder / (document.name + ".1")).string();
    std::ofstream(page) << render_manual(document, "1.0");
    const std::string complaints = page + ".txt";
    EXPECT_EQ(run("groff -man -Tutf8 -rF0 -z -ww '" + page + "' >'" + complaints + "' 2>&1"), 0);
    EXPECT_EQ(std::filesystem::file_size(complaints), 0U) << page;
  }
  std::filesystem::remove_all(folder);
}

TEST(Completion, IsBashAndOffersOnlyWhatWorks) {
  const std::string script = bash_completion();
  EXPECT_THAT(script, HasSubstr("--compression="));
  EXPECT_THAT(script, Not(HasSubstr("--clear")));
  const std::string path = testing::TempDir() + "/tintype_completion.bash";
  std::ofstream(path) << script << R"(
COMP_WORDS=(tintype backup --comp) COMP_CWORD=2
compopt() { :; }
_tintype
[ "${COMPREPLY[*]}" = "--compression=" ] || exit 3
COMP_WORDS=(tintype backup --compression = m) COMP_CWORD=4
_tintype
[ "${COMPREPLY[*]}" = "max" ] || exit 4
COMP_WORDS=(tintype val) COMP_CWORD=1
_tintype
[ "${COMPREPLY[*]}" = "validate" ] || exit 5
)";
  EXPECT_EQ(run("bash -n '" + path + "' && bash '" + path + "'"), 0);
  std::filesystem::remove(path);
}

TEST(ShowCommand, ComesBackAsTheSameCommand) {
  Inputs inputs = any_line({"/b", "/un", "/v3:a b.vhd,C,vhdd,10", "/npt", "/d:v3", "/npt:0", "/f:x y", "/comp:7", "/skp:0", "/max:4GiB"});
  inputs.ifw = "comp:2";
  const ParsedCommand command = parsed(inputs);
  EXPECT_EQ(show_command(command, Spelling::slash),
            "tintype /b /un '/v3:a b.vhd,C,vhdd,10' /npt /d:v3 /npt:0 '/f:x y' /comp:7 /skp:0 /max:4GiB");
  EXPECT_EQ(show_command(command, Spelling::gnu),
            "tintype backup --unattended-no '--virtual-drive=3:a b.vhd,C,vhdd,10' --no-partition-table --drive=v3 "
            "--no-no-partition-table '--file=x y' --compression=7 --no-skip-page-file --max-file-size=4GiB");
  const ParsedCommand again =
      parsed(any_line({"backup", "--unattended-no", "--virtual-drive=3:a b.vhd,C,vhdd,10", "--no-partition-table",
                       "--drive=v3", "--no-no-partition-table", "--file=x y", "--compression=7", "--no-skip-page-file",
                       "--max-file-size=4GiB"}));
  EXPECT_EQ(show_command(again, Spelling::slash), show_command(command, Spelling::slash));
}

TEST(ShowCommand, MasksSecrets) {
  const ParsedCommand command = parsed(any_line({"/v", "/f:a", "/pw:hush", "/email:h*f*t*s*25*u*hush"}));
  EXPECT_EQ(show_command(command, Spelling::slash), "tintype /v /f:a '/pw:***' '/email:h*f*t*s*25*u****'");
  EXPECT_THAT(show_command(command, Spelling::gnu), Not(HasSubstr("hush")));
}

}  // namespace
}  // namespace tintype::options
