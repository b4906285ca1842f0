// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tintype {

using Bytes = std::vector<std::byte>;
using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

// Integers at a byte position, in a given byte order. The caller has checked that the span is long enough;
// an access past the end is our own bug and stops the program (it never reads foreign memory).
template <std::unsigned_integral T>
T load_le(ByteSpan bytes, std::size_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) __builtin_trap();
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  return value;
}
template <std::unsigned_integral T>
T load_be(ByteSpan bytes, std::size_t at) {
  return std::byteswap(load_le<T>(bytes, at));
}
template <std::unsigned_integral T>
void store_le(MutableByteSpan bytes, std::size_t at, T value) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) __builtin_trap();
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  std::memcpy(bytes.data() + at, &value, sizeof(T));
}
template <std::unsigned_integral T>
void store_be(MutableByteSpan bytes, std::size_t at, T value) {
  store_le<T>(bytes, at, std::byteswap(value));
}

inline std::uint8_t u8(ByteSpan b, std::size_t at) { return load_le<std::uint8_t>(b, at); }
inline std::uint16_t le16(ByteSpan b, std::size_t at) { return load_le<std::uint16_t>(b, at); }
inline std::uint32_t le32(ByteSpan b, std::size_t at) { return load_le<std::uint32_t>(b, at); }
inline std::uint64_t le64(ByteSpan b, std::size_t at) { return load_le<std::uint64_t>(b, at); }

inline ByteSpan as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// True if every byte is zero (an empty span is).
bool all_zero(ByteSpan bytes);

// Checked arithmetic: empty on overflow. For every sum or product of numbers read from a drive or image.
inline std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t out;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}
inline std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) {
  std::uint64_t out;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}
// True if [offset, offset + length) lies inside [0, size), without overflow.
inline bool fits(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  return offset <= size && length <= size - offset;
}
inline std::uint64_t div_round_up(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); }
inline std::uint64_t round_down(std::uint64_t a, std::uint64_t step) { return a - a % step; }
inline std::uint64_t round_up(std::uint64_t a, std::uint64_t step) { return div_round_up(a, step) * step; }

}  // namespace tintype
