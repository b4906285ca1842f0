// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>

#include "fs/probe.h"

namespace tintype::fuzz {

inline void must(bool holds, const char* what) {
  if (holds) return;
  std::cerr << what << "\n";
  std::abort();
}

// Reads only, and not without end: a parser that a hostile image sends in circles ends in an abort.
class CountingDrive final : public Drive {
 public:
  explicit CountingDrive(std::shared_ptr<Drive> inner) : inner_(std::move(inner)) {}
  const DriveInfo& info() const override { return inner_->info(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    must(++reads_ < 200000, "too many reads");
    return inner_->read(offset, out);
  }
  Result<void> write(std::uint64_t, ByteSpan) override { std::abort(); }
  Result<void> zero(std::uint64_t, std::uint64_t) override { std::abort(); }
  Result<void> flush() override { return {}; }

 private:
  std::shared_ptr<Drive> inner_;
  std::uint64_t reads_ = 0;
};

// The bytes at the start of a partition of at least 1 MiB, through one probe; what it promises is checked.
inline void run_probe(Probe probe, const std::uint8_t* data, std::size_t size) {
  const std::uint64_t partition_bytes = std::max<std::uint64_t>(size, 1U << 20);
  auto memory = make_memory_drive(partition_bytes);
  if (size != 0) must(memory->write(0, {reinterpret_cast<const std::byte*>(data), size}).has_value(), "memory drive");
  const auto opened = probe(std::make_shared<CountingDrive>(memory));
  must(opened.has_value(), "a probe fails although every read succeeds");
  if (*opened == nullptr) return;
  FileSystem& fs = **opened;
  auto stream = fs.used_map();
  must(stream.has_value(), "no used map");
  const auto map = collect(**stream);
  must(map.has_value(), "a map that was read through once fails");
  must(map->end() <= partition_bytes, "the map leaves the partition");
  must(map->end() == fs.info().last_used_byte, "last_used_byte is not the map's end");
  if (!fs.info().used_map_known) must(map->total_bytes() == partition_bytes, "not known, but not everything");
  const auto files = fs.left_out_files();
  if (!files) return;
  for (const LeftOutFile& file : *files)
    for (const Extent& extent : file.extents.items())
      must(map->clipped(extent).total_bytes() == extent.length, "a left-out file is outside the map");
}

}  // namespace tintype::fuzz
