// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace tintype {

// What kind of thing went wrong. Front ends map it to an exit status; nothing else about an Error is parsed.
enum class ErrorCode {
  io,             // the device or file system reported a failed read or write
  gone,           // what served a drive has ended, or the link to it: trying elsewhere on the drive is no use
  corrupt,        // bytes contradict their checksum or their format
  out_of_bounds,  // a position or length outside the object
  unsupported,    // valid, but not handled by this program
  no_space,       // the place for the result is full or too small
  busy,           // in use or locked by somebody else
  cancelled,      // the user, or an unattended "no", stopped the operation
  denied,         // permission missing, or a wrong password
  refused,        // the request would destroy something it must not
  usage,          // the request itself makes no sense
  not_found,      // no such drive, partition, file or part
  mismatch,       // a comparison of source and copy found a difference
  exists,         // something is already there
};

const char* to_string(ErrorCode code);

// A failure as data: what was being done, to which object, why it failed and what to do next.
// Copyable, self-contained, safe to move between threads.
struct Error {
  ErrorCode code = ErrorCode::io;
  std::string what;    // full clause, no final period: "cannot read the boot sector of disk.raw"
  std::string hint;    // the way out, may be empty: "check the cable, or use --allow-errors"
  int os_error = 0;    // errno, 0 if none
  std::optional<std::uint64_t> offset_bytes;  // where in the object
  std::uint64_t length_bytes = 0;             // how much is affected, 0 if not known

  // One line for people: what, at offset …, cause; hint.
  std::string message() const;
  Error&& with_hint(std::string text) &&;
  // Puts "context: " before what.
  Error&& within(const std::string& context) &&;
};

Error make_error(ErrorCode code, std::string what, std::string hint = {});
// From errno; the code follows from it (ENOSPC → no_space, EACCES → denied …).
Error os_error(int error_number, std::string what);

}  // namespace tintype
