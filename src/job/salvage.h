// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "image/reader.h"
#include "job/context.h"
#include "job/damage_owners.h"

namespace tintype {

struct SalvageRequest {
  std::shared_ptr<Place> place;  // where the parts are
  std::string image;             // file name of the first part, which may itself be lost
  PasswordSource password;
  // Makes a file of the result that reads as zeros, called once for each name.
  std::function<Result<std::shared_ptr<Drive>>(const std::string& name, std::uint64_t size_bytes)> create;
  std::shared_ptr<LinkFinder> finder = {};  // of earlier images; null: they lie beside the image or in the folders it remembers
};

// Bytes of an area and where they are: the first ranges, and all of them counted.
struct SalvageExtents {
  std::uint64_t bytes = 0;
  std::uint64_t ranges = 0;
  std::vector<Extent> listed;
  void add(Extent extent);  // ascending
};

struct SalvagedArea {
  std::uint32_t number = 0;              // in the addresses of its frames
  std::string name;                      // "partition 0x1 (ntfs, Windows)", "area 3"
  bool first_track = false;              // what lies before the partitions: no files
  std::string file;                      // of the result
  std::uint64_t file_byte = 0;           // where the area begins in it
  std::uint64_t size_bytes = 0;
  std::uint64_t restored_bytes = 0;      // used bytes; of chunks that no sound index tells about, all bytes
  std::uint64_t unconfirmed_bytes = 0;   // of these: placed by what the frames say, as the index there is lost
  std::uint64_t unreadable_bytes = 0;    // the source could not give them when the image was made
  SalvageExtents lost;                   // were saved and are gone
  SalvageExtents unknown;                // nothing is left that tells whether there was something
  SalvageExtents earlier;                // of the lost ones: what is missing lies in an earlier image of the chain
};

struct SalvageReport {
  std::string layout_from;               // "catalog", "prologue", or "nothing": then every area has a file of its own
  std::vector<SalvagedArea> areas;
  std::uint64_t chunks = 0;              // brought back
  std::uint64_t damaged_chunks = 0;      // found, but not sound
  std::uint64_t foreign_chunks = 0;      // sound, but not what the index or the layout says
  std::uint64_t lone_deltas = 0;         // sound, but nothing is left that tells which state of the chunk they change
  std::uint64_t locked_frames = 0;       // encrypted, and no header is left that holds the key
  Hits hits;                             // files and structures that are lost or hit; filled in by the caller, who knows where the result lies
  std::vector<std::string> notes;        // files passed over, parts and earlier images missing …
  std::uint64_t restored_bytes() const;
  std::uint64_t lost_bytes() const;      // lost, or in an earlier image
  std::uint64_t unknown_bytes() const;
};

// Brings back every chunk that is still sound out of an image whatever happened to its files, and says what is lost. Of a
// changes-only image the chunks of earlier images are brought back too, as far as these are there and sound. With the
// layout known the result is drive.raw, the source drive with every area in its place; else area-N.raw for each area.
// Fails if there is no such image, its password is wrong, the result cannot be written, or it was cancelled; damage is a report.
Result<SalvageReport> run_salvage(const SalvageRequest& request, JobContext& context);

}  // namespace tintype
