// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <set>

#include "drive/open.h"
#include "fs/file_tree.h"
#include "fs/filesystem.h"
#include "store/partition_place.h"
#include "support/scratch.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace tintype {
namespace {

// Leaks of what is allocated while it lives are not told.
#ifdef __SANITIZE_ADDRESS__
using NoLeakCheck = __lsan::ScopedDisabler;
#else
struct NoLeakCheck {
  NoLeakCheck() {}
};
#endif

// A FAT12 in memory, with some files of somebody else's in it.
std::shared_ptr<Drive> fat_drive() {
  std::ifstream file(std::string(TINTYPE_SOURCE_DIR) + "/tests/damaged/fuzz_fat_writer/seed_fat12", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  auto drive = make_memory_drive(1U << 20);
  EXPECT_TRUE(drive->write(0, as_bytes(bytes)));
  return drive;
}

struct Opened {
  std::shared_ptr<PartitionFiles> files;
  std::unique_ptr<Place> place;
  int writable = 0;
};

void open(Opened& out, std::shared_ptr<Drive> to_read, std::shared_ptr<Drive> to_write) {
  auto files = open_partition_files([to_read] { return Result<std::shared_ptr<Drive>>(to_read); },
                                    [to_write, &out] {
                                      ++out.writable;
                                      return Result<std::shared_ptr<Drive>>(to_write);
                                    },
                                    "memory");
  ASSERT_TRUE(files) << files.error().message();
  out.files = *files;
  auto place = open_partition_place(out.files, "/", "memory:/");
  ASSERT_TRUE(place) << place.error().message();
  out.place = std::move(*place);
}

Result<void> put(Place& place, const std::string& name, std::string_view text) {
  const auto file = TRY(place.create(name));
  const ByteSpan piece = as_bytes(text);
  TRY(file->append({&piece, 1}));
  return file->sync();
}

std::string content(Place& place, const std::string& name) {
  const auto file = place.open(name);
  if (!file) return file.error().message();
  Bytes bytes(static_cast<std::size_t>((*file)->size()));
  const auto done = (*file)->read(0, bytes);
  return done ? std::string(as_text(bytes)) : done.error().message();
}

FsState state_of(const std::shared_ptr<Drive>& drive) { return (*open_file_system(drive))->info().state; }

TEST(PartitionPlace, OpensForWritingOnlyForAChange) {
  const auto drive = fat_drive();
  Opened opened;
  open(opened, drive, drive);
  EXPECT_TRUE(opened.place->list());
  EXPECT_FALSE(*opened.place->exists("new.tti"));
  EXPECT_TRUE(opened.place->remove("new.tti"));
  EXPECT_EQ(opened.place->lock("new.tti").error().code, ErrorCode::not_found);
  EXPECT_EQ(opened.writable, 0);
  ASSERT_TRUE(put(*opened.place, "new.tti", "hello"));
  EXPECT_EQ(opened.writable, 1);
}

TEST(PartitionPlace, ReadsWhatItHasWritten) {
  const auto drive = fat_drive();
  Opened opened;
  open(opened, drive, drive);
  Place& place = *opened.place;
  ASSERT_TRUE(put(place, "pc.tti", "old"));
  ASSERT_TRUE(put(place, "pc.tti.partial", std::string(9000, 'x') + "new"));
  EXPECT_EQ(content(place, "pc.tti"), "old");
  ASSERT_TRUE(place.rename("pc.tti.partial", "PC.TTI"));
  EXPECT_EQ(content(place, "pc.tti"), std::string(9000, 'x') + "new");
  EXPECT_FALSE(*place.exists("pc.tti.partial"));
  {
    const auto file = place.reopen("pc.tti", 9000);
    ASSERT_TRUE(file) << file.error().message();
    const ByteSpan piece = as_bytes("end");
    ASSERT_TRUE((*file)->append({&piece, 1}));
    EXPECT_EQ((*file)->size(), 9003U);
  }
  EXPECT_EQ(content(place, "pc.tti"), std::string(9000, 'x') + "end");
  EXPECT_EQ(place.reopen("pc.tti", 9004).error().code, ErrorCode::corrupt);
  ASSERT_TRUE(place.remove("pc.tti"));
  EXPECT_FALSE(*place.exists("pc.tti"));
  EXPECT_EQ(put(place, "a:b", "x").error().code, ErrorCode::usage);
}

TEST(PartitionPlace, MarksTheFileSystemWhileFilesAreWritten) {
  const auto drive = fat_drive();
  Opened opened;
  open(opened, drive, drive);
  {
    const auto file = opened.place->create("pc.tti");
    ASSERT_TRUE(file);
    EXPECT_EQ(state_of(drive), FsState::dirty);
  }
  EXPECT_EQ(state_of(drive), FsState::clean);
}

TEST(PartitionPlace, TellsHowMuchArrivedWhenItIsFull) {
  const auto drive = fat_drive();
  Opened opened;
  open(opened, drive, drive);
  const std::uint64_t room = *opened.place->free_bytes();
  const auto file = opened.place->create("pc.tti");
  ASSERT_TRUE(file);
  const std::string text(static_cast<std::size_t>(room) + 5000, 'y');
  const ByteSpan piece = as_bytes(text);
  const Result<void> done = (*file)->append({&piece, 1});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::no_space);
  EXPECT_EQ((*file)->size(), room);
  EXPECT_EQ(*opened.place->free_bytes(), 0U);
  ASSERT_TRUE(opened.place->remove("pc.tti"));
  EXPECT_EQ(*opened.place->free_bytes(), room);
}

TEST(PartitionPlace, DoesNotWriteToWhatWasNotLeftClean) {
  const auto drive = fat_drive();
  const std::byte mark{1};
  ASSERT_TRUE(drive->write(0x25, {&mark, 1}));
  Opened opened;
  open(opened, drive, drive);
  const Result<void> done = put(*opened.place, "pc.tti", "text");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::refused);
  EXPECT_THAT(done.error().hint, testing::HasSubstr("fsck.fat"));
}

