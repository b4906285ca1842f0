// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"

namespace tintype {

// A byte range [start, start + length).
struct Extent {
  std::uint64_t start = 0;
  std::uint64_t length = 0;
  std::uint64_t end() const { return start + length; }
  friend bool operator==(const Extent&, const Extent&) = default;
};

// Sorted, disjoint, non-empty, non-touching byte ranges held in memory: for short lists (left-out files, bad
// sectors, the blocks of one region). Whole used maps stream through ExtentStream instead.
class ExtentSet {
 public:
  ExtentSet() = default;
  explicit ExtentSet(std::vector<Extent> any_order);

  // Adds a range, merging what overlaps or touches. O(log n) to find, O(n) to insert in the middle.
  void add(Extent extent);
  // Removes a range, splitting what contains it.
  void remove(Extent extent);
  bool contains(std::uint64_t position) const;
  bool intersects(Extent extent) const;
  // The parts of `extent` that are in the set.
  ExtentSet clipped(Extent extent) const;
  std::uint64_t total_bytes() const;
  std::uint64_t end() const { return items_.empty() ? 0 : items_.back().end(); }
  bool empty() const { return items_.empty(); }
  const std::vector<Extent>& items() const { return items_; }
  friend bool operator==(const ExtentSet&, const ExtentSet&) = default;

 private:
  std::vector<Extent> items_;
};

// A used map as it is read: sorted, disjoint ranges, one at a time, so that memory does not grow with the
// drive. Not thread safe; one reader. After an error or the end, it must not be called again.
class ExtentStream {
 public:
  virtual ~ExtentStream() = default;
  // The next range, or nothing at the end. Start is at or after the previous end.
  virtual Result<std::optional<Extent>> next() = 0;
};

std::unique_ptr<ExtentStream> stream_of(ExtentSet set);
// Joins touching neighbours; also checks the order, which a hostile map could break, and ends with an
// Error{corrupt} if a range goes back or passes `limit_bytes`.
std::unique_ptr<ExtentStream> coalesced(std::unique_ptr<ExtentStream> inner, std::uint64_t limit_bytes);
// All of a stream, for tests and small maps.
Result<ExtentSet> collect(ExtentStream& stream);
// `inner` without the ranges of `holes`; and `inner` together with `extra`. Both stay sorted and disjoint.
std::unique_ptr<ExtentStream> without(std::unique_ptr<ExtentStream> inner, ExtentSet holes);
std::unique_ptr<ExtentStream> together(std::unique_ptr<ExtentStream> inner, ExtentSet extra);

}  // namespace tintype
