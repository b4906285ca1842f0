// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/partition_place.h"

#include <fmt/format.h>

#include <mutex>

#include "base/text.h"
#include "fs/file_tree.h"

namespace tintype {
namespace {

// A tree serves one thread at a time.
struct SharedTree {
  std::unique_ptr<FileTree> tree;
  std::mutex mutex;
};

class FileInTree final : public ReadFile {
 public:
  FileInTree(std::shared_ptr<SharedTree> tree, std::unique_ptr<FileContent> content, std::string words)
      : tree_(std::move(tree)), content_(std::move(content)), words_(std::move(words)) {}

  std::uint64_t size() const override { return content_->size_bytes(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (!fits(offset, out.size(), size())) {
      Error error = make_error(ErrorCode::corrupt, fmt::format("{} is shorter than it should be", printable(words_)));
      error.offset_bytes = offset;
      return fail(std::move(error));
    }
    const std::lock_guard lock(tree_->mutex);
    Result<void> done = content_->read(offset, out);
    if (!done) return fail(std::move(done).error().within(printable(words_)));
    return done;
  }
  void will_need(std::uint64_t, std::uint64_t) override {}

 private:
  std::shared_ptr<SharedTree> tree_;  // outlives the content
  std::unique_ptr<FileContent> content_;
  std::string words_;
};

class PartitionPlace final : public Place {
 public:
  PartitionPlace(std::shared_ptr<SharedTree> tree, FileNode folder, std::string words)
      : tree_(std::move(tree)), folder_(std::move(folder)), words_(std::move(words)) {}

  std::string describe(const std::string& name) const override {
    return name.empty() ? words_ : words_.ends_with('/') ? words_ + name : words_ + "/" + name;
  }

  Result<std::unique_ptr<ReadFile>> open(const std::string& name) override {
    const std::lock_guard lock(tree_->mutex);
    const std::optional<FileNode> node = TRY(find(name));
    if (!node) return fail(os_error(ENOENT, fmt::format("cannot open {}", printable(describe(name)))));
    if (node->kind != NodeKind::file) return fail(ErrorCode::usage, fmt::format("{} is a {}", printable(describe(name)), to_string(node->kind)));
    return std::make_unique<FileInTree>(tree_, TRY(tree_->tree->open(*node)), describe(name));
  }

  Result<bool> exists(const std::string& name) override {
    const std::lock_guard lock(tree_->mutex);
    const std::optional<FileNode> node = TRY(find(name));
    return node.has_value();
  }

  Result<std::vector<std::string>> list() override {
    const std::lock_guard lock(tree_->mutex);
    std::vector<std::string> names;
    TRY(tree_->tree->list(folder_, [&](const FileNode& node) {
      if (node.kind == NodeKind::file) names.push_back(node.name);
      return true;
    }));
    return names;
  }

  Result<std::unique_ptr<AppendFile>> create(const std::string&) override { return read_only(); }
  Result<std::unique_ptr<AppendFile>> reopen(const std::string&, std::uint64_t) override { return read_only(); }
  Result<std::unique_ptr<PlaceLock>> lock(const std::string&) override { return std::unique_ptr<PlaceLock>(); }
  Result<void> rename(const std::string&, const std::string&) override { return read_only(); }
  Result<void> remove(const std::string&) override { return read_only(); }
  Result<void> sync() override { return {}; }
  Result<std::uint64_t> free_bytes() override { return read_only(); }
  std::optional<std::uint64_t> max_file_bytes() override { return std::nullopt; }

 private:
  std::unexpected<Error> read_only() const {
    return fail(ErrorCode::unsupported, fmt::format("{} is read without being mounted, and cannot be written to", printable(words_)),
                "mount it and give the path");
  }

  // The caller has the tree.
  Result<std::optional<FileNode>> find(const std::string& name) {
    std::optional<FileNode> found;
    const Result<void> listed = tree_->tree->list(folder_, [&](const FileNode& node) {
      if (node.name == name || (!found && tree_->tree->same_name(node.name, name))) found = node;
      return !found || found->name != name;
    });
    if (!found && !listed) return fail(listed.error());
    return found;
  }

  std::shared_ptr<SharedTree> tree_;
  FileNode folder_;
  std::string words_;
};

}  // namespace

Result<std::unique_ptr<Place>> open_partition_place(std::shared_ptr<Drive> partition, const std::string& folder, std::string words) {
  auto tree = std::make_shared<SharedTree>();
  tree->tree = TRY(open_file_tree(std::move(partition)));
  FileNode node = TRY(find_node(*tree->tree, folder));
  if (node.kind != NodeKind::folder) return fail(ErrorCode::usage, fmt::format("{} is a {}, not a folder", printable(words), to_string(node.kind)));
  return std::make_unique<PartitionPlace>(std::move(tree), std::move(node), std::move(words));
}

}  // namespace tintype
