// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace tintype {

const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::io: return "io";
    case ErrorCode::gone: return "gone";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::out_of_bounds: return "out_of_bounds";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::no_space: return "no_space";
    case ErrorCode::busy: return "busy";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::denied: return "denied";
    case ErrorCode::refused: return "refused";
    case ErrorCode::usage: return "usage";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::mismatch: return "mismatch";
    case ErrorCode::exists: return "exists";
  }
  return "unknown";
}

std::string Error::message() const {
  std::string text = what;
  if (offset_bytes) text += fmt::format(" (at byte {})", *offset_bytes);
  if (os_error != 0) text += fmt::format(": {}", std::strerror(os_error));
  if (!hint.empty()) text += fmt::format("; {}", hint);
  return text;
}

Error&& Error::with_hint(std::string text) && {
  hint = std::move(text);
  return std::move(*this);
}

Error&& Error::within(const std::string& context) && {
  what = context + ": " + what;
  return std::move(*this);
}

Error make_error(ErrorCode code, std::string what, std::string hint) {
  Error error;
  error.code = code;
  error.what = std::move(what);
  error.hint = std::move(hint);
  return error;
}

Error os_error(int error_number, std::string what) {
  Error error = make_error(ErrorCode::io, std::move(what));
  error.os_error = error_number;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: error.code = ErrorCode::no_space; break;
    case EACCES:
    case EPERM:
    case EROFS: error.code = ErrorCode::denied; break;
    case EBUSY:
    case ETXTBSY: error.code = ErrorCode::busy; break;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ENOTDIR: error.code = ErrorCode::not_found; break;
    case EEXIST: error.code = ErrorCode::exists; break;
    default: break;
  }
  return error;
}

}  // namespace tintype
