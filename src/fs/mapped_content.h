// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>

#include "fs/file_tree.h"

// What the trees share to make a FileContent out of where its bytes lie. Private to the room.
namespace tintype {

// A run of a file, in bytes of the file.
struct ContentRun {
  std::uint64_t start = 0, length = 0;  // never empty; may end behind the file
  std::optional<std::uint64_t> place;   // of `start` on the partition; empty: reads as zeros
};

// Where the bytes of a file lie. It is asked in order most of the time and keeps what makes that fast. One thread at a time.
class ContentMap {
 public:
  virtual ~ContentMap() = default;
  // The run that holds byte `offset` of the file. Error{corrupt} if the file system contradicts itself there.
  virtual Result<ContentRun> at(std::uint64_t offset) = 0;
};

std::unique_ptr<FileContent> mapped_content(std::shared_ptr<Drive> partition, std::uint64_t size_bytes, std::unique_ptr<ContentMap> map);
// Bytes that lie inside the file's own record.
std::unique_ptr<FileContent> content_in_record(Bytes bytes);

// All of a short content, such as the target of a link; Error{corrupt} if it is longer than `most_bytes`.
Result<Bytes> read_all(FileContent& content, std::uint64_t most_bytes);

}  // namespace tintype
