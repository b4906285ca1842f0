// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <thread>

#include "base/cancel.h"

namespace tintype::cli {

// Takes the signals that ask the program to stop. Must be made before any other thread: it blocks them for all.
class Interrupts {
 public:
  enum class Signal { interrupt, terminate };
  // `on_signal` runs on a thread of its own; `stop` becomes true when it should come to an end.
  using Handler = std::function<void(Signal, const std::function<bool()>& again, const std::stop_token& stop)>;
  explicit Interrupts(Handler on_signal);
  // True if such a signal came when none of these was there to take it.
  static bool pending();
  ~Interrupts();  // stops and joins the thread
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

 private:
  std::jthread watcher_;
};

}  // namespace tintype::cli
