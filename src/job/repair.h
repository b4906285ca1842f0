// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "job/context.h"
#include "job/parity.h"

namespace tintype {

struct RepairRequest {
  std::shared_ptr<Place> place;
  std::string image;  // file name of the first part
  // Whether the image, repaired as far as the recovery file knows, passes its own validation; asked only when sums of the
  // recovery file are lost and it is to be rebuilt from parts that it can no longer vouch for. Null: it is not rebuilt then.
  std::function<Result<bool>()> image_is_sound;
};

struct RepairReport {
  ParityReport found;                       // before
  std::vector<std::string> repaired_files;  // paths, in the order they were replaced
  std::uint64_t rebuilt_blocks = 0;
  std::uint64_t rebuilt_bytes = 0;          // of the files written anew
  bool parity_rebuilt = false;
  std::string parity_left;                  // why a damaged recovery file was not rebuilt; empty if it was, or was sound
};

// Finds what is damaged or missing in the parts of an image and its recovery file and writes those files anew, each under a
// temporary name that replaces the old one when it is complete and flushed. Cut off at any moment, nothing is worse than
// before, and another run goes on. If anything of the parts cannot be rebuilt, no part is touched and that is
// Error{corrupt}, with what is lost told as messages; Error{not_found} if there is no recovery file of this image, Error{busy} while a
// backup or another repair is at work.
Result<RepairReport> run_repair(const RepairRequest& request, JobContext& context);

// "pc.tti.1: bytes 4096 to 8191 are damaged or missing"
std::string lost_text(const LostRange& range);

}  // namespace tintype
