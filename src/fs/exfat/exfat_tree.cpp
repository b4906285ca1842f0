// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>

#include "fs/chain_map.h"
#include "fs/exfat/bitmap.h"
#include "fs/exfat/folder.h"
#include "fs/exfat/owners.h"
#include "fs/file_trees.h"
#include "fs/upcase_fold.h"
#include "fs/wide_name.h"

namespace tintype::exfat {
namespace {

constexpr std::uint32_t kUnits = 65536;

// The table as stored: a unit for each, 0xFFFF and a count for so many that stay as they are. Empty if it makes no sense.
std::u16string unpack_upcase(ByteSpan stored) {
  std::u16string table;
  for (std::size_t at = 0; at + 2 <= stored.size() && table.size() < kUnits; at += 2) {
    const std::uint16_t unit = le16(stored, at);
    if (unit != 0xFFFF || at + 4 > stored.size()) {
      table += static_cast<char16_t>(unit);
      continue;
    }
    at += 2;
    for (std::uint32_t n = le16(stored, at); n > 0 && table.size() < kUnits; --n) table += static_cast<char16_t>(table.size());
  }
  return table;
}

class ExfatTree final : public FileTree {
 public:
  ExfatTree(std::shared_ptr<Drive> partition, const Geometry& g)
      : partition_(std::move(partition)), g_(g), table_(std::make_shared<Table>(partition_, g_)) {
    if (auto root = read_root(*partition_, g_)) root_ = *std::move(root);
    if (!root_ || root_->upcase.bytes == 0) return;
    Bytes stored(static_cast<std::size_t>(root_->upcase.bytes));
    if (root_->upcase.read(*partition_, 0, stored)) upcase_ = unpack_upcase(stored);
  }

  FsType type() const override { return FsType::exfat; }
  bool ignores_case() const override { return true; }
  bool same_name(const std::string& a, const std::string& b) const override {
    if (a == b) return true;
    if (upcase_.empty()) return folded_name(a) == folded_name(b);
    return upper(a) == upper(b);
  }
  std::string warning() const override {
    return g_.dirty ? "this exFAT volume was not unmounted: what was changed last may be missing or half there" : std::string();
  }

  Result<FileNode> root() override {
    FileNode node;
    node.kind = NodeKind::folder;
    node.dos_attributes = 0x10;
    pack(node, FolderReader::root_of(g_));
    return node;
  }

  Result<void> list(const FileNode& folder, const NameFilter& wanted, const Visitor& visit) override {
    if (folder.kind != NodeKind::folder) return fail(ErrorCode::usage, folder.name + " is no folder");
    FolderReader reader(partition_, table_, g_, stream_of(folder, folder.handle[1]));
    while (const std::optional<FolderEntry> entry = TRY(reader.next())) {
      const FileNode node = node_of(*entry);
      if ((!wanted.fits || wanted.fits(node.name)) && !visit(node)) return {};
    }
    if (reader.damaged()) return fail(ErrorCode::corrupt, "a folder holds damaged entries, which are left out");
    return {};
  }

  Result<std::unique_ptr<FileContent>> open(const FileNode& file, const std::string& stream) override {
    if (!stream.empty()) return fail(ErrorCode::not_found, "files of exFAT have no further streams");
    if (file.kind != NodeKind::file) return fail(ErrorCode::usage, file.name + " has no content");
    const Stream data = stream_of(file, file.size_bytes);
    ChainedFile chained{.heap_offset = g_.heap_offset,
                        .cluster_bytes = g_.cluster_bytes,
                        .cluster_count = g_.cluster_count,
                        .first_cluster = data.first_cluster,
                        .size_bytes = data.size_bytes,
                        .valid_bytes = data.valid_bytes,
                        .contiguous = data.contiguous,
                        .next = [table = table_](std::uint32_t cluster) { return table->next(cluster); }};
    return mapped_content(partition_, data.size_bytes, chain_map(std::move(chained)));
  }

  Result<std::vector<ByteOwner>> owners(const ExtentSet& bytes) override {
    return owners_of(partition_, table_, g_, root_ ? &*root_ : nullptr, bytes);
  }

 private:
  // handle[0]: the first cluster, bit 32 if there is no chain. handle[1]: how many bytes are valid; of a folder, its size.
  static constexpr std::uint64_t kContiguous = std::uint64_t{1} << 32;
  static void pack(FileNode& node, const Stream& stream) {
    node.handle[0] = stream.first_cluster | (stream.contiguous ? kContiguous : 0);
    node.handle[1] = node.kind == NodeKind::folder ? stream.size_bytes : stream.valid_bytes;
  }
  static Stream stream_of(const FileNode& node, std::uint64_t size) {
    return {static_cast<std::uint32_t>(node.handle[0]), (node.handle[0] & kContiguous) != 0, size, node.handle[1]};
  }

  FileNode node_of(const FolderEntry& entry) const {
    FileNode node;
    node.id = entry.place;
    node.kind = entry.is_folder() ? NodeKind::folder : NodeKind::file;
    node.name = entry.name;
    node.size_bytes = entry.is_folder() ? 0 : entry.stream.size_bytes;
    const auto stored = checked_mul(div_round_up(entry.stream.size_bytes, g_.cluster_bytes), g_.cluster_bytes);
    node.stored_bytes = entry.stream.first_cluster == 0 ? 0 : stored.value_or(entry.stream.size_bytes);
    node.modified = entry.modified;
    node.accessed = entry.accessed;
    node.created = entry.created;
    node.dos_attributes = entry.attributes;
    pack(node, entry.stream);
    return node;
  }

  std::u16string upper(const std::string& name) const {
    std::u16string units = utf16_of_name(name);
    for (char16_t& unit : units)
      if (unit < upcase_.size()) unit = upcase_[unit];
    return units;
  }

  std::shared_ptr<Drive> partition_;
  Geometry g_;
  std::shared_ptr<Table> table_;
  std::optional<Root> root_;
  std::u16string upcase_;
};

}  // namespace
}  // namespace tintype::exfat

namespace tintype {

Result<std::unique_ptr<FileTree>> open_exfat_tree(std::shared_ptr<Drive> partition) {
  if (partition->size_bytes() < 512) return nullptr;
  std::array<std::byte, 512> sector{};
  TRY(partition->read(0, sector));
  const exfat::BootSector boot = exfat::parse_boot_sector(sector);
  if (!boot.is_exfat) return nullptr;
  if (!boot.geometry) return fail(ErrorCode::corrupt, "the numbers in the boot sector of the exFAT volume contradict each other");
  return std::make_unique<exfat::ExfatTree>(std::move(partition), *boot.geometry);
}

}  // namespace tintype
