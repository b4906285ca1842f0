// SPDX-License-Identifier: GPL-3.0-or-later
// Actions that take plain words: which option each word fills, and what is one too many.
#include <gtest/gtest.h>

#include "options/parse.h"

namespace tintype::options {
namespace {

Result<ParsedCommand> parse(std::vector<std::string> words) {
  Inputs inputs;
  inputs.arguments = std::move(words);
  inputs.allow_unbuilt = true;
  return parse_command(inputs);
}

TEST(PlainWords, FillTheOptionsOfTheActionInOrder) {
  const auto command = parse({"mount", "pc", "--writable", "/mnt/image"});
  ASSERT_TRUE(command) << command.error().message();
  EXPECT_EQ(command->text("file"), "pc");
  EXPECT_EQ(command->text("to"), "/mnt/image");  // no option of a slash spelling
  EXPECT_TRUE(command->flag("writable"));
}

TEST(PlainWords, MayBeginWithADashBehindTwo) {
  const auto command = parse({"mount", "--", "--odd", "dir"});
  ASSERT_TRUE(command) << command.error().message();
  EXPECT_EQ(command->text("file"), "--odd");
}

TEST(PlainWords, TooManyOrTooFewAreNamed) {
  const auto many = parse({"mount", "pc", "dir", "more"});
  ASSERT_FALSE(many);
  EXPECT_NE(many.error().message().find("\"more\" is one word too many"), std::string::npos) << many.error().message();
  const auto few = parse({"mount", "pc"});
  ASSERT_FALSE(few);
  EXPECT_NE(few.error().message().find("mount needs a"), std::string::npos) << few.error().message();
}

TEST(PlainWords, AreRefusedByOtherActions) { EXPECT_FALSE(parse({"backup", "pc"})); }

}  // namespace
}  // namespace tintype::options
