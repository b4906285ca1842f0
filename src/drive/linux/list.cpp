// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>

#include "base/text.h"
#include "drive/linux/in_use.h"

namespace tintype {
namespace {

// Kinds of kernel names that are drives, in the order of their numbers.
constexpr std::array kPrefixes = {"hd", "sd", "vd", "xvd", "nvme", "mmcblk", "pmem", "nbd", "md", "dm-", "loop"};

struct Candidate {
  std::size_t kind = 0;
  std::string name;
};

// Parts of a name that compare naturally: sdz < sdaa, nvme2n1 < nvme10n1.
bool natural_less(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  std::size_t i = 0, j = 0;
  const auto part = [&](const std::string& text, std::size_t& at) {
    const std::size_t from = at;
    while (at < text.size() && digit(text[at]) == digit(text[from])) ++at;
    std::string out = text.substr(from, at - from);
    if (digit(out[0])) out.erase(0, std::min(out.find_first_not_of('0'), out.size() - 1));
    return out;
  };
  while (i < a.size() && j < b.size()) {
    const std::string x = part(a, i), y = part(b, j);
    if (x.size() != y.size()) return x.size() < y.size();
    if (x != y) return x < y;
  }
  return a.size() - i < b.size() - j;
}

std::optional<std::size_t> kind_of(const std::string& name) {
  for (std::size_t i = 0; i < kPrefixes.size(); ++i) {
    const std::string_view prefix = kPrefixes[i];
    if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
    const std::string_view rest = std::string_view(name).substr(prefix.size());
    const bool letters = prefix == "hd" || prefix == "sd" || prefix == "vd" || prefix == "xvd";
    if (std::isdigit(static_cast<unsigned char>(rest[0])) == 0 && !letters) continue;  // md_d0 and the like
    if (prefix == "mmcblk" && rest.find_first_not_of("0123456789") != std::string_view::npos) continue;  // boot0, rpmb
    return i;
  }
  return std::nullopt;
}

bool is_drive(const std::string& folder, const std::string& name) {
  if (read_attribute(folder + "/hidden") == "1") return false;  // a single path of a multipath NVMe drive
  if (read_number(folder + "/size").value_or(0) == 0) return false;
  if (name.starts_with("loop")) return !read_attribute(folder + "/loop/backing_file").empty();
  if (name.starts_with("dm-")) {
    const std::string uuid = read_attribute(folder + "/dm/uuid");
    return uuid.starts_with("mpath-") || uuid.starts_with("DMRAID-");
  }
  return true;
}

ListedDrive describe(const KernelPaths& paths, const KernelLists& lists, const std::string& name) {
  const std::string folder = paths.sys + "/block/" + name;
  ListedDrive drive;
  DriveInfo& info = drive.info;
  info.path = paths.dev + "/" + name;
  info.size_bytes = checked_mul(read_number(folder + "/size").value_or(0), 512).value_or(0);
  const auto sector = read_number(folder + "/queue/logical_block_size").value_or(512);
  info.logical_sector_bytes = std::has_single_bit(sector) && sector >= 512 && sector <= 65536 ? static_cast<std::uint32_t>(sector) : 512;
  const auto physical = read_number(folder + "/queue/physical_block_size").value_or(0);
  info.physical_sector_bytes = physical >= info.logical_sector_bytes && physical <= (1U << 30)
                                   ? static_cast<std::uint32_t>(physical)
                                   : info.logical_sector_bytes;
  info.read_only = read_attribute(folder + "/ro") == "1";
  DeviceIdentity identity = read_identity(folder);
  info.model = std::move(identity.model);
  info.serial = std::move(identity.serial);
  info.removable = identity.removable;
  drive.backing_file = read_attribute(folder + "/loop/backing_file");
  if (const dev_t device = parse_device_number(read_attribute(folder + "/dev")); device != 0)
    drive.uses = find_device_uses(paths, lists, device, info.size_bytes);
  return drive;
}

}  // namespace

Result<std::vector<ListedDrive>> list_drives(const KernelPaths& paths) {
  std::vector<Candidate> found;
  for (const std::string& name : entries_of(paths.sys + "/block"))
    if (const auto kind = kind_of(name); kind && is_drive(paths.sys + "/block/" + name, name)) found.push_back({*kind, name});
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    return a.kind != b.kind ? a.kind < b.kind : natural_less(a.name, b.name);
  });
  const KernelLists lists = read_kernel_lists(paths);
  std::vector<ListedDrive> drives;
  for (const Candidate& candidate : found) {
    drives.push_back(describe(paths, lists, candidate.name));
    drives.back().number = static_cast<unsigned>(drives.size() - 1);
  }
  return drives;
}

Result<std::vector<ListedDrive>> list_drives() { return list_drives(KernelPaths{}); }

std::vector<std::string> ListedDrive::mount_points() const {
  std::vector<std::string> points;
  for (const Use& use : uses)
    if (use.kind == Use::Kind::mount) points.push_back(use.mount_point);
  return points;
}

std::string ListedDrive::text() const {
  std::string text = fmt::format("drive {}: {}", number, info.path);
  if (!info.model.empty()) text += ", " + printable(info.model);
  if (!info.serial.empty()) text += fmt::format(" ({})", printable(info.serial));
  if (!backing_file.empty()) text += ", made of " + printable(backing_file);
  text += ", " + format_size(info.size_bytes);
  const char* lead = ", in use: ";
  for (const Use& use : uses) {
    text += lead + printable(use.text());
    lead = ", ";
  }
  return text;
}

}  // namespace tintype
