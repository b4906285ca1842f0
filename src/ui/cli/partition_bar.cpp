// SPDX-License-Identifier: GPL-3.0-or-later
// Pieces are the partitions that are no containers, by position, and the gaps between them that can be seen. Each gets its
// share of the columns, at least kLeast; what that takes too much comes off the widest.
#include "ui/cli/partition_bar.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "ui/cli/progress_text.h"

namespace tintype::cli {
namespace {

constexpr std::size_t kLeast = 4;
constexpr std::uint64_t kSmallestGap = 100;  // a gap shows from 1/100 of the drive on

struct Piece {
  std::uint64_t sectors = 0;
  const PartitionListing* partition = nullptr;  // null: a gap
  std::size_t columns = 0;
};

std::vector<Piece> pieces_of(const DriveListing& drive, std::uint64_t total) {
  std::vector<const PartitionListing*> order;
  for (const PartitionListing& partition : drive.partitions)
    if (!partition.entry.extended && partition.entry.sector_count != 0 && partition.entry.start_sector < total)
      order.push_back(&partition);
  std::ranges::sort(order, {}, [](const PartitionListing* p) { return p->entry.start_sector; });
  std::vector<Piece> pieces;
  std::uint64_t at = 0;
  const auto gap_to = [&](std::uint64_t end) {
    if (end > at && end - at > total / kSmallestGap) pieces.push_back({end - at, nullptr});
  };
  for (const PartitionListing* partition : order) {
    const Partition& entry = partition->entry;
    gap_to(entry.start_sector);
    const std::uint64_t end = entry.start_sector + std::min(entry.sector_count, total - entry.start_sector);
    pieces.push_back({end - entry.start_sector, partition});
    at = std::max(at, end);
  }
  gap_to(total);
  return pieces;
}

void share_columns(std::vector<Piece>& pieces, std::uint64_t total, std::size_t columns) {
  std::size_t used = 0;
  for (Piece& piece : pieces) {
    const double share = static_cast<double>(piece.sectors) / static_cast<double>(total);
    piece.columns = std::max(kLeast, static_cast<std::size_t>(share * static_cast<double>(columns)));
    used += piece.columns;
  }
  while (used != columns) {
    Piece& widest = *std::ranges::max_element(pieces, {}, &Piece::columns);
    if (used > columns && widest.columns <= kLeast) return;  // too many pieces: the line gets longer
    if (used < columns) {
      widest.columns += columns - used;
      return;
    }
    --widest.columns;
    --used;
  }
}

}  // namespace

std::string partition_bar(const DriveListing& drive, std::size_t columns, bool utf8) {
  const std::uint64_t total = drive.info.size_bytes / std::max(1U, drive.layout.sector_bytes);
  if (total == 0) return {};
  std::vector<Piece> pieces = pieces_of(drive, total);
  if (std::ranges::none_of(pieces, [](const Piece& piece) { return piece.partition != nullptr; })) return {};
  share_columns(pieces, total, std::max(columns, pieces.size() * (kLeast + 1)) - pieces.size() - 1);
  const std::string border = utf8 ? "┃" : "|";
  std::string line = border;
  for (const Piece& piece : pieces) {
    if (piece.partition == nullptr) {
      for (std::size_t i = 0; i < piece.columns; ++i) line += utf8 ? "░" : ".";
    } else {
      std::string text = piece.partition->id;
      text += std::string(" ") + to_string(piece.partition->fs.type);
      text = cut_to(text, piece.columns);
      line += text + std::string(piece.columns - columns_of(text), ' ');
    }
    line += border;
  }
  return line;
}

}  // namespace tintype::cli
