// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <vector>

#include "drive/drive.h"
#include "plan/restore_plan.h"

namespace tintype {

struct CompareReport {
  std::uint64_t compared_bytes = 0;
  std::uint64_t differing_chunks = 0;
  std::vector<std::string> differences;  // the first 20, one sentence each
  bool equal() const { return differing_chunks == 0; }
  void add(std::string difference);
};

// What a plan puts on a target that is not the source's: for comparing the two afterwards. One thread; the references outlive it.
class WrittenByPlan {
 public:
  // `unwritable`: bytes of the target that cannot be expected to hold anything.
  WrittenByPlan(Drive& target, const RestorePlan& plan, const ExtentSet& unwritable, CompareReport& report)
      : target_(target), plan_(plan), unwritable_(unwritable), report_(report) {}
  // Bytes of the area that may differ: changed by a fix of the plan, written by its tables, cleared, or unwritable.
  Result<ExtentSet> excused_bytes(const CopyStep& step, const Area& area) const;
  // Looks whether the tables and fixes are there.
  Result<void> compare_tables();

 private:
  Result<void> compare_bytes(std::uint64_t at, ByteSpan wanted, const std::string& what);

  Drive& target_;
  const RestorePlan& plan_;
  const ExtentSet& unwritable_;
  CompareReport& report_;
};

}  // namespace tintype
