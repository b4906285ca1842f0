// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "fs/chain_map.h"
#include "fs/fat/folder.h"
#include "fs/fat/owners.h"
#include "fs/file_trees.h"
#include "fs/mapped_content.h"
#include "fs/probe.h"
#include "fs/upcase_fold.h"

namespace tintype::fat {
namespace {

class FatTree final : public FileTree {
 public:
  FatTree(std::shared_ptr<Drive> partition, const Geometry& g)
      : partition_(std::move(partition)), g_(g), table_(std::make_shared<Table>(partition_, g_)) {}

  FsType type() const override { return g_.type; }
  bool ignores_case() const override { return true; }
  bool same_name(const std::string& a, const std::string& b) const override { return folded_name(a) == folded_name(b); }

  Result<FileNode> root() override {
    FileNode node;
    node.kind = NodeKind::folder;
    node.dos_attributes = 0x10;
    return node;
  }

  Result<void> list(const FileNode& folder, const NameFilter& wanted, const Visitor& visit) override {
    if (folder.kind != NodeKind::folder) return fail(ErrorCode::usage, folder.name + " is no folder");
    if (!folder.name.empty() && folder.handle[0] == 0) return fail(ErrorCode::corrupt, "a FAT folder has no cluster");
    FolderReader reader(partition_, table_, g_, static_cast<std::uint32_t>(folder.handle[0]));
    while (const std::optional<FolderEntry> entry = TRY(reader.next())) {
      const FileNode node = node_of(*entry);
      if ((!wanted.fits || wanted.fits(node.name)) && !visit(node)) return {};
    }
    return {};
  }

  Result<std::unique_ptr<FileContent>> open(const FileNode& file, const std::string& stream) override {
    if (!stream.empty()) return fail(ErrorCode::not_found, "files of FAT have no further streams");
    if (file.kind != NodeKind::file) return fail(ErrorCode::usage, file.name + " has no content");
    ChainedFile chained{.heap_offset = g_.data_offset,
                        .cluster_bytes = g_.cluster_bytes,
                        .cluster_count = g_.cluster_count,
                        .first_cluster = static_cast<std::uint32_t>(file.handle[0]),
                        .size_bytes = file.size_bytes,
                        .valid_bytes = file.size_bytes,
                        .next = [table = table_](std::uint32_t cluster) -> Result<std::optional<std::uint32_t>> {
                          const Entry next = TRY(table->entry(cluster));
                          if (next.free() || next.bad() || next.end_of_chain()) return std::nullopt;
                          return next.value();
                        }};
    return mapped_content(partition_, file.size_bytes, chain_map(std::move(chained)));
  }

  Result<std::vector<ByteOwner>> owners(const ExtentSet& bytes) override { return owners_of(partition_, table_, g_, bytes); }

 private:
  FileNode node_of(const FolderEntry& entry) const {
    FileNode node;
    node.id = entry.place;
    node.kind = entry.is_folder() ? NodeKind::folder : NodeKind::file;
    node.name = entry.name;
    node.size_bytes = entry.size_bytes;
    node.stored_bytes = round_up(entry.size_bytes, g_.cluster_bytes);
    node.modified = entry.modified;
    node.accessed = entry.accessed;
    node.created = entry.created;
    node.dos_attributes = entry.attributes;
    node.handle[0] = entry.first_cluster;
    return node;
  }

  std::shared_ptr<Drive> partition_;
  Geometry g_;
  std::shared_ptr<Table> table_;
};

}  // namespace
}  // namespace tintype::fat

namespace tintype {

Result<std::unique_ptr<FileTree>> open_fat_tree(std::shared_ptr<Drive> partition) {
  using namespace fat;
  const std::unique_ptr<FileSystem> found = TRY(probe_fat(partition));
  if (!found) return nullptr;
  std::array<std::byte, 512> sector{};
  TRY(partition->read(0, sector));
  const std::optional<fat::Geometry> g = parse_boot_sector(sector);
  if (!g) return nullptr;
  if (g->table_bytes() > g->fat_bytes || !fits(g->offset_of_copy(g->active_fat), g->table_bytes(), partition->size_bytes()))
    return fail(ErrorCode::corrupt, "the file allocation table is too short or lies outside the partition");
  return std::make_unique<FatTree>(std::move(partition), *g);
}

}  // namespace tintype
