// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <atomic>
#include <mutex>

#include "job/base_index.h"
#include "job/context.h"

namespace tintype {

// What a backup's workers have in common when the image builds on an earlier one. Thread safe.
class BaseData {
 public:
  BaseData(BaseIndex& index, JobContext& context) : index_(index), context_(context) {}
  BaseIndex& index() { return index_; }
  bool reachable() const { return !unreachable_; }
  // The base's data could not be read: said once; if it cannot be had at all it is not tried again. Nothing is lost by it: the
  // chunk is stored whole.
  void failed(const Error& error);

 private:
  BaseIndex& index_;
  JobContext& context_;
  std::atomic<bool> unreachable_ = false;
  std::once_flag said_;
};

}  // namespace tintype
