// SPDX-License-Identifier: GPL-3.0-or-later
#include "naming/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "fs/filesystem.h"

namespace tintype {
namespace {

struct Found {
  std::string path;
  std::vector<std::uint32_t> partitions;
};

// The same words for every search over the machine's drives: what was looked for, the hits, and what could not be read.
class Search {
 public:
  Search(Machine& machine, std::string what) : machine_(machine), what_(std::move(what)) {}

  // Calls visit(listed drive, opened drive, layout) for each drive that can be read.
  template <class Visit>
  Result<void> each(Visit visit) {
    for (const ListedDrive& listed : TRY(machine_.drives())) {
      auto drive = machine_.open(listed.info.path, {});
      auto layout = drive ? read_layout(**drive) : Result<Layout>(std::unexpected(drive.error()));
      if (!layout) {
        unreadable_.push_back(layout.error());
        continue;
      }
      TRY(visit(listed, *drive, *layout));
    }
    return {};
  }

  void hit(Found found, std::string words) {
    hits_.push_back(std::move(found));
    words_.push_back(std::move(words));
  }

  Result<Found> result() {
    if (hits_.size() == 1) return std::move(hits_.front());
    if (hits_.size() > 1)
      return fail(ErrorCode::usage, fmt::format("{} is on more than one drive: {}", what_, joined(words_)), "name the drive by its number");
    if (!unreadable_.empty())
      return fail(std::move(make_error(unreadable_.front().code, fmt::format("{} was not found on the drives that can be read ({})", what_,
                                                                   unreadable_.front().what))).with_hint(unreadable_.front().hint));
    return fail(ErrorCode::not_found, fmt::format("{} is on no drive here", what_), "`tintype list` shows what there is");
  }

  static std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
  }