// Takes so many writes, whole ones, and is dead then: what a process that is killed leaves.
class Dying final : public Drive {
 public:
  Dying(std::shared_ptr<Drive> drive, unsigned writes) : drive_(std::move(drive)), left_(writes) {}
  const DriveInfo& info() const override { return drive_->info(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override { return dead_ ? broken() : drive_->read(offset, out); }
  Result<void> write(std::uint64_t offset, ByteSpan data) override {
    dead_ = dead_ || left_-- == 0;
    return dead_ ? broken() : drive_->write(offset, data);
  }
  Result<void> zero(std::uint64_t, std::uint64_t) override { return broken(); }
  Result<void> flush() override { return dead_ ? broken() : Result<void>(); }

 private:
  static Result<void> broken() { return fail(os_error(EIO, "the drive is dead")); }
  std::shared_ptr<Drive> drive_;
  unsigned left_;
  bool dead_ = false;
};

// What the names hold that an image being replaced can have.
std::set<std::string> whole_images(const std::shared_ptr<Drive>& drive) {
  std::set<std::string> out;
  const auto tree = open_file_tree(drive);
  const auto root = tree ? (*tree)->root() : Result<FileNode>(fail(tree.error()));
  if (!root) return out;
  (void)(*tree)->list(*root, [&](const FileNode& node) {
    if (!node.name.starts_with("pc.tti")) return true;
    const auto content = (*tree)->open(node);
    Bytes bytes(content ? static_cast<std::size_t>((*content)->size_bytes()) : 0);
    if (content && (*content)->read(0, bytes)) out.insert(std::string(as_text(bytes)));
    return true;
  });
  return out;
}

TEST(NtfsPlace, AnOldImageIsThereUntilTheNewOneIs) {
  if (!test::have_program("mkntfs")) GTEST_SKIP() << "mkntfs is missing";
  const auto volume = test::ScratchFile::make(8U << 20);
  ASSERT_TRUE(volume);
  ASSERT_EQ(test::run("mkntfs -q -F -f -p 0 " + test::shell_word(volume->path())).status, 0);
  Bytes before(8U << 20);
  ASSERT_TRUE((*open_drive(volume->path().string()))->read(0, before));
  const std::string old_text = std::string(9000, 'o'), new_text = std::string(9000, 'n');
  {
    const auto drive = make_memory_drive(before.size());
    ASSERT_TRUE(drive->write(0, before));
    Opened opened;
    open(opened, drive, drive);
    ASSERT_TRUE(put(*opened.place, "pc.tti", old_text));
    ASSERT_TRUE(put(*opened.place, "pc.tti.partial", new_text));
    opened.place.reset();
    opened.files.reset();
    ASSERT_TRUE(drive->read(0, before));
  }
  bool went_through = false;
  unsigned failed = 0;
  const NoLeakCheck library_keeps_what_it_cannot_write;  // libntfs-3g frees no record that it failed to close
  // The drive dies after every number of writes in turn, until it lives through all of them.
  for (unsigned writes = 0; !went_through; ++writes) {
    ASSERT_LT(writes, 1000U);
    const auto drive = make_memory_drive(before.size());
    ASSERT_TRUE(drive->write(0, before));
    Opened opened;
    open(opened, drive, std::make_shared<Dying>(drive, writes));
    went_through = opened.place->rename("pc.tti.partial", "pc.tti").has_value();
    opened.place.reset();
    opened.files.reset();
    const std::set<std::string> there = whole_images(drive);
    EXPECT_TRUE(there.contains(old_text) || there.contains(new_text)) << "after " << writes << " writes";
    failed += went_through ? 0 : 1;
    if (went_through) {
      EXPECT_EQ(there, std::set<std::string>{new_text});
    }
  }
  EXPECT_GT(failed, 10U);
}

}  // namespace
}  // namespace tintype
