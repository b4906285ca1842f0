// SPDX-License-Identifier: GPL-3.0-or-later
// The machine's drives, read from a made-up /sys and /proc.
#include <gtest/gtest.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "drive/linux/in_use.h"
#include "drive/linux/list.h"
#include "drive/open.h"
#include "support/scratch.h"

namespace tintype {
namespace {
namespace fs = std::filesystem;

class KernelTree : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::temp_directory_path() / ("tintype-sys-" + std::to_string(::getpid()));
    fs::remove_all(root_);
    paths_ = {.sys = root_ / "sys", .proc = root_ / "proc", .dev = "/dev"};
    fs::create_directories(root_ / "sys/dev/block");
    put("proc/self/mountinfo", "");
    put("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  void put(const fs::path& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  // A block device folder; `within` is the parent's folder for a partition.
  fs::path device(const std::string& name, const std::string& number, std::uint64_t sectors, const fs::path& within = "sys/block") const {
    const fs::path folder = within / name;
    put(folder / "dev", number + "\n");
    put(folder / "size", std::to_string(sectors) + "\n");
    put(folder / "ro", "0\n");
    fs::create_directory_symlink(root_ / folder, root_ / "sys/dev/block" / number);
    return folder;
  }
  void partition(const fs::path& disk, const std::string& name, const std::string& number, int index, std::uint64_t start,
                 std::uint64_t sectors) const {
    const fs::path folder = device(name, number, sectors, disk);
    put(folder / "partition", std::to_string(index));
    put(folder / "start", std::to_string(start));
  }

  fs::path root_;
  KernelPaths paths_;
};

TEST_F(KernelTree, ListsDrivesInTheirNaturalOrderAndNothingElse) {
  int minor = 0;
  for (const char* name : {"sdaa", "sdb", "sda", "nvme10n1", "nvme2n1", "vda", "mmcblk0", "mmcblk0boot0", "sr0", "ram0", "zram0", "md127",
                           "fd0", "nbd3"})
    device(name, "300:" + std::to_string(minor++), 2048);
  device("sdc", "8:32", 0);  // an empty card reader
  device("nbd0", "43:0", 0);
  put(device("nvme2c0n1", "259:9", 2048) / "hidden", "1");
  put(device("dm-0", "254:0", 2048) / "dm/uuid", "LVM-abc");
  put(device("dm-1", "254:1", 2048) / "dm/uuid", "mpath-abc");
  device("loop0", "7:0", 0);
  device("loop1", "7:1", 8);  // no backing file: detached
  put(device("loop10", "7:10", 8) / "loop/backing_file", "/b.img\n");
  put(device("loop2", "7:2", 8) / "loop/backing_file", "/a b.img\n");
  const auto drives = list_drives(paths_);
  ASSERT_TRUE(drives);
  std::vector<std::string> names;
  for (const ListedDrive& drive : *drives) {
    EXPECT_EQ(drive.number, names.size());
    names.push_back(drive.info.path);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"/dev/sda", "/dev/sdb", "/dev/sdaa", "/dev/vda", "/dev/nvme2n1", "/dev/nvme10n1",
                                             "/dev/mmcblk0", "/dev/nbd3", "/dev/md127", "/dev/dm-1", "/dev/loop2", "/dev/loop10"}));
  EXPECT_EQ(drives->at(10).backing_file, "/a b.img");
}

TEST_F(KernelTree, TellsSizesAndIdentity) {
  const fs::path sda = device("sda", "8:0", 1000);
  put(sda / "queue/logical_block_size", "4096\n");
  put(sda / "queue/physical_block_size", "4096\n");
  put(sda / "device/vendor", "ATA     \n");
  put(sda / "device/model", "Samsung SSD 870 \n");
  put(sda / "device/vpd_pg80", std::string("\0\x80\0\x08S5Y2NJ0R", 12));
  put(sda / "removable", "1\n");
  put(sda / "ro", "1\n");
  const auto drives = list_drives(paths_);
  ASSERT_TRUE(drives);
  ASSERT_EQ(drives->size(), 1U);
  const DriveInfo& info = drives->front().info;
  EXPECT_EQ(info.size_bytes, 512000U);
  EXPECT_EQ(info.logical_sector_bytes, 4096U);
  EXPECT_EQ(info.model, "Samsung SSD 870");
  EXPECT_EQ(info.serial, "S5Y2NJ0R");
  EXPECT_TRUE(info.removable);
  EXPECT_TRUE(info.read_only);
  EXPECT_FALSE(drives->front().in_use());
  EXPECT_EQ(drives->front().text(), "drive 0: /dev/sda, Samsung SSD 870 (S5Y2NJ0R), 500 KiB");
}

