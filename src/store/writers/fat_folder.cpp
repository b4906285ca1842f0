// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/writers/fat_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "base/text.h"
#include "fs/fat/code_page.h"
#include "fs/upcase_fold.h"
#include "fs/wide_name.h"
#include "store/writers/file_name.h"

namespace tintype::fat {
namespace {

constexpr std::size_t kMostBytes = 65536 * kSlotBytes;  // what the format allows
constexpr std::size_t kLetters = 13;                    // of a long name in one slot
constexpr std::array<std::size_t, kLetters> kLetterAt = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
constexpr std::byte kDeleted{0xE5};
constexpr std::uint8_t kLongName = 0x0F;

std::uint8_t checksum(ByteSpan short_name) {
  std::uint8_t sum = 0;
  for (const std::byte b : short_name.first(11)) sum = static_cast<std::uint8_t>(((sum & 1U) << 7U) + (sum >> 1U) + std::to_integer<unsigned>(b));
  return sum;
}

// Local time, as FAT keeps it: date in the upper half.
std::uint32_t dos_time() {
  const std::time_t now = std::time(nullptr);
  std::tm t{};
  ::localtime_r(&now, &t);
  const auto year = static_cast<unsigned>(std::clamp(t.tm_year - 80, 0, 127));
  const unsigned date = (year << 9U) | (static_cast<unsigned>(t.tm_mon + 1) << 5U) | static_cast<unsigned>(t.tm_mday);
  const unsigned time = (static_cast<unsigned>(t.tm_hour) << 11U) | (static_cast<unsigned>(t.tm_min) << 5U) | static_cast<unsigned>(std::min(t.tm_sec, 59) / 2);
  return (date << 16U) | time;
}

std::string short_letters(std::string_view text, std::size_t most) {
  std::string out;
  for (const char c : text) {
    if (out.size() == most) break;
    if (c >= 'a' && c <= 'z') out += static_cast<char>(c - 'a' + 'A');
    else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_') out += c;
  }
  return out;
}

}  // namespace

void put_facts(MutableByteSpan entry, std::uint32_t first_cluster, std::uint32_t size, const Geometry& geometry) {
  const std::uint32_t now = dos_time();
  store_le(entry, 18, static_cast<std::uint16_t>(now >> 16U));
  store_le(entry, 22, static_cast<std::uint16_t>(now));
  store_le(entry, 24, static_cast<std::uint16_t>(now >> 16U));
  store_le(entry, 20, static_cast<std::uint16_t>(geometry.type == FsType::fat32 ? first_cluster >> 16U : 0));
  store_le(entry, 26, static_cast<std::uint16_t>(first_cluster));
  store_le(entry, 28, size);
}

Result<WritableFolder> WritableFolder::read(std::shared_ptr<Drive> partition, WritableTable& table, std::uint32_t first_cluster) {
  const Geometry& g = table.geometry();
  if (first_cluster == 0 && g.type == FsType::fat32) first_cluster = g.root_cluster;
  WritableFolder folder(std::move(partition), g, first_cluster);
  if (first_cluster == 0) {
    folder.pieces_.push_back({g.root_offset, g.root_bytes});
  } else {
    folder.clusters_ = TRY(table.chain(first_cluster, kMostBytes / g.cluster_bytes + 1));
    for (const std::uint32_t cluster : folder.clusters_) {
      const Extent next{table.offset_of(cluster), g.cluster_bytes};
      if (!folder.pieces_.empty() && folder.pieces_.back().end() == next.start) folder.pieces_.back().length += next.length;
      else folder.pieces_.push_back(next);
    }
  }
  for (const Extent& piece : folder.pieces_) {
    const std::size_t at = folder.bytes_.size();
    folder.bytes_.resize(at + static_cast<std::size_t>(piece.length));
    TRY(folder.partition_->read(piece.start, MutableByteSpan(folder.bytes_).subspan(at)));
  }
  return folder;
}

std::uint32_t WritableFolder::first_cluster(std::size_t number) const {
  const ByteSpan entry = look(number);
  return le16(entry, 26) | (g_.type == FsType::fat32 ? std::uint32_t{le16(entry, 20)} << 16U : 0U);
}

std::uint64_t WritableFolder::place_of(std::size_t number) const {
  std::uint64_t at = number * kSlotBytes;
  for (const Extent& piece : pieces_) {
    if (at < piece.length) return piece.start + at;
    at -= piece.length;
  }
  return 0;
}

MutableByteSpan WritableFolder::slot(std::size_t number) {
  const std::size_t at = number * kSlotBytes;
  const bool nothing = dirty_from_ == dirty_to_;
  dirty_from_ = nothing ? at : std::min(dirty_from_, at);
  dirty_to_ = nothing ? at + kSlotBytes : std::max(dirty_to_, at + kSlotBytes);
  return MutableByteSpan(bytes_).subspan(at, kSlotBytes);
}

// The long name in the slots before the entry, or the short one.
std::string WritableFolder::name_of(std::size_t entry, std::size_t first) const {
  if (first == entry) {
    const std::string base = decode_short_name(look(entry).first(8)), extension = decode_short_name(look(entry).subspan(8, 3));
    return extension.empty() ? base : base + "." + extension;
  }
  std::u16string name;
  for (std::size_t at = entry; at-- > first;)
    for (const std::size_t letter : kLetterAt) {
      const std::uint16_t unit = le16(look(at), letter);
      if (unit == 0) return name_of_utf16(name);
      name += static_cast<char16_t>(unit);
    }
  return name_of_utf16(name);
}

std::optional<WritableFolder::Found> WritableFolder::find(const std::string& name) const {
  const std::string wanted = folded_name(name);
  std::size_t pending = 0;  // slots of a long name just before
  for (std::size_t at = 0; at < slots() && look(at)[0] != std::byte{0}; ++at) {
    const ByteSpan here = look(at);
    if (here[0] == kDeleted) {
      pending = 0;
      continue;
    }
    if ((u8(here, 11) & 0x3FU) == kLongName) {
      const unsigned order = u8(here, 0);
      if ((order & 0x40U) != 0) pending = 1;
      else if (pending > 0 && (order & 0x3FU) + 1U == (u8(look(at - 1), 0) & 0x3FU)) ++pending;
      else pending = 0;
      continue;
    }
    bool whole = pending > 0 && (u8(look(at - 1), 0) & 0x3FU) == 1;
    for (std::size_t i = at - pending; whole && i < at; ++i) whole = u8(look(i), 13) == checksum(here);
    const Found found{whole ? at - pending : at, at};
    pending = 0;
    if ((u8(here, 11) & 0x08U) != 0) continue;  // the volume label
    if (folded_name(name_of(at, found.first)) == wanted || folded_name(name_of(at, at)) == wanted) return found;
  }
  return std::nullopt;
}

// NAME~1.EXT, with the first number that is free.
std::string WritableFolder::unused_short_name(const std::string& name) const {
  const std::size_t dot = name.rfind('.');
  const std::string extension = dot == std::string::npos ? "" : short_letters(name.substr(dot + 1), 3);
  std::string base = short_letters(name.substr(0, dot), 6);
  if (base.empty()) base = "IMAGE";
  for (unsigned number = 1;; ++number) {
    const std::string tail = fmt::format("~{}", number);
    const std::string candidate = fmt::format("{:<8}{:<3}", base.substr(0, 8 - tail.size()) + tail, extension);
    bool taken = false;
    for (std::size_t at = 0; at < slots() && !taken && look(at)[0] != std::byte{0}; ++at)
      taken = (u8(look(at), 11) & 0x3FU) != kLongName && as_text(look(at).first(11)) == candidate;
    if (!taken) return candidate;
  }
}

// Free slots in a row. The first zero ends a folder: everything behind it is free.
Result<std::size_t> WritableFolder::free_run(std::size_t count, WritableTable& table) {
  std::size_t run = 0;
  bool behind_end = false;
  for (std::size_t at = 0; at < slots(); ++at) {
    behind_end = behind_end || look(at)[0] == std::byte{0};
    run = behind_end || look(at)[0] == kDeleted ? run + 1 : 0;
    if (run == count) {
      // What lies behind the end need not be zeros.
      if (behind_end && at + 1 < slots() && look(at + 1)[0] != std::byte{0}) slot(at + 1)[0] = std::byte{0};
      return at + 1 - count;
    }
  }
  if (first_cluster_ == 0 || bytes_.size() + g_.cluster_bytes > kMostBytes) return fail(os_error(ENOSPC, "the folder takes no more names"));
  const std::size_t behind = slots();
  std::vector<std::uint32_t> more = TRY(table.allocate(clusters_.back(), 1));
  if (more.empty()) return fail(os_error(ENOSPC, "the folder cannot be made longer"));
  TRY(partition_->zero(table.offset_of(more.front()), g_.cluster_bytes));
  TRY(table.flush());
  clusters_.push_back(more.front());
  pieces_.push_back({table.offset_of(more.front()), g_.cluster_bytes});
  bytes_.resize(bytes_.size() + g_.cluster_bytes);
  return behind - run + count <= slots() ? Result<std::size_t>(behind - run) : free_run(count, table);
}

void WritableFolder::put_long_name(std::size_t first, std::size_t count, const std::u16string& name, ByteSpan short_name) {
  const std::uint8_t sum = checksum(short_name);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t number = count - i;  // the name stands back to front
    const MutableByteSpan out = slot(first + i);
    std::ranges::fill(out, std::byte{0});
    out[0] = static_cast<std::byte>(number | (i == 0 ? 0x40U : 0U));
    out[11] = std::byte{kLongName};
    out[13] = std::byte{sum};
    for (std::size_t letter = 0; letter < kLetters; ++letter) {
      const std::size_t at = (number - 1) * kLetters + letter;
      store_le(out, kLetterAt[letter], at < name.size() ? static_cast<std::uint16_t>(name[at]) : at == name.size() ? std::uint16_t{0} : std::uint16_t{0xFFFF});
    }
  }
}

