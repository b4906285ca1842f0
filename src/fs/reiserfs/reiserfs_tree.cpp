// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "fs/file_trees.h"
#include "fs/reiserfs/objects.h"
#include "fs/reiserfs/owners.h"

namespace tintype::reiserfs {
namespace {

constexpr std::uint64_t kMaxTargetBytes = 65536;
constexpr std::string_view kHidden = ".reiserfs_priv";  // attributes; the kernel does not show it either

class ReiserTree final : public FileTree {
 public:
  ReiserTree(std::shared_ptr<Drive> drive, const Super& super, std::string warning)
      : drive_(std::move(drive)), super_(super), warning_(std::move(warning)), stats_(drive_, super_) {}

  FsType type() const override { return FsType::reiserfs; }
  bool ignores_case() const override { return false; }
  bool same_name(const std::string& a, const std::string& b) const override { return a == b; }
  std::string warning() const override { return warning_; }

  Result<FileNode> root() override {
    const Stat stat = TRY(stat_of(stats_, kRootId));
    if (!stat.is_folder()) return fail(ErrorCode::corrupt, "the root of the ReiserFS file system is no folder");
    return node_of(kRootId, stat, "");
  }

  // A folder may be asked for while another one is listed, so each listing has a cursor of its own.
  Result<void> list(const FileNode& folder, const NameFilter& wanted, const Visitor& visit) override {
    if (folder.kind != NodeKind::folder) return fail(ErrorCode::usage, folder.name + " is no folder");
    TreeCursor entries(drive_, super_);
    std::optional<Error> trouble;
    TRY(for_each_entry(entries, folder.handle[0], [&](std::uint64_t id, std::string_view name) {
      if (name == "." || name == ".." || (folder.handle[0] == kRootId && name == kHidden)) return true;
      if (wanted.fits && !wanted.fits(std::string(name))) return true;
      const Result<Stat> stat = stat_of(stats_, id);
      if (!stat || !stat->kind()) {
        trouble = stat ? make_error(ErrorCode::corrupt, "a ReiserFS object is of no known kind") : stat.error();
        return true;
      }
      return visit(node_of(id, *stat, std::string(name)));
    }));
    if (trouble) return fail(*trouble);
    return {};
  }

  Result<std::unique_ptr<FileContent>> open(const FileNode& file, const std::string& stream) override {
    if (!stream.empty()) return fail(ErrorCode::not_found, "files of ReiserFS have no further streams");
    if (file.kind != NodeKind::file && file.kind != NodeKind::symlink) return fail(ErrorCode::usage, file.name + " has no content");
    return mapped_content(drive_, file.size_bytes, map_of(drive_, super_, file.handle[0]));
  }

  Result<std::optional<std::string>> link_target(const FileNode& node) override {
    if (node.kind != NodeKind::symlink) return std::nullopt;
    const std::unique_ptr<FileContent> content = TRY(open(node, {}));
    const Bytes target = TRY(read_all(*content, kMaxTargetBytes));
    return std::string(as_text(target));
  }

  Result<std::vector<ByteOwner>> owners(const ExtentSet& bytes) override { return owners_of(drive_, super_, bytes); }

 private:
  static FileTime time(std::uint32_t seconds) { return std::int64_t{seconds} * 1'000'000'000; }

  static FileNode node_of(std::uint64_t id, const Stat& stat, std::string name) {
    FileNode node;
    node.id = id & 0xFFFFFFFF;
    node.handle[0] = id;
    node.kind = stat.kind().value_or(NodeKind::file);
    node.name = std::move(name);
    const bool special = node.kind == NodeKind::device || node.kind == NodeKind::fifo || node.kind == NodeKind::socket;
    node.size_bytes = special ? 0 : stat.size_bytes;
    node.stored_bytes = stat.stored_bytes;
    node.modified = time(stat.modified);
    node.accessed = time(stat.accessed);
    node.changed = time(stat.changed);
    node.mode = stat.mode & 07777U;
    node.owner = stat.owner;
    node.group = stat.group;
    node.links = stat.links;
    node.sparse = node.kind == NodeKind::file && node.stored_bytes < node.size_bytes;
    return node;
  }

  std::shared_ptr<Drive> drive_;
  Super super_;
  std::string warning_;
  TreeCursor stats_;
};

}  // namespace
}  // namespace tintype::reiserfs

namespace tintype {

Result<std::unique_ptr<FileTree>> open_reiserfs_tree(std::shared_ptr<Drive> partition) {
  using namespace reiserfs;
  const std::optional<Super> super = TRY(find_super(*partition));
  if (!super) return nullptr;
  TRY(check_super(*super, partition->size_bytes()));
  const Result<void> clean = check_clean(*partition, *super);
  std::string warning;
  if (!clean) warning = clean.error().what + ": what was changed last may be missing or half there";
  return std::make_unique<ReiserTree>(std::move(partition), *super, std::move(warning));
}

}  // namespace tintype