TEST_F(KernelTree, FindsUsesOfPartitionsAndOfWhatIsBuiltOnThem) {
  const fs::path sda = device("sda", "8:0", 10000);
  partition(sda, "sda1", "8:1", 1, 100, 200);
  partition(sda, "sda2", "8:2", 2, 300, 9000);
  device("dm-0", "254:0", 8000);
  put(sda / "sda2/holders/dm-0", "");
  device("sdb", "8:16", 10000);
  put("proc/self/mountinfo",
      "20 1 8:1 / /boot/my\\040files rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "21 1 254:0 / / ro,relatime - xfs /dev/mapper/root rw\n"
      "22 1 0:21 / /proc rw - proc proc rw\n"
      "garbage\n");
  const auto drives = list_drives(paths_);
  ASSERT_TRUE(drives);
  ASSERT_EQ(drives->size(), 2U);
  EXPECT_FALSE(drives->at(1).in_use());
  const auto& uses = drives->front().uses;
  ASSERT_EQ(uses.size(), 3U);
  EXPECT_EQ(uses[0].kind, Use::Kind::mount);
  EXPECT_EQ(uses[0].mount_point, "/boot/my files");
  EXPECT_EQ(uses[0].device, "/dev/sda1");
  EXPECT_EQ(uses[0].extent, (Extent{51200, 102400}));
  EXPECT_FALSE(uses[0].read_only);
  EXPECT_EQ(uses[1].kind, Use::Kind::holder);
  EXPECT_EQ(uses[1].extent, (Extent{153600, 4608000}));
  EXPECT_EQ(uses[2].mount_point, "/");
  EXPECT_FALSE(uses[2].read_only) << "a read-only mount point of a file system that others write to";
  EXPECT_EQ(uses[2].extent, uses[1].extent);
  EXPECT_TRUE(uses[0].touches({0, 51201}));
  EXPECT_FALSE(uses[0].touches({0, 51200}));
  EXPECT_EQ(drives->front().mount_points(), (std::vector<std::string>{"/boot/my files", "/"}));
  // A partition is not used by its neighbour.
  const auto first = find_device_uses(paths_, read_kernel_lists(paths_), makedev(8, 1), 102400);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].extent, (Extent{0, 102400}));
}

TEST_F(KernelTree, NonsenseFromTheKernelIsNoDrive) {
  put("sys/block/sda/size", "many");
  put("sys/block/sdb/size", "18446744073709551615");
  put("sys/block/sdb/dev", "8");
  const auto drives = list_drives(paths_);
  ASSERT_TRUE(drives);
  ASSERT_EQ(drives->size(), 1U);
  EXPECT_EQ(drives->front().info.size_bytes, 0U);
}

// With the real kernel: a loop device over a file, mounted and not.
class RealUses : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0 || !test::have_program("losetup") || !test::have_program("mkfs.ext4"))
      GTEST_SKIP() << "needs root, losetup and mkfs.ext4";
    auto file = test::ScratchFile::make(16U << 20);
    ASSERT_TRUE(file);
    file_ = std::move(*file);
    const auto made = test::run("losetup -f --show -o 1048576 --sizelimit 8388608 " + test::shell_word(file_->path()));
    if (made.status != 0) GTEST_SKIP() << "no free loop device";
    loop_ = made.output.substr(0, made.output.find('\n'));
    mount_point_ = file_->path().string() + ".mnt";
    fs::create_directory(mount_point_);
  }
  void TearDown() override {
    if (loop_.empty()) return;
    test::run("umount " + mount_point_);
    test::run("losetup -d " + loop_);
    fs::remove(mount_point_);
  }
  std::optional<test::ScratchFile> file_;
  std::string loop_, mount_point_;
};

