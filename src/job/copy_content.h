// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <optional>

#include "base/cancel.h"
#include "fs/file_tree.h"
#include "store/out_folder.h"

namespace tintype {

struct CopiedContent {
  std::uint64_t unread_bytes = 0;    // could not be read; they are holes in the copy
  std::optional<Error> first_error;  // of reading
};

// Copies what is no hole, in pieces of 1 MiB, telling the drive what comes next (`extents`: where the content lies, in the order of the
// file as far as that is known). Where reading fails it goes on in pieces of 4 KiB, and gives a file up when too many fail in a row.
// `advance` hears of every piece. Errors: writing, and cancelled.
class ContentCopier {
 public:
  ContentCopier(Drive& partition, const CancelToken& cancel, std::function<void(std::uint64_t)> advance)
      : partition_(partition), cancel_(cancel), advance_(std::move(advance)) {}
  Result<CopiedContent> copy(FileContent& from, OutFile& to, const std::vector<Extent>& extents);

 private:
  Result<void> copy_run(FileContent& from, OutFile& to, Extent run);
  Result<void> copy_hard(FileContent& from, OutFile& to, Extent piece);
  void look_ahead(const std::vector<Extent>& extents, std::uint64_t done_bytes);

  Drive& partition_;
  const CancelToken& cancel_;
  std::function<void(std::uint64_t)> advance_;
  Bytes buffer_;
  CopiedContent result_;
  const std::vector<Extent>* extents_ = nullptr;
  std::uint64_t done_bytes_ = 0, asked_bytes_ = 0;
  std::size_t ahead_extent_ = 0;
  std::uint64_t ahead_within_ = 0;
  unsigned failures_in_a_row_ = 0;
};

}  // namespace tintype
