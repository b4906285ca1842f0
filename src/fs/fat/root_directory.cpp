// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/fat/root_directory.h"

#include <algorithm>
#include <array>

#include "fs/fat/code_page.h"

namespace tintype::fat {
namespace {

constexpr std::size_t kEntryBytes = 32;
constexpr std::size_t kAttributes = 11, kClusterHigh = 20, kClusterLow = 26, kSize = 28;
constexpr std::uint8_t kVolumeLabel = 0x08, kDirectory = 0x10, kLongName = 0x0F, kAttributeMask = 0x3F;
constexpr std::uint8_t kDeleted = 0xE5, kReallyE5 = 0x05;
constexpr std::size_t kMaxEntries = 65536;  // of any directory, by the specification
constexpr std::size_t kMaxPieces = std::size_t{1} << 20;

struct KnownFile {
  std::string_view short_name;
  const char* path;
  LeftOutFile::Kind kind;
};
constexpr std::array<KnownFile, 3> kKnownFiles = {{
    {"PAGEFILESYS", "/pagefile.sys", LeftOutFile::Kind::page},
    {"SWAPFILESYS", "/swapfile.sys", LeftOutFile::Kind::page},
    {"HIBERFILSYS", "/hiberfil.sys", LeftOutFile::Kind::hibernation},
}};

std::string decode_label(ByteSpan name) {
  Bytes text(name.begin(), name.end());
  if (u8(text, 0) == kReallyE5) text[0] = std::byte{kDeleted};
  return decode_short_name(text);
}

// Returns false at the end mark.
bool take_entry(RootDirectory& root, ByteSpan entry, bool fat32) {
  const std::uint8_t first = u8(entry, 0), attributes = u8(entry, kAttributes) & kAttributeMask;
  if (first == 0) return false;
  if (first == kDeleted || attributes == kLongName) return true;
  const std::uint32_t high = fat32 ? le16(entry, kClusterHigh) : 0;
  const std::uint32_t cluster = high << 16 | le16(entry, kClusterLow);
  if ((attributes & (kVolumeLabel | kDirectory)) == kVolumeLabel) {
    if (root.label.empty() && cluster == 0) root.label = decode_label(entry.first(11));
    return true;
  }
  if ((attributes & (kVolumeLabel | kDirectory)) == 0)
    for (const KnownFile& known : kKnownFiles)
      if (as_text(entry.first(11)) == known.short_name) {
        root.files.push_back({known.kind, known.path, cluster, le32(entry, kSize)});
        return true;
      }
  if (cluster != 0) root.other_starts.push_back(cluster);
  return true;
}

}  // namespace

RootDirectory read_root_directory(Drive& partition, Table& table, const Geometry& g) {
  RootDirectory root;
  const bool fat32 = g.type == FsType::fat32;
  std::uint64_t at = g.root_offset;
  std::uint32_t cluster = g.root_cluster;
  Bytes block;
  for (std::size_t entries = 0; entries < kMaxEntries;) {
    if (fat32) {
      if (cluster < 2 || cluster - 2 >= g.cluster_count) return root;
      at = g.data_offset + std::uint64_t{cluster - 2} * g.cluster_bytes;
      block.resize(g.cluster_bytes);
    } else {
      block.resize(static_cast<std::size_t>(g.root_bytes));  // at most 65,535 entries
    }
    if (!partition.read(at, block)) return root;
    for (std::size_t i = 0; i + kEntryBytes <= block.size() && entries < kMaxEntries; i += kEntryBytes, ++entries)
      if (!take_entry(root, ByteSpan(block).subspan(i, kEntryBytes), fat32)) {
        root.whole = true;
        return root;
      }
    if (!fat32) {
      root.whole = true;
      return root;
    }
    const Result<Entry> next = table.entry(cluster);
    if (!next || next->free() || next->bad()) return root;
    if (next->end_of_chain()) {
      root.whole = true;
      return root;
    }
    cluster = next->value();
  }
  return root;  // a loop, or larger than a directory can be
}

Result<std::optional<ExtentSet>> extents_of_chain(Table& table, const Geometry& g, const RootFile& file) {
  std::vector<Extent> pieces;
  const std::uint64_t wanted = div_round_up(file.size_bytes, g.cluster_bytes);
  if (wanted == 0 || wanted > g.cluster_count) return std::nullopt;
  std::uint32_t cluster = file.first_cluster;
  for (std::uint64_t n = 0; n < wanted; ++n) {
    if (cluster < 2 || cluster - 2 >= g.cluster_count) return std::nullopt;
    const Extent piece{g.data_offset + std::uint64_t{cluster - 2} * g.cluster_bytes, g.cluster_bytes};
    if (!pieces.empty() && pieces.back().end() == piece.start)
      pieces.back().length += piece.length;
    else if (pieces.size() < kMaxPieces)
      pieces.push_back(piece);
    else
      return std::nullopt;
    const Entry next = TRY(table.entry(cluster));
    if (next.end_of_chain() != (n + 1 == wanted) || next.free() || next.bad()) return std::nullopt;
    cluster = next.value();
  }
  ExtentSet extents(std::move(pieces));
  // A chain that comes back to itself covers fewer bytes than it has links.
  if (extents.total_bytes() != wanted * g.cluster_bytes) return std::nullopt;
  return extents;
}

Result<bool> is_cross_linked(Table& table, const Geometry& g, const RootFile& file, const ExtentSet& extents) {
  // In a sound table the chain's clusters are entered once each, the first never: as many links lead into the
  // chain as it has clusters, less one, and all of them are the chain's own.
  const std::uint64_t clusters = extents.total_bytes() / g.cluster_bytes;
  const std::uint32_t end = g.cluster_count + 2, bits = g.entry_bits();
  std::uint64_t links = 0;
  for (std::uint32_t at = 0; at < end;) {
    const Table::Window window = TRY(table.window(at));
    for (std::uint32_t i = at == 0 ? 2 : 0; i < window.count; ++i) {
      const std::uint32_t target = Entry(entry_in(window.active, i, bits), bits).value();
      if (target < 2 || target >= end) continue;
      if (target == file.first_cluster) return true;
      if (extents.contains(g.data_offset + std::uint64_t{target - 2} * g.cluster_bytes)) ++links;
    }
    at = window.first + window.count;
  }
  return links != clusters - 1;
}

}  // namespace tintype::fat
