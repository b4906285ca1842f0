// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/target_writer.h"

#include <fmt/format.h>

#include <algorithm>

namespace tintype {

Result<void> TargetWriter::write(std::uint64_t offset, ByteSpan data) {
  while (true) {
    const Result<void> result = drive_->write(offset, data);
    if (result) return {};
    if (result.error().code != ErrorCode::io && result.error().code != ErrorCode::no_space) return result;
    if (TRY(choose(result.error())) == Choice::retry) continue;
    return write_around(offset, data);
  }
}

Result<void> TargetWriter::zero(std::uint64_t offset, std::uint64_t length) {
  const Result<void> result = drive_->zero(offset, length);
  if (result || result.error().code != ErrorCode::io) return result;
  // Find out which sectors are bad by writing.
  const Bytes zeros(static_cast<std::size_t>(std::min<std::uint64_t>(length, 512 * 1024)));
  for (std::uint64_t at = 0; at < length; at += zeros.size())
    TRY(write(offset + at, ByteSpan(zeros).first(std::min<std::uint64_t>(zeros.size(), length - at))));
  return {};
}

Result<void> TargetWriter::flush() {
  Result<void> result = drive_->flush();
  if (!result && result.error().code == ErrorCode::io) flush_failed_ = true;
  return result;
}

ExtentSet TargetWriter::unwritable() {
  const std::lock_guard lock(mutex_);
  return bad_;
}

Result<TargetWriter::Choice> TargetWriter::choose(const Error& error) {
  const std::lock_guard lock(mutex_);
  // Nothing can be written around a full target.
  const bool full = error.code == ErrorCode::no_space;
  if (allow_errors_ && !full) return Choice::ignore;
  switch (context_.events.ask({QuestionKind::abort_retry_ignore, full ? "target-full" : "unwritable-sectors",
                               error.message() + ". Abort, retry, or ignore?", {}})) {
    case Answer::retry: return Choice::retry;
    case Answer::ignore:
      if (!full) return Choice::ignore;
      [[fallthrough]];
    default: return fail(error);
  }
}

Result<void> TargetWriter::write_around(std::uint64_t offset, ByteSpan data) {
  const std::uint32_t sector = drive_->info().logical_sector_bytes;
  while (!data.empty()) {
    TRY(context_.cancel.check());
    const std::size_t n = std::min<std::size_t>(sector - offset % sector, data.size());
    const Result<void> result = drive_->write(offset, data.first(n));
    if (!result) {
      if (result.error().code != ErrorCode::io) return result;
      const std::lock_guard lock(mutex_);
      bad_.add({offset, n});
      context_.events.warn(fmt::format("{} bytes of {} cannot be written at byte {}", n, drive_->info().path, offset));
    }
    data = data.subspan(n);
    offset += n;
  }
  return {};
}

}  // namespace tintype
