// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/interrupts.h"

#include <csignal>
#include <ctime>
#include <utility>

namespace tintype::cli {
namespace {

sigset_t stopping_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  // nohup ignores it, and that holds. SIGINT is taken even where a shell ignores it for its background jobs:
  // whoever sends it there means it.
  struct sigaction now{};
  if (sigaction(SIGHUP, nullptr, &now) != 0 || now.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
  return set;
}

// Tells the watcher, which has it blocked, to look whether it should stop.
const int kWake = SIGRTMIN;

int wait_for(const sigset_t& set, long milliseconds) {
  const timespec time{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  return sigtimedwait(&set, nullptr, &time);
}

}  // namespace

bool Interrupts::pending() {
  sigset_t waiting;
  sigpending(&waiting);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    if (sigismember(&waiting, signal) == 1) return true;
  return false;
}

Interrupts::Interrupts(Handler on_signal) {
  const sigset_t set = stopping_signals();
  sigset_t waited = set;
  sigaddset(&waited, kWake);
  pthread_sigmask(SIG_BLOCK, &waited, nullptr);
  ::signal(SIGINT, SIG_DFL);  // an ignored signal would never become pending
  watcher_ = std::jthread([set, waited, handler = std::move(on_signal)](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const int signal = wait_for(waited, 1000);
      if (signal <= 0 || signal == kWake) continue;
      handler(signal == SIGINT ? Signal::interrupt : Signal::terminate, [&set] { return wait_for(set, 0) > 0; }, stop);
    }
  });
}

Interrupts::~Interrupts() {
  watcher_.request_stop();
  pthread_kill(watcher_.native_handle(), kWake);
}

}  // namespace tintype::cli
