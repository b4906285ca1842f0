// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>

namespace tintype {

// Lets requests through one at a time in each direction, with a pause after each that is as long as the request took
// (at most kLongestPause): a slow link is idle half of the time, and others get their turn. Any number of threads.
class Pacer {
 public:
  enum class Way { read, write };
  using Duration = std::chrono::steady_clock::duration;
  static constexpr std::size_t kMostBytes = 64 * 1024;  // of one request
  static constexpr Duration kLongestPause = std::chrono::milliseconds(20);

  // `pause` waits; tests bring their own.
  explicit Pacer(std::function<void(Duration)> pause = sleep);

  template <class Request>
  auto run(Way way, const Request& request) {
    const std::lock_guard turn(way == Way::read ? reading_ : writing_);
    const auto started = std::chrono::steady_clock::now();
    auto result = request();
    pause_(pause_after(std::chrono::steady_clock::now() - started));
    return result;
  }

  static Duration pause_after(Duration request);

 private:
  static void sleep(Duration time);

  std::mutex reading_, writing_;
  const std::function<void(Duration)> pause_;
};

}  // namespace tintype
