// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "fs/ext/directory.h"
#include "fs/ext/owners.h"
#include "fs/file_trees.h"
#include "fs/mapped_content.h"

namespace tintype::ext {
namespace {

constexpr std::uint64_t kMaxTargetBytes = 65536;

// Names in an encrypted folder are any bytes; they are shown as URL-safe base64, which no '/' is in.
std::string without_slashes(std::string_view name) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  unsigned bits = 0, value = 0;
  for (const char c : name) {
    value = (value << 8 | static_cast<unsigned char>(c)) & 0xFFFF;
    for (bits += 8; bits >= 6; bits -= 6) out += kDigits[value >> (bits - 6) & 63];
  }
  if (bits > 0) out += kDigits[value << (6 - bits) & 63];
  return out;
}

class ExtTree final : public FileTree {
 public:
  ExtTree(std::shared_ptr<Drive> drive, const Super& super) : drive_(std::move(drive)), super_(super), inodes_(drive_, super_) {}

  FsType type() const override { return super_.type; }
  bool ignores_case() const override { return false; }
  bool same_name(const std::string& a, const std::string& b) const override { return a == b; }

  std::string warning() const override {
    if (super_.has_incompat(incompat::kRecover))
      return "the journal of this ext file system is not replayed: what was changed last may be missing or half there";
    if ((super_.state & state::kErrors) != 0) return "this ext file system is marked as having errors";
    return {};
  }

  Result<FileNode> root() override {
    const Inode inode = TRY(inodes_.read(kRootInode));
    if (!inode.is_folder()) return fail(ErrorCode::corrupt, "the root of the ext file system is no folder", "run e2fsck on a copy of it");
    return inode.node("");
  }

  Result<void> list(const FileNode& folder, const NameFilter& wanted, const Visitor& visit) override {
    const Inode inode = TRY(inode_of(folder));
    if (!inode.is_folder()) return fail(ErrorCode::usage, fmt::format("ext inode {} is no folder", inode.number()));
    std::optional<Error> trouble;
    TRY(for_each_entry(drive_, super_, inode, [&](std::uint32_t number, std::string_view name) {
      if (name == "." || name == "..") return true;
      const std::string text = inode.has(kEncryptedFlag) ? without_slashes(name) : std::string(name);
      if (wanted.fits && !wanted.fits(text)) return true;
      const Result<Inode> entry = inodes_.read(number);
      if (!entry) {
        trouble = entry.error();
        return true;
      }
      if (!entry->in_use() || !entry->kind()) {
        trouble = make_error(ErrorCode::corrupt, fmt::format("a folder names ext inode {}, which is not in use", number));
        return true;
      }
      return visit(entry->node(text));
    }));
    if (trouble) return fail(*trouble);
    return {};
  }

  Result<std::unique_ptr<FileContent>> open(const FileNode& file, const std::string& stream) override {
    if (!stream.empty()) return fail(ErrorCode::not_found, "files of ext have no further streams");
    const Inode inode = TRY(inode_of(file));
    if (inode.kind() != NodeKind::file && inode.kind() != NodeKind::symlink)
      return fail(ErrorCode::usage, fmt::format("ext inode {} has no content", inode.number()));
    return content_of(drive_, super_, inode);
  }

  Result<std::optional<std::string>> link_target(const FileNode& node) override {
    if (node.kind != NodeKind::symlink) return std::nullopt;
    const std::unique_ptr<FileContent> content = TRY(open(node, {}));
    const Bytes target = TRY(read_all(*content, kMaxTargetBytes));
    return std::string(as_text(target));
  }

  Result<std::vector<ByteOwner>> owners(const ExtentSet& bytes) override { return owners_of(drive_, super_, bytes); }

 private:
  Result<Inode> inode_of(const FileNode& node) {
    Inode inode = TRY(inodes_.read(static_cast<std::uint32_t>(node.handle[0])));
    if (!inode.in_use()) return fail(ErrorCode::corrupt, fmt::format("ext inode {} is not in use", inode.number()));
    return inode;
  }

  std::shared_ptr<Drive> drive_;
  Super super_;
  InodeReader inodes_;
};

}  // namespace
}  // namespace tintype::ext

namespace tintype {

Result<std::unique_ptr<FileTree>> open_ext_tree(std::shared_ptr<Drive> partition) {
  using namespace ext;
  if (partition->size_bytes() < kSuperOffset + kSuperBytes) return nullptr;
  Bytes raw(kSuperBytes);
  TRY(partition->read(kSuperOffset, raw));
  if (!looks_like_super(raw)) return nullptr;
  const Super super = describe_super(raw);
  TRY(check_super(super, raw, false));
  return std::make_unique<ExtTree>(std::move(partition), super);
}

}  // namespace tintype
