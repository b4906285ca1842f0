// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/format.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

namespace tintype {
namespace {

constexpr std::uint16_t kMajor = 1;
constexpr std::uint16_t kMinor = 0;
constexpr std::uint32_t kFlagEncrypted = 1;
constexpr std::uint32_t kFlagPassword = 2;
constexpr std::size_t kSlotsAt = 128;
constexpr std::size_t kSlotBytes = 128;
constexpr std::size_t kSlotsEnd = kSlotsAt + 8 * kSlotBytes;
constexpr std::size_t kHeaderSumAt = kPartHeaderBytes - 16;
constexpr std::size_t kTrailerSumAt = kTrailerBytes - 16;
constexpr std::array<std::uint8_t, 8> kPartMagic = {0x54, 0x49, 0x4E, 0x54, 0x59, 0x50, 0x45, 0x1A};
constexpr std::array<std::uint8_t, 8> kFrameMarker = {0xD7, 0x54, 0x54, 0x46, 0x0D, 0x0A, 0x9E, 0x31};
constexpr std::array<std::uint8_t, 8> kTrailerMagic = {0x54, 0x54, 0x45, 0x4E, 0x44, 0x0D, 0x0A, 0x1A};

void put(MutableByteSpan out, std::size_t at, ByteSpan bytes) {
  std::copy(bytes.begin(), bytes.end(), out.subspan(at, bytes.size()).begin());
}
template <std::size_t N>
std::array<std::byte, N> get(ByteSpan bytes, std::size_t at) {
  std::array<std::byte, N> out{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), N, out.begin());
  return out;
}
bool starts_with(ByteSpan bytes, const std::array<std::uint8_t, 8>& magic) {
  return std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}
std::array<std::byte, 16> checksum128(ByteSpan bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  std::array<std::byte, 16> out{};
  std::memcpy(out.data(), canonical.digest, out.size());
  return out;
}

Error reserved_used(const std::string& name) {
  return make_error(ErrorCode::unsupported, fmt::format("{} uses bytes that format {}.{} keeps at zero", name, kMajor, kMinor),
                    "use a newer tintype");
}

void encode_slot(const KeySlot& slot, MutableByteSpan out) {
  if (!slot.used) return;
  out[0] = std::byte{1};
  store_le(out, 4, slot.passes);
  store_le(out, 8, slot.memory_kib);
  store_le(out, 12, slot.lanes);
  put(out, 16, slot.salt);
  put(out, 32, slot.nonce);
  put(out, 44, slot.wrapped_key);
  put(out, 76, slot.tag);
}

Result<KeySlot> decode_slot(ByteSpan bytes, const std::string& name) {
  KeySlot slot;
  if (bytes[0] == std::byte{0}) {
    if (!all_zero(bytes)) return fail(reserved_used(name));
    return slot;
  }
  if (bytes[0] != std::byte{1})
    return fail(ErrorCode::unsupported, fmt::format("{} protects its key in a way this version does not know", name),
                "use a newer tintype");
  slot.used = true;
  slot.passes = le32(bytes, 4);
  slot.memory_kib = le32(bytes, 8);
  slot.lanes = le32(bytes, 12);
  slot.salt = get<16>(bytes, 16);
  slot.nonce = get<12>(bytes, 32);
  slot.wrapped_key = get<32>(bytes, 44);
  slot.tag = get<16>(bytes, 76);
  if (!all_zero(bytes.subspan(1, 3)) || !all_zero(bytes.subspan(92))) return fail(reserved_used(name));
  if (slot.passes == 0 || slot.passes > kMaxKeyPasses || slot.lanes == 0 || slot.lanes > kMaxKeyLanes ||
      slot.memory_kib < 8 * slot.lanes || slot.memory_kib > kMaxKeyMemoryKib ||
      std::uint64_t{slot.passes} * slot.memory_kib > kMaxKeyWorkKib)
    return fail(ErrorCode::corrupt, fmt::format("{} asks for absurd key derivation parameters", name));
  return slot;
}

}  // namespace

