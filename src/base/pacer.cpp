// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/pacer.h"

#include <algorithm>
#include <thread>

namespace tintype {

Pacer::Pacer(std::function<void(Duration)> pause) : pause_(std::move(pause)) {}

Pacer::Duration Pacer::pause_after(Duration request) { return std::clamp(request, Duration::zero(), kLongestPause); }

void Pacer::sleep(Duration time) { std::this_thread::sleep_for(time); }

}  // namespace tintype
