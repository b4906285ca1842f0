// SPDX-License-Identifier: GPL-3.0-or-later
// A walk over devices from the drive outwards: partitions, loop devices, holders. Each step carries which bytes of the drive the
// device covers, so that "who uses it" comes with "which part".
#include "drive/linux/in_use.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/bytes.h"
#include "drive/linux/unique_fd.h"

namespace tintype {
namespace {

constexpr std::uint64_t kSysfsSector = 512;  // unit of "start" and "size" whatever the device's sectors are
constexpr std::size_t kMaxSteps = 4096;      // devices in one walk; more means a loop of our making

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

Extent clip(Extent part, Extent whole) {
  const std::uint64_t start = std::min(part.start, whole.end());
  return {start, std::min(part.length, whole.end() - start)};
}

class Walk {
 public:
  Walk(const KernelPaths& paths, const KernelLists& lists) : paths_(paths), lists_(lists) {}

  void from_device(dev_t device, std::uint64_t size_bytes) {
    queue_.push_back({device, {0, size_bytes}, true});
    // A partition is also used by what uses the whole device around its table.
    const std::string folder = folder_of(device);
    std::error_code ec;
    if (std::filesystem::exists(folder + "/partition", ec)) {
      const dev_t whole = parse_device_number(read_attribute(folder + "/../dev"));
      if (whole != 0) look_at({whole, {0, size_bytes}, false}, folder + "/..");
    }
    run();
  }

  void from_file(const struct stat& file, const std::string& path) {
    const Extent all{0, static_cast<std::uint64_t>(file.st_size)};
    for (const std::string& swap : lists_.swaps)
      if (struct stat st{}; ::stat(swap.c_str(), &st) == 0 && same_file(st, file))
        uses.push_back({.kind = Use::Kind::swap, .device = path, .extent = all});
    push_loops(all, true, [&](const struct stat& st) { return S_ISREG(st.st_mode) && same_file(st, file); });
    run();
  }

  std::vector<Use> uses;

 private:
  struct Step {
    dev_t device;
    Extent extent;        // of the drive
    bool mapped = false;  // positions in the device are extent.start + position
  };

  std::string folder_of(dev_t device) const { return sysfs_folder_of(paths_, major(device), minor(device)); }
  static std::string node_of(const std::string& folder) {
    return "/dev/" + std::filesystem::weakly_canonical(folder).filename().string();
  }

  void run() {
    for (std::size_t i = 0; i < queue_.size() && i < kMaxSteps; ++i) {
      const Step step = queue_[i];
      if (!seen_.insert({step.device, step.extent.start}).second) continue;
      const std::string folder = folder_of(step.device);
      look_at(step, folder);
      if (!folder.empty()) push_partitions(step, folder);
    }
  }

