// SPDX-License-Identifier: GPL-3.0-or-later
// A whole small image through opening, validating, planning and restoring. The input is four lengths (u16) and the contents
// of catalog, directory, page and chunk; frames, checksums and hashes around them are made right, and the places that lead
// from one to the next too where the content lets that be done, so that the fuzzer gets to the end of the chain.
#include <cstdlib>
#include <iostream>

#include "image/reader.h"
#include "image/frame.h"
#include "job/restore.h"
#include "job/validate.h"
#include "support/memory_place.h"

namespace {
using namespace tintype;

constexpr std::uint64_t kMostDriveBytes = 64U << 20;

class NoEvents final : public Events {
  void stage(const std::string&, std::uint64_t) override {}
  void progress(const Progress&) override {}
  void message(const Message&) override {}
  Answer ask(const Question&) override { return Answer::abort; }
};

struct Builder {
  Bytes file;
  FrameSealer sealer = *FrameSealer::create(std::nullopt, 1);
  std::uint64_t counter = 0;

  FramePlace add(FrameType type, FrameAddress address, ByteSpan content) {
    Bytes buffer(frame_room(content.size()));
    const auto frame = sealer.seal(type, address, counter++, content, buffer);
    const FramePlace place{0, 0, file.size(), static_cast<std::uint32_t>(frame->size())};
    file.insert(file.end(), frame->begin(), frame->end());
    return place;
  }
};

Bytes build(ByteSpan catalog_bytes, ByteSpan directory_bytes, ByteSpan page_bytes, ByteSpan chunk_bytes) {
  Builder b;
  PartHeader header;
  const auto head = header.encode();
  b.file.assign(head.begin(), head.end());
  b.add(FrameType::prologue, {}, {});
  auto catalog = Catalog::decode(catalog_bytes, Catalog::Stage::prologue);
  if (!catalog) catalog = Catalog::decode(catalog_bytes);
  Bytes last(catalog_bytes.begin(), catalog_bytes.end());
  if (catalog && !catalog->areas.empty()) {
    Area& area = catalog->areas.front();
    Bytes content(chunk_bytes.begin(), chunk_bytes.end());
    content.resize(static_cast<std::size_t>(chunk_extent(area.size_bytes, 0).length));
    const FramePlace chunk = b.add(FrameType::chunk, {0, 0}, content);
    const Extent region = region_extent(area.size_bytes, 0);
    Bytes page_content(page_bytes.begin(), page_bytes.end());
    if (auto page = Page::decode(page_bytes, region); page && !page->entries.empty()) {
      page->entries[0].place = chunk;
      page->entries[0].hash = ChunkHasher().hash(content);
      page_content = page->encode(region);
    }
    PageRef ref{true, b.add(FrameType::page, {0, 0}, page_content), 0, sha256(page_content)};
    const std::uint64_t regions = region_count(area.size_bytes);
    area.directories.clear();
    for (std::uint64_t group = 0; group * kRegionsPerDirectory < std::min<std::uint64_t>(regions, 4 * kRegionsPerDirectory); ++group) {
      Bytes records(directory_bytes.begin(), directory_bytes.end());
      records.resize(64 * static_cast<std::size_t>(std::min<std::uint64_t>(kRegionsPerDirectory, regions - group * kRegionsPerDirectory)));
      if (group == 0 && !records.empty()) {
        const Bytes first = encode_directory(std::span(&ref, 1));
        std::copy(first.begin(), first.end(), records.begin());
      }
      area.directories.push_back({b.add(FrameType::directory, {0, group}, records), sha256(records)});
    }
    last = catalog->encode();
  }
  Trailer trailer;
  trailer.parts = 1;
  const std::size_t at = b.file.size();
  trailer.catalog = b.add(FrameType::catalog, {}, last);
  trailer.catalog_hash = sha256(ByteSpan(b.file).subspan(at));
  trailer.part_bytes = b.file.size() + kTrailerBytes;
  const auto end = trailer.encode();
  b.file.insert(b.file.end(), end.begin(), end.end());
  return std::move(b.file);
}

void restore(const std::shared_ptr<ImageReader>& image, JobContext& context) {
  const DriveInfo& source = image->catalog().source;
  if (source.size_bytes == 0 || source.size_bytes > kMostDriveBytes) return;
  const auto target = make_memory_drive(source.size_bytes, source.logical_sector_bytes);
  const auto before = read_layout(*target);
  if (!before) return;
  SeededRandom random(1);
  auto plan = plan_restore(image->catalog(), target->info(), *before, {}, {}, random);
  if (!plan) return;
  RestoreRequest request;
  request.image = image;
  request.target = target;
  request.plan = std::move(*plan);
  request.compare_after = true;
  (void)run_restore(request, context);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteSpan rest(reinterpret_cast<const std::byte*>(data), size);
  std::array<ByteSpan, 4> pieces;
  if (size < 8) return 0;
  const ByteSpan lengths = rest.first(8);
  rest = rest.subspan(8);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    pieces[i] = rest.first(std::min<std::size_t>(le16(lengths, i * 2), rest.size()));
    rest = rest.subspan(pieces[i].size());
  }
  const auto place = std::make_shared<test::MemoryPlace>();
  place->put("x", build(pieces[0], pieces[1], pieces[2], pieces[3]));
  const auto image = ImageReader::open(place, "x", {});
  if (!image) return 0;
  NoEvents events;
  const CancelToken cancel;
  FixedClock clock{std::chrono::sys_seconds{}};
  SeededRandom random(1);
  JobContext context{events, cancel, clock, random, 1};
  (void)run_validate(*image, context);
  restore(*image, context);
  return 0;
}
