// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "base/text.h"
#include "drive/virtual_drive.h"

namespace tintype {
namespace {

struct Named {
  DriveFormat format;
  const char* word;
};
constexpr std::array<Named, 8> kFormats = {{{DriveFormat::raw, "raw"},
                                            {DriveFormat::vhdd, "vhdd"},
                                            {DriveFormat::vhdf, "vhdf"},
                                            {DriveFormat::vmdk, "vmdk"},
                                            {DriveFormat::vmdks, "vmdks"},
                                            {DriveFormat::qcow2, "qcow2"},
                                            {DriveFormat::vhdx, "vhdx"},
                                            {DriveFormat::vdi, "vdi"}}};

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

bool has(ByteSpan bytes, std::size_t at, std::string_view magic) {
  return fits(at, magic.size(), bytes.size()) && std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

std::uint64_t be(ByteSpan bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | std::to_integer<std::uint64_t>(bytes[at + i]);
  return value;
}

std::unexpected<Error> refers(const Drive& file, const char* to) {
  return fail(ErrorCode::unsupported, fmt::format("{} needs {}", printable(file.info().path), to),
              "merge them into one file first, for example with qemu-img convert");
}

Result<DriveFormat> check_qcow2(const Drive& file, ByteSpan head) {
  if (be(head, 8, 8) != 0) return refers(file, "another file that it builds on");
  if (be(head, 4, 4) >= 3 && (be(head, 72, 8) & 4U) != 0) return refers(file, "another file that holds its data");
  return DriveFormat::qcow2;
}

Result<DriveFormat> check_vmdk(const Drive& file, ByteSpan head) {
  // Without a capacity the header stands before a descriptor of other files.
  if (le64(head, 12) == 0) return refers(file, "other files that hold its data");
  return DriveFormat::vmdk;
}

// The footer, or its copy at the beginning of a dynamic one.
Result<DriveFormat> check_vhd(const Drive& file, ByteSpan footer) {
  switch (be(footer, 60, 4)) {
    case 2: return DriveFormat::vhdf;
    case 3: return DriveFormat::vhdd;
    case 4: return refers(file, "another file that it builds on");
    default: return fail(ErrorCode::corrupt, fmt::format("{} is a VHD of a kind that there is not", printable(file.info().path)));
  }
}

}  // namespace

const char* to_string(DriveFormat format) {
  for (const Named& each : kFormats)
    if (each.format == format) return each.word;
  return "raw";
}

std::optional<DriveFormat> drive_format(std::string_view word) {
  for (const Named& each : kFormats)
    if (same_word(each.word, word)) return each.format;
  return std::nullopt;
}

std::optional<DriveFormat> format_of_name(const std::string& path) {
  const std::size_t dot = path.find_last_of("./");
  if (dot == std::string::npos || path[dot] != '.' || dot == 0 || path[dot - 1] == '/') return std::nullopt;
  const std::string_view extension = std::string_view(path).substr(dot + 1);
  if (same_word(extension, "vhd") || same_word(extension, "vpc")) return DriveFormat::vhdd;
  for (const DriveFormat format : {DriveFormat::vmdk, DriveFormat::qcow2, DriveFormat::vhdx, DriveFormat::vdi})
    if (same_word(extension, to_string(format))) return format;
  return std::nullopt;
}

Result<DriveFormat> detect_format(Drive& file) {
  std::array<std::byte, 512> head{}, foot{};
  const std::uint64_t size = file.size_bytes();
  TRY(file.read(0, std::span(head).first(static_cast<std::size_t>(std::min<std::uint64_t>(size, head.size())))));
  if (has(head, 0, "QFI\xFB")) return check_qcow2(file, head);
  if (has(head, 0, "vhdxfile")) return DriveFormat::vhdx;  // one with a parent is refused by QEMU itself
  if (has(head, 0, "KDMV")) return check_vmdk(file, head);
  if (has(head, 0, "# Disk DescriptorFile")) return refers(file, "other files that hold its data");
  if (has(head, 64, "\x7F\x10\xDA\xBE")) return DriveFormat::vdi;
  if (has(head, 0, "conectix")) return check_vhd(file, head);
  if (size >= foot.size()) TRY(file.read(size - foot.size(), foot));
  if (has(foot, 0, "conectix")) return check_vhd(file, foot);
  return fail(ErrorCode::corrupt, fmt::format("{} is none of the virtual drives that its name says", printable(file.info().path)),
              "if it is a raw drive file, give it a name that ends in .raw");
}

}  // namespace tintype
