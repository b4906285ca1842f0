// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fs/file_tree.h"
#include "store/partition_place.h"
#include "store/writers/tree_writer.h"

namespace tintype {

// A drive that can be exchanged for another with the same bytes while its users go on.
class ExchangedDrive final : public Drive {
 public:
  explicit ExchangedDrive(std::shared_ptr<Drive> drive) : info_(drive->info()), drive_(std::move(drive)) {}
  const DriveInfo& info() const override { return info_; }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override { return now()->read(offset, out); }
  Result<void> write(std::uint64_t offset, ByteSpan data) override { return now()->write(offset, data); }
  Result<void> zero(std::uint64_t offset, std::uint64_t length) override { return now()->zero(offset, length); }
  Result<void> trim(std::uint64_t offset, std::uint64_t length) override { return now()->trim(offset, length); }
  Result<void> flush() override { return now()->flush(); }
  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override { return now()->status(offset, length); }
  void will_need(std::uint64_t offset, std::uint64_t length) override { now()->will_need(offset, length); }
  void drop_cache() override { now()->drop_cache(); }

  // Null between two.
  void exchange(std::shared_ptr<Drive> drive);

 private:
  std::shared_ptr<Drive> now() const;

  DriveInfo info_;
  mutable std::mutex mutex_;
  std::shared_ptr<Drive> drive_;
};

class PartitionFiles {
 public:
  static Result<std::shared_ptr<PartitionFiles>> open(const OpenForReading& read, OpenForWriting write, std::string words);
  ~PartitionFiles();

  std::mutex& mutex() { return mutex_; }
  // All of the following with the mutex.
  Result<std::shared_ptr<FileTree>> tree();  // of what is there now; never of less than the writer has done
  Result<TreeWriter*> writer();              // opened if it is not; whoever calls it is about to change something
  // All is on the drive. If no file is being written, the file system is clean too and the drive only read again, until the next change.
  Result<void> sync();
  const std::string& words() const { return words_; }
  void file_opened() { ++open_files_; }
  void file_closed(TreeWriter::FileId id);
  std::optional<std::uint64_t> max_file_bytes() const;
  Result<std::uint64_t> free_bytes();

 private:
  PartitionFiles(OpenForReading read, OpenForWriting write, std::string words)
      : open_to_read_(std::move(read)), open_to_write_(std::move(write)), words_(std::move(words)) {}

  Result<void> rest();

  std::mutex mutex_;
  OpenForReading open_to_read_;
  OpenForWriting open_to_write_;
  std::string words_;
  std::shared_ptr<ExchangedDrive> drive_;
  bool writable_ = false;
  std::unique_ptr<TreeWriter> writer_;
  std::shared_ptr<FileTree> tree_;
  std::size_t open_files_ = 0;
  std::optional<Error> not_told_;
  bool changed_ = false;  // since the tree was opened
  FsType type_ = FsType::unknown;
};

}  // namespace tintype
