// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace tintype::options {

// Small text tools of the parsers. ASCII rules only: option names are ASCII.
std::string lower(std::string_view text);
bool same_word(std::string_view a, std::string_view b);  // ignoring ASCII case
std::string_view trim(std::string_view text);             // blanks and tabs at both ends
// The text without one pair of double quotes around it, if it has both.
std::string_view unquoted(std::string_view text);
std::size_t code_points(std::string_view utf8);

// The candidate nearest to what was typed (edit distance, at most a third of its length), or empty.
std::string_view nearest(std::string_view typed, const std::vector<std::string_view>& candidates);

// Paragraphs (separated by '\n') broken at blanks so that no line is wider than `width` characters; every line
// starts with `indent` blanks. A word longer than the line stands alone.
std::string wrap(std::string_view text, std::size_t width, std::size_t indent);

// The text as one word of a POSIX shell command line.
std::string shell_word(std::string_view text);

}  // namespace tintype::options