Result<WritableFolder::Found> WritableFolder::add(const std::string& name, WritableTable& table) {
  TRY(check_file_name(g_.type, name));
  const std::u16string wide = utf16_of_name(name);
  const std::string alias = unused_short_name(name);
  const auto count = static_cast<std::size_t>(div_round_up(wide.size(), kLetters));
  const std::size_t first = TRY(free_run(count + 1, table));
  const MutableByteSpan entry = slot(first + count);
  std::ranges::fill(entry, std::byte{0});
  std::ranges::copy(as_bytes(alias), entry.begin());
  const std::uint32_t now = dos_time();
  store_le(entry, 14, static_cast<std::uint16_t>(now));
  store_le(entry, 16, static_cast<std::uint16_t>(now >> 16U));
  put_long_name(first, count, wide, look(first + count));
  return Found{first, first + count};
}

void WritableFolder::take_out(const Found& found) {
  for (std::size_t at = found.first; at <= found.entry; ++at) slot(at)[0] = kDeleted;
}

bool WritableFolder::rename_in_place(Found& found, const std::string& name) {
  const std::u16string wide = utf16_of_name(name);
  const auto count = static_cast<std::size_t>(div_round_up(wide.size(), kLetters));
  if (!check_file_name(g_.type, name) || count > found.entry - found.first) return false;
  const std::string alias = unused_short_name(name);
  const std::size_t first = found.entry - count;
  for (std::size_t at = found.first; at < first; ++at) slot(at)[0] = kDeleted;
  std::ranges::copy(as_bytes(alias), slot(found.entry).begin());
  put_long_name(first, count, wide, look(found.entry));
  found.first = first;
  return true;
}

void WritableFolder::set_facts(std::size_t number, std::uint8_t attributes, std::uint32_t first_cluster, std::uint32_t size) {
  const MutableByteSpan entry = slot(number);
  entry[11] = std::byte{attributes};
  put_facts(entry, first_cluster, size, g_);
}

Result<void> WritableFolder::commit() {
  std::size_t base = 0;
  for (const Extent& piece : pieces_) {
    const std::size_t from = std::max(base, dirty_from_), to = std::min(base + static_cast<std::size_t>(piece.length), dirty_to_);
    if (from < to) TRY(partition_->write(piece.start + (from - base), ByteSpan(bytes_).subspan(from, to - from)));
    base += static_cast<std::size_t>(piece.length);
  }
  dirty_from_ = dirty_to_ = 0;
  return {};
}

}  // namespace tintype::fat
