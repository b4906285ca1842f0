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

// An earlier image of the chain that entries point into.
struct Link {
  SetId set_id{};
  Hash catalog_hash{};       // as its trailer has it: tells that it is that image, unchanged
  std::string kind;          // full, differential, incremental
  std::string name, folder;  // where it was when it was used: file name of the first part, absolute path of the folder
  std::int64_t created = 0;  // seconds since 1970 UTC
};

// A run of the source drive that was saved.
struct Area {
  // In the addresses of its frames. The same in every link of a chain, wherever the area stands in the list.
  std::uint32_t number = 0;
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
  unsigned sessions = 1;                // runs that wrote it: an image that was continued may hold frames that nothing points to
  DriveInfo source;
  Layout layout;
  std::vector<Area> areas;
  std::vector<std::uint64_t> part_bytes;  // of each part but the last
  std::vector<Link> links;                // the chain that this image builds on, oldest first; place.link n is links[n - 1]

  Bytes encode() const;
  // Checks every number against every other: areas inside the drive, counts capped. A prologue has no directories yet.
  enum class Stage { prologue, complete };
  static Result<Catalog> decode(ByteSpan cbor, Stage stage = Stage::complete);
};

}  // namespace tintype
