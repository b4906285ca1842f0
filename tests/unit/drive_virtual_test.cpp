// SPDX-License-Identifier: GPL-3.0-or-later
// What a file holds, by its own records: the headers are made here, byte by byte, as the specifications say.
#include <gtest/gtest.h>

#include <cstring>

#include "drive/virtual_drive.h"

namespace tintype {
namespace {

void put(Bytes& file, std::size_t at, std::string_view text) { std::memcpy(file.data() + at, text.data(), text.size()); }
void put_be(Bytes& file, std::size_t at, std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) file[at + i] = static_cast<std::byte>(value >> (8 * (count - 1 - i)));
}

std::shared_ptr<Drive> file_of(const Bytes& bytes, const std::string& name) {
  const std::shared_ptr<Drive> memory = make_memory_drive(bytes.size());
  EXPECT_TRUE(memory->write(0, bytes));
  return make_slice(memory, {0, bytes.size()}, name);
}

void put_footer(Bytes& file, std::size_t at, std::uint32_t kind, std::uint64_t size) {
  put(file, at, "conectix");
  put_be(file, at + 48, size, 8);
  put_be(file, at + 60, kind, 4);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 512; ++i)
    if (i < 64 || i >= 68) sum += std::to_integer<std::uint32_t>(file[at + i]);
  put_be(file, at + 64, ~sum, 4);
}

Bytes fixed_vhd(std::size_t size = 4096) {
  Bytes file(size + 512);
  put_footer(file, size, 2, size);
  return file;
}

Bytes qcow2(std::uint64_t backing = 0, std::uint64_t incompatible = 0) {
  Bytes file(4096);
  put(file, 0, "QFI\xFB");
  put_be(file, 4, 3, 4);
  put_be(file, 8, backing, 8);
  put_be(file, 72, incompatible, 8);
  return file;
}

Bytes vmdk(std::uint64_t capacity, std::string_view descriptor, std::size_t descriptor_at = 512) {
  Bytes file(64 * 1024);
  put(file, 0, "KDMV");
  store_le<std::uint64_t>(file, 12, capacity);
  store_le<std::uint64_t>(file, 28, descriptor_at / 512);
  store_le<std::uint64_t>(file, 36, 20);
  put(file, descriptor_at, descriptor);
  return file;
}

std::optional<DriveFormat> found(const Bytes& bytes, const std::string& name) {
  const auto format = find_format(*file_of(bytes, name));
  EXPECT_TRUE(format) << (format ? "" : format.error().message());
  return format && *format ? std::optional((*format)->format) : std::nullopt;
}
std::optional<ErrorCode> refusal(const Bytes& bytes, const std::string& name) {
  const auto format = find_format(*file_of(bytes, name));
  return format ? std::nullopt : std::optional(format.error().code);
}

TEST(VirtualFormat, KnowsEachByItsRecords) {
  EXPECT_EQ(found(qcow2(), "a.qcow2"), DriveFormat::qcow2);
  EXPECT_EQ(found(vmdk(8, "createType=\"monolithicSparse\""), "a.vmdk"), DriveFormat::vmdk);
  Bytes vhdx(4096), vdi(4096), dynamic(4096);
  put(vhdx, 0, "vhdxfile");
  EXPECT_EQ(found(vhdx, "a.vhdx"), DriveFormat::vhdx);
  put(vdi, 64, "\x7F\x10\xDA\xBE");
  EXPECT_EQ(found(vdi, "a.vdi"), DriveFormat::vdi);
  put_footer(dynamic, 0, 3, 1 << 20);
  put_footer(dynamic, dynamic.size() - 512, 3, 1 << 20);
  EXPECT_EQ(found(dynamic, "a.vhd"), DriveFormat::vhdd);
  const auto fixed = detect_format(*file_of(fixed_vhd(), "a.vhd"));
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->format, DriveFormat::vhdf);
  EXPECT_EQ(fixed->fixed_bytes, 4096U);
  for (const std::size_t size : {0U, 1U, 511U, 512U, 513U, 5000U}) {
    EXPECT_EQ(found(Bytes(size), "a"), std::nullopt) << size;
    EXPECT_FALSE(detect_format(*file_of(Bytes(size), "a.vhd"))) << size;
  }
}

