// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <array>
#include <chrono>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tintype {

// Time and chance come in from outside, so that a test can make output bit for bit repeatable.

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::sys_seconds now() = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  // Fills with bytes fit for keys. Fails rather than giving weak ones.
  virtual Result<void> fill(MutableByteSpan out) = 0;
};

Clock& system_clock();
Random& system_random();

// For tests: a clock that stands still and a stream of bytes fixed by the seed (SHA-256 in counter mode).
class FixedClock final : public Clock {
 public:
  explicit FixedClock(std::chrono::sys_seconds at) : at_(at) {}
  std::chrono::sys_seconds now() override { return at_; }

 private:
  std::chrono::sys_seconds at_;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : seed_(seed) {}
  Result<void> fill(MutableByteSpan out) override;

 private:
  std::uint64_t seed_;
  std::uint64_t counter_ = 0;
};

// 2026-11-23T14:05:09Z
std::string iso8601(std::chrono::sys_seconds at);

}  // namespace tintype
