// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/extent.h"
#include "base/result.h"
#include "drive/drive.h"

namespace tintype {

// What a faulty drive has gone through; counts calls, not successes.
struct FaultStats {
  std::atomic<std::uint64_t> reads{0}, writes{0}, flushes{0};
  std::atomic<std::uint64_t> bytes_read{0}, bytes_written{0};  // transferred
};

// How a drive fails. Without any of it the drive behaves like the one it wraps.
struct FaultPlan {
  struct Bad {
    Extent range{};
    unsigned failures = 0;  // works after so many failed calls; 0: never
  };
  std::vector<Bad> read_bad{};   // reads of it fail with EIO at the exact byte; what lies before it was read
  std::vector<Bad> write_bad{};  // the same for writes, zero and trim
  std::optional<std::uint64_t> write_full_at{};  // the write that would pass so many bytes written ends there with ENOSPC
  std::optional<std::uint64_t> read_dead_at{};   // after so many bytes read, every call fails with EIO for ever
  std::optional<std::uint64_t> write_dead_at{};  // after so many bytes written, likewise; the last write is cut off there
  std::optional<std::uint64_t> write_exit_at{};  // after so many bytes written the process ends at once (status 137), as if killed
  std::vector<Extent> lost_writes{};             // writes into it report success and change nothing
  std::vector<Extent> late_bad{};  // as behind a page cache: writes into it are lost, the next flush fails with EIO, and later
                                   // writes fail as in write_bad
  std::chrono::milliseconds delay{0};          // before every read and write
  std::shared_ptr<FaultStats> stats{};           // counts, if the test wants them
};

// Shares ownership of the drive. Thread safe as every Drive; the counts decide in the order in which calls come.
std::shared_ptr<Drive> make_faulty_drive(std::shared_ptr<Drive> inner, FaultPlan plan);

// A fault plan for drives whose path contains a text, written like
//   sdb:read-bad=4096+512,write-dead-at=1000000;disk.raw:read-bad=0+512x3
// with the words read-bad, write-bad (START+LENGTH, xN: works after N failures), write-full-at, read-dead-at, write-dead-at, write-exit-at,
// lost, late-bad (START+LENGTH), delay-ms. Numbers are decimal or 0x. Builds with TINTYPE_TEST_HOOKS apply $TINTYPE_TEST_FAULTS to what open_drive()
// opens; release builds do not know the variable.
struct NamedFaults {
  std::string path_part;
  FaultPlan plan;
};
Result<std::vector<NamedFaults>> parse_faults(std::string_view text);

}  // namespace tintype
