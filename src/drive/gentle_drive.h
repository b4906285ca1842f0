// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "base/pacer.h"
#include "drive/drive.h"

namespace tintype {

// The same drive, asked gently: requests of at most Pacer::kMostBytes, each in its turn, nothing read ahead. Zeroing and
// trimming, which move no data over the link, go in larger steps. The pacer is shared with everything else that uses
// the same link.
std::shared_ptr<Drive> make_gentle_drive(std::shared_ptr<Drive> drive, std::shared_ptr<Pacer> pacer);

}  // namespace tintype
