// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/fat/folder.h"

#include <algorithm>
#include <chrono>

#include "fs/fat/code_page.h"
#include "fs/wide_name.h"

namespace tintype::fat {
namespace {

constexpr std::size_t kEntryBytes = 32;
constexpr std::size_t kAttributes = 11, kCase = 12, kCreatedTenths = 13, kCreated = 14, kAccessed = 18, kClusterHigh = 20, kModified = 22,
                      kClusterLow = 26, kSize = 28;
constexpr std::uint8_t kVolumeLabel = 0x08, kLongName = 0x0F, kAttributeMask = 0x3F;
constexpr std::uint8_t kDeleted = 0xE5, kReallyE5 = 0x05;
constexpr std::uint8_t kLastPiece = 0x40, kLowerBase = 0x08, kLowerExtension = 0x10;
constexpr unsigned kMaxPieces = 20;
constexpr std::size_t kMaxEntries = 65536;

FileTime moment(std::uint16_t date, std::uint16_t time, unsigned hundredths) {
  using namespace std::chrono;
  const year_month_day day{year{1980 + (date >> 9)}, month{(date >> 5) & 15U}, std::chrono::day{date & 31U}};
  if (!day.ok()) return std::nullopt;
  const auto at = sys_days{day} + hours{time >> 11} + minutes{(time >> 5) & 63} + seconds{(time & 31) * 2};
  return duration_cast<nanoseconds>(at.time_since_epoch()).count() + std::int64_t{hundredths} * 10'000'000;
}

std::uint8_t checksum_of(ByteSpan short_name) {
  std::uint8_t sum = 0;
  for (const std::byte byte : short_name) sum = static_cast<std::uint8_t>((sum << 7 | sum >> 1) + std::to_integer<std::uint8_t>(byte));
  return sum;
}

std::string part(ByteSpan bytes, bool lower) {
  std::string text = decode_short_name(bytes);
  if (lower)
    for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return text;
}

std::string short_name(ByteSpan raw) {
  Bytes name(raw.begin(), raw.begin() + 11);
  if (u8(name, 0) == kReallyE5) name[0] = std::byte{kDeleted};
  const std::uint8_t flags = u8(raw, kCase);
  const std::string base = part(ByteSpan(name).first(8), (flags & kLowerBase) != 0);
  const std::string extension = part(ByteSpan(name).subspan(8), (flags & kLowerExtension) != 0);
  return extension.empty() ? base : base + "." + extension;
}

}  // namespace

FolderReader::FolderReader(std::shared_ptr<Drive> partition, std::shared_ptr<Table> table, const Geometry& g, std::uint32_t first)
    : partition_(std::move(partition)), table_(std::move(table)), g_(g), first_(first),
      cluster_(first == 0 ? g.root_cluster : first), fixed_root_(first == 0 && g.type != FsType::fat32), circle_(cluster_) {}

// False at the end of the folder.
Result<bool> FolderReader::load() {
  std::uint64_t place = g_.root_offset, bytes = g_.root_bytes;
  if (!fixed_root_) {
    if (cluster_ < 2 || cluster_ - 2 >= g_.cluster_count) return fail(ErrorCode::corrupt, "a folder leaves the FAT file system");
    place = g_.data_offset + std::uint64_t{cluster_ - 2} * g_.cluster_bytes;
    bytes = g_.cluster_bytes;
  }
  block_.resize(static_cast<std::size_t>(bytes));
  if (Result<void> got = partition_->read(place, block_); !got) {
    block_.clear();
    return fail(got.error());
  }
  if (at_ < block_.size()) return true;
  block_.clear();
  if (fixed_root_) return false;
  const Entry next = TRY(table_->entry(cluster_));
  if (next.end_of_chain()) return false;
  if (next.free() || next.bad()) return fail(ErrorCode::corrupt, "the chain of a FAT folder is broken");
  cluster_ = next.value();
  if (circle_.comes_back(cluster_)) return fail(ErrorCode::corrupt, "a FAT folder goes in a circle");
  at_ = 0;
  ++clusters_;
  return load();
}

Result<std::optional<FolderEntry>> FolderReader::next() {
  while (!ended_) {
    if (block_.empty() || at_ >= block_.size()) {
      ended_ = true;  // unless all goes well
      if (!TRY(load())) return std::nullopt;
      ended_ = false;
    }
    const ByteSpan raw = ByteSpan(block_).subspan(at_, kEntryBytes);
    const std::uint64_t place = (fixed_root_ ? g_.root_offset : g_.data_offset + std::uint64_t{cluster_ - 2} * g_.cluster_bytes) + at_;
    at_ += kEntryBytes;
    const std::uint8_t first = u8(raw, 0), attributes = u8(raw, kAttributes) & kAttributeMask;
    if (first == 0) break;
    if (++entries_ > kMaxEntries) {
      ended_ = true;
      return fail(ErrorCode::corrupt, "a FAT folder does not end");
    }
    if (first != kDeleted && attributes == kLongName) {
      take_long_piece(raw);
      continue;
    }
    const bool no_file = first == kDeleted || (attributes & kVolumeLabel) != 0 || first == '.';
    if (!no_file) {
      FolderEntry found = entry(raw, place);
      long_ = {};
      if (found.name.empty()) continue;  // blanks: nothing could ask for it
      return found;
    }
    long_ = {};
  }
  ended_ = true;
  return std::nullopt;
}

// The pieces come last one first, right before their short entry.
void FolderReader::take_long_piece(ByteSpan raw) {
  const std::uint8_t number = u8(raw, 0);
  const unsigned index = number & 0x3FU;
  if ((number & kLastPiece) != 0)
    long_ = {{}, index <= kMaxPieces ? index : 0, u8(raw, 13)};
  if (index == 0 || index != long_.missing || u8(raw, 13) != long_.checksum) {
    long_ = {};
    return;
  }
  std::u16string piece;
  for (const auto& [at, count] : {std::pair<std::size_t, std::size_t>{1, 5}, {14, 6}, {28, 2}})
    for (std::size_t i = 0; i < count; ++i) piece += static_cast<char16_t>(le16(raw, at + 2 * i));
  long_.units.insert(0, piece);
  --long_.missing;
}

FolderEntry FolderReader::entry(ByteSpan raw, std::uint64_t place) const {
  FolderEntry out;
  out.place = place;
  out.attributes = u8(raw, kAttributes) & kAttributeMask;
  const std::uint32_t high = g_.type == FsType::fat32 ? le16(raw, kClusterHigh) : 0;
  out.first_cluster = (high << 16 | le16(raw, kClusterLow)) & 0x0FFFFFFF;
  out.size_bytes = out.is_folder() ? 0 : le32(raw, kSize);
  out.modified = moment(le16(raw, kModified + 2), le16(raw, kModified), 0);
  out.accessed = moment(le16(raw, kAccessed), 0, 0);
  out.created = moment(le16(raw, kCreated + 2), le16(raw, kCreated), std::min<unsigned>(u8(raw, kCreatedTenths), 199));
  const std::u16string_view units = std::u16string_view(long_.units).substr(0, long_.units.find(u'\0'));
  if (!units.empty() && long_.missing == 0 && long_.checksum == checksum_of(raw.first(11))) out.name = name_of_utf16(units);
  if (out.name.empty()) out.name = short_name(raw);
  return out;
}

}  // namespace tintype::fat
