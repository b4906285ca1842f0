// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstddef>
#include <functional>

#include "base/cancel.h"
#include "base/result.h"

namespace tintype {

// Work on a row of items by several threads, with results taken in order. Items live in `slots` that the caller owns
// and that are used again and again, so memory is bounded. Per item:
//   produce(slot)       fills the slot with the next item; false at the end. One call at a time, in order, any thread.
//   work(worker, slot)  on its own; at most one call per worker number at a time.
//   consume(slot)       in order, on the thread that called run_pipeline.
// The first failure in item order is returned, as it is with one worker; a cancelled token ends in Error{cancelled}.
struct PipelineSteps {
  std::function<Result<bool>(std::size_t slot)> produce;
  std::function<Result<void>(unsigned worker, std::size_t slot)> work;
  std::function<Result<void>(std::size_t slot)> consume;
};

Result<void> run_pipeline(unsigned workers, std::size_t slots, const CancelToken& cancel, const PipelineSteps& steps);

// As many workers as the request says, or as there are processors.
unsigned worker_count(unsigned requested);
// Slots that keep this many workers busy while results wait for their turn.
std::size_t slot_count(unsigned workers);

}  // namespace tintype
