// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <string_view>

#include "fs/mapped_content.h"
#include "fs/reiserfs/tree_cursor.h"

namespace tintype::reiserfs {

// The facts about an object, of either version.
struct Stat {
  std::uint16_t mode = 0;
  std::uint32_t links = 0, owner = 0, group = 0;
  std::uint64_t size_bytes = 0, stored_bytes = 0;
  std::uint32_t accessed = 0, modified = 0, changed = 0;  // seconds since 1970

  std::optional<NodeKind> kind() const;
  bool is_folder() const { return (mode & 0xF000) == 0x4000; }
};
std::optional<Stat> parse_stat(const Item& item);  // empty if it is none
Result<Stat> stat_of(TreeCursor& cursor, std::uint64_t id);

// Calls for each visible entry of a folder item, "." and ".." too, until visit returns false. False if it is damaged.
using EntryVisitor = std::function<bool(std::uint64_t id, std::string_view name)>;
enum class Outcome { whole, damaged, stopped };
Outcome entries_of(const Item& item, const EntryVisitor& visit);
// The same for all items of a folder. Damage is passed over and told at the end.
Result<void> for_each_entry(TreeCursor& cursor, std::uint64_t folder, const EntryVisitor& visit);

// Where the bytes of a file lie: unformatted blocks, and tails inside leaves.
std::unique_ptr<ContentMap> map_of(std::shared_ptr<Drive> drive, const Super& super, std::uint64_t id);

}  // namespace tintype::reiserfs
