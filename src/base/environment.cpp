// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/environment.h"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>

namespace tintype {
namespace {

class SystemClock final : public Clock {
  std::chrono::sys_seconds now() override {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }
};

class SystemRandom final : public Random {
  Result<void> fill(MutableByteSpan out) override {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) != 1)
      return fail(ErrorCode::io, "the system gives no random numbers");
    return {};
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

Result<void> SeededRandom::fill(MutableByteSpan out) {
  for (std::size_t at = 0; at < out.size();) {
    std::array<std::byte, 16> block{};
    store_le<std::uint64_t>(block, 0, seed_);
    store_le<std::uint64_t>(block, 8, counter_++);
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(block.data()), block.size(), digest.data());
    const std::size_t n = std::min(out.size() - at, digest.size());
    std::memcpy(out.data() + at, digest.data(), n);
    at += n;
  }
  return {};
}

std::string iso8601(std::chrono::sys_seconds at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace tintype
