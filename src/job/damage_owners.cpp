// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/damage_owners.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "fs/file_tree.h"

namespace tintype {
namespace {

int rank(const ByteOwner& owner) {
  switch (owner.kind) {
    case ByteOwner::Kind::structure: return 0;
    case ByteOwner::Kind::folder: return 1;
    case ByteOwner::Kind::file: return 2;
    case ByteOwner::Kind::free_space: return 3;
  }
  return 3;
}

std::string line_of(const PartitionDamage& damage, const ByteOwner& owner) {
  const std::string part = owner.part.empty() ? "" : fmt::format(" ({})", owner.part);
  return fmt::format("{}: {}{}, {}", printable(damage.partition), printable(owner.what), part, format_size(owner.bytes.total_bytes()));
}

std::vector<std::string> hits_of(const std::shared_ptr<Drive>& drive, const PartitionDamage& damage) {
  const auto unknown = [&](const Error& error) {
    return std::vector<std::string>{fmt::format("{}: which files {} of damage hit cannot be told: {}", printable(damage.partition),
                                                format_size(damage.bytes.total_bytes()), error.message())};
  };
  if (!fits(damage.range.start, damage.range.length, drive->size_bytes()))
    return unknown(make_error(ErrorCode::out_of_bounds, "it leaves the drive"));
  const Result<std::unique_ptr<FileTree>> tree = open_file_tree(make_slice(drive, damage.range, damage.partition));
  if (!tree) return unknown(tree.error());
  Result<std::vector<ByteOwner>> owners = (*tree)->owners(damage.bytes);
  if (!owners) return unknown(owners.error());
  std::ranges::stable_sort(*owners, {}, rank);
  std::vector<std::string> out;
  for (const ByteOwner& owner : *owners) out.push_back(line_of(damage, owner));
  return out;
}

}  // namespace

std::vector<std::string> owners_of_damage(const std::shared_ptr<Drive>& drive, const std::vector<PartitionDamage>& damage) {
  std::vector<std::string> out;
  for (const PartitionDamage& each : damage) {
    if (each.bytes.empty()) continue;
    std::vector<std::string> hits = hits_of(drive, each);
    out.insert(out.end(), std::make_move_iterator(hits.begin()), std::make_move_iterator(hits.end()));
  }
  if (out.size() <= kMostHits) return out;
  const std::size_t more = out.size() - kMostHits;
  out.resize(kMostHits);
  out.push_back(fmt::format("and {} more", more));
  return out;
}

}  // namespace tintype
