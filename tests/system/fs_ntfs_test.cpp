// SPDX-License-Identifier: GPL-3.0-or-later
// Volumes made and filled by ntfs-3g. The strongest judge of a used map: everything outside it becomes garbage, and ntfs-3g
// must still find every file unharmed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <regex>

#include "drive/open.h"
#include "fs/filesystem.h"
#include "fs/ntfs/boot_sector.h"
#include "fs/ntfs/cluster_bitmap.h"
#include "support/scratch.h"

namespace tintype::test {
namespace {

namespace stdfs = std::filesystem;

// A volume in a scratch file, mounted while a Mount lives.
class Mount {
 public:
  Mount(const ScratchFile& image, const std::string& options) : folder_(image.path().string() + ".mnt") {
    stdfs::create_directory(folder_);
    outcome_ = run("ntfs-3g -o " + options + " " + shell_word(image.path()) + " " + shell_word(folder_));
  }
  ~Mount() {
    if (ok()) run("umount " + shell_word(folder_));
    stdfs::remove(folder_);
  }
  bool ok() const { return outcome_.status == 0; }
  const std::string& output() const { return outcome_.output; }
  stdfs::path operator/(const std::string& name) const { return folder_ / name; }
  // SHA-256 of every file but page files.
  std::string digest() const {
    return run("cd " + shell_word(folder_) +
               " && find . -type f ! -iname pagefile.sys ! -iname swapfile.sys ! -iname hiberfil.sys -print0 | sort -z | "
               "xargs -0 sha256sum | sha256sum")
        .output;
  }

 private:
  stdfs::path folder_;
  CommandOutcome outcome_;
};

void write_file(const stdfs::path& path, const std::string& data, std::uint64_t at = 0) {
  std::ofstream out(path, std::ios::binary);
  out.seekp(static_cast<std::streamoff>(at));
  out << data;
  ASSERT_TRUE(out.good()) << path;
}

std::string noise(std::size_t size, std::uint64_t seed) {
  std::string out(size, '\0');
  for (char& c : out) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>(seed >> 56);
  }
  return out;
}

struct Shape {
  std::uint32_t cluster;
  std::uint32_t sector;
  std::uint64_t size;
  friend void PrintTo(const Shape& s, std::ostream* out) { *out << s.cluster << "/" << s.sector; }
};

class NtfsSystem : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* tool : {"mkntfs", "ntfs-3g", "ntfsinfo", "ntfsfix", "ntfsresize"})
      if (!have_program(tool)) GTEST_SKIP() << tool << " is missing";
    if (::access("/dev/fuse", R_OK | W_OK) != 0) GTEST_SKIP() << "no FUSE";
  }
};

class NtfsShapes : public NtfsSystem, public testing::WithParamInterface<Shape> {};

ScratchFile make_volume(const Shape& shape) {
  ScratchFile image = *ScratchFile::make(shape.size);
  const auto made = run("mkntfs -Q -F -p 0 -L 'Tästdisk 1' -c " + std::to_string(shape.cluster) + " -s " +
                        std::to_string(shape.sector) + " " + shell_word(image.path()));
  EXPECT_EQ(made.status, 0) << made.output;
  return image;
}

