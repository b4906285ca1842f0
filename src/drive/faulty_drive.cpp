// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/faulty_drive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <thread>

#include "base/text.h"

namespace tintype {
namespace {

class FaultyDrive final : public Drive {
 public:
  FaultyDrive(std::shared_ptr<Drive> inner, FaultPlan plan) : inner_(std::move(inner)), plan_(std::move(plan)) {
    if (!plan_.stats) plan_.stats = std::make_shared<FaultStats>();
  }

  const DriveInfo& info() const override { return inner_->info(); }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(check_range(offset, out.size()));
    wait();
    ++plan_.stats->reads;
    TRY(check_alive(offset));
    std::size_t usable = out.size();
    int error = 0;
    if (const auto bad = first_bad(plan_.read_bad, {offset, out.size()})) {
      usable = static_cast<std::size_t>(*bad - offset);
      error = EIO;
    }
    if (const auto left = left_until(plan_.read_dead_at, plan_.stats->bytes_read); left < usable) {
      usable = static_cast<std::size_t>(left);
      error = EIO;
      dead_ = true;
    }
    TRY(inner_->read(offset, out.first(usable)));
    plan_.stats->bytes_read += usable;
    return error == 0 ? Result<void>() : failed(error, "read from", offset + usable);
  }

  Result<void> write(std::uint64_t offset, ByteSpan data) override {
    TRY(check_range(offset, data.size()));
    wait();
    ++plan_.stats->writes;
    const Outcome outcome = TRY(admit(offset, data.size()));
    TRY(write_kept(offset, data.first(outcome.usable)));
    return finish(outcome, offset);
  }

  Result<void> zero(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    ++plan_.stats->writes;
    const Outcome outcome = TRY(admit(offset, length));
    ExtentSet kept({{offset, outcome.usable}});
    lose(kept);
    for (const Extent& part : kept.items()) TRY(inner_->zero(part.start, part.length));
    return finish(outcome, offset);
  }

  Result<void> trim(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    TRY(check_alive(offset));
    if (const auto bad = first_bad(plan_.write_bad, {offset, length})) return failed(EIO, "write to", *bad);
    if (!plan_.lost_writes.empty()) return {};
    return inner_->trim(offset, length);
  }

  Result<void> flush() override {
    ++plan_.stats->flushes;
    TRY(check_alive(0));
    if (late_pending_.exchange(false)) {
      const std::lock_guard lock(mutex_);
      for (const Extent& late : plan_.late_bad) plan_.write_bad.push_back({.range = late});
      plan_.late_bad.clear();
      return fail(os_error(EIO, fmt::format("what was written to {} did not reach it", info().path)));
    }
    return inner_->flush();
  }
  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override { return inner_->status(offset, length); }
  void will_need(std::uint64_t offset, std::uint64_t length) override { inner_->will_need(offset, length); }
  void drop_cache() override { inner_->drop_cache(); }

 private:
  struct Outcome {
    std::size_t usable = 0;  // bytes that are still written
    int error = 0;
    bool exit = false;
  };

  void wait() const {
    if (plan_.delay.count() > 0) std::this_thread::sleep_for(plan_.delay);
  }

  Result<void> failed(int error, const char* doing, std::uint64_t offset) const {
    Error out = os_error(error, fmt::format("cannot {} {}", doing, info().path));
    out.offset_bytes = offset;
    return fail(std::move(out));
  }

  Result<void> check_alive(std::uint64_t offset) const { return dead_ ? failed(EIO, "use", offset) : Result<void>(); }

  static std::uint64_t left_until(std::optional<std::uint64_t> limit, std::uint64_t done) {
    return limit ? *limit - std::min(*limit, done) : std::numeric_limits<std::uint64_t>::max();
  }

  // The first byte of the range that fails this time.
  std::optional<std::uint64_t> first_bad(std::vector<FaultPlan::Bad>& list, Extent range) {
    const std::lock_guard lock(mutex_);
    FaultPlan::Bad* first = nullptr;
    std::uint64_t at = range.end();
    for (FaultPlan::Bad& bad : list) {
      const std::uint64_t start = std::max(bad.range.start, range.start);
      if (start >= std::min(bad.range.end(), at)) continue;
      at = start;
      first = &bad;
    }
    if (first == nullptr) return std::nullopt;
    if (first->failures > 0 && --first->failures == 0) first->range.length = 0;
    return at;
  }

  // How much of a write gets through. Counts it as written.
  Result<Outcome> admit(std::uint64_t offset, std::uint64_t length) {
    TRY(check_alive(offset));
    Outcome outcome{.usable = static_cast<std::size_t>(length)};
    if (const auto bad = first_bad(plan_.write_bad, {offset, length}))
      outcome = {.usable = static_cast<std::size_t>(*bad - offset), .error = EIO};
    const std::lock_guard lock(mutex_);
    const auto cut = [&](std::optional<std::uint64_t> limit, int error) {
      const auto left = left_until(limit, plan_.stats->bytes_written);
      if (left >= outcome.usable) return false;
      outcome = {.usable = static_cast<std::size_t>(left), .error = error};
      return true;
    };
    cut(plan_.write_full_at, ENOSPC);
    if (cut(plan_.write_dead_at, EIO)) dead_ = true;
    outcome.exit = cut(plan_.write_exit_at, EIO);
    plan_.stats->bytes_written += outcome.usable;
    return outcome;
  }

