// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "support/scratch.h"

// Volumes of mkntfs, filled by ntfs-3g with files of every kind that it can make.
namespace tintype::test {

namespace stdfs = std::filesystem;

class Mount {
 public:
  Mount(const stdfs::path& image, const std::string& options, std::uint64_t offset = 0) : folder_(image.string() + ".mnt") {
    stdfs::create_directory(folder_);
    std::string device = shell_word(image);
    if (offset != 0) {
      const CommandOutcome loop = run("losetup -r -f --show -o " + std::to_string(offset) + " " + device);
      outcome_ = loop;
      if (loop.status != 0) return;
      loop_ = loop.output.substr(0, loop.output.find('\n'));
      device = shell_word(loop_);
    }
    outcome_ = run("ntfs-3g -o " + options + " " + device + " " + shell_word(folder_));
  }
  Mount(const Mount&) = delete;
  ~Mount() {
    if (ok()) run("umount " + shell_word(folder_));
    if (!loop_.empty()) run("losetup -d " + shell_word(loop_));
    std::error_code ignored;
    stdfs::remove(folder_, ignored);
  }
  bool ok() const { return outcome_.status == 0; }
  const std::string& output() const { return outcome_.output; }
  stdfs::path operator/(const std::string& name) const { return folder_ / name; }
  const stdfs::path& folder() const { return folder_; }

 private:
  stdfs::path folder_;
  std::string loop_;
  CommandOutcome outcome_;
};

inline std::string noise(std::size_t size, std::uint64_t seed) {
  std::string out(size, '\0');
  for (char& c : out) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>(seed >> 56);
  }
  return out;
}

inline void write_file(const stdfs::path& path, const std::string& data, std::uint64_t at = 0) {
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY, 0600);
  ASSERT_GE(fd, 0) << path;
  ASSERT_EQ(::pwrite(fd, data.data(), data.size(), static_cast<off_t>(at)), static_cast<ssize_t>(data.size())) << path;
  ::close(fd);
}

inline ScratchFile make_volume(std::uint64_t size, const std::string& options) {
  ScratchFile image = *ScratchFile::make(size);
  const auto made = run("mkntfs -Q -F -p 0 " + options + " " + shell_word(image.path()));
  EXPECT_EQ(made.status, 0) << made.output;
  return image;
}

inline void set_attributes(const stdfs::path& path, std::uint32_t value) {
  const unsigned char bytes[4] = {static_cast<unsigned char>(value >> 24), static_cast<unsigned char>(value >> 16), static_cast<unsigned char>(value >> 8), static_cast<unsigned char>(value)};
  EXPECT_EQ(::setxattr(path.c_str(), "system.ntfs_attrib_be", bytes, 4, 0), 0) << path;
}

inline void set_reparse(const stdfs::path& path, const Bytes& value) {
  EXPECT_EQ(::setxattr(path.c_str(), "system.ntfs_reparse_data", value.data(), value.size(), 0), 0) << path << " " << std::strerror(errno);
}

