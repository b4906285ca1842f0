// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/link_target.h"

#include <algorithm>
#include <string_view>

namespace tintype {
namespace {

bool is_slash(char c) { return c == '\\' || c == '/'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// What follows the drive in "\??\C:\Users", "C:\Users", "\\?\Volume{…}\Users" or "\Users"; nothing for a relative path, and for a share.
std::optional<std::string_view> from_root(std::string_view target) {
  bool prefixed = false;
  for (const std::string_view prefix : {"\\??\\", "\\\\?\\", "\\\\.\\"}) {
    if (!target.starts_with(prefix)) continue;
    target.remove_prefix(prefix.size());
    prefixed = true;
    break;
  }
  if (target.size() >= 2 && is_letter(target[0]) && target[1] == ':') return target.substr(2);
  if (prefixed && target.starts_with("Volume{")) return target.substr(std::min(target.find('}'), target.size() - 1) + 1);
  if (!prefixed && !target.empty() && is_slash(target[0]) && !(target.size() > 1 && is_slash(target[1]))) return target;
  return std::nullopt;
}

}  // namespace

Result<std::optional<std::string>> portable_target(FileTree& tree, std::span<const FileNode> parents, const std::string& target) {
  if (!tree.ignores_case()) return target;
  const std::optional<std::string_view> absolute = from_root(target);
  std::string text(absolute.value_or(target));
  std::ranges::replace(text, '\\', '/');
  if (!absolute) {
    if (text.starts_with('/')) return std::nullopt;  // a share, or a device
    return text;
  }
  // Names are written as the folders have them: they are told apart by case here.
  std::string link;
  for (std::size_t i = 1; i < parents.size(); ++i) link += "../";
  std::string walked;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('/', at), text.size());
    const std::string name = text.substr(at, end - at);
    at = end + 1;
    if (name.empty()) continue;
    walked += "/" + name;
    const Result<FileNode> node = find_node(tree, walked);
    if (!node && (node.error().code == ErrorCode::not_found || node.error().code == ErrorCode::usage)) return std::nullopt;
    if (!node) return fail(node.error());
    link += node->name + "/";
  }
  if (link.empty()) return std::string(".");
  link.pop_back();
  return link;
}

}  // namespace tintype
