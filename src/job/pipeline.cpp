// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/pipeline.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace tintype {
namespace {

// Runs a step; what it throws (memory that cannot be had) becomes an Error, as an exception that left a thread would end
// the program, and one on the consumer's thread would leave the workers waiting.
template <class Step>
auto guarded(const Step& step) -> decltype(step()) {
  try {
    return step();
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::no_space, "there is not enough memory", "use fewer workers");
  } catch (const std::exception& e) {
    return fail(ErrorCode::unsupported, std::string("an unexpected failure: ") + e.what());
  }
}

// A ring of slots. Item n uses slot n mod slots; `produced_`, `consumed_` count items.
class Ring {
 public:
  Ring(std::size_t slots, const CancelToken& cancel, const PipelineSteps& steps)
      : cancel_(cancel), steps_(steps), slots_(slots) {}

  void worker(unsigned number) {
    while (const std::optional<std::size_t> slot = claim()) {
      Result<void> result = cancel_.check();
      if (result) result = guarded([&] { return steps_.work(number, *slot); });
      finish(*slot, std::move(result));
    }
  }

  Result<void> consumer() {
    while (true) {
      const std::size_t slot = consumed_ % slots_.size();
      {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [&] { return slots_[slot].done || (ended_ && consumed_ == produced_); });
        if (!slots_[slot].done) return std::move(end_);
      }
      Result<void> result = std::move(slots_[slot].result);
      if (result) result = guarded([&] { return steps_.consume(slot); });
      const std::lock_guard lock(mutex_);
      if (!result) {
        stopped_ = true;
        free_.notify_all();
        return result;
      }
      slots_[slot].done = false;
      ++consumed_;
      free_.notify_one();
    }
  }

 private:
  struct Slot {
    bool done = false;
    Result<void> result;
  };

  // The next item, produced into its slot; nothing when there are no more.
  std::optional<std::size_t> claim() {
    const std::lock_guard turn(produce_mutex_);
    std::size_t slot = 0;
    {
      std::unique_lock lock(mutex_);
      free_.wait(lock, [&] { return stopped_ || ended_ || produced_ - consumed_ < slots_.size(); });
      if (stopped_ || ended_) return std::nullopt;
      slot = produced_ % slots_.size();
    }
    Result<bool> more = guarded([&] { return steps_.produce(slot); });
    const std::lock_guard lock(mutex_);
    if (more && *more) {
      ++produced_;
      return slot;
    }
    if (!more) end_ = std::unexpected(std::move(more).error());
    ended_ = true;
    ready_.notify_all();
    return std::nullopt;
  }

  void finish(std::size_t slot, Result<void> result) {
    const std::lock_guard lock(mutex_);
    slots_[slot].result = std::move(result);
    slots_[slot].done = true;
    ready_.notify_one();
  }

  const CancelToken& cancel_;
  const PipelineSteps& steps_;
  std::mutex produce_mutex_;  // taken before mutex_
  std::mutex mutex_;
  std::condition_variable free_, ready_;
  std::vector<Slot> slots_;
  std::size_t produced_ = 0;
  std::size_t consumed_ = 0;  // written by the consumer only, under the mutex
  bool ended_ = false;        // nothing more will be produced
  bool stopped_ = false;      // the consumer gave up
  Result<void> end_;
};

}  // namespace

Result<void> run_pipeline(unsigned workers, std::size_t slots, const CancelToken& cancel, const PipelineSteps& steps) {
  Ring ring(std::max<std::size_t>(slots, 1), cancel, steps);
  std::vector<std::jthread> threads;
  threads.reserve(workers);
  for (unsigned i = 0; i < workers; ++i) {
    try {
      threads.emplace_back([&ring, i] { ring.worker(i); });
    } catch (const std::system_error& e) {
      // The system gives no more threads: those that run can do it all.
      if (threads.empty()) return fail(os_error(e.code().value(), "cannot start a thread"));
      break;
    }
  }
  Result<void> result = ring.consumer();
  threads.clear();  // joins
  return result;
}

unsigned worker_count(unsigned requested) {
  constexpr unsigned kMost = 64;
  return std::clamp(requested != 0 ? requested : std::thread::hardware_concurrency(), 1U, kMost);
}

std::size_t slot_count(unsigned workers) { return std::size_t{workers} * 2 + 4; }

}  // namespace tintype
