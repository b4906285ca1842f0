// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/path_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxComponents = 256;

// The character at a place: one code point, or one byte where the text is no UTF-8.
std::string_view character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(at) < 0xC0 ? 1 : byte(at) < 0xE0 ? 2 : byte(at) < 0xF0 ? 3 : 4;
  if (length > text.size() - at) return text.substr(at, 1);
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0U) != 0x80) return text.substr(at, 1);
  return text.substr(at, length);
}

// Code points compare as their bytes do, so a range needs no decoding.
bool in_range(std::string_view c, std::string_view first, std::string_view last) {
  const auto number = [](std::string_view text) {
    std::uint64_t all = text.size();
    for (const char byte : text) all = all << 8U | static_cast<unsigned char>(byte);
    for (std::size_t i = text.size(); i < 4; ++i) all <<= 8U;
    return all;
  };
  return number(first) <= number(c) && number(c) <= number(last);
}

char other_case(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 'A');
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c;
}

// One component against one name. Backtracks to the last '*' only, so it takes at most their product in steps.
class Glob {
 public:
  Glob(std::string_view pattern, std::string_view name, const FileTree& tree)
      : pattern_(pattern), name_(name), tree_(tree), escapes_(!tree.ignores_case()) {}

  bool fits() const {
    std::size_t p = 0, n = 0, star = std::string_view::npos, taken = 0;
    while (n < name_.size()) {
      const std::string_view c = character_at(name_, n);
      std::size_t next = p;
      if (p < pattern_.size() && pattern_[p] == '*') {
        star = ++p;
        taken = n;
      } else if (p < pattern_.size() && fits_one(next, c)) {
        p = next;
        n += c.size();
      } else if (star != std::string_view::npos) {
        p = star;
        taken += character_at(name_, taken).size();
        n = taken;
      } else {
        return false;
      }
    }
    while (p < pattern_.size() && pattern_[p] == '*') ++p;
    return p == pattern_.size();
  }

 private:
  bool same(std::string_view a, std::string_view b) const {
    return a == b || (!escapes_ && tree_.same_name(std::string(a), std::string(b)));
  }

  // Whether `c` fits what stands at `p`, which then goes past it.
  bool fits_one(std::size_t& p, std::string_view c) const {
    if (pattern_[p] == '?') {
      ++p;
      return true;
    }
    if (const std::size_t end = set_end(p); end != 0) {
      const bool fit = in_set(pattern_.substr(p + 1, end - p - 1), c);
      p = end + 1;
      return fit;
    }
    if (escapes_ && pattern_[p] == '\\' && p + 1 < pattern_.size()) ++p;
    const std::string_view wanted = character_at(pattern_, p);
    p += wanted.size();
    return same(wanted, c);
  }

  // The ']' of a set that begins at `p`; 0 if none does. "[]a]" and "[!]a]" hold a ']'.
  std::size_t set_end(std::size_t p) const {
    if (pattern_[p] != '[') return 0;
    std::size_t from = p + 1;
    if (from < pattern_.size() && (pattern_[from] == '!' || pattern_[from] == '^')) ++from;
    const std::size_t end = from < pattern_.size() ? pattern_.find(']', from + 1) : std::string_view::npos;
    return end == std::string_view::npos ? 0 : end;
  }

  bool in_set(std::string_view set, std::string_view c) const {
    const bool inverted = set.size() > 1 && (set[0] == '!' || set[0] == '^');
    if (inverted) set.remove_prefix(1);
    bool found = false;
    for (std::size_t at = 0; at < set.size() && !found;) {
      const std::string_view first = character_at(set, at);
      at += first.size();
      if (at + 1 < set.size() && set[at] == '-') {
        const std::string_view last = character_at(set, at + 1);
        at += 1 + last.size();
        found = in_range(c, first, last);
        if (!found && !escapes_ && c.size() == 1) {
          const char other = other_case(c[0]);
          found = in_range(std::string_view(&other, 1), first, last);
        }
      } else {
        found = same(first, c);
      }
    }
    return found != inverted;
  }

  std::string_view pattern_, name_;
  const FileTree& tree_;
  bool escapes_;
};

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// As the tree has it; for most names that can be told without its tables.
bool same_name(const std::string& a, const std::string& b, const FileTree& tree) {
  if (a == b) return true;
  if (!tree.ignores_case()) return false;
  if (!is_ascii(a) || !is_ascii(b)) return tree.same_name(a, b);
  return std::ranges::equal(a, b, [](char x, char y) { return x == y || x == other_case(y); });
}

PathPattern::Component component_of(std::string text, bool escapes) {
  PathPattern::Component component;
  component.any_depth = text == "**";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (escapes && text[i] == '\\' && i + 1 < text.size()) ++i;
    else if (text[i] == '*' || text[i] == '?' || (text[i] == '[' && text.find(']', i + 2) != std::string::npos)) component.wild = true;
    component.name += text[i];
  }
  component.text = std::move(text);
  return component;
}

}  // namespace

bool PathPattern::has_wildcards() const { return std::ranges::any_of(components, &Component::wild); }

Result<PathPattern> parse_path_pattern(const std::string& text, const FileTree& tree) {
  PathPattern pattern;
  pattern.text = text;
  if (text.empty()) return fail(ErrorCode::usage, "a path is empty", "say / for everything");
  if (text.size() > kMaxText) return fail(ErrorCode::usage, fmt::format("a path is longer than {} bytes", kMaxText));
  if (text.find('\0') != std::string::npos) return fail(ErrorCode::usage, "a path contains a zero byte");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(tree.ignores_case() ? "/\\" : "/", at), text.size());
    PathPattern::Component component = component_of(text.substr(at, end - at), !tree.ignores_case());
    at = end + 1;
    if (component.text.empty() || component.text == ".") continue;
    if (component.text == "..")
      return fail(ErrorCode::usage, fmt::format("'{}' goes up, which has no meaning here", printable(text)), "name what is wanted from the root: /folder/file");
    if (component.any_depth && !pattern.components.empty() && pattern.components.back().any_depth) continue;
    if (pattern.components.size() == kMaxComponents)
      return fail(ErrorCode::usage, fmt::format("a path has more than {} components", kMaxComponents));
    pattern.components.push_back(std::move(component));
  }
  return pattern;
}

bool name_fits(const PathPattern::Component& component, const std::string& name, const FileTree& tree) {
  if (same_name(component.name, name, tree)) return true;
  return component.wild && Glob(component.text, name, tree).fits();
}

}  // namespace tintype
