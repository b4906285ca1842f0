// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tintype {

// The fixed records of the container: part header, frame header, trailer. docs/format/container.md is the source of
// every number here. Decoding checks magic, checksum, versions and reserved bytes; what comes back is sane.

constexpr std::uint32_t kChunkBytes = 512 * 1024;
constexpr std::uint32_t kLeafBytes = 32 * 1024;
constexpr std::uint64_t kRegionBytes = std::uint64_t{1} << 30;
constexpr std::uint32_t kChunksPerRegion = kRegionBytes / kChunkBytes;
constexpr std::uint32_t kRegionsPerDirectory = 1024;
constexpr std::uint32_t kMapUnitBytes = 512;  // unit of the used map in a page
constexpr std::size_t kPartHeaderBytes = 4096;
constexpr std::size_t kFrameHeaderBytes = 64;
constexpr std::size_t kAddressBytes = 16;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kTrailerBytes = 128;
constexpr std::uint32_t kMaxRawBytes = 16U << 20;
constexpr std::uint64_t kMinPartBytes = 1U << 20;
constexpr std::uint32_t kMaxParts = 100000;
// What a reader takes for deriving a key, whatever a slot says: memory is allocated before the password is known to be right.
constexpr std::uint32_t kMaxKeyPasses = 64;
constexpr std::uint32_t kMaxKeyMemoryKib = 256 * 1024;
constexpr std::uint32_t kMaxKeyLanes = 16;
constexpr std::uint64_t kMaxKeyWorkKib = std::uint64_t{4} << 20;  // passes times memory
constexpr std::size_t kMaxDeltaBases = 8;  // frames that must be decoded before a delta can be
constexpr std::size_t kMaxMovedFrom = 16;  // other chunks that a delta may take data from
constexpr std::size_t kMaxMovedRuns = 128;  // runs of data that a delta may take from all of them
constexpr std::uint32_t kMaxLinks = 10000;  // earlier images that one image may point into
constexpr std::uint64_t kOtherFrames = std::uint64_t{1} << 63;  // first counter of frames that are not chunks

using SetId = std::array<std::byte, 16>;
using Hash = std::array<std::byte, 32>;

enum class FrameType : std::uint8_t { prologue = 1, chunk = 2, page = 3, directory = 4, catalog = 5 };
enum class Codec : std::uint8_t { stored = 0, zstd = 1, delta = 2 };

struct KeySlot {
  bool used = false;
  std::uint32_t passes = 0, memory_kib = 0, lanes = 0;
  std::array<std::byte, 16> salt{};
  std::array<std::byte, 12> nonce{};
  std::array<std::byte, 32> wrapped_key{};
  std::array<std::byte, 16> tag{};
};

struct PartHeader {
  SetId set_id{};
  SetId base_id{};  // zero: a full image
  std::uint32_t part = 0;
  bool encrypted = false;
  bool password_needed = false;
  std::array<KeySlot, 8> slots{};

  std::array<std::byte, kPartHeaderBytes> encode() const;
  // `name` is the file, for messages.
  static Result<PartHeader> decode(ByteSpan bytes, const std::string& name);
};

struct FrameHeader {
  FrameType type = FrameType::chunk;
  Codec codec = Codec::stored;
  bool encrypted = false;
  std::uint32_t stored_bytes = 0;  // of the payload in the file
  std::uint32_t raw_bytes = 0;     // of the content after decoding
  std::array<std::byte, 16> session{};
  std::uint64_t counter = 0;
  std::uint64_t payload_checksum = 0;

  void encode(MutableByteSpan out) const;  // out: kFrameHeaderBytes
  static Result<FrameHeader> decode(ByteSpan bytes);
};

// Which bytes of the drive, or which piece of the index, a frame holds.
struct FrameAddress {
  std::uint32_t area = 0;
  std::uint64_t number = 0;

  void encode(MutableByteSpan out) const;  // out: kAddressBytes
  static FrameAddress decode(ByteSpan bytes);
  friend bool operator==(const FrameAddress&, const FrameAddress&) = default;
};

// Where a frame lies: in which link of the chain, which part, and how long it is (header included).
struct FramePlace {
  std::uint32_t link = 0;
  std::uint32_t part = 0;
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;
  friend bool operator==(const FramePlace&, const FramePlace&) = default;
};

struct Trailer {
  SetId set_id{};
  std::uint32_t parts = 0;
  FramePlace catalog;
  std::uint64_t part_bytes = 0;  // of the last part, trailer included
  Hash catalog_hash{};           // SHA-256 of the catalog's frame as stored

  std::array<std::byte, kTrailerBytes> encode() const;
  static Result<Trailer> decode(ByteSpan bytes, const std::string& name);
};

std::uint64_t frame_checksum(ByteSpan bytes);  // XXH3-64, seed 0

}  // namespace tintype
