// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "base/pacer.h"
#include "store/place.h"

namespace tintype {

// The same place, with its files read and written gently: requests of at most Pacer::kMostBytes, each in its turn, nothing
// read ahead. The files have the same content.
std::unique_ptr<Place> make_gentle_place(std::unique_ptr<Place> place, std::shared_ptr<Pacer> pacer);

}  // namespace tintype
