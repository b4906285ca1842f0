// SPDX-License-Identifier: GPL-3.0-or-later
// Writes tiny images of the current format version and their digests into a folder. Clock, chance and worker count are fixed,
// so that the same program writes the same bytes again. One reads real file systems: mkfs.fat must be installed.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "compat_image.h"
#include "drive/open.h"
#include "layout/edit.h"
#include "layout/render.h"
#include "support/fat_image.h"
#include "support/memory_place.h"

namespace {
using namespace tintype;

constexpr std::uint64_t kMiB = 1U << 20;

Result<void> fill(Drive& drive, std::uint64_t offset, std::size_t noise_bytes, std::uint64_t seed) {
  Bytes noise(noise_bytes);
  SeededRandom random(seed);
  TRY(random.fill(noise));
  return drive.write(offset, noise);
}

// A FAT file system made by mkfs.fat in a scratch file, copied to its place.
Result<void> add_fat(Drive& drive, std::uint64_t offset, std::uint64_t size, const std::string& label) {
  const std::string path = (std::filesystem::temp_directory_path() / "tintype-compat-fat").string();
  std::filesystem::remove(path);
  const auto file = TRY(create_raw_file(path, size));
  const std::string command = fmt::format("PATH=$PATH:/sbin:/usr/sbin mkfs.fat --invariant -n {} '{}' >/dev/null", label, path);
  if (std::system(command.c_str()) != 0) return fail(ErrorCode::io, "mkfs.fat failed");
  Bytes all(static_cast<std::size_t>(size));
  TRY(file->read(0, all));
  std::filesystem::remove(path);
  return drive.write(offset, all);
}

Result<std::shared_ptr<Drive>> partitioned() {
  constexpr std::uint64_t kSize = 8 * kMiB;
  auto drive = make_memory_drive(kSize);
  SeededRandom random(7);
  Layout layout = TRY(make_layout(TableKind::mbr, kSize / 512, 512, random));
  for (const std::uint64_t mib : {3, 2}) {
    Partition wanted;
    wanted.mbr_type = 0x06;
    wanted.sector_count = mib * kMiB / 512;
    layout = TRY(add_partition(layout, wanted, {}, random)).layout;
  }
  const std::vector<TableSectors> tables = TRY(render_tables(layout, kSize / 512));
  for (const TableSectors& t : tables) TRY(drive->write(t.start_sector * 512, t.bytes));
  TRY(add_fat(*drive, layout.partitions[0].start_sector * 512, 3 * kMiB, "FIRST"));
  TRY(add_fat(*drive, layout.partitions[1].start_sector * 512, 2 * kMiB, "SECOND"));
  return drive;
}

// `seed`: of what is random in the image. The images of a chain must not have the same.
Result<BackupReport> save(const std::shared_ptr<Place>& place, const std::string& name, const std::shared_ptr<Drive>& drive, BackupRequest request,
                          std::uint64_t seed) {
  compat::NoEvents events;
  const CancelToken cancel;
  FixedClock clock{std::chrono::sys_seconds(std::chrono::seconds(1795439109))};
  SeededRandom random(seed);
  JobContext context{events, cancel, clock, random, 1};
  request.layout = TRY(read_layout(*drive));
  request.drive = drive;
  request.place = place;
  request.image = name + ".tti";
  request.program = "tintype";
  request.host = "compat";
  return run_backup(request, context);
}

Result<void> list(const std::string& name, Drive& drive) {
  const std::string digest = TRY(compat::drive_digest(drive));
  fmt::print("{} {} {}\n", name, drive.size_bytes(), digest);
  return {};
}

Result<void> make(const std::string& folder, const std::string& name, const std::shared_ptr<Drive>& drive, BackupRequest request,
                  std::uint64_t seed = 11) {
  const std::shared_ptr<Place> place = TRY(open_local_place(folder));
  TRY(save(place, name, drive, std::move(request), seed));
  return list(name, *drive);
}

// A full image, a differential with deltas against it, an incremental with deltas against those and a chunk of its own.
Result<void> make_chain(const std::string& folder, const std::string& name, const BackupRequest& plain) {
  const std::shared_ptr<Place> place = TRY(open_local_place(folder));
  auto drive = make_memory_drive(3 * kMiB);
  TRY(fill(*drive, 1000, 5000, 5));
  TRY(fill(*drive, kMiB, 3000, 6));
  const PasswordSource password = []() -> Result<std::string> { return compat::kPassword; };
  std::string base;
  for (const std::string kind : {"full", "differential", "incremental"}) {
    BackupRequest request = plain;
    if (!base.empty()) {
      TRY(fill(*drive, 2000, 100, base.size()));
      const std::shared_ptr<ImageReader> image = TRY(ImageReader::open(place, base + ".tti", password));
      request.base = BackupBase{image, base + ".tti", ""};
    }
    if (kind == "incremental") TRY(fill(*drive, 2 * kMiB, 1000, 7));
    base = name + "-" + kind;
    TRY(make(folder, base, drive, request, 20 + base.size()));
  }
  return {};
}

// A full image of a file system, and one of it when half of its data has moved, beside something new.
Result<void> make_moved(const std::string& folder, const std::string& name) {
  constexpr std::uint64_t kSize = 6 * kMiB;
  const std::shared_ptr<Place> place = TRY(open_local_place(folder));
  auto drive = make_memory_drive(kSize);
  SeededRandom random(7);
  Layout layout = TRY(make_layout(TableKind::mbr, kSize / 512, 512, random));
  Partition wanted;
  wanted.mbr_type = 0x01;
  wanted.sector_count = 4 * kMiB / 512;
  layout = TRY(add_partition(layout, wanted, {}, random)).layout;
  const std::vector<TableSectors> tables = TRY(render_tables(layout, kSize / 512));
  for (const TableSectors& t : tables) TRY(drive->write(t.start_sector * 512, t.bytes));
  const std::uint64_t start = layout.partitions[0].start_sector * 512;
  test::FatImage fat({.bits = 12, .clusters = 900, .cluster_sectors = 8, .with_data = false});
  const auto use = [&](std::uint32_t first, std::uint32_t count, std::uint32_t value) {
    for (std::uint32_t i = 0; i < count; ++i) fat.set_entry(first + i, value);
    return drive->write(start, fat.bytes());
  };
  TRY(use(10, 6, fat.end_mark()));
  TRY(fill(*drive, start + fat.extent_of(10).start, 6 * 4096, 9));
  TRY(make(folder, name + "-full", drive, {}, 61));
  // Three clusters to where nothing was, and two within reach of what stays.
  for (const auto& [from, to, count] : {std::array<std::uint32_t, 3>{11, 600, 3}, std::array<std::uint32_t, 3>{14, 300, 2}}) {
    Bytes data(std::size_t{count} * 4096);
    TRY(drive->read(start + fat.extent_of(from).start, data));
    TRY(drive->zero(start + fat.extent_of(from).start, data.size()));
    TRY(drive->write(start + fat.extent_of(to).start, data));
    TRY(use(from, count, 0));
    TRY(use(to, count, fat.end_mark()));
  }
  TRY(use(605, 1, fat.end_mark()));
  TRY(fill(*drive, start + fat.extent_of(605).start, 1000, 10));
  BackupRequest request;
  request.base = BackupBase{TRY(ImageReader::open(place, name + "-full.tti", {})), name + "-full.tti", ""};
  return make(folder, name + "-differential", drive, request, 62);
}

// Cut off at the first step that leaves something to go on with, and continued when a chunk that was saved has changed.
Result<void> make_continued(const std::string& folder, const std::string& name) {
  for (std::uint64_t step = 2;; ++step) {
    auto drive = make_memory_drive(3 * kMiB);
    for (std::uint64_t chunk = 0; chunk < 6; ++chunk) TRY(fill(*drive, chunk * kMiB / 2 + 4096, 1200, 30 + chunk));
    auto place = std::make_shared<test::MemoryPlace>();
    BackupRequest request;
    place->faults.stop_at = step;
    if (save(place, name, drive, request, 51)) return fail(ErrorCode::usage, "the backup could not be cut off");
    place->faults = {};
    place = place->copy();
    TRY(fill(*drive, 4096, 100, 40));
    request.resume = true;
    const BackupReport report = TRY(save(place, name, drive, request, 52));
    if (report.continued_bytes == 0) continue;
    const Bytes image = place->get(name + ".tti");
    std::ofstream file(std::filesystem::path(folder) / (name + ".tti"), std::ios::binary);
    file.write(as_text(image).data(), static_cast<std::streamsize>(image.size()));
    if (!file.flush()) return fail(ErrorCode::io, "cannot write into the folder");
    return list(name, *drive);
  }
}

Result<void> make_all(const std::string& folder) {
  BackupRequest plain;
  plain.description = "two FAT file systems";
  const std::shared_ptr<Drive> two = TRY(partitioned());
  TRY(make(folder, "mbr", two, plain));
  BackupRequest secret;
  secret.password = compat::kPassword;
  secret.encrypt = true;
  auto drive = make_memory_drive(2 * kMiB);
  TRY(fill(*drive, 1000, 9000, 1));
  TRY(make(folder, "encrypted", drive, secret));
  BackupRequest checked;
  checked.password = compat::kPassword;
  TRY(make(folder, "password", drive, checked));
  BackupRequest raw;
  raw.raw = true;
  raw.compression = 10;
  drive = make_memory_drive(3 * kMiB + 512, 512);
  TRY(fill(*drive, kMiB - 100, 3000, 2));
  TRY(fill(*drive, 3 * kMiB, 512, 3));
  TRY(make(folder, "raw", drive, raw));
  raw.compression = 0;
  drive = make_memory_drive(32 * 1024, 4096);
  TRY(fill(*drive, 0, 9000, 4));
  TRY(make(folder, "stored4k", drive, raw));
  TRY(make_chain(folder, "chain", {}));
  TRY(make_chain(folder, "secret-chain", secret));
  TRY(make_continued(folder, "continued"));
  TRY(make_moved(folder, "moved"));
  BackupRequest recoverable;
  recoverable.parity_percent = 1;
  drive = make_memory_drive(2 * kMiB);
  TRY(fill(*drive, kMiB, 4000, 8));
  return make(folder, "recoverable", drive, recoverable);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    fmt::print(stderr, "usage: compat_make_images FOLDER > FOLDER/digests\n");
    return 2;
  }
  const Result<void> result = make_all(words[1]);
  if (!result) fmt::print(stderr, "{}\n", result.error().message());
  return result ? 0 : 1;
}