 private:
  Machine& machine_;
  std::string what_;
  std::vector<Found> hits_;
  std::vector<std::string> words_;
  std::vector<Error> unreadable_;
};

std::string place_words(const ListedDrive& listed, const std::string& id) { return fmt::format("{}@{} ({})", listed.number, id, listed.info.path); }

Result<Found> find_number(std::uint32_t number, Machine& machine) {
  const auto drives = TRY(machine.drives());
  if (number < drives.size()) return Found{drives[number].info.path, {}};
  const std::string there = drives.empty() ? "no drives" : drives.size() == 1 ? "only drive 0" : fmt::format("drives 0-{}", drives.size() - 1);
  return fail(ErrorCode::not_found, fmt::format("there is no drive {}", number), fmt::format("`tintype list` shows {}", there));
}

Result<Found> find_signature(const DriveName& name, Machine& machine) {
  const bool guid = name.kind == DriveName::Kind::guid;
  const std::string words = guid ? guid_to_string(name.guid) : fmt::format("{:08X}", name.signature);
  Search search(machine, "disk signature " + words);
  TRY(search.each([&](const ListedDrive& listed, const std::shared_ptr<Drive>&, const Layout& layout) -> Result<void> {
    const bool same = guid ? layout.disk_guid == name.guid : layout.kind != TableKind::none && layout.mbr_signature == name.signature;
    if (same) search.hit({listed.info.path, {}}, fmt::format("{} ({})", listed.number, listed.info.path));
    return {};
  }));
  return search.result();
}

std::vector<std::uint32_t> ids_of(const Layout& layout) {
  std::vector<std::uint32_t> ids;
  if (layout.kind == TableKind::none) ids.push_back(0);
  for (const Partition& partition : layout.partitions)
    if (!partition.extended) ids.push_back(partition.id);
  return ids;
}

std::string words_for(const Layout& layout, std::uint32_t id) {
  const Partition* partition = layout.find(id);
  return partition == nullptr ? fmt::format("{}", id) : partition->id_text(layout.kind);
}

bool same_ignoring_case(const std::string& a, const std::string& b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

// Exactly this label; only if there is none, one that differs in case (FAT stores upper case).
Result<Found> find_label(const std::string& label, Machine& machine) {
  const std::string what = fmt::format("a file system labelled '{}'", printable(label));
  Search exact(machine, what), similar(machine, what);
  bool any = false;
  TRY(exact.each([&](const ListedDrive& listed, const std::shared_ptr<Drive>& drive, const Layout& layout) -> Result<void> {
    for (const std::uint32_t id : ids_of(layout)) {
      const auto partition = open_partition(drive, layout, id);
      if (!partition) continue;
      const auto file_system = open_file_system(*partition);
      if (!file_system || !same_ignoring_case((*file_system)->info().label, label)) continue;
      const bool same = (*file_system)->info().label == label;
      any = any || same;
      (same ? exact : similar).hit({listed.info.path, {id}}, place_words(listed, words_for(layout, id)));
    }
    return {};
  }));
  auto second = similar.result();
  return !any && (second || second.error().code == ErrorCode::usage) ? std::move(second) : exact.result();
}

// "/dev/sda2" and "/dev/nvme0n1p2" are partitions of "/dev/sda" and "/dev/nvme0n1".
bool is_drive_or_partition(const std::string& device, const std::string& drive) {
  if (!device.starts_with(drive)) return false;
  std::string_view rest = std::string_view(device).substr(drive.size());
  if (rest.empty()) return true;
  if (rest.starts_with('p')) rest.remove_prefix(1);
  return !rest.empty() && std::ranges::all_of(rest, [](char c) { return c >= '0' && c <= '9'; });
}

Result<Found> find_mount_point(const std::string& point, Machine& machine) {
  bool built_on = false;
  for (const ListedDrive& listed : TRY(machine.drives())) {
    for (const Use& use : listed.uses) {
      if (use.kind != Use::Kind::mount || use.mount_point != point) continue;
      if (!is_drive_or_partition(use.device, listed.info.path)) {
        built_on = true;
        continue;
      }
      const auto drive = TRY(machine.open(listed.info.path, {}));
      const Layout layout = TRY(read_layout(*drive));
      if (layout.kind == TableKind::none) return Found{listed.info.path, {0}};
      for (const Partition& partition : layout.partitions)
        if (!partition.extended && checked_mul(partition.start_sector, layout.sector_bytes) == use.extent.start)
          return Found{listed.info.path, {partition.id}};
      return fail(ErrorCode::not_found, fmt::format("the partition table of {} has no partition where {} is mounted from", listed.info.path,
                                                    printable(point)),
                  "the system may still be using an older table");
    }
  }
  if (built_on)
    return fail(ErrorCode::unsupported, fmt::format("{} lies on a device that is built on other drives (LVM, encryption, RAID)", printable(point)),
                "name the drive or the device itself");
  return fail(ErrorCode::not_found, fmt::format("nothing is mounted on {} from a drive of this machine", printable(point)),
              "`tintype list` shows the mount points");
}

Result<Found> find_virtual(std::uint32_t number, Machine& machine) {
  const auto defined = machine.virtual_drives().find(number);
  if (defined != machine.virtual_drives().end()) return Found{defined->second.path, {}};
  return fail(ErrorCode::not_found, fmt::format("there is no virtual drive v{}", number),
              fmt::format("define it with --virtual-drive {}:FILE, or give the file's name as the drive", number));
}

Result<Found> find(const DriveName& name, Machine& machine, const ResolveOptions& options) {
  switch (name.kind) {
    case DriveName::Kind::number: return find_number(name.number, machine);
    case DriveName::Kind::path: return Found{name.word, {}};
    case DriveName::Kind::signature:
    case DriveName::Kind::guid: return find_signature(name, machine);
    case DriveName::Kind::image_signature: {
      if (options.image_signature.empty())
        return fail(ErrorCode::usage, "'#' alone means the signature in an image, and there is none here", "write #A1B2C3D4");
      DriveName stored = TRY(parse_drive_name("#" + options.image_signature, [](const std::string&) { return false; }));
      return find_signature(stored, machine);
    }
    case DriveName::Kind::mount_point: return find_mount_point(name.word, machine);
    case DriveName::Kind::label: return find_label(name.word, machine);
    case DriveName::Kind::letter:
      return fail(ErrorCode::unsupported, fmt::format("there are no drive letters on this system ('{}')", printable(name.text)),
                  "write ?/mountpoint or ?LABEL");
    case DriveName::Kind::virtual_drive: return find_virtual(name.number, machine);
  }
  return fail(ErrorCode::usage, "a drive name of no known kind");
}

Result<void> check_partition(const std::string& drive, const Layout& layout, std::uint32_t id) {
  if (layout.kind == TableKind::none) {
    if (id == 0) return {};
    return fail(ErrorCode::not_found, fmt::format("{} has no partition table, so there is no partition {}", drive, id),
                "leave out what follows '@' to mean all of it");
  }
  const Partition* partition = layout.find(id);
  std::vector<std::string> there;
  for (const std::uint32_t other : ids_of(layout)) there.push_back(words_for(layout, other));
  const std::string hint = there.empty() ? "it has none" : "there are " + Search::joined(there);
  if (partition == nullptr) {
    const std::string number = id > 9 && layout.kind == TableKind::mbr ? fmt::format("0x{:x}", id) : fmt::format("{}", id);
    return fail(ErrorCode::not_found, fmt::format("{} has no partition {}", drive, number), hint);
  }
  if (partition->extended)
    return fail(ErrorCode::usage, fmt::format("partition {} of {} is an extended partition", words_for(layout, id), drive),
                "name its volumes; " + hint);
  return {};
}

}  // namespace

Result<std::shared_ptr<Drive>> open_partition(const std::shared_ptr<Drive>& drive, const Layout& layout, std::uint32_t id) {
  TRY(check_partition(drive->info().path, layout, id));
  if (id == 0) return drive;
  const Partition& partition = *layout.find(id);
  const auto start = checked_mul(partition.start_sector, layout.sector_bytes);
  const auto length = checked_mul(partition.sector_count, layout.sector_bytes);
  const std::string name = fmt::format("{}@{}", drive->info().path, partition.id_text(layout.kind));
  if (!start || !length || !fits(*start, *length, drive->size_bytes()))
    return fail(ErrorCode::out_of_bounds, fmt::format("{} reaches beyond the end of the drive", name));
  return make_slice(drive, {*start, *length}, name);
}

Result<ResolvedDrive> resolve(const DriveName& name, Machine& machine, const ResolveOptions& options) {
  Found found = TRY(find(name, machine, options));
  ResolvedDrive resolved;
  OpenOptions open = options.open;
  resolved.drive = TRY(machine.open(found.path, open));
  if (open.sector_bytes == 0) {
    // Only a file leaves this open. It is closed first: two of us may not have it open for writing.
    open.sector_bytes = detect_sector_bytes(*resolved.drive);
    if (open.sector_bytes != resolved.drive->info().logical_sector_bytes) {
      resolved.drive.reset();
      resolved.drive = TRY(machine.open(found.path, open));
    }
  }
  resolved.layout = TRY(read_layout(*resolved.drive));
  resolved.partitions = name.partitions.empty() ? std::move(found.partitions) : name.partitions;
  for (const std::uint32_t id : resolved.partitions) TRY(check_partition(found.path, resolved.layout, id));
  if (auto drives = machine.drives())
    for (ListedDrive& listed : *drives)
      if (listed.info.path == found.path) resolved.listed = std::move(listed);
  return resolved;
}

Result<ResolvedDrive> resolve(const std::string& name, Machine& machine, const ResolveOptions& options) {
  return resolve(TRY(parse_drive_name(name)), machine, options);
}

}  // namespace tintype
