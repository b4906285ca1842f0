// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "drive/drive.h"
#include "fs/ntfs/boot_sector.h"
#include "fs/ntfs/record.h"
#include "fs/ntfs/run_list.h"

namespace tintype::ntfs {

// Records with a fixed meaning.
enum WellKnownRecord : std::uint64_t {
  kMftRecord = 0,
  kMirrorRecord = 1,
  kLogFileRecord = 2,
  kVolumeRecord = 3,
  kRootRecord = 5,
  kBitmapRecord = 6,
  kBootRecord = 7,
  kBadClustersRecord = 8,
  kSecureRecord = 9,
  kUpCaseRecord = 10,
  kExtendRecord = 11,
  kFirstUserRecord = 16,
};

// A whole attribute of a file, put together from its pieces; owns its bytes.
struct Stream {
  std::uint32_t type = 0;
  std::uint16_t flags = 0;
  bool resident = true;
  Bytes name;   // UTF-16
  Bytes value;  // resident
  RunList runs;
  std::uint64_t data_bytes = 0;
  std::uint64_t initialized_bytes = 0;  // what lies behind reads as zeros
  std::uint8_t compression_unit = 0;    // log2 of clusters
};

// What a base record says of itself.
struct Head {
  FileReference reference;
  std::uint16_t links = 0;
  std::uint16_t flags = 0;
};

// A file with everything its base and extension records say. Checked: every piece that the attribute list names is there, run lists
// have no gaps and cover the data.
struct File {
  std::uint64_t number = 0;
  std::uint16_t sequence = 0;
  std::uint16_t links = 0;
  std::uint16_t flags = 0;
  std::vector<Stream> streams;
  // The first of this type and (ASCII) name, or null.
  const Stream* find(std::uint32_t type, std::string_view name = {}) const;
};

// The master file table, read through its own run list. The drive must outlive it. One user at a time.
class Mft {
 public:
  // Error{corrupt} if record 0 cannot be trusted, Error{io} from the drive.
  static Result<Mft> open(Drive& partition, const BootSector& boot);

  const BootSector& boot() const { return boot_; }
  Drive& drive() const { return *drive_; }
  const File& self() const { return self_; }  // $MFT itself

  // A file by its base record; with a sequence number, only that life of it. Error{corrupt} if anything contradicts.
  // Of attributes only those that `wanted` picks by type and name are put together (and checked); unset: all.
  using Wanted = std::function<bool(std::uint32_t type, ByteSpan name)>;
  Result<File> load_file(std::uint64_t number, std::optional<std::uint16_t> sequence = std::nullopt, const Wanted& wanted = {}) const;
  // Calls `visit` for the first piece of every attribute that is wanted: values and sizes, without putting run lists together. What a
  // broken attribute list hides is told by the Error at the end, after all that is in the base record.
  using HeadVisit = std::function<void(const Head&, const Attribute&)>;
  Result<Head> visit_heads(std::uint64_t number, std::optional<std::uint16_t> sequence, const Wanted& wanted,
                           const HeadVisit& visit) const;
  // One record as it stands; the result points into `buffer`.
  Result<Record> read_record(std::uint64_t number, Bytes& buffer) const;
  // Bytes of a stream; compressed and encrypted ones are refused, what is not initialized reads as zeros.
  Result<void> read(const Stream& stream, std::uint64_t offset, MutableByteSpan out) const;

  // Calls `visit` for every record in use, base and extension, in order. Error{corrupt} if a record that is in use (by its own
  // flag or by $MFT's bitmap) cannot be understood, or what visit returns.
  using Visit = std::function<Result<void>(std::uint64_t number, const Record& record)>;
  Result<void> scan(const Visit& visit) const;

 private:
  Mft(Drive& drive, const BootSector& boot) : drive_(&drive), boot_(boot) {}
  Result<Bytes> read_attribute_list(const Attribute& list) const;
  Result<void> add_piece(File& file, const Attribute& piece) const;
  Result<void> add_listed(File& file, ByteSpan list, const Record& base, const Wanted& wanted) const;
  Result<void> grow_own_runs(ByteSpan list);
  Result<void> check_streams(const File& file) const;

  Drive* drive_;
  BootSector boot_;
  RunList runs_;  // of $MFT's data, as far as known while it is being opened
  File self_;
};

}  // namespace tintype::ntfs
