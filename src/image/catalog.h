// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "drive/drive.h"
#include "fs/filesystem.h"
#include "image/format.h"
#include "layout/layout.h"

namespace tintype {

struct DirectoryRef {
  FramePlace place;
  Hash hash{};  // SHA-256 of its content
};

enum class AreaKind { first_track, partition, drive };
const char* to_string(AreaKind kind);

// A run of the source drive that was saved.
struct Area {
  AreaKind kind = AreaKind::partition;
  std::uint32_t partition = 0;  // its id; 0 for the first track and for a drive without a table
  std::uint64_t start_byte = 0; // on the source drive
  std::uint64_t size_bytes = 0;
  bool raw = false;             // all sectors were asked for
  FsInfo fs;
  std::vector<LeftOutFile> left_out;
  // Known when the backup is complete:
  std::vector<DirectoryRef> directories;
  std::uint64_t used_bytes = 0;       // what restore writes
  std::uint64_t stored_bytes = 0;     // of its frames in the image
  std::uint64_t unreadable_bytes = 0;
};

// Everything an image says about itself besides the chunks and their index. Encoded as CBOR.
struct Catalog {
  std::int64_t created = 0;   // seconds since 1970 UTC
  std::int64_t finished = 0;
  std::string program, host, description;
  std::string kind = "full";  // full, differential, incremental
  std::string consistency = "offline";  // offline, read-only, in-use
  int compression = 1;
  DriveInfo source;
  Layout layout;
  std::vector<Area> areas;
  std::vector<std::uint64_t> part_bytes;  // of each part but the last
  std::vector<SetId> links;               // earlier links that entries point to

  Bytes encode() const;
  // Checks every number against every other: areas inside the drive, counts capped. A prologue has no directories yet.
  enum class Stage { prologue, complete };
  static Result<Catalog> decode(ByteSpan cbor, Stage stage = Stage::complete);
};

}  // namespace tintype
