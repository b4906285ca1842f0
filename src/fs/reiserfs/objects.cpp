// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/reiserfs/objects.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype::reiserfs {
namespace {

constexpr std::size_t kStatOld = 32, kStatNew = 44, kEntryHead = 16;
constexpr std::uint16_t kVisible = 4;
constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;  // in bytes: behind every file

class ObjectMap final : public ContentMap {
 public:
  ObjectMap(std::shared_ptr<Drive> drive, const Super& super, std::uint64_t id) : super_(super), id_(id), cursor_(std::move(drive), super) {}

  // Offsets in keys begin with 1.
  Result<ContentRun> at(std::uint64_t offset) override {
    if (offset >= kNoLimit - 1) return fail(ErrorCode::corrupt, "a ReiserFS file is too large");
    TRY(cursor_.seek(key_of(id_, offset + 1, ItemType::any)));
    std::uint64_t start = 0;  // of the hole, if there is one
    const Item item = TRY(cursor_.item());
    if (is_mine(item) && item.key.offset <= offset + 1) {
      start = item.key.offset - 1;
      const std::uint64_t length =
          item.key.type == ItemType::direct ? item.body.size() : item.body.size() / 4 * super_.block_bytes;
      if (offset - start < length) return inside(item, start, offset);
      start += length;
    }
    return ContentRun{start, TRY(next_start()) - start, {}};
  }

 private:
  bool is_mine(const Item& item) const {
    return item.key.id() == id_ && item.key.offset > 0 && (item.key.type == ItemType::direct || item.key.type == ItemType::indirect);
  }

  Result<ContentRun> inside(const Item& item, std::uint64_t start, std::uint64_t offset) const {
    if (item.key.type == ItemType::direct) return ContentRun{start, item.body.size(), item.place};
    const std::size_t count = item.body.size() / 4, i = static_cast<std::size_t>((offset - start) / super_.block_bytes);
    const std::uint64_t first = le32(item.body, 4 * i);
    std::size_t n = 1;
    while (i + n < count && le32(item.body, 4 * (i + n)) == (first == 0 ? 0 : first + n)) ++n;
    ContentRun run{start + i * super_.block_bytes, n * super_.block_bytes, {}};
    if (first == 0) return run;
    if (!fits(first, n, super_.blocks)) return fail(ErrorCode::corrupt, "a block of a ReiserFS file lies outside the file system");
    run.place = first * super_.block_bytes;
    return run;
  }

  // Where the next item of the file begins.
  Result<std::uint64_t> next_start() {
    if (!TRY(cursor_.advance())) return kNoLimit;
    const Item next = TRY(cursor_.item());
    return is_mine(next) ? next.key.offset - 1 : kNoLimit;
  }

  Super super_;
  std::uint64_t id_;
  TreeCursor cursor_;
};

}  // namespace

std::optional<NodeKind> Stat::kind() const {
  switch (mode & 0xF000) {
    case 0x8000: return NodeKind::file;
    case 0x4000: return NodeKind::folder;
    case 0xA000: return NodeKind::symlink;
    case 0x2000:
    case 0x6000: return NodeKind::device;
    case 0x1000: return NodeKind::fifo;
    case 0xC000: return NodeKind::socket;
    default: return std::nullopt;
  }
}

