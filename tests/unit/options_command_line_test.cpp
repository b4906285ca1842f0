// SPDX-License-Identifier: GPL-3.0-or-later
#include "options_fixture.h"

namespace tintype::options {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(CommandLine, BothSpellingsMeanTheSame) {
  const std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>> pairs = {
      {{"/b", "/d:0@0x01", "/f:name", "/comp:7"}, {"backup", "--drive=0@0x01", "--file", "name", "--compression=7"}},
      {{"/B", "/D:0", "/F:\"my name\"", "/V"}, {"backup", "--drive", "0", "--file", "my name", "--post-validate"}},
      {{"/r", "/f:pc", "/d:new.raw", "/o", "/v"},
       {"restore", "--file", "pc", "--drive", "new.raw", "--overwrite", "--pre-validate"}},
      {{"/l", "/f:pc", "/json"}, {"list", "--file", "pc", "--json"}},
      {{"/l", "/d:0", "/fs"}, {"list", "--drive", "0", "--free-space"}},
      {{"/v", "/f", "pc", "/pw:a b"}, {"validate", "--file=pc", "--password=a b"}},
      {{"/b", "/d", "0", "/f", "/mnt/bk/pc"}, {"backup", "--drive", "0", "--file", "/mnt/bk/pc"}},
      {{"/uy", "/b", "/d:0", "/f:a"}, {"--unattended-yes", "backup", "--drive", "0", "--file", "a"}},
      {{"/b", "/d:0", "/f:a", "/log:0", "/skp:0"},
       {"backup", "--drive", "0", "--file", "a", "--no-save-log", "--skip-page-file=no"}},
      {{"/b", "/d=0", "/f=a", "/comp=0"}, {"backup", "--dri", "0", "--file", "a", "--comp", "none"}},
  };
  for (const auto& [slash, gnu] : pairs) {
    const ParsedCommand a = parsed(line(slash));
    const ParsedCommand b = parsed(line(gnu));
    EXPECT_EQ(a.action, b.action);
    ASSERT_EQ(a.settings.size(), b.settings.size()) << slash[0];
    for (std::size_t i = 0; i < a.settings.size(); ++i) {
      EXPECT_EQ(a.settings[i].option, b.settings[i].option) << a.settings[i].option->gnu;
      EXPECT_EQ(a.settings[i].value, b.settings[i].value) << a.settings[i].option->gnu;
    }
  }
}

TEST(CommandLine, SameLetterOtherActionOtherOption) {
  EXPECT_TRUE(parsed(line({"/b", "/d:0", "/f:a", "/v"})).flag("post-validate"));
  EXPECT_TRUE(parsed(line({"/r", "/d:0", "/f:a", "/v"})).flag("pre-validate"));
  EXPECT_EQ(parsed(line({"/v", "/f:a"})).action, Action::validate);
}

TEST(CommandLine, SeveralPartitions) {
  EXPECT_THAT(parsed(line({"/b", "/d:0@1,2,0x301", "/f:a"})).texts("drive"), ElementsAre("0@1", "0@2", "0@0x301"));
  EXPECT_THAT(parsed(line({"/b", "/d:0@1", "/d:0@2", "/f:a"})).texts("drive"), ElementsAre("0@1", "0@2"));
  EXPECT_THAT(parsed(line({"/b", "/d:a,b.raw", "/f:a"})).texts("drive"), ElementsAre("a,b.raw"));
}

TEST(CommandLine, WindowsStyleNamesPassThrough) {
  EXPECT_EQ(parsed(line({"/b", "/d:?D:", "/f:1@0x01:\\mypath\\filename"})).text("file"), "1@0x01:\\mypath\\filename");
  EXPECT_EQ(parsed(line({"/b", "/d:#A1B2C3D4", "/f:x:\\a=b"})).text("file"), "x:\\a=b");
}

TEST(CommandLine, VirtualDrives) {
  const ParsedCommand command =
      parsed(any_line({"/b", "/v3:disk.vhd,C,vhdd,1000", "/v0:", "/d:v3", "/f:a", "--virtual-drive=4:x.raw"}));
  ASSERT_EQ(command.settings.size(), 5U);
  EXPECT_EQ(command.settings[0].value, (Value{"disk.vhd,C,vhdd,1000", 3}));
  EXPECT_EQ(command.settings[1].value, (Value{"", 0}));
  EXPECT_EQ(command.settings[4].value, (Value{"x.raw", 4}));
}

TEST(CommandLine, OrderIsKept) {
  const ParsedCommand command = parsed(any_line({"/b", "/npt", "/d:0", "/npt:0", "/f:1@1:\\a"}));
  ASSERT_EQ(command.settings.size(), 4U);
  EXPECT_EQ(command.settings[0].option->slash, "npt");
  EXPECT_EQ(command.settings[2].value.number, 0U);
  EXPECT_FALSE(command.flag("no-partition-table"));
}

TEST(CommandLine, FlagsAndListsMayBeRepeated) {
  EXPECT_FALSE(parsed(line({"/b", "/d:0", "/f:a", "/v", "/v:0"})).flag("post-validate"));
  EXPECT_THAT(parsed(line({"validate", "--file", "a", "--base", "b", "--base", "c"})).texts("base"), ElementsAre("b", "c"));
  Inputs inputs = line({"/b", "/d:0", "/f:a", "/comp:7"});
  inputs.ifw = "comp:1";
  EXPECT_EQ(parsed(inputs).number("compression"), 7U);
}

TEST(CommandLine, HelpInEveryForm) {
  const std::vector<std::vector<std::string>> general = {{"/?"}, {"help"}, {"--help"}, {"-h"}};
  for (const auto& words : general) {
    const ParsedCommand command = parsed(line(words));
    EXPECT_EQ(command.action, Action::help);
    EXPECT_FALSE(command.help_topic);
  }
  const std::vector<std::vector<std::string>> backup = {
      {"/b", "/?"}, {"/?", "/b"}, {"help", "backup"}, {"backup", "--help"}, {"backup", "--drive", "0", "-h"}};
  for (const auto& words : backup) EXPECT_EQ(parsed(line(words)).help_topic, Action::backup) << words[0];
  EXPECT_TRUE(parsed(line({"/b", "/?"})).help_in_slash);
  EXPECT_FALSE(parsed(line({"backup", "--help"})).help_in_slash);
  EXPECT_EQ(parsed(line({"copy", "--help"})).help_topic, Action::copy);
  EXPECT_EQ(parsed(line({"--version"})).action, Action::version);
}

TEST(CommandLine, HelpNeedsNeitherEnvironmentNorIni) {
  Inputs inputs = line({"backup", "--help"});
  inputs.ini_files = {{"bad.ini", "nonsense"}};
  inputs.tintype = "nonsense:1";
  EXPECT_EQ(parsed(inputs).help_topic, Action::backup);
}

struct Refused {
  std::vector<std::string> words;
  const char* says;
};

class CommandLineRefuses : public testing::TestWithParam<Refused> {};

TEST_P(CommandLineRefuses, InOneSentence) {
  const std::string sentence = refusal(line(GetParam().words));
  EXPECT_THAT(sentence, HasSubstr(GetParam().says));
  EXPECT_EQ(sentence.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, CommandLineRefuses,
    testing::Values(
        Refused{{}, "no action is given"}, Refused{{"bakup"}, "did you mean backup?"},
        Refused{{"backup", "--compresion=7"}, "did you mean --compression?"},
        Refused{{"/b", "/d:0", "/f:a", "/comp:99"}, "/comp:99: \"99\" is not one of 0 (none)"},
        Refused{{"/b", "/d:0", "/f:a", "/com:1"}, "did you mean /comp?"},
        Refused{{"restore", "--compression", "1"}, "it belongs to backup"},
        Refused{{"backup", "--drive", "0", "--file", "a", "/mnt/x"}, "a path is the value of an option"},
        Refused{{"backup", "/mnt"}, "no option"}, Refused{{"backup", "x"}, "\"x\" stands alone"},
        Refused{{"backup", "--", "x"}, "\"x\" stands alone"}, Refused{{"/b", "/f"}, "/f needs a value"},
        Refused{{"/b", "/f", "/v"}, "/f needs a value"}, Refused{{"/b", "/r"}, "second action"},
        Refused{{"backup", "--skip", "0"}, "not clear"}, Refused{{"backup", "-d", "0"}, "no one-letter options"},
        Refused{{"/d:0", "/b"}, "give the action first"}, Refused{{"backup", "--file", "a"}, "needs --drive"},
        Refused{{"backup", "--drive", "0"}, "needs --file"}, Refused{{"validate"}, "needs --file"},
        Refused{{"backup", "--drive", "0", "--file", "a", "--max-file-size", "650"}, "has no unit"},
        Refused{{"backup", "--drive", "0", "--file", "a", "--password", "x"}, "--encryption 3"},
        Refused{{"disc"}, "disc is not built yet"},
        Refused{{"/reboot"}, "/reboot is not built yet"},
        Refused{{"/r", "/f:a", "/x"}, "--expand (/x) is not built yet"},
        Refused{{"/b", "/d:0", "/base:a", "/f:b"}, "exclude each other"},
        Refused{{"validate", "--file", "a", "--file", "b"}, "--file is given twice"},
        Refused{{"/v", "/f:a", "/f:b"}, "/f is given twice"}, Refused{{"mount", "a", "m", "--to", "n"}, "--to is given twice"},
        Refused{{"copy", "--source-drive", "a@1", "--source-drive", "a@2", "--target-drive", "b"}, "--source-drive is given twice"},
        Refused{{"/b", "/d:0", "/f:a", "/comp:1", "/comp:7"}, "/comp is given twice"},
        Refused{{"deploy"}, "deploy is not built yet"},
        Refused{{"restore", "--file", "a", "--first-fit", "--original-place"}, "exclude each other"},
        Refused{{"backup", "--description", std::string(128, 'x')}, "longer than 127 characters"},
        Refused{{"--=x"}, "no option"}, Refused{{"/"}, "no option"}, Refused{{"/:"}, "no option"},
        Refused{{"backup", "\x1b[31m"}, "\"?[31m\" stands alone"}));

TEST(CommandLine, ErrorsNeverShowASecret) {
  const std::string secret(129, 's');
  for (const Inputs& inputs : {line({"/b", "/d:0", "/f:a", "/pw:" + secret}), line({"backup", "--password", secret}),
                               line({"backup", "--password=" + secret}), line({"/b", "/email:a*b*" + secret + "***********"})}) {
    const std::string sentence = refusal(inputs);
    EXPECT_THAT(sentence, Not(HasSubstr("ssss")));
    EXPECT_FALSE(sentence.empty());
  }
  const ParsedCommand command = parsed(line({"/v", "/f:a", "/pw:hush"}));
  for (const Setting& each : command.settings) EXPECT_THAT(each.origin.where, Not(HasSubstr("hush")));
}

TEST(CommandLine, EveryUnbuiltOptionIsRefusedByName) {
  for (const Option& each : catalogue()) {
    if (each.built || !each.belongs_to(Action::backup)) continue;
    std::string value = each.choices.empty() ? "" : std::to_string(each.choices.front().number);
    if (each.kind == Kind::integer) value = std::to_string(each.min);
    if (each.kind == Kind::size) value = "64MiB";
    if (each.kind == Kind::star_list) value = "a*b*c";
    if (each.kind == Kind::virtual_drive) value = "3:x";
    if (each.kind == Kind::text || each.kind == Kind::path) value = "x";
    std::vector<std::string> words = {"backup", "--drive", "0", "--file", "a",
                                      "--" + std::string(each.gnu) + (value.empty() ? "" : "=" + value)};
    EXPECT_THAT(refusal(line(words)), HasSubstr("--" + std::string(each.gnu))) << each.gnu;
    EXPECT_THAT(refusal(line(words)), HasSubstr("is not built yet")) << each.gnu;
  }
}

}  // namespace
}  // namespace tintype::options
