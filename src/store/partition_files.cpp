// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/partition_files.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tintype {
namespace {

// Holds the place of a drive while it is opened again.
class NoDrive final : public Drive {
 public:
  explicit NoDrive(DriveInfo info) : info_(std::move(info)) {}
  const DriveInfo& info() const override { return info_; }
  Result<void> read(std::uint64_t, MutableByteSpan) override { return closed(); }
  Result<void> write(std::uint64_t, ByteSpan) override { return closed(); }
  Result<void> zero(std::uint64_t, std::uint64_t) override { return closed(); }
  Result<void> flush() override { return closed(); }

 private:
  Result<void> closed() const { return fail(ErrorCode::io, fmt::format("{} could not be opened again", printable(info_.path))); }
  DriveInfo info_;
};

}  // namespace

void ExchangedDrive::exchange(std::shared_ptr<Drive> drive) {
  if (!drive) drive = std::make_shared<NoDrive>(info_);
  const std::lock_guard lock(mutex_);
  drive_.swap(drive);
}

std::shared_ptr<Drive> ExchangedDrive::now() const {
  const std::lock_guard lock(mutex_);
  return drive_;
}

Result<std::shared_ptr<PartitionFiles>> PartitionFiles::open(const OpenForReading& read, OpenForWriting write, std::string words) {
  std::shared_ptr<PartitionFiles> files(new PartitionFiles(read, std::move(write), std::move(words)));
  files->drive_ = std::make_shared<ExchangedDrive>(TRY(read()));
  files->tree_ = TRY(open_file_tree(files->drive_));
  files->type_ = files->tree_->type();
  return files;
}

PartitionFiles::~PartitionFiles() {
  if (writer_) (void)writer_->close();
}

Result<std::shared_ptr<FileTree>> PartitionFiles::tree() {
  if (!changed_) return tree_;
  if (writer_) TRY(writer_->settle());
  tree_ = TRY(open_file_tree(drive_));
  changed_ = false;
  return tree_;
}

Result<TreeWriter*> PartitionFiles::writer() {
  if (!writable_) {
    drive_->exchange(nullptr);
    Result<std::shared_ptr<Drive>> opened = open_to_write_();
    if (!opened) {
      Result<std::shared_ptr<Drive>> again = open_to_read_();
      if (again) drive_->exchange(*again);
      return fail(std::move(opened).error());
    }
    drive_->exchange(*opened);
    writable_ = true;
  }
  if (!writer_) writer_ = TRY(open_tree_writer(drive_, words_));
  changed_ = true;
  return writer_.get();
}

Result<void> PartitionFiles::sync() {
  if (not_told_) return fail(*std::exchange(not_told_, {}));
  if (!writer_) return {};
  changed_ = true;
  if (open_files_ == 0) return rest();
  TRY(writer_->settle());
  return drive_->flush();
}

void PartitionFiles::file_closed(TreeWriter::FileId id) {
  if (writer_) writer_->release(id);
  if (--open_files_ > 0 || !writer_) return;
  // So that the drive can be opened by others again. Should it fail, the file system keeps its mark, and the next sync() tells.
  if (Result<void> done = rest(); !done) not_told_ = std::move(done).error();
}

Result<void> PartitionFiles::rest() {
  Result<void> done = writer_->close();
  writer_.reset();
  writable_ = false;
  drive_->exchange(nullptr);
  Result<std::shared_ptr<Drive>> again = open_to_read_();
  if (again) drive_->exchange(*again);
  if (done && !again) return fail(std::move(again).error());
  return done;
}

std::optional<std::uint64_t> PartitionFiles::max_file_bytes() const {
  switch (type_) {
    case FsType::fat12:
    case FsType::fat16: return (std::uint64_t{2} << 30) - 1;  // what every system that knows FAT16 can read
    case FsType::fat32: return (std::uint64_t{4} << 30) - 1;
    default: return std::nullopt;
  }
}

Result<std::uint64_t> PartitionFiles::free_bytes() {
  if (writer_) return writer_->free_bytes();
  return TRY(open_file_system(drive_))->info().free_bytes;
}

Result<std::shared_ptr<PartitionFiles>> open_partition_files(const OpenForReading& read, OpenForWriting write, std::string words) {
  return PartitionFiles::open(read, std::move(write), std::move(words));
}

}  // namespace tintype