  // Takes away what a write does not change although it reports success.
  void lose(ExtentSet& kept) {
    for (const Extent& lost : plan_.lost_writes) kept.remove(lost);
    const std::lock_guard lock(mutex_);
    for (const Extent& late : plan_.late_bad) {
      if (kept.intersects(late)) late_pending_ = true;
      kept.remove(late);
    }
  }

  Result<void> write_kept(std::uint64_t offset, ByteSpan data) {
    ExtentSet kept({{offset, data.size()}});
    lose(kept);
    for (const Extent& part : kept.items())
      TRY(inner_->write(part.start, data.subspan(static_cast<std::size_t>(part.start - offset), static_cast<std::size_t>(part.length))));
    return {};
  }

  Result<void> finish(const Outcome& outcome, std::uint64_t offset) const {
    if (outcome.exit) std::_Exit(137);
    return outcome.error == 0 ? Result<void>() : failed(outcome.error, "write to", offset + outcome.usable);
  }

  std::shared_ptr<Drive> inner_;
  FaultPlan plan_;
  std::mutex mutex_;
  std::atomic<bool> dead_{false};
  std::atomic<bool> late_pending_{false};  // the next flush fails
};

std::optional<Extent> parse_extent(std::string_view text) {
  const std::size_t plus = text.find('+');
  if (plus == std::string_view::npos) return std::nullopt;
  const auto start = parse_number(text.substr(0, plus)), length = parse_number(text.substr(plus + 1));
  if (!start || !length || !checked_add(*start, *length)) return std::nullopt;
  return Extent{*start, *length};
}

std::optional<FaultPlan::Bad> parse_bad(std::string_view text) {
  FaultPlan::Bad bad;
  // The x of "x3" comes after the digits of a length; that of "0x200" right behind a lone zero.
  const std::size_t x = text.rfind('x');
  const bool hexadecimal = x != std::string_view::npos && x > 0 && text[x - 1] == '0' && (x == 1 || text[x - 2] == '+');
  if (x != std::string_view::npos && !hexadecimal) {
    const auto failures = parse_number(text.substr(x + 1));
    if (!failures || *failures == 0 || *failures > 1000000) return std::nullopt;
    bad.failures = static_cast<unsigned>(*failures);
    text = text.substr(0, x);
  }
  const auto range = parse_extent(text);
  if (!range) return std::nullopt;
  bad.range = *range;
  return bad;
}

bool apply_word(FaultPlan& plan, std::string_view name, std::string_view value) {
  if (name == "read-bad" || name == "write-bad") {
    const auto bad = parse_bad(value);
    if (bad) (name == "read-bad" ? plan.read_bad : plan.write_bad).push_back(*bad);
    return bad.has_value();
  }
  if (name == "lost" || name == "late-bad") {
    const auto extent = parse_extent(value);
    if (extent) (name == "lost" ? plan.lost_writes : plan.late_bad).push_back(*extent);
    return extent.has_value();
  }
  const auto number = parse_number(value);
  if (!number) return false;
  if (name == "write-full-at") return plan.write_full_at = *number, true;
  if (name == "read-dead-at") return plan.read_dead_at = *number, true;
  if (name == "write-dead-at") return plan.write_dead_at = *number, true;
  if (name == "write-exit-at") return plan.write_exit_at = *number, true;
  if (name == "delay-ms" && *number <= 60000) return plan.delay = std::chrono::milliseconds(*number), true;
  return false;
}

}  // namespace

std::shared_ptr<Drive> make_faulty_drive(std::shared_ptr<Drive> inner, FaultPlan plan) {
  return std::make_shared<FaultyDrive>(std::move(inner), std::move(plan));
}

Result<std::vector<NamedFaults>> parse_faults(std::string_view text) {
  std::vector<NamedFaults> all;
  const auto cut = [](std::string_view& rest, char mark) {
    const std::size_t end = std::min(rest.find(mark), rest.size());
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
  };
  while (!text.empty()) {
    std::string_view drive = cut(text, ';');
    if (drive.empty()) continue;
    NamedFaults named{.path_part = std::string(cut(drive, ':')), .plan = {}};
    while (!drive.empty()) {
      std::string_view word = cut(drive, ',');
      const std::string whole(word);
      const std::string_view name = cut(word, '=');
      if (!apply_word(named.plan, name, word)) return fail(ErrorCode::usage, fmt::format("'{}' is no fault of a drive", whole));
    }
    all.push_back(std::move(named));
  }
  return all;
}

}  // namespace tintype
