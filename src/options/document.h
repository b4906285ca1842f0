// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "options/command.h"

namespace tintype::options {

enum class Spelling { gnu, slash };

// Help as data: made once from the catalogue, then written as terminal text or as a manual page, so that the two
// cannot differ.
struct Entry {
  std::string term;
  std::string text;  // paragraphs separated by '\n'
};
struct DocumentSection {
  std::string heading;
  std::string text;
  std::vector<Entry> entries;
  std::vector<std::string> code;  // lines shown as they are
  bool brief = false;             // a terminal shows the terms alone; the manual page explains them
};
struct Document {
  std::string name;      // "tintype-backup"
  std::string one_line;
  std::vector<DocumentSection> sections;
};

// The program (nothing) or one action, in the spelling that comes first.
Document describe(std::optional<Action> topic, Spelling spelling);

std::string render_text(const Document& document, std::size_t width);
// troff for man(7); passes groff -ww.
std::string render_manual(const Document& document, std::string_view version);

// What "--help", "help backup" and "/?" print. `width` in characters, at least 40 is used.
std::string help_text(std::optional<Action> topic, Spelling spelling, std::size_t width);
// The topics that have a manual page: the program and every action that is built.
std::vector<std::optional<Action>> manual_topics();

// The completion script for bash.
std::string bash_completion();

// The command as one shell line in either spelling, secrets masked ("***"). What the INI's [HDx] sections say is
// left out, and so are settings overruled by a stronger place.
std::string show_command(const ParsedCommand& command, Spelling spelling);

}  // namespace tintype::options