std::optional<Stat> parse_stat(const Item& item) {
  const ByteSpan raw = item.body;
  Stat stat;
  if (item.key.type != ItemType::stat || item.key.offset != 0) return std::nullopt;
  if (raw.size() == kStatOld) {
    stat.mode = le16(raw, 0);
    stat.links = le16(raw, 2);
    stat.owner = le16(raw, 4);
    stat.group = le16(raw, 6);
    stat.size_bytes = le32(raw, 8);
    stat.accessed = le32(raw, 12);
    stat.modified = le32(raw, 16);
    stat.changed = le32(raw, 20);
    const bool device = (stat.mode & 0xF000) == 0x2000 || (stat.mode & 0xF000) == 0x6000;
    stat.stored_bytes = device ? 0 : std::uint64_t{le32(raw, 24)} * 512;
    return stat;
  }
  if (raw.size() != kStatNew) return std::nullopt;
  stat.mode = le16(raw, 0);
  stat.links = le32(raw, 4);
  stat.size_bytes = le64(raw, 8);
  stat.owner = le32(raw, 16);
  stat.group = le32(raw, 20);
  stat.accessed = le32(raw, 24);
  stat.modified = le32(raw, 28);
  stat.changed = le32(raw, 32);
  stat.stored_bytes = std::uint64_t{le32(raw, 36)} * 512;
  return stat;
}

Result<Stat> stat_of(TreeCursor& cursor, std::uint64_t id) {
  const Key key = key_of(id, 0, ItemType::stat);
  TRY(cursor.seek(key));
  const Item item = TRY(cursor.item());
  const std::optional<Stat> stat = item.key == key ? parse_stat(item) : std::nullopt;
  if (!stat) return fail(ErrorCode::corrupt, fmt::format("ReiserFS object {} {} does not exist", key.locality, key.object));
  return *stat;
}

// Heads stand in front, names grow from the end, each up to the one before it; the rest of its room is zeros.
Outcome entries_of(const Item& item, const EntryVisitor& visit) {
  const ByteSpan raw = item.body;
  std::size_t end = raw.size();
  const std::size_t heads = std::size_t{item.entries} * kEntryHead;
  if (heads > raw.size()) return Outcome::damaged;
  for (std::size_t i = 0; i < item.entries; ++i) {
    const std::size_t head = i * kEntryHead, location = le16(raw, head + 12);
    if (location < heads || location >= end) return Outcome::damaged;
    std::string_view name = as_text(raw.subspan(location, end - location));
    name = name.substr(0, name.find('\0'));
    end = location;
    if ((le16(raw, head + 14) & kVisible) == 0 || name.empty()) continue;
    if (!visit(std::uint64_t{le32(raw, head + 4)} << 32 | le32(raw, head + 8), name)) return Outcome::stopped;
  }
  return Outcome::whole;
}

Result<void> for_each_entry(TreeCursor& cursor, std::uint64_t folder, const EntryVisitor& visit) {
  std::optional<Error> trouble;
  TRY(cursor.seek(key_of(folder, 1, ItemType::folder)));
  const std::uint64_t before = cursor.blocks_read();
  std::uint64_t last = 0;
  for (bool more = cursor.valid(); more;) {
    const Result<Item> item = cursor.item();
    if (!item) {
      trouble = item.error();
    } else if (item->key.id() == folder && item->key.type == ItemType::folder) {
      // Keys rise; those that do not are a tree that goes in circles.
      if (item->key.offset <= last) return fail(ErrorCode::corrupt, "the items of a ReiserFS folder are out of order");
      last = item->key.offset;
      const Outcome outcome = entries_of(*item, visit);
      if (outcome == Outcome::stopped) return {};
      if (outcome == Outcome::damaged) trouble = make_error(ErrorCode::corrupt, "a ReiserFS folder is damaged: not all of its entries can be read");
    } else if (item->key.id() > folder || last != 0) {
      break;
    }
    // A damaged block may be the folder's: go on behind it, but not for ever.
    Result<bool> next = cursor.advance();
    while (!next && cursor.blocks_read() - before < 65536) {
      trouble = next.error();
      next = cursor.advance();
    }
    more = next && *next;
  }
  if (trouble) return fail(*trouble);
  return {};
}

std::unique_ptr<ContentMap> map_of(std::shared_ptr<Drive> drive, const Super& super, std::uint64_t id) {
  return std::make_unique<ObjectMap>(std::move(drive), super, id);
}

}  // namespace tintype::reiserfs
