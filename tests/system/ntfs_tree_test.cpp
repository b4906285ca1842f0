// SPDX-License-Identifier: GPL-3.0-or-later
// Files read out of NTFS without mounting, against what ntfs-3g shows of the same volume: names, kinds, sizes, times, hard links, streams,
// content byte for byte.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "drive/open.h"
#include "fs/file_tree.h"
#include "fs/ntfs/reparse.h"
#include "ntfs_tree_support.h"
#include "support/corpus.h"

namespace tintype::test {
namespace {

std::int64_t nanoseconds(const struct timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

class OpenFile {
 public:
  explicit OpenFile(const stdfs::path& path) : fd_(::open(path.c_str(), O_RDONLY)) {}
  OpenFile(const OpenFile&) = delete;
  ~OpenFile() { ::close(fd_); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Reads in pieces of an odd size, so that they begin and end in the middle of units.
void compare_content(FileContent& content, const stdfs::path& path) {
  const OpenFile file(path);
  ASSERT_GE(file.fd(), 0) << path;
  std::uint64_t at = 0;
  Bytes ours(300'007);
  std::string theirs(ours.size(), '\0');
  const std::uint64_t size = content.size_bytes();
  while (at < size) {
    if (size > (1U << 30)) {  // a huge sparse file: only what is in it
      const auto data = content.next_data(at);
      ASSERT_TRUE(data) << path;
      if (!*data) break;
      at = std::max(at, (*data)->start);
    }
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(ours.size(), size - at));
    const auto read = content.read(at, MutableByteSpan(ours).first(n));
    ASSERT_TRUE(read) << path << ": " << read.error().message();
    ASSERT_EQ(::pread(file.fd(), theirs.data(), n, static_cast<off_t>(at)), static_cast<ssize_t>(n)) << path << " at " << at;
    ASSERT_TRUE(as_text(ByteSpan(ours).first(n)) == std::string_view(theirs).substr(0, n)) << path << " at " << at;
    at += n;
  }
}

// What next_data() leaves out must be zeros, what it gives must be inside and in order.
void check_holes(FileContent& content) {
  std::uint64_t at = 0;
  Bytes bytes;
  while (at < content.size_bytes()) {
    const auto data = content.next_data(at);
    ASSERT_TRUE(data);
    const std::uint64_t hole_end = *data ? (*data)->start : content.size_bytes();
    ASSERT_GE(hole_end, at);
    bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(hole_end - at, 1U << 20)));
    ASSERT_TRUE(content.read(at, bytes));
    ASSERT_TRUE(all_zero(bytes)) << "a hole that has data at " << at;
    if (!*data) return;
    ASSERT_GT((*data)->length, 0U);
    ASSERT_LE((*data)->end(), content.size_bytes());
    at = (*data)->end();
  }
}

struct Counts {
  std::size_t files = 0, folders = 0, links = 0, compressed = 0, streams = 0, refused = 0;
};

void compare_streams(FileTree& tree, const FileNode& node, const stdfs::path& path, Counts& counts) {
  const auto streams = tree.streams(node);
  ASSERT_TRUE(streams) << path << streams.error().message();
  std::string theirs(65536, '\0');
  const ssize_t listed = ::llistxattr(path.c_str(), theirs.data(), theirs.size());
  std::vector<std::string> names;
  for (std::size_t at = 0; listed > 0 && at < static_cast<std::size_t>(listed);) {
    const std::string name = theirs.c_str() + at;
    at += name.size() + 1;
    if (name.starts_with("user.")) names.push_back(name.substr(5));
  }
  std::vector<std::string> ours;
  for (const NamedStream& stream : *streams) {
    ours.push_back(stream.name);
    std::string value(stream.size_bytes + 1, '\0');
    if (stream.size_bytes > 65536) continue;
    const ssize_t length = ::lgetxattr(path.c_str(), ("user." + stream.name).c_str(), value.data(), value.size());
    ASSERT_EQ(length, static_cast<ssize_t>(stream.size_bytes)) << path << ":" << stream.name;
    auto content = tree.open(node, stream.name);
    ASSERT_TRUE(content) << content.error().message();
    Bytes bytes(stream.size_bytes);
    ASSERT_TRUE((*content)->read(0, bytes));
    ASSERT_TRUE(as_text(bytes) == std::string_view(value).substr(0, bytes.size())) << path << ":" << stream.name;
    ++counts.streams;
  }
  std::ranges::sort(names);
  std::ranges::sort(ours);
  if (listed >= 0) {
    EXPECT_EQ(ours, names) << path;
  }
}

void compare_node(FileTree& tree, const FileNode& node, const stdfs::path& path, const struct stat& theirs, Counts& counts) {
  EXPECT_EQ(node.id, theirs.st_ino) << path;
  EXPECT_EQ(node.modified.value_or(0), nanoseconds(theirs.st_mtim)) << path;
  EXPECT_EQ(node.accessed.value_or(0), nanoseconds(theirs.st_atim)) << path;
  EXPECT_EQ(node.changed.value_or(0), nanoseconds(theirs.st_ctim)) << path;
  unsigned char attributes[4] = {};
  if (::lgetxattr(path.c_str(), "system.ntfs_attrib_be", attributes, 4) == 4 && node.id >= 16) {
    const std::uint32_t shown = std::uint32_t{attributes[0]} << 24 | std::uint32_t{attributes[1]} << 16 | std::uint32_t{attributes[2]} << 8 | attributes[3];
    EXPECT_EQ(node.dos_attributes, shown) << path;
  }
  if (node.kind == NodeKind::symlink) {
    ++counts.links;
    EXPECT_TRUE(S_ISLNK(theirs.st_mode)) << path;
    return;
  }
  if (node.kind != NodeKind::file) return;
  if (S_ISLNK(theirs.st_mode)) return;  // a reparse point that ntfs-3g does not know
  ASSERT_TRUE(S_ISREG(theirs.st_mode)) << path;
  ++counts.files;
  EXPECT_EQ(node.size_bytes, static_cast<std::uint64_t>(theirs.st_size)) << path;
  EXPECT_EQ(div_round_up(node.stored_bytes, 512) , theirs.st_size < 4096 && node.stored_bytes == 0 ? 0 : static_cast<std::uint64_t>(theirs.st_blocks)) << path;
  if (node.compressed) ++counts.compressed;
  auto content = tree.open(node);
  if (!content) {
    EXPECT_EQ(content.error().code, ErrorCode::unsupported) << content.error().message();
    ++counts.refused;
    return;
  }
  EXPECT_EQ((*content)->size_bytes(), node.size_bytes);
  compare_content(**content, path);
  check_holes(**content);
  compare_streams(tree, node, path, counts);
}

void compare_folder(FileTree& tree, const FileNode& folder, const stdfs::path& path, Counts& counts, int depth = 0) {
  ++counts.folders;
  ASSERT_LT(depth, 64);
  std::vector<FileNode> nodes;
  const auto listed = tree.list(folder, [&](const FileNode& node) {
    nodes.push_back(node);
    return true;
  });
  EXPECT_TRUE(listed) << path << ": " << listed.error().message();
  std::vector<std::string> theirs, ours;
  for (const auto& each : stdfs::directory_iterator(path)) theirs.push_back(each.path().filename().string());
  for (const FileNode& node : nodes)
    if (node.id >= 16) ours.push_back(node.name);
    else EXPECT_EQ(node.dos_attributes & 6U, 6U) << node.name;
  std::ranges::sort(theirs);
  std::ranges::sort(ours);
  // ntfs-3g hides $Extend and its kin.
  std::erase_if(theirs, [](const std::string& name) { return name.starts_with("$MFT") || name == "$Extend"; });
  EXPECT_EQ(ours, theirs) << path;
  for (const FileNode& node : nodes) {
    struct stat status {};
    if (node.id < 16 || ::lstat((path / node.name).c_str(), &status) != 0) continue;
    compare_node(tree, node, path / node.name, status, counts);
    if (node.kind == NodeKind::folder && S_ISDIR(status.st_mode)) compare_folder(tree, node, path / node.name, counts, depth + 1);
  }
}

class NtfsTreeShapes : public NtfsTreeSystem, public testing::WithParamInterface<Shape> {};

TEST_P(NtfsTreeShapes, ShowsWhatTheMountShows) {
  const ScratchFile image = make_volume(GetParam().size, GetParam().options);
  {
    const Mount mount(image.path(), "rw,compression,streams_interface=xattr,hide_dot_files");
    ASSERT_TRUE(mount.ok()) << mount.output();
    populate(mount, GetParam());
  }
  const Mount mount(image.path(), "ro,streams_interface=xattr");
  ASSERT_TRUE(mount.ok()) << mount.output();
  const auto drive = open_drive(image.path().string());
  ASSERT_TRUE(drive);
  const auto tree = open_file_tree(*drive);
  ASSERT_TRUE(tree) << tree.error().message();
  Counts counts;
  compare_folder(**tree, (*tree)->root().value(), mount.folder(), counts);
  EXPECT_GT(counts.files, 560U);
  EXPECT_EQ(counts.links, 2U);
  EXPECT_EQ(counts.streams, 2U);
  EXPECT_EQ(counts.refused, 0U);
  EXPECT_EQ(counts.compressed, GetParam().compress ? 5U : 0U);

  const FileNode link = find_node(**tree, "/link").value();
  EXPECT_EQ((*tree)->link_target(link).value().value_or("none"), "small/deep");
  EXPECT_EQ((*tree)->link_target(find_node(**tree, "long link").value()).value().value_or("none").size(), 620U);
  EXPECT_EQ(find_node(**tree, "/big").value().id, find_node(**tree, "/small\\DEEP\\Big Again").value().id);
  EXPECT_EQ(find_node(**tree, "/big").value().links, 2U);
  EXPECT_EQ(find_node(**tree, "/101 has a DOS name beside its own.text").value().links, 1U);
  EXPECT_EQ(find_node(**tree, "/case").value().links, 41U);
  if (GetParam().compress) {
    const FileNode packed = find_node(**tree, "/packed/text").value();
    EXPECT_LT(packed.stored_bytes, packed.size_bytes * 3 / 4);
  }
  EXPECT_NE(find_node(**tree, "/case").value().id, find_node(**tree, "/Case").value().id);
  EXPECT_EQ(find_node(**tree, "/small/deep/deeper/üNÏCÖDÉ – 日本語 – 😀.TXT").value().size_bytes, 5U);
  EXPECT_EQ(find_node(**tree, "/nothing").error().code, ErrorCode::not_found);
  EXPECT_EQ((*tree)->streams(find_node(**tree, "/small").value()).value().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Shapes, NtfsTreeShapes,
                         testing::Values(Shape{"-c 4096", 64U << 20, true}, Shape{"-c 512", 64U << 20, true}, Shape{"-c 1024 -s 1024", 64U << 20, true},
                                         Shape{"-c 4096 -s 4096", 64U << 20, true}, Shape{"-c 65536", 512U << 20, false}));

TEST_F(NtfsTreeSystem, LinksAndOtherReparsePoints) {
  const ScratchFile image = make_volume(32U << 20, "-c 4096");
  {
    const Mount mount(image.path(), "rw");
    ASSERT_TRUE(mount.ok()) << mount.output();
    for (const char* name : {"junction", "cloud folder"}) stdfs::create_directory(mount / name);
    write_file(mount / "cloud folder/inside", "inside");
    for (const char* name : {"symlink", "wof", "dedup", "unknown", "cloud here", "cloud away", "linux link"}) write_file(mount / name, "content");
    set_reparse(mount / "junction", reparse(ntfs::kMountPointTag, junction_data("\\??\\C:\\some\\place", "C:\\some\\place")));
    Bytes symlink = junction_data("..\\other", "");
    symlink.insert(symlink.begin() + 8, {std::byte{1}, std::byte{0}, std::byte{0}, std::byte{0}});
    set_reparse(mount / "symlink", reparse(ntfs::kSymlinkTag, symlink));
    set_reparse(mount / "wof", reparse(ntfs::kWofTag, Bytes(16)));
    set_reparse(mount / "dedup", reparse(ntfs::kDedupTag, Bytes(16)));
    set_reparse(mount / "unknown", reparse(0x80001234, Bytes(20)));
    set_reparse(mount / "cloud folder", reparse(0x9000701a, Bytes(16)));
    set_reparse(mount / "cloud here", reparse(0x9000701a, Bytes(16)));
    set_attributes(mount / "cloud away", 0x1020);
    set_reparse(mount / "cloud away", reparse(0x9000701a, Bytes(16)));
    const std::string_view target{"\2\0\0\0/usr/bin", 12};
    set_reparse(mount / "linux link", reparse(ntfs::kLinuxSymlinkTag, Bytes(as_bytes(target).begin(), as_bytes(target).end())));
  }
  const auto drive = open_drive(image.path().string());
  const auto tree = open_file_tree(*drive);
  ASSERT_TRUE(tree);
  const auto node = [&](const char* path) { return find_node(**tree, path).value(); };
  const auto target = [&](const char* path) { return (*tree)->link_target(node(path)).value().value_or("none"); };
  const auto content = [&](const char* path) {
    const auto opened = (*tree)->open(node(path));
    if (!opened) return std::string(to_string(opened.error().code)) + " " + opened.error().what;
    Bytes bytes((*opened)->size_bytes());
    EXPECT_TRUE((*opened)->read(0, bytes));
    return std::string(as_text(bytes));
  };
  EXPECT_EQ(node("junction").kind, NodeKind::symlink);
  EXPECT_EQ(target("junction"), "C:\\some\\place");
  EXPECT_EQ(target("symlink"), "..\\other");
  EXPECT_EQ(content("symlink"), "..\\other");
  EXPECT_EQ(target("linux link"), "/usr/bin");
  EXPECT_EQ(node("unknown").kind, NodeKind::reparse_point);
  EXPECT_EQ(node("unknown").reparse_tag, 0x80001234U);
  EXPECT_EQ(content("unknown").size(), 28U);
  EXPECT_EQ(target("unknown"), "none");
  EXPECT_EQ(node("cloud folder").kind, NodeKind::folder);
  EXPECT_EQ(content("cloud folder/inside"), "inside");
  EXPECT_EQ(content("cloud here"), "content");
  EXPECT_NE(content("cloud away").find("cloud, not on this drive"), std::string::npos) << content("cloud away");
  EXPECT_NE(content("wof").find("WOF"), std::string::npos) << content("wof");
  EXPECT_NE(content("dedup").find("deduplicated"), std::string::npos) << content("dedup");
}

class Counted final : public Drive {
 public:
  explicit Counted(std::shared_ptr<Drive> drive) : drive_(std::move(drive)) {}
  const DriveInfo& info() const override { return drive_->info(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    bytes += out.size();
    return drive_->read(offset, out);
  }
  Result<void> write(std::uint64_t offset, ByteSpan data) override { return drive_->write(offset, data); }
  Result<void> zero(std::uint64_t offset, std::uint64_t length) override { return drive_->zero(offset, length); }
  Result<void> flush() override { return drive_->flush(); }
  std::uint64_t bytes = 0;

 private:
  std::shared_ptr<Drive> drive_;
};

TEST_F(NtfsTreeSystem, NamesAreLookedForWhereTheOrderSaysThatTheyAre) {
  const ScratchFile image = make_volume(64U << 20, "-c 4096");
  std::vector<std::string> names;
  {
    const Mount mount(image.path(), "rw");
    ASSERT_TRUE(mount.ok()) << mount.output();
    for (unsigned i = 0; i < 4000; ++i) {
      names.push_back((i % 3 == 0 ? "Ünïcödé " : i % 3 == 1 ? "UPPER_" : "lower-") + std::to_string(i * 7919 % 4000) + ".text");
      write_file(mount / names.back(), "");
    }
  }
  const auto drive = std::make_shared<Counted>(*open_drive(image.path().string()));
  const auto tree = open_file_tree(drive);
  ASSERT_TRUE(tree);
  const FileNode root = (*tree)->root().value();
  drive->bytes = 0;
  ASSERT_TRUE((*tree)->list(root, [](const FileNode&) { return true; }));
  const std::uint64_t all = drive->bytes;
  for (std::size_t i = 0; i < names.size(); i += 37) {
    drive->bytes = 0;
    const auto found = find_in(**tree, root, names[i]);
    ASSERT_TRUE(found && *found) << names[i];
    EXPECT_EQ((*found)->name, names[i]);
    EXPECT_LT(drive->bytes, all / 50) << names[i];
    // Spelled in another way it is there too, though that takes a look at all of them.
    std::string other = names[i];
    for (char& c : other)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const auto again = find_in(**tree, root, other);
    ASSERT_TRUE(again && *again) << other;
    EXPECT_EQ((*again)->id, (*found)->id);
  }
  for (const char* name : {"", "a", "lower-4000.text", "zzz", "Ü"}) {
    const auto none = find_in(**tree, root, name);
    EXPECT_TRUE(none && !*none) << name;
  }
}

TEST_F(NtfsTreeSystem, RealVolumesAgreeWithTheMount) {
  if (!corpus_folder()) GTEST_SKIP() << "no corpus";
  std::size_t mounted = 0, opened = 0;
  for (const CorpusEntry& entry : corpus_entries()) {
    const bool plain = entry.type.starts_with("raw:") || entry.type.starts_with("packed:") || entry.type.starts_with("vhd-fixed:");
    if (!plain || entry.type.find("ntfs") == std::string::npos) continue;
    const auto image = unpack(entry);
    ASSERT_TRUE(image);
    const auto whole = load_drive(image->path());
    ASSERT_TRUE(whole);
    std::vector<Extent> places;
    if (entry.fact("fs.ntfs_sector")) places.push_back({0, (*whole)->size_bytes()});
    for (int i = 1; i <= 8; ++i) {
      const std::string p = "p" + std::to_string(i) + ".";
      const auto start = entry.number(p + "start");
      const auto count = entry.number(p + "n");
      if (start && count && entry.fact(p + "fs.ntfs_sector")) places.push_back({*start * 512, *count * 512});
    }
    for (const Extent& place : places) {
      SCOPED_TRACE(entry.path + " at " + std::to_string(place.start));
      const auto partition = make_slice(*whole, place, entry.path);
      const auto tree = open_file_tree(partition);
      ASSERT_TRUE(tree) << tree.error().message();
      ++opened;
      const auto owners = (*tree)->owners(ExtentSet({{0, place.length}}));
      ASSERT_TRUE(owners);
      ExtentSet all;
      for (const ByteOwner& owner : *owners)
        for (const Extent& extent : owner.bytes.items()) all.add(extent);
      EXPECT_EQ(all.total_bytes(), place.length);
      const Mount mount(image->path(), "ro,streams_interface=xattr,norecover", place.start);
      if (!mount.ok()) {
        std::cout << entry.path << " does not mount: " << mount.output().substr(0, 100) << "\n";
        continue;
      }
      ++mounted;
      Counts counts;
      compare_folder(**tree, (*tree)->root().value(), mount.folder(), counts);
      std::cout << entry.path << ": " << counts.folders << " folders, " << counts.files << " files, " << counts.links << " links, " << counts.compressed
                << " compressed, " << counts.streams << " streams, " << counts.refused << " refused\n";
    }
  }
  EXPECT_GT(mounted, 8U);
  EXPECT_GE(opened, mounted);
}

}  // namespace
}  // namespace tintype::test
