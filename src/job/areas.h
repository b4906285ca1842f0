// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "fs/filesystem.h"
#include "image/catalog.h"
#include "job/backup.h"
#include "plan/source_view.h"

namespace tintype {

// Which part of a drive is read, and how.
struct AreaChoice {
  std::shared_ptr<Drive> drive;
  Layout layout;                          // as read from it
  std::vector<std::uint32_t> partitions;  // ids; empty: the whole drive
  bool raw = false;                       // every sector; of a whole drive without looking at partitions
  bool skip_page_files = true;
  bool skip_hibernation_files = true;
};
AreaChoice choice_of(const BackupRequest& request);

// An area of the source drive together with what is needed to read it.
struct SourceArea {
  Area area;
  std::shared_ptr<Drive> drive;            // the bytes of the area
  std::unique_ptr<FileSystem> file_system; // null: everything is used
  std::uint64_t used_bytes = 0;            // exact, left-out files not counted

  // A fresh pass over the bytes to save: ascending, in whole units of 512 bytes, inside the area.
  Result<std::unique_ptr<ExtentStream>> used_map() const;
};

// Decides what of the drive is saved, and goes once through every used map, so that damage in one is known before anything
// is written (then the whole area is saved, with a warning). A drive that is an image need not hold all of its partitions: what it does
// not hold is left out, or is Error{not_found} if it was named. Error{not_found} names the partitions there are.
Result<std::vector<SourceArea>> choose_areas(const AreaChoice& request, Events& events, const CancelToken& cancel);

// The same for a plan.
SourceView view_of(const AreaChoice& choice, const std::vector<SourceArea>& areas);

// "partition 0x1 (ntfs, Windows)", "the first track", "the drive".
std::string describe(const Area& area, const Layout& layout);

}  // namespace tintype
