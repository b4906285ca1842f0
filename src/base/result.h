// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <expected>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace tintype {

// A value or an Error. Ignoring one is a compiler warning.
//   Result<int> parse(…);   auto n = TRY(parse(…));   return fail(ErrorCode::corrupt, "…");
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  // The value moved out; only after checking that there is one.
  T take() && {
    if constexpr (!std::is_void_v<T>) return std::move(**this);
  }
};

inline std::unexpected<Error> fail(ErrorCode code, std::string what, std::string hint = {}) {
  return std::unexpected(make_error(code, std::move(what), std::move(hint)));
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace tintype

// The value of a Result, or return its Error from the enclosing function.
#define TRY(expression)                                                             \
  __extension__({                                                                   \
    auto try_result_ = (expression);                                                \
    if (!try_result_) return std::unexpected(std::move(try_result_).error());       \
    std::move(try_result_).take();                                                  \
  })
