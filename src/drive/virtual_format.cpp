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

constexpr std::uint64_t kSector = 512;                  // of headers and footers in all formats
constexpr std::uint64_t kVmdkDescriptor = 20 * kSector;  // what QEMU reads of it
constexpr std::uint64_t kMaxDescriptor = 64 * 1024;

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

// Without the dot; empty if the name has none.
std::string_view extension_of(std::string_view path) {
  const std::size_t dot = path.find_last_of("./");
  if (dot == std::string_view::npos || path[dot] != '.' || dot == 0 || path[dot - 1] == '/') return {};
  return path.substr(dot + 1);
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

// Whether the words stand in the range, as far as the file has it.
Result<bool> contains(Drive& file, Extent range, std::string_view words) {
  if (range.start >= file.size_bytes()) return false;
  Bytes bytes(static_cast<std::size_t>(std::min(range.length, file.size_bytes() - range.start)));
  TRY(file.read(range.start, bytes));
  return as_text(bytes).find(words) != std::string_view::npos;
}

Result<DriveFormat> check_vmdk(Drive& file, ByteSpan head) {
  // Without a capacity the header stands before a descriptor of other files.
  if (le64(head, 12) == 0) return refers(file, "other files that hold its data");
  // QEMU looks for a parent in the 20 sectors behind the header wherever the header says that the descriptor is; others look there.
  const std::uint64_t place = checked_mul(le64(head, 28), kSector).value_or(0), length = checked_mul(le64(head, 36), kSector).value_or(kMaxDescriptor);
  for (const Extent& range : {Extent{kSector, kVmdkDescriptor}, Extent{place, std::min(length, kMaxDescriptor)}})
    if (TRY(contains(file, range, "parentFileNameHint"))) return refers(file, "another file that it builds on");
  return DriveFormat::vmdk;
}

std::optional<std::uint32_t> vhd_kind(ByteSpan footer) {
  if (!has(footer, 0, "conectix")) return std::nullopt;
  return static_cast<std::uint32_t>(be(footer, 60, 4));
}

// A copy of the footer stands at the beginning of all but fixed ones.
Result<DriveFormat> check_vhd(const Drive& file, ByteSpan footer) {
  switch (*vhd_kind(footer)) {
    case 3: return DriveFormat::vhdd;
    case 4: return refers(file, "another file that it builds on");
    default: return fail(ErrorCode::corrupt, fmt::format("{} is a VHD of a kind that there is not", printable(file.info().path)));
  }
}

// The size of the drive if the file ends in the footer of a fixed VHD. The sum is over all bytes but its own four, inverted.
std::optional<std::uint64_t> fixed_vhd_bytes(ByteSpan footer, std::uint64_t before) {
  if (vhd_kind(footer) != 2U) return std::nullopt;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < footer.size(); ++i)
    if (i < 64 || i >= 68) sum += std::to_integer<std::uint32_t>(footer[i]);
  const std::uint64_t size = round_down(be(footer, 48, 8), kSector);
  if (~sum != be(footer, 64, 4) || size == 0 || size > before) return std::nullopt;
  return size;
}

// By the first sector; nothing if it is none.
Result<std::optional<DriveFormat>> format_of_head(Drive& file, ByteSpan head) {
  if (has(head, 0, "QFI\xFB")) return TRY(check_qcow2(file, head));
  if (has(head, 0, "vhdxfile")) return DriveFormat::vhdx;  // one with a parent is refused by QEMU itself
  if (has(head, 0, "KDMV")) return TRY(check_vmdk(file, head));
  if (has(head, 0, "# Disk DescriptorFile")) return refers(file, "other files that hold its data");
  if (has(head, 64, "\x7F\x10\xDA\xBE")) return DriveFormat::vdi;
  if (vhd_kind(head)) return TRY(check_vhd(file, head));
  return std::nullopt;
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
  const std::string_view extension = extension_of(path);
  if (same_word(extension, "vhd") || same_word(extension, "vpc")) return DriveFormat::vhdd;
  for (const DriveFormat format : {DriveFormat::vmdk, DriveFormat::qcow2, DriveFormat::vhdx, DriveFormat::vdi})
    if (same_word(extension, to_string(format))) return format;
  return std::nullopt;
}

bool name_says_raw(const std::string& path) {
  const std::string_view extension = extension_of(path);
  return std::ranges::any_of(std::array{"raw", "img", "dd", "bin", "iso"}, [&](const char* each) { return same_word(extension, each); });
}

Result<void> check_new_name(const std::string& path, DriveFormat format) {
  const std::optional<DriveFormat> named = format_of_name(path);
  const auto family = [](DriveFormat each) { return each == DriveFormat::vhdf ? DriveFormat::vhdd : each == DriveFormat::vmdks ? DriveFormat::vmdk : each; };
  if (family(format) == named.value_or(DriveFormat::raw)) return {};
  if (named && format == DriveFormat::raw)
    return fail(ErrorCode::usage, fmt::format("{} would be a raw file with the name of a virtual drive", printable(path)), "give it a name that ends in .raw");
  const std::string word = format == DriveFormat::vhdf ? "vhd" : format == DriveFormat::vmdks ? "vmdk" : format == DriveFormat::vhdd ? "vhd" : to_string(format);
  const std::string taken_for = named ? fmt::format("a {}", to_string(*named)) : "a raw file";
  return fail(ErrorCode::usage, fmt::format("by its name {} would be taken for {}, and {} is asked for", printable(path), taken_for, to_string(format)),
              fmt::format("give it a name that ends in .{}", word));
}

Result<std::optional<DetectedFormat>> find_format(Drive& file) {
  std::array<std::byte, kSector> head{}, foot{};
  const std::uint64_t size = file.size_bytes();
  TRY(file.read(0, std::span(head).first(static_cast<std::size_t>(std::min<std::uint64_t>(size, head.size())))));
  if (size >= foot.size()) TRY(file.read(size - foot.size(), foot));
  const std::optional<std::uint64_t> fixed = size < foot.size() ? std::nullopt : fixed_vhd_bytes(foot, size - foot.size());
  const std::optional<DriveFormat> named = format_of_name(file.info().path);
  // The first sector of a fixed VHD is its guest's: what stands there says nothing.
  if (fixed && named == DriveFormat::vhdd) return DetectedFormat{DriveFormat::vhdf, *fixed};
  const std::optional<DriveFormat> by_head = TRY(format_of_head(file, head));
  // And the last sector of the others may be.
  if (fixed && by_head && by_head != named)
    return fail(ErrorCode::corrupt, fmt::format("{} could be a fixed VHD or {}", printable(file.info().path), to_string(*by_head)),
                fmt::format("give it a name that says so: .vhd or .{}", by_head == DriveFormat::vhdd ? "raw" : to_string(*by_head)));
  if (by_head) return DetectedFormat{*by_head, 0};
  if (fixed) return DetectedFormat{DriveFormat::vhdf, *fixed};
  return std::nullopt;
}

Result<DetectedFormat> detect_format(Drive& file) {
  if (const std::optional<DetectedFormat> found = TRY(find_format(file))) return *found;
  return fail(ErrorCode::corrupt, fmt::format("{} is none of the virtual drives that its name says", printable(file.info().path)),
              "if it is a raw drive file, give it a name that ends in .raw");
}

}  // namespace tintype