inline Bytes reparse(std::uint32_t tag, const Bytes& data) {
  Bytes out(8);
  store_le<std::uint32_t>(out, 0, tag);
  store_le<std::uint16_t>(out, 4, static_cast<std::uint16_t>(data.size()));
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

inline Bytes junction_data(const std::string& followed, const std::string& shown) {
  Bytes out(8);
  store_le<std::uint16_t>(out, 2, static_cast<std::uint16_t>(2 * followed.size()));
  store_le<std::uint16_t>(out, 4, static_cast<std::uint16_t>(2 * followed.size() + 2));
  store_le<std::uint16_t>(out, 6, static_cast<std::uint16_t>(2 * shown.size()));
  for (const std::string& text : {followed, shown}) {
    for (const char c : text) out.push_back(static_cast<std::byte>(c)), out.push_back(std::byte{0});
    out.resize(out.size() + 2);
  }
  return out;
}

struct Shape {
  std::string options;
  std::uint64_t size;
  bool compress;
  friend void PrintTo(const Shape& s, std::ostream* out) { *out << s.options; }
};

inline void populate(const Mount& mount, const Shape& shape) {
  stdfs::create_directories(mount / "small/deep/deeper");
  for (unsigned i = 0; i < 800; ++i) write_file(mount / ("small/a file with a long name " + std::to_string(i) + ".text"), noise(i * 3, i));
  for (unsigned i = 0; i < 800; i += 3) stdfs::remove(mount / ("small/a file with a long name " + std::to_string(i) + ".text"));
  write_file(mount / "small/deep/deeper/Ünïcödé – 日本語 – 😀.txt", "names");
  // As Windows has it: a second name of eight and three letters, in the folder's index too.
  for (unsigned i = 100; i < 140; ++i) {
    const std::string name = std::to_string(i) + " has a DOS name beside its own.text";
    write_file(mount / name, "two names");
    const std::string short_name = std::to_string(i) + "HAS~1.TEX";
    ASSERT_EQ(::setxattr((mount / name).c_str(), "system.ntfs_dos_name", short_name.data(), short_name.size(), 0), 0) << std::strerror(errno);
  }
  write_file(mount / "empty", "");
  write_file(mount / "Case", "upper");
  write_file(mount / "case", "lower");
  write_file(mount / "big", noise(5'000'001, 3));
  stdfs::create_hard_link(mount / "big", mount / "small/deep/big again");
  for (unsigned i = 0; i < 40; ++i) stdfs::create_hard_link(mount / "case", mount / ("one of many links to the same file number " + std::to_string(i)));
  write_file(mount / "sparse", noise(100'000, 7), 8U << 20);
  write_file(mount / "sparse", noise(777, 8), 3U << 20);
  write_file(mount / "over four GiB", noise(100'000, 9), (std::uint64_t{5} << 30) + 12345);
  stdfs::create_symlink("small/deep", mount / "link");
  stdfs::create_symlink("/absolutely/nowhere/" + std::string(600, 'x'), mount / "long link");
  write_file(mount / "with streams", "main");
  const std::string big_stream = noise(50'000, 11);
  ASSERT_EQ(::setxattr((mount / "with streams").c_str(), "user.Zone.Identifier", "[ZoneTransfer]", 14, 0), 0);
  ASSERT_EQ(::setxattr((mount / "with streams").c_str(), "user.large", big_stream.data(), big_stream.size(), 0), 0);
  ASSERT_EQ(::setxattr((mount / "small").c_str(), "user.of a folder", "folder", 6, 0), 0);
  if (shape.compress) {
    stdfs::create_directory(mount / "packed");
    set_attributes(mount / "packed", 0x0810);
    std::string text;
    for (unsigned i = 0; i < 60'000; ++i) text += "line " + std::to_string(i * i) + "\n";
    write_file(mount / "packed/text", text);
    write_file(mount / "packed/noise", noise(300'000, 12));
    write_file(mount / "packed/mixed", text.substr(0, 200'000) + noise(200'000, 13) + std::string(200'000, '\0') + text.substr(0, 1000));
    write_file(mount / "packed/gap", text, 1'000'000);
    write_file(mount / "packed/tiny", "tiny");
  }
  // Two files written in turn, so that each has a run list too long for one record.
  const int first = ::open((mount / "fragmented").c_str(), O_CREAT | O_WRONLY, 0600);
  const int second = ::open((mount / "fragmented too").c_str(), O_CREAT | O_WRONLY, 0600);
  const std::string block = noise(4096, 14);
  for (unsigned i = 0; i < 1500; ++i) {
    EXPECT_EQ(::pwrite(first, block.data(), 4096, static_cast<off_t>(i) * 150'000), 4096);
    EXPECT_EQ(::pwrite(second, block.data(), 4095, static_cast<off_t>(i) * 4096), 4095);
  }
  ::close(first);
  ::close(second);
}

class NtfsTreeSystem : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* tool : {"mkntfs", "ntfs-3g", "losetup"})
      if (!have_program(tool)) GTEST_SKIP() << tool << " is missing";
    if (::access("/dev/fuse", R_OK | W_OK) != 0) GTEST_SKIP() << "no FUSE";
  }
};

}  // namespace tintype::test
