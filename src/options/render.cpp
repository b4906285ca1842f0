// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "options/document.h"
#include "options/words.h"

namespace tintype::options {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

// One line of text for troff: no character is a command.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else if (c == '\'') out += "\\(aq";
    else if (c == '`') out += "\\(ga";
    else if (c == '^') out += "\\(ha";
    else if (c == '~') out += "\\(ti";
    else out += c;
  }
  if (out.starts_with('.')) out.insert(0, "\\&");
  return out;
}

// For the argument of a macro: quotes doubled.
std::string argument(std::string_view text) {
  std::string out;
  for (const char c : escaped(text)) {
    if (c == '"') out += "\\(dq";
    else out += c;
  }
  return "\"" + out + "\"";
}

std::string paragraphs(std::string_view text, std::string_view between) {
  std::string out;
  for (const std::string& each : split_fields(text, '\n')) {
    if (each.empty()) continue;
    if (!out.empty()) out += fmt::format("{}\n", between);
    out += escaped(each) + "\n";
  }
  return out;
}

std::string all_terms(const std::vector<Entry>& entries) {
  std::string out;
  for (const Entry& each : entries) out += fmt::format("{}{}", out.empty() ? "" : "; ", each.term);
  return out;
}

std::string manual_section(const DocumentSection& section) {
  std::string out = fmt::format(".SH {}\n", argument(upper(section.heading)));
  out += paragraphs(section.text, ".PP");
  if (!section.code.empty()) {
    out += section.text.empty() ? ".nf\n" : ".PP\n.nf\n";
    for (const std::string& line : section.code) out += escaped(line) + "\n";
    out += ".fi\n";
  }
  for (const Entry& each : section.entries)
    out += fmt::format(".TP\n.B {}\n{}", argument(each.term), paragraphs(each.text, ".br"));
  return out;
}

}  // namespace

std::string render_text(const Document& document, std::size_t width) {
  width = std::max<std::size_t>(width, 40);
  std::string out = wrap(fmt::format("{}: {}", document.name, document.one_line), width, 0);
  for (const DocumentSection& section : document.sections) {
    out += fmt::format("\n{}:\n", section.heading);
    if (!section.text.empty()) out += wrap(section.text, width, 2);
    for (const std::string& line : section.code) out += fmt::format("  {}\n", line);
    if (section.brief) out += wrap(all_terms(section.entries), width, 2);
    for (const Entry& each : section.entries) {
      if (section.brief) continue;
      out += wrap(each.term, width, 2);
      out += wrap(each.text, width, 8);
    }
  }
  return out;
}

std::string render_manual(const Document& document, std::string_view version) {
  std::string out = ".\\\" SPDX-License-Identifier: GPL-3.0-or-later\n.\\\" Made from the option catalogue; do not edit.\n";
  out += fmt::format(".TH {} 1 \"\" {} \"User Commands\"\n", argument(upper(document.name)),
                     argument(fmt::format("tintype {}", version)));
  // No word broken over two lines: a broken option could not be copied.
  out += ".nh\n.ad l\n";
  out += fmt::format(".SH NAME\n{} \\- {}\n", escaped(document.name), escaped(document.one_line));
  for (const DocumentSection& section : document.sections) out += manual_section(section);
  if (document.name != "tintype") out += ".SH SEE ALSO\n.BR tintype (1)\n";
  return out;
}

std::string help_text(std::optional<Action> topic, Spelling spelling, std::size_t width) {
  return render_text(describe(topic, spelling), width);
}

}  // namespace tintype::options
