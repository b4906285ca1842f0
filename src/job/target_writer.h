// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <mutex>

#include "drive/drive.h"
#include "job/context.h"

namespace tintype {

// Writes to a target drive. A write that fails is asked about (abort, retry, ignore); with `allow_errors`, or after
// "ignore", as much as can be is written around the bad sectors, which are recorded. Used by many threads.
class TargetWriter {
 public:
  TargetWriter(std::shared_ptr<Drive> drive, JobContext& context, bool allow_errors)
      : drive_(std::move(drive)), context_(context), allow_errors_(allow_errors) {}
  Result<void> write(std::uint64_t offset, ByteSpan data);
  Result<void> zero(std::uint64_t offset, std::uint64_t length);
  Result<void> flush();
  bool flush_failed() const { return flush_failed_; }  // with Error{io}: something of what was written is lost
  ExtentSet unwritable();  // bytes of the target

 private:
  enum class Choice { retry, ignore };
  Result<Choice> choose(const Error& error);
  Result<void> write_around(std::uint64_t offset, ByteSpan data);

  std::shared_ptr<Drive> drive_;
  JobContext& context_;
  std::mutex mutex_;
  bool allow_errors_;
  bool flush_failed_ = false;
  ExtentSet bad_;
};

}  // namespace tintype