// Files of every kind; the page file goes into the gaps that every second deleted file leaves.
void populate(const Mount& mount, const Shape& shape) {
  stdfs::create_directory(mount / "small");
  for (unsigned i = 0; i < (shape.cluster <= 65536 ? 700U : 40U); ++i) write_file(mount / ("small/" + std::to_string(i)), noise(i * 3, i));
  stdfs::create_directory(mount / "packed");
  const unsigned char compressed[4] = {0, 0, 8, 0x10};
  if (shape.cluster <= 4096)
    ::setxattr((mount / "packed").c_str(), "system.ntfs_attrib_be", compressed, 4, 0);
  std::string text;
  for (unsigned i = 0; i < 60000; ++i) text += "line " + std::to_string(i) + "\n";
  write_file(mount / "packed/text", text);
  write_file(mount / "sparse", noise(100000, 7), 8U << 20);
  write_file(mount / "swapfile.sys", std::string(shape.cluster * 2, 'S'), std::uint64_t{shape.cluster} * 64);
  write_file(mount / "HiberFil.sys", std::string(std::max(shape.cluster, 8192U), '\0'));
  stdfs::create_directory(mount / "gaps");
  const unsigned pieces = shape.cluster <= 4096 ? 1500 : 12;
  // Filling the volume first leaves only the gaps for the page file.
  for (unsigned i = 0; i < 2 * pieces; ++i)
    write_file(mount / ("gaps/" + std::to_string(i)), noise(std::max(shape.cluster, 1024U), i));
  if (shape.cluster <= 65536) {
    const stdfs::path filler = mount / "filler";
    const int fd = ::open(filler.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    const std::string block = noise(65536, 99);
    while (::write(fd, block.data(), block.size()) > 0) {
    }
    ::close(fd);
  }
  for (unsigned i = 0; i < 2 * pieces; i += 2) stdfs::remove(mount / ("gaps/" + std::to_string(i)));
  write_file(mount / "pagefile.sys", std::string(std::size_t{pieces} * std::max(shape.cluster, 1024U) / 2, 'P'));
}

std::uint64_t number_after(const std::string& text, const std::string& pattern) {
  std::smatch match;
  EXPECT_TRUE(std::regex_search(text, match, std::regex(pattern + R"(\s*(\d+))"))) << pattern << " in " << text;
  return match.empty() ? 0 : std::stoull(match[1]);
}

void garbage_outside(const stdfs::path& path, const ExtentSet& kept, std::uint64_t size) {
  const int fd = ::open(path.c_str(), O_RDWR);
  const std::string garbage(1 << 20, '\xdb');
  std::uint64_t at = 0;
  const auto fill = [&](std::uint64_t end) {
    while (at < end) {
      const std::size_t n = std::min<std::uint64_t>(garbage.size(), end - at);
      ASSERT_EQ(::pwrite(fd, garbage.data(), n, static_cast<off_t>(at)), static_cast<ssize_t>(n));
      at += n;
    }
  };
  for (const Extent& extent : kept.items()) {
    fill(extent.start);
    at = extent.end();
  }
  fill(size);
  ::close(fd);
}

TEST_P(NtfsShapes, EverythingOutsideTheMapMayBecomeGarbage) {
  const Shape shape = GetParam();
  const ScratchFile image = make_volume(shape);
  std::string before;
  {
    const Mount mount(image, "rw");
    ASSERT_TRUE(mount.ok()) << mount.output();
    populate(mount, shape);
    before = mount.digest();
  }
  const auto drive = open_drive(image.path().string());
  ASSERT_TRUE(drive);
  const auto fs = open_file_system(*drive);
  ASSERT_TRUE(fs);
  const FsInfo& info = (*fs)->info();
  EXPECT_EQ(info.warning, "");
  EXPECT_EQ(info.state, FsState::clean);
  EXPECT_EQ(info.label, "Tästdisk 1");
  EXPECT_EQ(info.cluster_bytes, shape.cluster);
  const std::string said = run("ntfsinfo -m " + shell_word(image.path())).output;
  EXPECT_EQ(info.free_bytes, number_after(said, "Free Clusters:") * shape.cluster);
  EXPECT_EQ(info.used_bytes + info.free_bytes, number_after(said, "Volume Size in Clusters:") * shape.cluster);
  const std::string blkid = run("blkid -p -s UUID -o value " + shell_word(image.path())).output;
  EXPECT_EQ(info.serial + "\n", blkid);

  const auto map = collect(*(*fs)->used_map().value());
  ASSERT_TRUE(map);
  EXPECT_EQ(map->end(), info.last_used_byte);
  const auto files = (*fs)->left_out_files();
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 3U);
  ExtentSet left_out;
  for (const LeftOutFile& file : *files) {
    SCOPED_TRACE(file.path);
    const char fill = file.path == "/pagefile.sys" ? 'P' : file.path == "/swapfile.sys" ? 'S' : '\0';
    EXPECT_EQ(file.kind == LeftOutFile::Kind::hibernation, file.path == "/HiberFil.sys");
    std::uint64_t right = 0;
    for (const Extent& extent : file.extents.items()) {
      Bytes data(extent.length);
      ASSERT_TRUE((*drive)->read(extent.start, data));
      right += static_cast<std::uint64_t>(std::count(data.begin(), data.end(), std::byte(fill)));
      left_out.add(extent);
    }
    // A sparse file keeps whole compression units, the rest of which is zeros.
    EXPECT_GE(right, fill == 'S' ? shape.cluster * 2 : file.size_bytes);
    if (file.path == "/pagefile.sys" && shape.cluster <= 4096) {
      EXPECT_GT(file.extents.items().size(), 100U);
    }
    if (file.path == "/pagefile.sys" && shape.cluster == 4096 && shape.sector == 512) {
      EXPECT_NE(run("ntfsinfo -F /pagefile.sys " + shell_word(image.path())).output.find("ATTRIBUTE_LIST"), std::string::npos);
    }
  }

  ExtentSet kept = *map;
  for (const Extent& extent : left_out.items()) kept.remove(extent);
  garbage_outside(image.path(), kept, shape.size);
  const auto fixed = run("ntfsfix -n " + shell_word(image.path()));
  EXPECT_EQ(fixed.status, 0) << fixed.output;
  const auto resized = run("ntfsresize --info --force " + shell_word(image.path()));
  if (shape.cluster <= 65536) {
    EXPECT_EQ(resized.status, 0) << resized.output;
  }
  const Mount mount(image, "ro");
  ASSERT_TRUE(mount.ok()) << mount.output();
  EXPECT_EQ(mount.digest(), before);
  std::ifstream page(mount / "pagefile.sys", std::ios::binary);
  char byte = 0;
  page.read(&byte, 1);
  EXPECT_EQ(byte, '\xdb');
}