std::uint64_t frame_checksum(ByteSpan bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::array<std::byte, kPartHeaderBytes> PartHeader::encode() const {
  std::array<std::byte, kPartHeaderBytes> out{};
  put(out, 0, std::as_bytes(std::span(kPartMagic)));
  store_le(out, 8, kMajor);
  store_le(out, 10, kMinor);
  store_le(out, 12, static_cast<std::uint32_t>(kPartHeaderBytes));
  put(out, 16, set_id);
  put(out, 32, base_id);
  store_le(out, 48, part);
  store_le(out, 52, (encrypted ? kFlagEncrypted : 0) | (password_needed ? kFlagPassword : 0));
  store_le(out, 64, kChunkBytes);
  store_le(out, 68, kLeafBytes);
  store_le(out, 72, kRegionBytes);
  for (std::size_t i = 0; i < slots.size(); ++i)
    encode_slot(slots[i], MutableByteSpan(out).subspan(kSlotsAt + i * kSlotBytes, kSlotBytes));
  put(out, kHeaderSumAt, checksum128(ByteSpan(out).first(kHeaderSumAt)));
  return out;
}

Result<PartHeader> PartHeader::decode(ByteSpan bytes, const std::string& name) {
  if (bytes.size() < 8 || !starts_with(bytes, kPartMagic))
    return fail(ErrorCode::corrupt, fmt::format("{} is not a Tintype image", name),
                "give the name of a .tti file made by tintype backup");
  if (bytes.size() < kPartHeaderBytes)
    return fail(ErrorCode::corrupt, fmt::format("{} is cut off within its header", name));
  if (le16(bytes, 8) != kMajor)
    return fail(ErrorCode::unsupported,
                fmt::format("{} has container format {}, this version reads {}", name, le16(bytes, 8), kMajor),
                "use a newer tintype");
  const auto sum = checksum128(bytes.first(kHeaderSumAt));
  if (!std::equal(sum.begin(), sum.end(), bytes.begin() + kHeaderSumAt))
    return fail(ErrorCode::corrupt, fmt::format("the header of {} is damaged (checksum)", name));
  if (const std::uint32_t features = le32(bytes, 56); features != 0)
    return fail(ErrorCode::unsupported, fmt::format("{} uses features this version does not know ({:#x})", name, features),
                "use a newer tintype");
  if (le32(bytes, 12) != kPartHeaderBytes || le32(bytes, 64) != kChunkBytes || le32(bytes, 68) != kLeafBytes ||
      le64(bytes, 72) != kRegionBytes || (le32(bytes, 52) & ~(kFlagEncrypted | kFlagPassword)) != 0)
    return fail(ErrorCode::unsupported, fmt::format("{} has a layout this version does not know", name),
                "use a newer tintype");
  // A later minor version may have found a use for them that readers of this one can do without.
  if (le16(bytes, 10) <= kMinor && !(all_zero(bytes.subspan(80, kSlotsAt - 80)) &&
                                     all_zero(bytes.subspan(kSlotsEnd, kHeaderSumAt - kSlotsEnd)) && le32(bytes, 60) == 0))
    return fail(reserved_used(name));
  PartHeader header;
  header.set_id = get<16>(bytes, 16);
  header.base_id = get<16>(bytes, 32);
  header.part = le32(bytes, 48);
  header.encrypted = (le32(bytes, 52) & kFlagEncrypted) != 0;
  header.password_needed = (le32(bytes, 52) & kFlagPassword) != 0;
  if (header.part >= kMaxParts || (header.encrypted && !header.password_needed))
    return fail(ErrorCode::corrupt, fmt::format("the header of {} contradicts itself", name));
  for (std::size_t i = 0; i < header.slots.size(); ++i)
    header.slots[i] = TRY(decode_slot(bytes.subspan(kSlotsAt + i * kSlotBytes, kSlotBytes), name));
  return header;
}

void FrameHeader::encode(MutableByteSpan out) const {
  std::fill(out.begin(), out.end(), std::byte{0});
  put(out, 0, std::as_bytes(std::span(kFrameMarker)));
  out[8] = static_cast<std::byte>(type);
  out[9] = static_cast<std::byte>(codec);
  out[10] = std::byte{encrypted};
  store_le(out, 12, stored_bytes);
  store_le(out, 16, raw_bytes);
  put(out, 24, session);
  store_le(out, 40, counter);
  store_le(out, 48, payload_checksum);
  store_le(out, 56, frame_checksum(ByteSpan(out).first(56)));
}

Result<FrameHeader> FrameHeader::decode(ByteSpan bytes) {
  if (bytes.size() < kFrameHeaderBytes || !starts_with(bytes, kFrameMarker) ||
      le64(bytes, 56) != frame_checksum(bytes.first(56)))
    return fail(ErrorCode::corrupt, "there is no sound frame where one should be");
  FrameHeader header;
  header.type = static_cast<FrameType>(u8(bytes, 8));
  header.codec = static_cast<Codec>(u8(bytes, 9));
  header.encrypted = u8(bytes, 10) == 1;
  header.stored_bytes = le32(bytes, 12);
  header.raw_bytes = le32(bytes, 16);
  header.session = get<16>(bytes, 24);
  header.counter = le64(bytes, 40);
  header.payload_checksum = le64(bytes, 48);
  if (u8(bytes, 9) > static_cast<std::uint8_t>(Codec::delta) || u8(bytes, 10) > 1 || u8(bytes, 11) != 0 || le32(bytes, 20) != 0)
    return fail(ErrorCode::unsupported, "a frame uses a codec or flag this version does not know", "use a newer tintype");
  if (header.raw_bytes > kMaxRawBytes || header.stored_bytes < kAddressBytes ||
      header.stored_bytes > kMaxRawBytes + kAddressBytes + kTagBytes || (!header.encrypted && !all_zero(header.session)))
    return fail(ErrorCode::corrupt, "a frame contradicts itself");
  return header;
}

void FrameAddress::encode(MutableByteSpan out) const {
  store_le(out, 0, area);
  store_le(out, 4, std::uint32_t{0});
  store_le(out, 8, number);
}

FrameAddress FrameAddress::decode(ByteSpan bytes) { return {le32(bytes, 0), le64(bytes, 8)}; }

std::array<std::byte, kTrailerBytes> Trailer::encode() const {
  std::array<std::byte, kTrailerBytes> out{};
  put(out, 0, std::as_bytes(std::span(kTrailerMagic)));
  put(out, 8, set_id);
  store_le(out, 24, parts);
  store_le(out, 28, catalog.part);
  store_le(out, 32, catalog.offset);
  store_le(out, 40, catalog.bytes);
  store_le(out, 48, part_bytes);
  put(out, 56, catalog_hash);
  put(out, kTrailerSumAt, checksum128(ByteSpan(out).first(kTrailerSumAt)));
  return out;
}

Result<Trailer> Trailer::decode(ByteSpan bytes, const std::string& name) {
  if (bytes.size() != kTrailerBytes || !starts_with(bytes, kTrailerMagic))
    return fail(ErrorCode::corrupt, fmt::format("{} is cut off, or a further part of the image is not in its folder: it does not end with a trailer", name));
  const auto sum = checksum128(bytes.first(kTrailerSumAt));
  if (!std::equal(sum.begin(), sum.end(), bytes.begin() + kTrailerSumAt))
    return fail(ErrorCode::corrupt, fmt::format("the trailer of {} is damaged (checksum)", name));
  Trailer trailer;
  trailer.set_id = get<16>(bytes, 8);
  trailer.parts = le32(bytes, 24);
  trailer.catalog = {0, le32(bytes, 28), le64(bytes, 32), le32(bytes, 40)};
  trailer.part_bytes = le64(bytes, 48);
  trailer.catalog_hash = get<32>(bytes, 56);
  if (le32(bytes, 44) != 0 || !all_zero(bytes.subspan(88, 24))) return fail(reserved_used(name));
  if (trailer.parts == 0 || trailer.parts > kMaxParts || trailer.catalog.part >= trailer.parts)
    return fail(ErrorCode::corrupt, fmt::format("the trailer of {} contradicts itself", name));
  return trailer;
}

}  // namespace tintype
