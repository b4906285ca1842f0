// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "drive/drive.h"
#include "image/reader.h"

namespace tintype {

struct ImageDriveOptions {
  std::string name = {};                   // info().path; empty: the image's first part
  std::uint64_t cache_bytes = 64U << 20;   // of decoded chunks
  unsigned read_ahead_threads = 0;         // 0: one per processor, at most 4
  // A read here and there, not in order, decodes a chunk only as far as it must. What is checked then is its frame, not the hash of the whole
  // chunk: for file systems, whose structures lie all over a drive.
  bool beginnings = false;
};

// An opened image, whatever chain, compression and encryption it has, as a read-only drive of the size of its source. What it does
// not hold reads as zeros and has the state not_saved; so do ranges that its source could not read, as data. The tables that the
// catalog keeps are there even if no area covers them. Damage is Error{corrupt} with the position on this drive in
// offset_bytes and the part file in its text. Writing is Error{denied}.
std::shared_ptr<Drive> make_image_drive(std::shared_ptr<ImageReader> image, ImageDriveOptions options = {});

}  // namespace tintype
