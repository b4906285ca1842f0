// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/reader.h"
#include "job/context.h"
#include "store/place.h"

namespace tintype {

struct ConsolidateRequest {
  std::shared_ptr<ImageReader> image;  // the newest image of the run: the state that the new image holds
  std::uint32_t base_link = 0;         // the new image builds on this one of its links and replaces what comes after; 0: it is full
  std::shared_ptr<Place> place;
  std::string name;                    // file name of the new image with its extension
  std::uint64_t max_part_bytes = 0;    // 0: the largest the place takes
  std::optional<std::string> password; // that of the image, if it needs one; the new one gets the same
  std::optional<std::string> description;  // none: that of the image
  std::string program;                 // recorded in the new image
  bool validate = true;                // read the new image back, all of it
  bool remove_replaced = false;        // then delete the images of the run; only with `validate`
  bool keep_failed = false;            // leave the unfinished files of a failed run
};

struct ConsolidateReport {
  std::string set_id;  // hex
  std::string kind;
  std::uint64_t images = 0;      // of the run
  std::uint64_t used_bytes = 0;
  std::uint64_t image_bytes = 0;
  std::vector<std::string> removed;  // paths of images
  std::vector<std::string> kept;     // a sentence for each image that was to be deleted and is needed
};

// Makes one image out of a run of a chain, without the source drive. Frames are copied as they are; only their places and, where an
// image without encryption lies in an encrypted chain, their protection change. The old images are not touched before the new one has
// its name and has been validated.
Result<ConsolidateReport> run_consolidate(const ConsolidateRequest& request, JobContext& context);

}  // namespace tintype
