// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/exfat/folder.h"

#include <algorithm>
#include <chrono>

#include "fs/wide_name.h"

namespace tintype::exfat {
namespace {

constexpr std::size_t kEntryBytes = 32, kMaxSecondaries = 18;
constexpr std::uint8_t kFile = 0x85, kStream = 0xC0, kName = 0xC1;
constexpr std::uint64_t kMaxFolderBytes = std::uint64_t{256} << 20;
constexpr std::uint64_t kChunkBytes = 64 * 1024;

FileTime moment(std::uint32_t stamp, unsigned hundredths, std::uint8_t offset) {
  using namespace std::chrono;
  const std::uint32_t date = stamp >> 16, time = stamp & 0xFFFF;
  const year_month_day day{year{1980 + static_cast<int>(date >> 9)}, month{(date >> 5) & 15U}, std::chrono::day{date & 31U}};
  if (!day.ok()) return std::nullopt;
  auto at = sys_days{day} + hours{time >> 11} + minutes{(time >> 5) & 63} + seconds{(time & 31) * 2};
  const int quarters = (offset & 0x40) != 0 ? static_cast<int>(offset & 0x7F) - 128 : offset & 0x7F;
  if ((offset & 0x80) != 0) at -= minutes{15 * quarters};
  return duration_cast<nanoseconds>(at.time_since_epoch()).count() + std::int64_t{std::min(hundredths, 199U)} * 10'000'000;
}

std::uint16_t checksum_of(ByteSpan set) {
  std::uint16_t sum = 0;
  for (std::size_t i = 0; i < set.size(); ++i)
    if (i != 2 && i != 3) sum = static_cast<std::uint16_t>((sum << 15 | sum >> 1) + u8(set, i));
  return sum;
}

}  // namespace

Result<std::optional<std::uint32_t>> Table::next(std::uint32_t cluster) {
  const std::uint64_t at = std::uint64_t{cluster} * 4, first = round_down(at, kWindowBytes);
  if (held_ != first) {
    held_.reset();
    window_.resize(static_cast<std::size_t>(std::min(kWindowBytes, g_.fat_bytes - first)));
    TRY(partition_->read(g_.fat_offset + first, window_));
    held_ = first;
  }
  const std::uint32_t value = le32(window_, static_cast<std::size_t>(at - first));
  return g_.holds(value) ? std::optional(value) : std::nullopt;
}

Stream FolderReader::root_of(const Geometry& g) { return {g.root_cluster, false, kMaxFolderBytes, kMaxFolderBytes}; }

FolderReader::FolderReader(std::shared_ptr<Drive> partition, std::shared_ptr<Table> table, const Geometry& g, const Stream& folder)
    : partition_(std::move(partition)), table_(std::move(table)), g_(g), folder_(folder), cluster_(folder.first_cluster), circle_(cluster_) {}

Result<std::optional<ByteSpan>> FolderReader::peek() {
  if (ended_ || position_ >= std::min(folder_.size_bytes, kMaxFolderBytes)) return std::nullopt;
  if (in_cluster_ == g_.cluster_bytes) {
    const std::optional<std::uint32_t> next =
        folder_.contiguous ? std::optional(cluster_ + 1) : TRY(table_->next(cluster_));
    if (!next) return std::nullopt;
    cluster_ = *next;
    if (circle_.comes_back(cluster_)) return fail(ErrorCode::corrupt, "a folder of the exFAT volume goes in a circle");
    in_cluster_ = 0;
    ++clusters_;
    chunk_.clear();
  }
  if (!g_.holds(cluster_)) return fail(ErrorCode::corrupt, "a folder leaves the clusters of the exFAT volume");
  if (chunk_.empty() || in_cluster_ - chunk_place_ >= chunk_.size()) {
    chunk_place_ = round_down(in_cluster_, kChunkBytes);
    chunk_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kChunkBytes, g_.cluster_bytes - chunk_place_)));
    if (Result<void> got = partition_->read(g_.offset_of(cluster_) + chunk_place_, chunk_); !got) {
      chunk_.clear();
      return fail(got.error());
    }
  }
  return ByteSpan(chunk_).subspan(static_cast<std::size_t>(in_cluster_ - chunk_place_), kEntryBytes);
}

Result<std::optional<ByteSpan>> FolderReader::raw() {
  const std::optional<ByteSpan> entry = TRY(peek());
  if (!entry) return std::nullopt;
  in_cluster_ += kEntryBytes;
  position_ += kEntryBytes;
  return entry;
}

Result<std::optional<FolderEntry>> FolderReader::next() {
  while (const std::optional<ByteSpan> entry = TRY(raw())) {
    const std::uint8_t type = u8(*entry, 0);
    if (type == 0) break;
    if (type != kFile) continue;
    const std::uint64_t place = g_.offset_of(cluster_) + in_cluster_ - kEntryBytes;
    Bytes set(entry->begin(), entry->end());
    const std::size_t more = u8(set, 1);
    // What follows a damaged set is looked at anew: entries are taken only while they can belong to it.
    while (set.size() < (1 + more) * kEntryBytes && more <= kMaxSecondaries) {
      const std::optional<ByteSpan> secondary = TRY(peek());
      if (!secondary || (u8(*secondary, 0) & 0xC0) != 0xC0) break;
      set.insert(set.end(), secondary->begin(), secondary->end());
      (void)TRY(raw());
    }
    std::optional<FolderEntry> found;
    if (set.size() == (1 + more) * kEntryBytes) found = parse(set);
    damaged_ |= !found;
    if (!found) continue;
    found->place = place;
    return found;
  }
  ended_ = true;
  return std::nullopt;
}

std::optional<FolderEntry> FolderReader::parse(ByteSpan set) const {
  if (set.size() < 3 * kEntryBytes || checksum_of(set) != le16(set, 2)) return std::nullopt;
  const ByteSpan stream = set.subspan(kEntryBytes, kEntryBytes);
  if (u8(stream, 0) != kStream) return std::nullopt;
  FolderEntry out;
  out.attributes = le16(set, 4);
  out.created = moment(le32(set, 8), u8(set, 20), u8(set, 22));
  out.modified = moment(le32(set, 12), u8(set, 21), u8(set, 23));
  out.accessed = moment(le32(set, 16), 0, u8(set, 24));
  out.stream.first_cluster = le32(stream, 20);
  out.stream.contiguous = (u8(stream, 1) & 2) != 0;
  out.stream.size_bytes = le64(stream, 24);
  out.stream.valid_bytes = std::min(le64(stream, 8), out.stream.size_bytes);
  const std::size_t units = u8(stream, 3);
  std::u16string name;
  for (std::size_t at = 2 * kEntryBytes; at < set.size() && name.size() < units; at += kEntryBytes) {
    if (u8(set, at) != kName) continue;
    for (std::size_t i = 0; i < 15 && name.size() < units; ++i) name += static_cast<char16_t>(le16(set, at + 2 + 2 * i));
  }
  if (units == 0 || name.size() != units) return std::nullopt;
  out.name = name_of_utf16(name);
  return out;
}

}  // namespace tintype::exfat
