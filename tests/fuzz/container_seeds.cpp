// SPDX-License-Identifier: GPL-3.0-or-later
// Writes the seeds of fuzz_container_image into a folder: small backups, taken apart into the pieces that the target puts together.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "drive/faulty_drive.h"
#include "image/reader.h"
#include "job/backup.h"
#include "layout/edit.h"
#include "layout/render.h"
#include "support/memory_place.h"

namespace {
using namespace tintype;

constexpr std::uint64_t kMiB = 1U << 20;

class NoEvents final : public Events {
  void stage(const std::string&, std::uint64_t) override {}
  void progress(const Progress&) override {}
  void message(const Message&) override {}
  Answer ask(const Question&) override { return Answer::abort; }
};

Result<std::shared_ptr<Drive>> bare(std::uint64_t size, std::uint32_t sector_bytes, std::size_t noise_bytes) {
  auto drive = make_memory_drive(size, sector_bytes);
  SeededRandom random(size);
  Bytes noise(noise_bytes);
  TRY(random.fill(noise));
  TRY(drive->write(sector_bytes, noise));
  return drive;
}

// One partition of 1 MiB with a little in it.
Result<std::shared_ptr<Drive>> partitioned() {
  constexpr std::uint64_t kSize = 3 * kMiB;
  auto drive = make_memory_drive(kSize);
  SeededRandom random(7);
  Layout layout = TRY(make_layout(TableKind::mbr, kSize / 512, 512, random));
  Partition wanted;
  wanted.mbr_type = 0x83;
  wanted.sector_count = kMiB / 512;
  layout = TRY(add_partition(layout, wanted, {}, random)).layout;
  const std::vector<TableSectors> tables = TRY(render_tables(layout, kSize / 512));
  for (const TableSectors& t : tables) TRY(drive->write(t.start_sector * 512, t.bytes));
  Bytes noise(2000);
  TRY(random.fill(noise));
  TRY(drive->write(layout.partitions[0].start_sector * 512, noise));
  return drive;
}

Result<void> save(const std::shared_ptr<Place>& place, const std::string& name, std::shared_ptr<Drive> drive, BackupRequest request) {
  NoEvents events;
  const CancelToken cancel;
  FixedClock clock{std::chrono::sys_seconds(std::chrono::seconds(1795439109))};
  SeededRandom random(name.size());
  JobContext context{events, cancel, clock, random, 1};
  request.layout = TRY(read_layout(*drive));
  request.drive = std::move(drive);
  request.place = place;
  request.image = name;
  TRY(run_backup(request, context));
  return {};
}

// What a delta takes from other chunks, if it is one: `moved` says whether its page gets some.
enum class MovedSeed { none, over_bases, alone };

Page with_moved(Page page, MovedSeed moved) {
  ChunkEntry& entry = page.entries[0];
  if (moved == MovedSeed::none || entry.bases.empty()) return page;
  entry.moved.push_back({0, {entry.bases[0]}, {{4096, 0, 4096}, {512, 8192, 512}}});
  if (moved == MovedSeed::alone) entry.bases.clear();
  return page;
}

Result<void> write_image(const std::string& path, const std::shared_ptr<ImageReader>& image, std::uint16_t mode,
                         MovedSeed moved = MovedSeed::none) {
  const Area& area = image->catalog().areas.front();
  const std::vector<PageRef> pages = TRY(image->directory(0, 0));
  const auto page = TRY(image->page(0, 0));
  if (!page) return fail(ErrorCode::usage, "nothing is saved of its beginning");
  Bytes chunk;
  TRY(ChunkReader(image).read(0, 0, chunk_extent(area.size_bytes, 0).length, page->entries[0], chunk));
  while (!chunk.empty() && chunk.back() == std::byte{0}) chunk.pop_back();
  const Bytes encoded = with_moved(*page, moved).encode(region_extent(area.size_bytes, 0));
  const std::array<Bytes, 4> pieces{image->catalog().encode(), encode_directory(pages), encoded, chunk};
  Bytes seed(10);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i].size() > 0xFFFF) return fail(ErrorCode::usage, "a piece is too large for a seed");
    store_le(seed, i * 2, static_cast<std::uint16_t>(pieces[i].size()));
    seed.insert(seed.end(), pieces[i].begin(), pieces[i].end());
  }
  store_le(seed, 8, mode);
  std::ofstream file(path, std::ios::binary);
  file.write(as_text(seed).data(), static_cast<std::streamsize>(seed.size()));
  return file.flush() ? Result<void>() : fail(ErrorCode::io, fmt::format("cannot write {}", path));
}

