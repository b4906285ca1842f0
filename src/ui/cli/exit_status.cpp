// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/exit_status.h"

namespace tintype::cli {

const char* to_string(ExitStatus status) {
  switch (status) {
    case ExitStatus::success: return "success";
    case ExitStatus::failed: return "failed";
    case ExitStatus::usage: return "usage";
    case ExitStatus::refused: return "refused";
    case ExitStatus::damaged: return "damaged";
    case ExitStatus::bad_sectors: return "bad_sectors";
  }
  return "failed";
}

ExitStatus status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::usage: return ExitStatus::usage;
    case ErrorCode::cancelled:
    case ErrorCode::refused:
    case ErrorCode::busy:
    case ErrorCode::exists: return ExitStatus::refused;
    // The system's own "permission denied" is a failure; a password that does not fit is a refusal.
    case ErrorCode::denied: return error.os_error != 0 ? ExitStatus::failed : ExitStatus::refused;
    case ErrorCode::corrupt:
    case ErrorCode::mismatch: return ExitStatus::damaged;
    case ErrorCode::io:
    case ErrorCode::gone:
    case ErrorCode::out_of_bounds:
    case ErrorCode::unsupported:
    case ErrorCode::no_space:
    case ErrorCode::not_found: return ExitStatus::failed;
  }
  return ExitStatus::failed;
}

}  // namespace tintype::cli
