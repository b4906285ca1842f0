// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "drive/drive.h"
#include "image/catalog.h"
#include "layout/layout.h"

namespace tintype {

// What a plan has to know of where the data comes from: the catalog of an image says it, and so does a survey of a drive. A plain
// value.
struct SourceView {
  std::string words = "the image";  // in messages: "the image", "the source"
  DriveInfo drive;
  Layout layout;
  std::vector<Area> areas;  // without directories; used_bytes is known

  // Partitions that it holds, by id; whole_drive: they are all that the layout has, or it holds the drive as one area.
  struct Held {
    std::vector<std::uint32_t> partitions;
    bool whole_drive = false;
  };
  Held held() const;
};

SourceView view_of(const Catalog& image);

}  // namespace tintype
