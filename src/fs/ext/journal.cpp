// SPDX-License-Identifier: GPL-3.0-or-later
// The walk of a replay's first pass: start at the block and transaction number in the journal's superblock, step over
// descriptor, data, revoke and commit blocks while the numbers match. All integers are big endian.
// Source: kernel documentation, "ext4 Data Structures and Algorithms", section Journal (jbd2).
#include "fs/ext/journal.h"

#include <fmt/format.h>

#include <algorithm>

#include "fs/ext/checksum.h"

namespace tintype::ext {
namespace {

constexpr std::uint32_t kMagic = 0xC03B3998;
constexpr std::uint32_t kMaxJournalBlocks = 10'240'000;  // the largest that mke2fs makes
constexpr std::size_t kMaxCopies = 1 << 21;              // 32 MiB; an 8 GiB journal of 4 KiB blocks
enum BlockType : std::uint32_t { kDescriptor = 1, kCommit = 2, kSuperV1 = 3, kSuperV2 = 4, kRevoke = 5 };
enum Feature : std::uint32_t { kRevokes = 1, k64 = 2, kAsyncCommit = 4, kCsumV2 = 8, kCsumV3 = 16, kFastCommit = 32 };
enum TagFlag : std::uint32_t { kEscaped = 1, kSameUuid = 2, kLastTag = 8 };

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::corrupt, fmt::format("the ext journal is damaged: {}", what));
}

struct JournalSuper {
  std::uint32_t max_blocks = 0, first = 0, sequence = 0, start = 0, incompat = 0;
  std::uint32_t end = 0;  // behind the last block of transactions; fast commits follow
};

Result<JournalSuper> parse_super(ByteSpan raw, const Super& super, bool verify) {
  const std::uint32_t type = load_be<std::uint32_t>(raw, 4);
  if (load_be<std::uint32_t>(raw, 0) != kMagic || (type != kSuperV1 && type != kSuperV2)) return damaged("no superblock");
  JournalSuper out;
  out.max_blocks = load_be<std::uint32_t>(raw, 0x10);
  out.first = load_be<std::uint32_t>(raw, 0x14);
  out.sequence = load_be<std::uint32_t>(raw, 0x18);
  out.start = load_be<std::uint32_t>(raw, 0x1C);
  if (load_be<std::uint32_t>(raw, 0x0C) != super.block_bytes) return damaged("block size");
  if (load_be<std::uint32_t>(raw, 0x20) != 0) return damaged("it was aborted after an error");
  std::uint32_t fast_commit_blocks = 0;
  if (type == kSuperV2) {
    out.incompat = load_be<std::uint32_t>(raw, 0x28);
    if ((out.incompat & ~std::uint32_t{kRevokes | k64 | kAsyncCommit | kCsumV2 | kCsumV3 | kFastCommit}) != 0)
      return fail(ErrorCode::unsupported, fmt::format("the ext journal has unknown features ({:#x})", out.incompat));
    if (verify && (out.incompat & (kCsumV2 | kCsumV3)) != 0) {
      Bytes copy(raw.begin(), raw.begin() + kSuperBytes);
      store_le<std::uint32_t>(copy, 0xFC, 0);
      if (crc32c(kCrcStart, copy) != load_be<std::uint32_t>(raw, 0xFC)) return damaged("the checksum of its superblock");
    }
    if ((out.incompat & kFastCommit) != 0) {
      fast_commit_blocks = load_be<std::uint32_t>(raw, 0x54);
      if (fast_commit_blocks == 0) fast_commit_blocks = 256;
    }
  }
  if (out.first == 0 || out.max_blocks > kMaxJournalBlocks || fast_commit_blocks >= out.max_blocks ||
      out.first >= out.max_blocks - fast_commit_blocks)
    return damaged("its size");
  out.end = out.max_blocks - fast_commit_blocks;
  if (out.start != 0 && (out.start < out.first || out.start >= out.end)) return damaged("its start");
  return out;
}