TEST(VirtualFormat, TheGuestOfAFixedVhdDoesNotChooseTheFormat) {
  for (const Bytes& header : {qcow2(), qcow2(512), vmdk(0, ""), vmdk(8, "")}) {
    Bytes file = fixed_vhd();
    std::copy_n(header.begin(), 512, file.begin());
    EXPECT_EQ(found(file, "a.vhd"), DriveFormat::vhdf);
    if (!refusal(header, "a")) {
      EXPECT_EQ(refusal(file, "a"), ErrorCode::corrupt) << "without a name nobody knows";
    }
  }
  Bytes fake_dynamic = fixed_vhd();
  put_footer(fake_dynamic, 0, 3, 1 << 20);
  EXPECT_EQ(found(fake_dynamic, "a.vhd"), DriveFormat::vhdf);
  // The last sector of a QCOW2 may be its guest's.
  Bytes file = qcow2();
  put_footer(file, file.size() - 512, 2, 512);
  EXPECT_EQ(found(file, "a.qcow2"), DriveFormat::qcow2);
}

TEST(VirtualFormat, AFooterThatDoesNotFitIsNone) {
  Bytes file = fixed_vhd();
  file[file.size() - 100] ^= std::byte{1};
  EXPECT_EQ(found(file, "a"), std::nullopt) << "checksum";
  Bytes large(1024);
  put_footer(large, 512, 2, 1024);
  EXPECT_EQ(found(large, "a"), std::nullopt) << "more than the file has";
}

TEST(VirtualFormat, FilesThatNeedOthersAreRefused) {
  EXPECT_EQ(refusal(qcow2(512), "a.qcow2"), ErrorCode::unsupported);
  EXPECT_EQ(refusal(qcow2(0, 4), "a.qcow2"), ErrorCode::unsupported);
  EXPECT_EQ(refusal(vmdk(0, ""), "a.vmdk"), ErrorCode::unsupported);
  // Where QEMU looks, and where the header says that the descriptor is.
  EXPECT_EQ(refusal(vmdk(8, "x\nparentFileNameHint=\"/etc/shadow\"\n"), "a.vmdk"), ErrorCode::unsupported);
  EXPECT_EQ(refusal(vmdk(8, "parentFileNameHint=\"b\"", 32768), "a.vmdk"), ErrorCode::unsupported);
  Bytes elsewhere = vmdk(8, "", 32768);
  put(elsewhere, 600, "parentFileNameHint=\"b\"");
  EXPECT_EQ(refusal(elsewhere, "a.vmdk"), ErrorCode::unsupported);
  Bytes text(4096);
  put(text, 0, "# Disk DescriptorFile\n");
  EXPECT_EQ(refusal(text, "a.vmdk"), ErrorCode::unsupported);
  Bytes differencing(4096);
  put_footer(differencing, 0, 4, 1 << 20);
  EXPECT_EQ(refusal(differencing, "a.vhd"), ErrorCode::unsupported);
}

TEST(VirtualFormat, NamesOfNewFilesMustTellWhatTheyAre) {
  EXPECT_TRUE(check_new_name("a.vhd", DriveFormat::vhdf));
  EXPECT_TRUE(check_new_name("dir.vhd/a", DriveFormat::raw));
  EXPECT_TRUE(check_new_name("A.VMDK", DriveFormat::vmdks));
  EXPECT_FALSE(check_new_name("a.vhd", DriveFormat::raw));
  EXPECT_FALSE(check_new_name("a.img", DriveFormat::qcow2));
  EXPECT_FALSE(check_new_name("vhd", DriveFormat::vhdd));
  EXPECT_TRUE(name_says_raw("x/a.IMG"));
  EXPECT_FALSE(name_says_raw("a"));
}

}  // namespace
}  // namespace tintype
