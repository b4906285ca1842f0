// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/names.h"

namespace tintype::ntfs {
namespace {

constexpr std::size_t kUnits = 65536;
constexpr std::size_t kFileNameHeader = 66;

bool is_high(std::uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low(std::uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

// Takes one code point off; surrogates in three bytes are let through.
std::optional<std::uint32_t> take_code(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t first = byte(0);
  const std::size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || length > text.size()) return std::nullopt;
  std::uint32_t code = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return std::nullopt;
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || code > 0x10ffff) return std::nullopt;
  text.remove_prefix(length);
  return code;
}

char16_t ascii_upper(char16_t unit) { return unit >= 'a' && unit <= 'z' ? static_cast<char16_t>(unit - 'a' + 'A') : unit; }

}  // namespace

std::string text_of_utf16(ByteSpan utf16) {
  std::string out;
  for (std::size_t at = 0; at + 2 <= utf16.size(); at += 2) {
    std::uint32_t code = le16(utf16, at);
    if (is_high(code) && at + 4 <= utf16.size() && is_low(le16(utf16, at + 2))) {
      code = 0x10000 + ((code - 0xd800) << 10) + (le16(utf16, at + 2) - 0xdc00U);
      at += 2;
    }
    append_utf8(out, code);
  }
  return out;
}

std::optional<std::u16string> utf16_of_text(std::string_view text) {
  std::u16string out;
  while (!text.empty()) {
    const auto code = take_code(text);
    if (!code) return std::nullopt;
    if (*code >= 0x10000) {
      out.push_back(static_cast<char16_t>(0xd800 + ((*code - 0x10000) >> 10)));
      out.push_back(static_cast<char16_t>(0xdc00 + ((*code - 0x10000) & 0x3ff)));
    } else {
      out.push_back(static_cast<char16_t>(*code));
    }
  }
  return out;
}

UpCase UpCase::load(const Mft& mft) {
  UpCase out;
  const auto file = mft.load_file(kUpCaseRecord, std::nullopt, [](std::uint32_t type, ByteSpan name) { return type == kData && name.empty(); });
  const Stream* data = file ? file->find(kData) : nullptr;
  if (!data || data->data_bytes != 2 * kUnits) return out;
  Bytes bytes(2 * kUnits);
  if (!mft.read(*data, 0, bytes)) return out;
  for (char16_t unit = 0; unit < 0x80; ++unit)
    if (le16(bytes, std::size_t{2} * unit) != ascii_upper(unit)) return out;
  out.table_.resize(kUnits);
  for (std::size_t i = 0; i < kUnits; ++i) out.table_[i] = le16(bytes, 2 * i);
  return out;
}

char16_t UpCase::fold(char16_t unit) const { return table_.empty() ? ascii_upper(unit) : table_[unit]; }

bool UpCase::same(std::string_view a, std::string_view b) const {
  if (a == b) return true;
  const auto left = folded(a);
  return left && left == folded(b);
}

std::u16string UpCase::folded(ByteSpan utf16) const {
  std::u16string out;
  for (std::size_t at = 0; at + 2 <= utf16.size(); at += 2) out.push_back(fold(static_cast<char16_t>(le16(utf16, at))));
  return out;
}

std::optional<std::u16string> UpCase::folded(std::string_view text) const {
  std::optional<std::u16string> out = utf16_of_text(text);
  if (out)
    for (char16_t& unit : *out) unit = fold(unit);
  return out;
}

std::optional<FileName> parse_file_name(ByteSpan value) {
  if (value.size() < kFileNameHeader) return std::nullopt;
  const std::size_t name_bytes = std::size_t{2} * u8(value, 64);
  if (!fits(kFileNameHeader, name_bytes, value.size())) return std::nullopt;
  const auto time = [&](std::size_t at) { return static_cast<std::int64_t>(le64(value, at)); };
  FileName out;
  out.parent = load_reference(value, 0);
  out.created = time(8);
  out.modified = time(16);
  out.changed = time(24);
  out.accessed = time(32);
  out.allocated_bytes = le64(value, 40);
  out.data_bytes = le64(value, 48);
  out.attributes = le32(value, 56);
  out.name_space = u8(value, 65);
  out.name = value.subspan(kFileNameHeader, name_bytes);
  return out;
}

std::optional<std::int64_t> unix_time(std::int64_t ntfs_time) {
  constexpr std::int64_t kEpoch = 116444736000000000;  // 1970 in 100 ns since 1601
  std::int64_t out = 0;
  if (__builtin_sub_overflow(ntfs_time, kEpoch, &out) || __builtin_mul_overflow(out, std::int64_t{100}, &out)) return std::nullopt;
  return out;
}

}  // namespace tintype::ntfs
