// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/sysfs.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "drive/linux/unique_fd.h"

namespace tintype {
namespace fs = std::filesystem;
namespace {

std::string trimmed(std::string text) {
  constexpr const char* kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// SCSI vital product data page 0x80 (SPC-4, 7.8.15): 4 bytes of header, the length in the last, then the serial number.
std::string serial_from_page_80(const std::string& page) {
  if (page.size() < 4) return {};
  const std::size_t length = static_cast<unsigned char>(page[3]);
  return trimmed(utf8_checked(as_bytes(std::string_view(page).substr(4, length))));
}

std::string read_raw(const std::string& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!fd) return text;
  std::array<char, 4096> buffer;
  while (text.size() < 64 * 1024) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace

std::string read_attribute(const std::string& file) { return trimmed(read_raw(file)); }

std::optional<std::uint64_t> read_number(const std::string& file) { return parse_number(read_attribute(file)); }

std::vector<std::string> entries_of(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
    names.push_back(it->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

DeviceIdentity read_identity(const std::string& sysfs_folder) {
  DeviceIdentity identity;
  if (sysfs_folder.empty()) return identity;
  fs::path folder = sysfs_folder;
  std::error_code ec;
  if (fs::exists(folder / "partition", ec)) folder = folder.parent_path();
  const auto text = [&](const char* name) {
    const std::string raw = read_attribute((folder / name).string());
    return trimmed(utf8_checked(as_bytes(raw)));
  };
  const auto first_of = [&](std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (std::string found = text(name); !found.empty()) return found;
    return std::string();
  };
  // device/model: SCSI, ATA, NVMe; device/name: MMC; dm and md have names of their own.
  identity.model = first_of({"device/model", "device/name", "dm/name"});
  const std::string vendor = text("device/vendor");
  // Virtio and PCI devices put a number there, not a name.
  if (!identity.model.empty() && !vendor.empty() && !vendor.starts_with("0x") && vendor != "ATA")
    identity.model = vendor + " " + identity.model;
  identity.serial = first_of({"device/serial", "serial"});
  if (identity.serial.empty()) identity.serial = serial_from_page_80(read_raw((folder / "device/vpd_pg80").string()));
  identity.removable = text("removable") == "1";
  return identity;
}

std::string sysfs_folder_of(const KernelPaths& paths, unsigned major, unsigned minor) {
  std::error_code ec;
  const fs::path folder = fs::canonical(fmt::format("{}/dev/block/{}:{}", paths.sys, major, minor), ec);
  return ec ? std::string() : folder.string();
}

}  // namespace tintype
