// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fs/file_tree.h"

namespace tintype::test {

// A tree of files in memory, with whatever names and loops a test wants. Nodes are numbered from 1, the root.
class FakeTree final : public FileTree {
 public:
  struct Node {
    FileNode node;
    std::vector<std::uint64_t> entries;            // of a folder
    std::vector<std::string> entry_names;          // a name for each: hard links have several
    std::string content;                           // of a file
    std::vector<Extent> extents, holes;            // on the partition; of the file
    std::optional<std::string> target;             // of a link
    std::map<std::string, std::string> streams;
    std::set<std::uint64_t> bad_blocks;            // 4 KiB blocks of the content that cannot be read
    bool damaged = false;                          // listing it ends with an error
  };

  FakeTree() {
    nodes_[1].node.id = 1;
    nodes_[1].node.kind = NodeKind::folder;
  }

  std::uint64_t add(std::uint64_t folder, const std::string& name, NodeKind kind, std::string content = {}) {
    const std::uint64_t id = ++last_;
    Node& made = nodes_[id];
    made.node.id = id;
    made.node.kind = kind;
    made.node.size_bytes = content.size();
    made.content = std::move(content);
    link(folder, name, id);
    return id;
  }
  std::uint64_t folder(std::uint64_t in, const std::string& name) { return add(in, name, NodeKind::folder); }
  std::uint64_t file(std::uint64_t in, const std::string& name, std::string content = {}) { return add(in, name, NodeKind::file, std::move(content)); }
  std::uint64_t symlink(std::uint64_t in, const std::string& name, const std::string& target) {
    const std::uint64_t id = add(in, name, NodeKind::symlink);
    nodes_[id].target = target;
    return id;
  }
  // One more entry for a node: a hard link, or a loop.
  void link(std::uint64_t folder, const std::string& name, std::uint64_t id) {
    nodes_.at(folder).entries.push_back(id);
    nodes_.at(folder).entry_names.push_back(name);
  }
  Node& operator[](std::uint64_t id) { return nodes_.at(id); }

  bool folds_case = false;
  std::map<std::uint64_t, unsigned> lists;  // how often each folder was read
  std::vector<std::uint64_t> list_order;
  std::uint64_t opened = 0;
  std::function<void(const FileNode&)> on_open = [](const FileNode&) {};
  std::function<void(const FileNode&)> on_read = [](const FileNode&) {};

  FsType type() const override { return folds_case ? FsType::ntfs : FsType::ext4; }
  bool ignores_case() const override { return folds_case; }
  bool same_name(const std::string& a, const std::string& b) const override { return folds_case ? lower(a) == lower(b) : a == b; }
  Result<FileNode> root() override { return nodes_.at(1).node; }
  using FileTree::list;
  Result<void> list(const FileNode& in, const NameFilter& wanted, const Visitor& visit) override {
    const Node& found = nodes_.at(in.id);
    ++lists[in.id];
    list_order.push_back(in.id);
    for (std::size_t i = 0; i < found.entries.size(); ++i) {
      FileNode each = nodes_.at(found.entries[i]).node;
      each.name = found.entry_names[i];
      if (wanted.fits && !wanted.fits(each.name)) continue;
      if (!visit(each)) return {};
    }
    if (found.damaged) return fail(ErrorCode::corrupt, "a folder is damaged");
    return {};
  }
  std::vector<Extent> names_of(const FileNode& folder, const std::vector<std::string>&) override { return nodes_.at(folder.id).extents; }
  Result<std::unique_ptr<FileContent>> open(const FileNode& of, const std::string& stream) override {
    ++opened;
    on_open(of);
    Node& found = nodes_.at(of.id);
    if (stream.empty()) return std::make_unique<Content>(found, found.content, on_read);
    return std::make_unique<Content>(found, found.streams.at(stream), on_read);
  }
  Result<std::vector<NamedStream>> streams(const FileNode& of) override {
    std::vector<NamedStream> out;
    for (const auto& [name, content] : nodes_.at(of.id).streams) out.push_back({name, content.size()});
    return out;
  }
  Result<std::optional<std::string>> link_target(const FileNode& of) override { return nodes_.at(of.id).target; }
  Result<std::vector<ByteOwner>> owners(const ExtentSet&) override { return std::vector<ByteOwner>{}; }

 private:
  class Content final : public FileContent {
   public:
    Content(const Node& node, const std::string& text, const std::function<void(const FileNode&)>& on_read)
        : node_(node), text_(text), on_read_(on_read) {}
    std::uint64_t size_bytes() const override { return text_.size(); }
    Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
      on_read_(node_.node);
      if (!fits(offset, out.size(), text_.size())) return fail(ErrorCode::out_of_bounds, "read past the end");
      for (const std::uint64_t block : node_.bad_blocks)
        if (block * 4096 < offset + out.size() && offset < (block + 1) * 4096) return fail(ErrorCode::corrupt, "a block is damaged");
      if (!out.empty()) std::memcpy(out.data(), text_.data() + offset, out.size());
      return {};
    }
    Result<std::vector<Extent>> extents() override { return node_.extents; }
    Result<std::optional<Extent>> next_data(std::uint64_t offset) override {
      for (const Extent& hole : node_.holes) {
        if (offset < hole.start) return Extent{offset, hole.start - offset};
        if (offset < hole.end()) offset = hole.end();
      }
      if (offset >= text_.size()) return std::nullopt;
      return Extent{offset, text_.size() - offset};
    }

   private:
    const Node& node_;
    const std::string& text_;
    const std::function<void(const FileNode&)>& on_read_;
  };

  static std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
  }

  std::map<std::uint64_t, Node> nodes_;
  std::uint64_t last_ = 1;
};

}  // namespace tintype::test
