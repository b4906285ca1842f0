// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "options/parse.h"

namespace tintype::options {

inline Inputs line(std::vector<std::string> words) {
  Inputs inputs;
  inputs.arguments = std::move(words);
  return inputs;
}

// The same, taking what is not built yet.
inline Inputs any_line(std::vector<std::string> words) {
  Inputs inputs = line(std::move(words));
  inputs.allow_unbuilt = true;
  return inputs;
}

inline ParsedCommand parsed(const Inputs& inputs) {
  Result<ParsedCommand> command = parse_command(inputs);
  EXPECT_TRUE(command) << command.error().message();
  return command ? *command : ParsedCommand{};
}

// The whole sentence of a refused command; empty if it was accepted.
inline std::string refusal(const Inputs& inputs) {
  const Result<ParsedCommand> command = parse_command(inputs);
  if (command) return "";
  EXPECT_EQ(command.error().code, ErrorCode::usage);
  return command.error().message();
}

}  // namespace tintype::options