INSTANTIATE_TEST_SUITE_P(Shapes, NtfsShapes,
                         testing::Values(Shape{512, 512, 16U << 20}, Shape{1024, 512, 24U << 20}, Shape{4096, 512, 48U << 20},
                                         Shape{4096, 4096, 48U << 20}, Shape{65536, 512, 64U << 20},
                                         Shape{2U << 20, 512, 512U << 20}));

// Clears the bitmap's bits for one file, as if the journal's entry had not been replayed.
ExtentSet forget_clusters(Drive& drive, const std::string& content) {
  Bytes sector(512);
  EXPECT_TRUE(drive.read(0, sector));
  const auto boot = ntfs::parse_boot_sector(sector).value();
  auto mft = ntfs::Mft::open(drive, boot);
  auto bitmap = ntfs::ClusterBitmap::open(*mft);
  const std::uint64_t bitmap_at = bitmap->stream().runs.extents(boot.cluster_bytes).front().start;
  ExtentSet found;
  Bytes cluster(boot.cluster_bytes);
  for (std::uint64_t i = 0; i < boot.total_clusters; ++i) {
    EXPECT_TRUE(drive.read(i * cluster.size(), cluster));
    if (content.find(as_text(cluster)) == std::string::npos || all_zero(cluster)) continue;
    found.add({i * cluster.size(), cluster.size()});
    Bytes bits(1);
    EXPECT_TRUE(drive.read(bitmap_at + i / 8, bits));
    bits[0] &= ~(std::byte{1} << (i % 8));
    EXPECT_TRUE(drive.write(bitmap_at + i / 8, bits));
  }
  return found;
}