  // What uses this very device; what is built on it is queued.
  void look_at(const Step& step, const std::string& folder) {
    const std::string node = folder.empty() ? fmt::format("device {}:{}", major(step.device), minor(step.device)) : node_of(folder);
    for (const MountLine& mount : lists_.mounts)
      if (std::find(mount.devices.begin(), mount.devices.end(), step.device) != mount.devices.end())
        uses.push_back({.kind = Use::Kind::mount, .device = node, .mount_point = mount.mount_point,
                        .read_only = mount.read_only, .extent = step.extent, .file_system_id = mount.file_system_id});
    for (const std::string& swap : lists_.swaps)
      if (struct stat st{}; ::stat(swap.c_str(), &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == step.device)
        uses.push_back({.kind = Use::Kind::swap, .device = node, .extent = step.extent});
    push_loops(step.extent, step.mapped,
               [&](const struct stat& st) { return S_ISBLK(st.st_mode) && st.st_rdev == step.device; });
    if (folder.empty()) return;
    for (const std::string& holder : entries_of(folder + "/holders")) {
      const std::string holder_folder = paths_.sys + "/block/" + holder;
      uses.push_back({.kind = Use::Kind::holder, .device = "/dev/" + holder,
                      .read_only = read_attribute(holder_folder + "/ro") == "1", .extent = step.extent});
      if (const dev_t number = parse_device_number(read_attribute(holder_folder + "/dev")); number != 0)
        queue_.push_back({number, step.extent, false});
    }
  }

  template <class Matches>
  void push_loops(Extent extent, bool mapped, Matches matches) {
    for (const LoopLine& loop : lists_.loops) {
      struct stat st{};
      if (::stat(loop.backing_file.c_str(), &st) != 0 || !matches(st)) continue;
      const std::string folder = paths_.sys + "/block/" + loop.name;
      Extent part = extent;
      if (mapped) {
        part.start = checked_add(extent.start, loop.offset_bytes).value_or(extent.end());
        part.length = loop.size_limit_bytes != 0 ? loop.size_limit_bytes : extent.length;
        part = clip(part, extent);
      }
      uses.push_back({.kind = Use::Kind::loop, .device = "/dev/" + loop.name,
                      .read_only = read_attribute(folder + "/ro") == "1", .extent = part});
      if (const dev_t number = parse_device_number(read_attribute(folder + "/dev")); number != 0)
        queue_.push_back({number, part, mapped});
    }
  }

  void push_partitions(const Step& step, const std::string& folder) {
    for (const std::string& name : entries_of(folder)) {
      const std::string part = folder + "/" + name;
      const auto number = read_number(part + "/partition");
      const dev_t device = number ? parse_device_number(read_attribute(part + "/dev")) : 0;
      if (device == 0) continue;
      Extent extent = step.extent;
      const auto start = checked_mul(read_number(part + "/start").value_or(0), kSysfsSector);
      const auto length = checked_mul(read_number(part + "/size").value_or(0), kSysfsSector);
      if (step.mapped && start && length)
        extent = clip({checked_add(extent.start, *start).value_or(extent.end()), *length}, extent);
      queue_.push_back({device, extent, step.mapped});
    }
  }

  const KernelPaths& paths_;
  const KernelLists& lists_;
  std::vector<Step> queue_;
  std::set<std::pair<dev_t, std::uint64_t>> seen_;
};

Result<std::uint64_t> device_size(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::uint64_t size = 0;
  if (!fd || ::ioctl(fd.get(), BLKGETSIZE64, &size) != 0)
    return fail(os_error(errno, fmt::format("cannot find the size of {}", path)));
  return size;
}

}  // namespace

KernelLists read_kernel_lists(const KernelPaths& paths) {
  return {.mounts = read_mounts(paths), .swaps = read_swaps(paths), .loops = read_loops(paths)};
}

std::vector<Use> find_device_uses(const KernelPaths& paths, const KernelLists& lists, dev_t device,
                                  std::uint64_t size_bytes) {
  Walk walk(paths, lists);
  walk.from_device(device, size_bytes);
  return std::move(walk.uses);
}

Result<std::vector<Use>> find_uses(const std::string& drive_path) {
  struct stat st{};
  if (::stat(drive_path.c_str(), &st) != 0) return fail(os_error(errno, fmt::format("cannot examine {}", drive_path)));
  const KernelPaths paths;
  const KernelLists lists = read_kernel_lists(paths);
  if (S_ISBLK(st.st_mode)) return find_device_uses(paths, lists, st.st_rdev, TRY(device_size(drive_path)));
  Walk walk(paths, lists);
  if (S_ISREG(st.st_mode)) walk.from_file(st, drive_path);
  return std::move(walk.uses);
}

Result<Location> location_of(const std::string& drive_path) {
  const KernelPaths paths;
  struct stat st{};
  std::string path = drive_path;
  std::optional<Extent> extent;  // of the object reached so far
  for (int step = 0; step < 16; ++step) {
    if (::stat(path.c_str(), &st) != 0) return fail(os_error(errno, fmt::format("cannot examine {}", path)));
    if (S_ISREG(st.st_mode)) {
      if (!extent) extent = Extent{0, static_cast<std::uint64_t>(st.st_size)};
      return Location{fmt::format("file {}:{}", st.st_dev, st.st_ino), *extent};
    }
    if (!S_ISBLK(st.st_mode)) return fail(ErrorCode::usage, fmt::format("{} is neither a file nor a block device", path));
    if (!extent) extent = Extent{0, TRY(device_size(path))};
    std::string folder = sysfs_folder_of(paths, major(st.st_rdev), minor(st.st_rdev));
    dev_t device = st.st_rdev;
    if (read_number(folder + "/partition")) {
      extent->start += read_number(folder + "/start").value_or(0) * kSysfsSector;
      folder = std::filesystem::path(folder).parent_path().string();
      device = parse_device_number(read_attribute(folder + "/dev"));
    }
    const std::string backing = read_attribute(folder + "/loop/backing_file");
    if (folder.empty() || backing.empty() || ::access(backing.c_str(), F_OK) != 0)
      return Location{fmt::format("device {}:{}", major(device), minor(device)), *extent};
    extent->start += read_number(folder + "/loop/offset").value_or(0);
    path = backing;
  }
  return fail(ErrorCode::unsupported, fmt::format("{} is built on too many loop devices", drive_path));
}

bool holds_file(const Use& use, const std::string& file) {
  struct stat st{};
  if (use.kind != Use::Kind::mount) return false;
  if (::stat(file.c_str(), &st) == 0) return st.st_dev == use.file_system_id;
  const std::string folder = std::filesystem::absolute(file).parent_path().string();
  return ::stat(folder.c_str(), &st) == 0 && st.st_dev == use.file_system_id;
}

std::string Use::text() const {
  switch (kind) {
    case Kind::mount: return fmt::format("{} is mounted on {}{}", device, mount_point, read_only ? " (read-only)" : "");
    case Kind::swap: return fmt::format("{} is swap space", device);
    case Kind::loop: return fmt::format("{} is a loop device made of it", device);
    case Kind::holder: return fmt::format("{} is built on it", device);
  }
  return device;
}

}  // namespace tintype
