// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tintype::ntfs {

// Records of $MFT and the attributes in them. Source: ntfs-3g's layout.h (MFT_RECORD, ATTR_RECORD) and the
// Linux-NTFS documentation.

enum AttributeType : std::uint32_t {
  kStandardInformation = 0x10,
  kAttributeList = 0x20,
  kFileName = 0x30,
  kVolumeName = 0x60,
  kVolumeInformation = 0x70,
  kData = 0x80,
  kIndexRoot = 0x90,
  kIndexAllocation = 0xa0,
  kBitmap = 0xb0,
  kReparsePoint = 0xc0,
};

enum AttributeFlags : std::uint16_t { kCompressedMask = 0x00ff, kEncrypted = 0x4000, kSparse = 0x8000 };
enum RecordFlags : std::uint16_t { kInUse = 1, kDirectory = 2 };

// A record number with the sequence number that tells its lives apart.
struct FileReference {
  std::uint64_t record = 0;
  std::uint16_t sequence = 0;
  friend bool operator==(const FileReference&, const FileReference&) = default;
};
FileReference load_reference(ByteSpan bytes, std::size_t at);

// One attribute, or one piece of it. The spans point into the record's buffer.
struct Attribute {
  std::uint32_t type = 0;
  std::uint16_t flags = 0;
  std::uint16_t instance = 0;
  bool resident = true;
  ByteSpan name;   // UTF-16
  ByteSpan value;  // resident
  // Not resident:
  ByteSpan mapping_pairs;
  std::uint64_t lowest_vcn = 0;
  std::uint64_t highest_vcn = 0;
  std::uint64_t allocated_bytes = 0;  // without the holes of compressed and sparse ones; the sizes count in the first piece only
  std::uint64_t data_bytes = 0;
  std::uint64_t initialized_bytes = 0;
  std::uint8_t compression_unit = 0;  // log2 of clusters
  std::uint64_t size_bytes() const { return resident ? value.size() : data_bytes; }
};

struct Record {
  std::uint16_t sequence = 0;
  std::uint16_t links = 0;
  std::uint16_t flags = 0;
  FileReference base;  // record 0, sequence 0 for a base record
  std::vector<Attribute> attributes;
};

// Undoes the update sequence of a block (a record, an index block, a restart page) in place: the last two bytes of
// every 512 are put back. False if the block is torn or its header is malformed.
bool undo_fixups(MutableByteSpan block);
// Parses a record of any magic but "FILE" as Error{corrupt}; undoes the fixups in place. The result points into `bytes`.
Result<Record> parse_record(MutableByteSpan bytes);
// True if the UTF-16 name is this ASCII text; `fold` ignores ASCII case.
bool name_is(ByteSpan utf16, std::string_view ascii, bool fold = false);

}  // namespace tintype::ntfs
