// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/priority.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace tintype {
namespace {

// ioprio_set(2); the C library has no header for it.
constexpr int kIoprioWhoProcess = 1;
constexpr int kIoprioClassIdle = 3;
constexpr int kIoprioClassShift = 13;

int nice_value(Priority::Level level) {
  switch (level) {
    case Priority::Level::low: return 19;
    case Priority::Level::below_normal: return 10;
    case Priority::Level::normal: return 0;
    case Priority::Level::above_normal: return -5;
    case Priority::Level::high: return -10;
  }
  return 0;
}

// On Linux nice values belong to threads, and new threads inherit them with the scheduling policy and the I/O class
// (sched(7), ioprio_set(2)).
Result<void> set_nice(int value) {
  if (::setpriority(PRIO_PROCESS, 0, value) == 0) return {};
  Error error = os_error(errno, fmt::format("the processor priority (nice {}) was not granted", value));
  error.code = ErrorCode::denied;
  error.hint = "more than the present one needs root or CAP_SYS_NICE";
  return fail(std::move(error));
}

Result<void> go_to_background(Priority::Level level) {
  // The lowest of all runs only when the processor would be idle; the others keep the meaning of their nice value.
  const sched_param parameter{};
  Result<void> result;
  if (::sched_setscheduler(0, level == Priority::Level::low ? SCHED_IDLE : SCHED_BATCH, &parameter) != 0)
    result = fail(os_error(errno, "the background scheduling of the processor was not granted"));
  if (::syscall(SYS_ioprio_set, kIoprioWhoProcess, 0, kIoprioClassIdle << kIoprioClassShift) != 0 && result)
    result = fail(os_error(errno, "the idle class of input and output was not granted"));
  return result;
}

}  // namespace

Result<void> set_priority(const Priority& priority) {
  Result<void> nice = set_nice(nice_value(priority.level));
  Result<void> background;
  if (priority.background) background = go_to_background(priority.level);
  return nice ? background : nice;
}

}  // namespace tintype
