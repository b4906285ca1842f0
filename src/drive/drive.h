// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/extent.h"
#include "base/result.h"

namespace tintype {

// Cylinder/head/sector numbers as old tables use them; zero heads means "not known".
struct Geometry {
  std::uint32_t cylinders = 0;
  std::uint32_t heads = 0;
  std::uint32_t sectors_per_track = 0;
};

struct DriveInfo {
  std::uint64_t size_bytes = 0;  // a multiple of the logical sector size, except for odd raw files
  std::uint32_t logical_sector_bytes = 512;
  std::uint32_t physical_sector_bytes = 512;
  std::string path;    // what the user would type: "/dev/sdb", "disk.raw"
  std::string format{};  // virtual drives: "vhdd", "qcow2" … (virtual_drive.h); empty for all others
  std::string model;   // empty if not known
  std::string serial;  // empty if not known
  bool removable = false;
  bool read_only = false;
  Geometry geometry;
};

enum class BlockState {
  data,       // may hold anything
  hole,       // reads as zeros and occupies no storage
  not_saved,  // an image does not hold this range; reads as zeros
};

struct BlockStatus {
  Extent extent;  // starts at the position asked for; never longer than asked for
  BlockState state = BlockState::data;
};

// Bytes that lie in memory and do not change as long as `owner` is kept.
struct HeldBytes {
  std::shared_ptr<const void> owner;
  ByteSpan bytes;
};

// Random-access bytes: a block device, a raw file, one partition, memory, an opened image. Contract (that of NBD):
// - read, write, zero, trim, flush and status may be called at the same time from any number of threads;
//   overlapping concurrent writes leave either one's bytes.
// - Offsets and lengths are in bytes and need no alignment. A range outside the drive is Error{out_of_bounds} and
//   touches nothing.
// - read and write do all or fail; an Error{io} says in offset_bytes where the first bad byte lies and in
//   length_bytes how much is known to be bad (0: unknown). To find every bad range use rescue_read(). Error{gone}: all
//   that follows fails too.
// - Bytes written are durable after a flush that succeeded, not before. A flush that fails with Error{io} does not say what was
//   lost; writes after it go straight to where the bytes stay, as far as the system can do that, and fail by themselves.
class Drive {
 public:
  virtual ~Drive() = default;
  Drive(const Drive&) = delete;
  Drive& operator=(const Drive&) = delete;

  virtual const DriveInfo& info() const = 0;
  std::uint64_t size_bytes() const { return info().size_bytes; }

  virtual Result<void> read(std::uint64_t offset, MutableByteSpan out) = 0;
  // For those who only pass bytes on: the beginning of the range, at least one byte of it, from where the drive has it in memory
  // anyway. Empty: it does not, and read() is the way. Errors as of read().
  virtual Result<std::optional<HeldBytes>> held(std::uint64_t offset, std::uint64_t length);
  virtual Result<void> write(std::uint64_t offset, ByteSpan data) = 0;
  // Makes the range read as zeros, without allocating storage where the drive can.
  virtual Result<void> zero(std::uint64_t offset, std::uint64_t length) = 0;
  // A hint that the range's content is no longer needed; it may read as anything afterwards.
  virtual Result<void> trim(std::uint64_t offset, std::uint64_t length);
  virtual Result<void> flush() = 0;
  // What the beginning of the range is. The default says data.
  virtual Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length);
  // A hint that the range will be read soon; returns at once.
  virtual void will_need(std::uint64_t offset, std::uint64_t length);
  // Makes the system forget what it keeps of the drive in memory, as far as it lets us, so that what is read next comes from
  // where the bytes stay: for comparing. What was written must have been flushed.
  virtual void drop_cache();

 protected:
  Drive() = default;
  // Error{out_of_bounds} naming the drive if the range leaves it.
  Result<void> check_range(std::uint64_t offset, std::uint64_t length) const;
};

// A range of another drive, as a drive: one partition, for example. Shares ownership of the drive.
std::shared_ptr<Drive> make_slice(std::shared_ptr<Drive> whole, Extent range, std::string name);

// Bytes in memory; holes are ranges never written. For tests and small work areas.
std::shared_ptr<Drive> make_memory_drive(std::uint64_t size_bytes, std::uint32_t sector_bytes = 512);

}  // namespace tintype
