// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/extent.h"
#include "drive/drive.h"
#include "fs/ext/inode_blocks.h"
#include "fs/ext/superblock.h"

namespace tintype::ext {

// A block of the file system of which the journal holds a newer copy.
struct JournalCopy {
  std::uint64_t block = 0;         // of the file system
  std::uint32_t journal_block = 0; // position in the journal
  bool escaped = false;            // its first four bytes, the journal's magic number, are blanked in the journal
};

// The internal journal (jbd2) of a file system, as far as a replay would read it: from the oldest transaction that is
// not yet written home on. Transactions that a replay would drop (without commit, with wrong checksums) are
// included: too much is harmless here, too little is not.
struct Journal {
  std::vector<FileRun> runs;        // where the journal itself lies
  std::vector<JournalCopy> copies;  // ascending by block
  std::uint32_t block_bytes = 0;

  bool pending() const { return !copies.empty() || started; }
  bool started = false;  // it names an oldest transaction
  std::span<const JournalCopy> copies_of(std::uint64_t block) const;
  // Block `index` of the journal; out has block_bytes.
  Result<void> read(Drive& drive, std::uint64_t index, MutableByteSpan out) const;
  Result<void> read_copy(Drive& drive, const JournalCopy& copy, MutableByteSpan out) const;
  // All blocks that the journal names, and its own, in bytes.
  ExtentSet extents() const;
};

// Error{corrupt} if it makes no sense, Error{unsupported} if it holds what is not understood here (fast commits,
// an unfinished resize, unknown features).
Result<Journal> read_journal(Drive& drive, const Super& super, bool verify_checksums);

}  // namespace tintype::ext