std::size_t tag_bytes(std::uint32_t incompat_flags) {
  if ((incompat_flags & kCsumV3) != 0) return 16;
  return 8u + ((incompat_flags & k64) != 0 ? 4u : 0u) + ((incompat_flags & kCsumV2) != 0 ? 2u : 0u);
}

class Walk {
 public:
  Walk(Drive& drive, const Super& super, const JournalSuper& head, Journal& journal)
      : drive_(drive), super_(super), head_(head), journal_(journal), raw_(super.block_bytes) {}

  Result<void> run() {
    std::uint32_t at = head_.start;
    std::uint32_t sequence = head_.sequence;
    // Every step takes at least one block, so the walk ends after one round even in a journal that is all descriptors.
    for (steps_ = 0; steps_ < head_.max_blocks;) {
      TRY(journal_.read(drive_, at, raw_));
      if (load_be<std::uint32_t>(raw_, 0) != kMagic || load_be<std::uint32_t>(raw_, 8) != sequence) break;
      at = next(at);
      const std::uint32_t type = load_be<std::uint32_t>(raw_, 4);
      if (type == kDescriptor)
        at = TRY(descriptor(at));
      else if (type == kCommit)
        ++sequence;
      else if (type != kRevoke)
        break;
    }
    return {};
  }

 private:
  std::uint32_t next(std::uint32_t at) {
    ++steps_;
    return at + 1 == head_.end ? head_.first : at + 1;
  }

  // The tags of the descriptor in raw_; their blocks lie from `at` on. Returns the block behind them.
  Result<std::uint32_t> descriptor(std::uint32_t at) {
    const std::size_t size = tag_bytes(head_.incompat);
    const std::size_t room = raw_.size() - ((head_.incompat & (kCsumV2 | kCsumV3)) != 0 ? 4 : 0);
    for (std::size_t tag = 12; tag + size <= room;) {
      JournalCopy copy;
      copy.block = load_be<std::uint32_t>(raw_, tag);
      const std::uint32_t flags = (head_.incompat & kCsumV3) != 0 ? load_be<std::uint32_t>(raw_, tag + 4)
                                                                  : load_be<std::uint16_t>(raw_, tag + 6);
      if ((head_.incompat & k64) != 0) copy.block |= std::uint64_t{load_be<std::uint32_t>(raw_, tag + 8)} << 32;
      copy.journal_block = at;
      copy.escaped = (flags & kEscaped) != 0;
      at = next(at);
      if (copy.block >= super_.blocks)
        return fail(ErrorCode::unsupported, "the ext journal names blocks outside the file system, as after a resize");
      if (journal_.copies.size() == kMaxCopies) return fail(ErrorCode::unsupported, "the ext journal holds too much");
      journal_.copies.push_back(copy);
      tag += size + ((flags & kSameUuid) != 0 ? 0 : 16);
      if ((flags & kLastTag) != 0) break;
    }
    return at;
  }

  Drive& drive_;
  const Super& super_;
  const JournalSuper& head_;
  Journal& journal_;
  Bytes raw_;
  std::uint64_t steps_ = 0;
};

// A replay would have to apply these too, with rules of their own. Where the first one lies depends on who made the
// journal (the area's first or second block), so all of it must be blank.
Result<void> check_fast_commits(Drive& drive, const Journal& journal, const JournalSuper& head) {
  constexpr std::uint32_t kMaxFastCommitBlocks = 4096;
  const bool too_many = head.max_blocks - head.end > kMaxFastCommitBlocks;
  Bytes raw(journal.block_bytes);
  for (std::uint32_t block = head.end; block < head.max_blocks && !too_many; ++block) {
    TRY(journal.read(drive, block, raw));
    if (!all_zero(raw)) return fail(ErrorCode::unsupported, "the ext journal holds fast commits");
  }
  if (too_many) return fail(ErrorCode::unsupported, "the ext journal has a large area for fast commits");
  return {};
}