TEST_F(NtfsSystem, DirtyVolumeKeepsWhatItsFilesName) {
  const Shape shape{4096, 512, 32U << 20};
  const ScratchFile image = make_volume(shape);
  const std::string content = noise(40 * 4096, 5);
  {
    const Mount mount(image, "rw");
    ASSERT_TRUE(mount.ok()) << mount.output();
    write_file(mount / "fresh", content);
    write_file(mount / "pagefile.sys", std::string(100000, 'P'));
  }
  // Without -n, ntfsfix asks Windows for a check by setting the dirty flag.
  run("ntfsfix " + shell_word(image.path()));
  const auto drive = load_drive(image.path());
  ASSERT_TRUE(drive);
  const ExtentSet forgotten = forget_clusters(**drive, content);
  ASSERT_EQ(forgotten.total_bytes(), content.size());
  const auto fs = open_file_system(*drive);
  ASSERT_TRUE(fs);
  EXPECT_EQ((*fs)->info().state, FsState::dirty);
  EXPECT_TRUE((*fs)->info().used_map_known) << (*fs)->info().warning;
  const auto map = collect(*(*fs)->used_map().value());
  ASSERT_TRUE(map);
  for (const Extent& extent : forgotten.items()) EXPECT_EQ(map->clipped(extent).total_bytes(), extent.length);
  EXPECT_LT(map->total_bytes(), shape.size / 2);
  EXPECT_EQ((*fs)->left_out_files()->size(), 1U);
}

TEST_F(NtfsSystem, HibernatedIsSaid) {
  const ScratchFile image = make_volume({4096, 512, 32U << 20});
  {
    const Mount mount(image, "rw");
    ASSERT_TRUE(mount.ok()) << mount.output();
    write_file(mount / "hiberfil.sys", "hibr" + std::string(20000, 'h'));
  }
  EXPECT_NE(run("ntfsresize --info " + shell_word(image.path())).output, "");
  const auto drive = load_drive(image.path());
  const auto fs = open_file_system(*drive);
  ASSERT_TRUE(fs);
  EXPECT_EQ((*fs)->info().state, FsState::hibernated);
  EXPECT_TRUE((*fs)->info().used_map_known);
  const auto files = (*fs)->left_out_files();
  ASSERT_EQ(files->size(), 1U);
  EXPECT_EQ(files->front().kind, LeftOutFile::Kind::hibernation);
}

TEST_F(NtfsSystem, HardLinkedPageFileStaysIn) {
  const ScratchFile image = make_volume({4096, 512, 32U << 20});
  {
    const Mount mount(image, "rw");
    ASSERT_TRUE(mount.ok()) << mount.output();
    write_file(mount / "pagefile.sys", std::string(20000, 'p'));
    stdfs::create_hard_link(mount / "pagefile.sys", mount / "precious");
    stdfs::create_directory(mount / "sub");
    write_file(mount / "sub/swapfile.sys", std::string(20000, 's'));
  }
  const auto drive = load_drive(image.path());
  EXPECT_TRUE((*open_file_system(*drive))->left_out_files()->empty());
}

TEST_F(NtfsSystem, EightTebibytesTakeLittleTimeAndMemory) {
  const ScratchFile image = *ScratchFile::make(std::uint64_t{8} << 40);
  if (stdfs::file_size(image.path()) != std::uint64_t{8} << 40) GTEST_SKIP() << "no room for a sparse file of 8 TiB";
  const auto made = run("mkntfs -Q -F -p 0 -c 4096 " + shell_word(image.path()));
  ASSERT_EQ(made.status, 0) << made.output;
  const auto drive = open_drive(image.path().string());
  ASSERT_TRUE(drive);
  const auto begin = std::chrono::steady_clock::now();
  const auto fs = open_file_system(*drive);
  ASSERT_TRUE(fs);
  EXPECT_TRUE((*fs)->info().used_map_known) << (*fs)->info().warning;
  auto stream = (*fs)->used_map();
  ASSERT_TRUE(stream);
  std::uint64_t mapped = 0;
  while (const auto extent = (*stream)->next().value()) mapped += extent->length;
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(mapped, (*fs)->info().used_bytes + (1U << 20));
  EXPECT_LT(took, std::chrono::seconds(5));
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  std::cout << "8 TiB: " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms, peak "
            << usage.ru_maxrss / 1024 << " MiB\n";
}

}  // namespace
}  // namespace tintype::test