TEST_F(RealUses, AFileIsUsedThroughItsLoopDevice) {
  ASSERT_EQ(test::run("mkfs.ext4 -q " + loop_).status, 0);
  const std::string path = file_->path().string();
  auto uses = find_uses(path);
  ASSERT_TRUE(uses);
  ASSERT_EQ(uses->size(), 1U);
  EXPECT_EQ(uses->front().kind, Use::Kind::loop);
  EXPECT_EQ(uses->front().extent, (Extent{1048576, 8388608}));
  EXPECT_TRUE(find_uses(loop_)->empty());
  EXPECT_TRUE(open_drive(loop_, {.access = OpenOptions::Access::write, .exclusive = true}));

  ASSERT_EQ(test::run("mount -o ro " + loop_ + " " + mount_point_).status, 0);
  uses = find_uses(path);
  ASSERT_TRUE(uses);
  ASSERT_EQ(uses->size(), 2U);
  EXPECT_EQ(uses->back().mount_point, mount_point_);
  EXPECT_TRUE(uses->back().read_only);
  EXPECT_EQ(uses->back().extent, (Extent{1048576, 8388608}));
  EXPECT_TRUE(holds_file(uses->back(), mount_point_ + "/pc.tti"));
  EXPECT_FALSE(holds_file(uses->back(), path));
  const auto busy = open_drive(loop_, {.access = OpenOptions::Access::write, .exclusive = true});
  ASSERT_FALSE(busy);
  EXPECT_EQ(busy.error().code, ErrorCode::busy);

  const auto inner = location_of(loop_), outer = location_of(path);
  ASSERT_TRUE(inner);
  ASSERT_TRUE(outer);
  EXPECT_EQ(inner->object, outer->object);
  EXPECT_EQ(inner->extent, (Extent{1048576, 8388608}));
  EXPECT_TRUE(inner->overlaps(*outer));
  const auto drives = list_drives();
  ASSERT_TRUE(drives);
  const auto listed = std::find_if(drives->begin(), drives->end(), [&](const ListedDrive& d) { return d.info.path == loop_; });
  ASSERT_NE(listed, drives->end());
  EXPECT_EQ(listed->mount_points(), std::vector<std::string>{mount_point_});
}

TEST(Open, LocksKeepTwoRunsApart) {
  auto file = test::ScratchFile::make(4096);
  ASSERT_TRUE(file);
  const std::string path = file->path().string();
  auto reader = open_drive(path, {.lock = true});
  ASSERT_TRUE(reader);
  EXPECT_TRUE(open_drive(path, {.lock = true}));
  const auto writer = open_drive(path, {.access = OpenOptions::Access::write, .lock = true});
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, ErrorCode::busy);
  reader->reset();
  EXPECT_TRUE(open_drive(path, {.access = OpenOptions::Access::write, .lock = true}));
}

TEST(Open, RefusesWhatIsNoDrive) {
  EXPECT_EQ(open_drive("/").error().code, ErrorCode::usage);
  EXPECT_EQ(open_drive("/dev/null").error().code, ErrorCode::usage);
  EXPECT_EQ(open_drive("/nothing/here").error().code, ErrorCode::not_found);
  auto file = test::ScratchFile::make(1000);
  ASSERT_TRUE(file);
  const std::string path = file->path().string();
  EXPECT_EQ(open_drive(path, {.sector_bytes = 513}).error().code, ErrorCode::usage);
  auto drive = open_drive(path);
  ASSERT_TRUE(drive);
  EXPECT_EQ((*drive)->size_bytes(), 1000U);
  EXPECT_EQ((*drive)->write(0, as_bytes("x")).error().code, ErrorCode::denied);
  EXPECT_FALSE(*reread_table(**drive));
  EXPECT_EQ(create_raw_file(path, 5).error().code, ErrorCode::exists);
  auto replaced = create_raw_file(path, 5, {.replace = true});
  ASSERT_TRUE(replaced);
  EXPECT_EQ((*replaced)->size_bytes(), 5U);
  // The file got shorter under a reader.
  Bytes out(1000);
  const auto cut = (*drive)->read(0, out);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().offset_bytes, 5U);
}

TEST(Open, GoesPastTheCacheWithAlignedMemory) {
  auto file = test::ScratchFile::make(1U << 20);
  ASSERT_TRUE(file);
  auto drive = open_drive(file->path().string(), {.access = OpenOptions::Access::write, .direct = true});
  ASSERT_TRUE(drive);
  struct alignas(4096) Page {
    std::array<std::byte, 8192> bytes;
  };
  auto page = std::make_unique<Page>();
  page->bytes.fill(std::byte{7});
  ASSERT_TRUE((*drive)->write(4096, page->bytes));
  ASSERT_TRUE((*drive)->write(100, as_bytes("mixed")));
  page->bytes.fill(std::byte{0});
  ASSERT_TRUE((*drive)->read(0, page->bytes));
  EXPECT_EQ(as_text(ByteSpan(page->bytes).subspan(100, 5)), "mixed");
  EXPECT_EQ(page->bytes[4096], std::byte{7});
}

}  // namespace
}  // namespace tintype
