// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "fs/fat/folder.h"
#include "fs/fat/owners.h"
#include "fs/file_trees.h"
#include "fs/mapped_content.h"
#include "fs/probe.h"
#include "fs/upcase_fold.h"

namespace tintype::fat {
namespace {

// A chain can only be followed forwards. Every 1024th cluster is remembered, so that going back costs as little as going on.
class ChainMap final : public ContentMap {
 public:
  ChainMap(std::shared_ptr<Table> table, const Geometry& g, std::uint32_t first, std::uint64_t size)
      : table_(std::move(table)), g_(g), wanted_(div_round_up(size, g.cluster_bytes)), marks_{first}, cluster_(first) {}

  Result<ContentRun> at(std::uint64_t offset) override {
    const std::uint64_t index = offset / g_.cluster_bytes;
    const std::uint64_t mark = std::min<std::uint64_t>(index / kStep, marks_.size() - 1);
    if (index < index_ || mark * kStep > index_) {
      index_ = mark * kStep;
      cluster_ = marks_[mark];
    }
    TRY(check());
    while (index_ < index) TRY(step());
    const std::uint64_t first = index_, place = g_.data_offset + std::uint64_t{cluster_ - 2} * g_.cluster_bytes;
    // Neighbours are one run; the cursor stops at the last of them.
    while (index_ - first < kMaxRun && index_ + 1 < wanted_) {
      const Entry next = TRY(table_->entry(cluster_));
      if (next.value() != cluster_ + 1) break;
      TRY(step());
    }
    return ContentRun{first * g_.cluster_bytes, (index_ - first + 1) * g_.cluster_bytes, place};
  }

 private:
  static constexpr std::uint64_t kStep = 1024, kMaxRun = 65536;

  Result<void> check() const {
    if (cluster_ < 2 || cluster_ - 2 >= g_.cluster_count) return fail(ErrorCode::corrupt, "a file leaves the FAT file system");
    return {};
  }
  Result<void> step() {
    const Entry next = TRY(table_->entry(cluster_));
    if (next.free() || next.bad() || next.end_of_chain())
      return fail(ErrorCode::corrupt, fmt::format("the cluster chain of a file ends after {} of {} clusters", index_ + 1, wanted_));
    cluster_ = next.value();
    ++index_;
    TRY(check());
    if (index_ % kStep == 0 && index_ / kStep == marks_.size()) marks_.push_back(cluster_);
    return {};
  }

  std::shared_ptr<Table> table_;
  Geometry g_;
  std::uint64_t wanted_;  // clusters
  std::vector<std::uint32_t> marks_;
  std::uint64_t index_ = 0;
  std::uint32_t cluster_;
};

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

  Result<void> list(const FileNode& folder, const Visitor& visit) override {
    if (folder.kind != NodeKind::folder) return fail(ErrorCode::usage, folder.name + " is no folder");
    if (!folder.name.empty() && folder.handle[0] == 0) return fail(ErrorCode::corrupt, "a FAT folder has no cluster");
    FolderReader reader(partition_, table_, g_, static_cast<std::uint32_t>(folder.handle[0]));
    while (const std::optional<FolderEntry> entry = TRY(reader.next()))
      if (!visit(node_of(*entry))) return {};
    return {};
  }

  Result<std::unique_ptr<FileContent>> open(const FileNode& file, const std::string& stream) override {
    if (!stream.empty()) return fail(ErrorCode::not_found, "files of FAT have no further streams");
    if (file.kind != NodeKind::file) return fail(ErrorCode::usage, file.name + " has no content");
    auto map = std::make_unique<ChainMap>(table_, g_, static_cast<std::uint32_t>(file.handle[0]), file.size_bytes);
    return mapped_content(partition_, file.size_bytes, std::move(map));
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