// A resize on the mounted file system changes the superblock, and the copy in the journal wins.
Result<void> check_same_size(Drive& drive, const Journal& journal, const Super& super) {
  Bytes raw(journal.block_bytes);
  for (const JournalCopy& copy : journal.copies_of(super.super_block())) {
    TRY(journal.read_copy(drive, copy, raw));
    const ByteSpan newer = ByteSpan(raw).subspan(kSuperOffset % super.block_bytes, kSuperBytes);
    if (!looks_like_super(newer)) return damaged("its copy of the superblock");
    const Super after = describe_super(newer);
    if (after.blocks != super.blocks || after.block_bytes != super.block_bytes ||
        after.blocks_per_group != super.blocks_per_group || after.cluster_blocks != super.cluster_blocks)
      return fail(ErrorCode::unsupported, "the ext journal holds a change of the file system's size");
  }
  return {};
}

}  // namespace

std::span<const JournalCopy> Journal::copies_of(std::uint64_t block) const {
  struct ByBlock {
    bool operator()(const JournalCopy& copy, std::uint64_t b) const { return copy.block < b; }
    bool operator()(std::uint64_t b, const JournalCopy& copy) const { return b < copy.block; }
  };
  const auto [first, last] = std::equal_range(copies.begin(), copies.end(), block, ByBlock{});
  return {first, last};
}

Result<void> Journal::read(Drive& drive, std::uint64_t index, MutableByteSpan out) const {
  auto run = std::upper_bound(runs.begin(), runs.end(), index,
                              [](std::uint64_t i, const FileRun& r) { return i < r.file_block; });
  if (run == runs.begin()) return damaged("it is shorter than it says");
  --run;
  if (index - run->file_block >= run->count) return damaged("it is shorter than it says");
  return drive.read((run->drive_block + index - run->file_block) * block_bytes, out);
}

Result<void> Journal::read_copy(Drive& drive, const JournalCopy& copy, MutableByteSpan out) const {
  TRY(read(drive, copy.journal_block, out));
  if (copy.escaped) store_be<std::uint32_t>(out, 0, kMagic);
  return {};
}

ExtentSet Journal::extents() const {
  std::vector<Extent> out;
  out.reserve(runs.size());
  for (const FileRun& run : runs) out.push_back({run.drive_block * block_bytes, run.count * block_bytes});
  for (const JournalCopy& copy : copies) {
    const Extent bytes{copy.block * block_bytes, block_bytes};
    if (!out.empty() && out.back().start <= bytes.start && out.back().end() >= bytes.start)
      out.back().length = std::max(out.back().end(), bytes.end()) - out.back().start;
    else
      out.push_back(bytes);
  }
  return ExtentSet(std::move(out));
}

Result<Journal> read_journal(Drive& drive, const Super& super, bool verify_checksums) {
  Journal journal;
  journal.block_bytes = super.block_bytes;
  journal.runs = TRY(blocks_of_inode(drive, super, super.journal_inode, kMaxJournalBlocks, verify_checksums));
  Bytes raw(std::max<std::size_t>(super.block_bytes, kSuperBytes));
  TRY(journal.read(drive, 0, raw));
  const JournalSuper head = TRY(parse_super(raw, super, verify_checksums));
  if (head.start != 0 || super.has_incompat(incompat::kRecover)) TRY(check_fast_commits(drive, journal, head));
  if (head.start == 0) return journal;
  journal.started = true;
  TRY(Walk(drive, super, head, journal).run());
  std::sort(journal.copies.begin(), journal.copies.end(), [](const JournalCopy& a, const JournalCopy& b) {
    return a.block != b.block ? a.block < b.block : a.journal_block < b.journal_block;
  });
  TRY(check_same_size(drive, journal, super));
  return journal;
}

}  // namespace tintype::ext