Result<void> write_seed(const std::string& path, std::shared_ptr<Drive> drive, std::uint16_t mode, const BackupRequest& request) {
  const auto place = std::make_shared<test::MemoryPlace>();
  TRY(save(place, "x", std::move(drive), request));
  const std::shared_ptr<ImageReader> image = TRY(ImageReader::open(place, "x", {}));
  return write_image(path, image, mode);
}

// A changes-only image of a drive to which `change` was written at `offset`.
Result<void> write_chain_seed(const std::string& path, const std::shared_ptr<Drive>& drive, std::uint64_t offset, ByteSpan change, std::uint16_t mode,
                              BackupRequest request, MovedSeed moved = MovedSeed::none) {
  const auto place = std::make_shared<test::MemoryPlace>();
  TRY(save(place, "base.tti", drive, request));
  TRY(drive->write(offset, change));
  const std::shared_ptr<ImageReader> base = TRY(ImageReader::open(place, "base.tti", {}));
  request.base = BackupBase{base, "base.tti", ""};
  TRY(save(place, "x", drive, request));
  const std::shared_ptr<ImageReader> image = TRY(ImageReader::open(place, "x", {}));
  return write_image(path, image, mode, moved);
}

Result<void> write_all(const std::string& folder) {
  BackupRequest raw;
  raw.raw = true;
  BackupRequest lossy = raw;
  lossy.allow_errors = true;
  const std::shared_ptr<Drive> small = TRY(bare(32 * 1024, 512, 3000)), large_sectors = TRY(bare(64 * 1024, 4096, 5000)),
                               two_chunks = TRY(bare(700 * 1024, 512, 2000)), mbr = TRY(partitioned());
  TRY(write_seed(folder + "/seed_plain", small, 0, raw));
  TRY(write_seed(folder + "/seed_encrypted", small, 1, raw));
  TRY(write_seed(folder + "/seed_split", small, 2, raw));
  TRY(write_seed(folder + "/seed_encrypted_split", large_sectors, 3, raw));
  TRY(write_seed(folder + "/seed_two_chunks", two_chunks, 0, raw));
  TRY(write_seed(folder + "/seed_drive_mbr", mbr, 0, {}));
  const std::shared_ptr<Drive> changing = TRY(bare(700 * 1024, 512, 5000));
  const Bytes change(100, std::byte{'c'}), zeros(100);
  TRY(write_chain_seed(folder + "/seed_delta", changing, 2000, change, 4, raw));
  TRY(write_chain_seed(folder + "/seed_delta_encrypted_split", changing, 3000, change, 7, raw));
  TRY(write_chain_seed(folder + "/seed_page_of_base", changing, 0, {}, 4, raw));
  TRY(changing->write(600 * 1024, change));
  TRY(write_chain_seed(folder + "/seed_chunk_of_base", changing, 600 * 1024, zeros, 4, raw));
  TRY(write_chain_seed(folder + "/seed_moved", changing, 4000, change, 4, raw, MovedSeed::over_bases));
  TRY(write_chain_seed(folder + "/seed_moved_alone", changing, 5000, change, 5, raw, MovedSeed::alone));
  return write_seed(folder + "/seed_unreadable", make_faulty_drive(small, {.read_bad = {{.range = {1024, 512}}}}), 0, lossy);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    fmt::print(stderr, "usage: fuzz_container_seeds FOLDER\n");
    return 2;
  }
  const Result<void> result = write_all(words[1]);
  if (!result) fmt::print(stderr, "{}\n", result.error().message());
  return result ? 0 : 1;
}
