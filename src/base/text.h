// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tintype {

// 16 bytes in the mixed byte order of Microsoft and GPT: the first three fields little endian.
using Guid = std::array<std::byte, 16>;
// "0FC63DAF-8483-4772-8E79-3D69D8477DE4", upper case.
std::string guid_to_string(const Guid& guid);
// With or without braces, any case; empty if malformed.
std::optional<Guid> guid_from_string(std::string_view text);
// 16 bytes in plain (RFC 4122, big endian) order, as ext and swap store them; lower case.
std::string uuid_to_string(ByteSpan sixteen_bytes);

std::string to_hex(ByteSpan bytes);  // lower case, two digits a byte

// Text from drives. Malformed sequences become U+FFFD; NUL ends the text; trailing blanks go.
std::string utf8_from_utf16le(ByteSpan bytes);
std::string utf8_from_latin1(ByteSpan bytes);
// Bytes that claim to be UTF-8: invalid ones become U+FFFD.
std::string utf8_checked(ByteSpan bytes);
// The same text with control characters and terminal escapes replaced by '?'; for anything that is printed
// and was read from a drive or image.
std::string printable(std::string_view utf8);

// "1.5 GiB", IEC units, three significant digits.
std::string format_size(std::uint64_t bytes);
// "512", "200m", "4GiB", "64G", "1.5TiB" → bytes; a bare number is multiplied by default_unit. Empty if malformed
// or too large for 64 bits.
std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t default_unit = 1);
// Decimal or 0x hexadecimal; empty if anything else is in the text.
std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace tintype
