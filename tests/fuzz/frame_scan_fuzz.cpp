// SPDX-License-Identifier: GPL-3.0-or-later
// A part file of any bytes through the frame scanner, a whole salvage, and what a backup that is continued reads of it. Checksums of
// what begins like a header are made right first, so that the fuzzer gets past them.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "image/frame_scan.h"
#include "image/unfinished.h"
#include "job/salvage.h"
#include "job/salvage_report.h"
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

void mend(Bytes& file) {
  Bytes marker(kFrameHeaderBytes);
  FrameHeader{}.encode(marker);
  marker.resize(8);
  for (auto at = file.begin(); (at = std::search(at, file.end(), marker.begin(), marker.end())) != file.end(); ++at) {
    if (static_cast<std::size_t>(file.end() - at) < kFrameHeaderBytes) return;
    const std::span<std::byte> frame(at, file.end());
    const std::uint32_t stored = le32(frame, 12);
    if (stored <= frame.size() - kFrameHeaderBytes) store_le(frame, 48, frame_checksum(frame.subspan(kFrameHeaderBytes, stored)));
    store_le(frame, 56, frame_checksum(frame.first(56)));
  }
}

// What is found lies in the file and in order.
void scan(const std::shared_ptr<Place>& place) {
  const std::shared_ptr<ReadFile> file = *place->open("x.tti");
  FrameScanner scanner(file);
  FrameOpener opener(std::nullopt);
  Bytes content;
  std::uint64_t end = 0;
  while (const auto found = scanner.next()) {
    if (found->offset < end || found->end() > file->size()) std::abort();
    end = found->end();
    (void)scanner.open(*found, opener, kMaxRawBytes, content);
  }
}

// The same bytes behind a sound header, as what a backup that was cut off left.
void go_on(const Bytes& file) {
  const auto place = std::make_shared<test::MemoryPlace>();
  const auto header = PartHeader{}.encode();
  Bytes left(header.begin(), header.end());
  if (file.size() > kPartHeaderBytes) left.insert(left.end(), file.begin() + kPartHeaderBytes, file.end());
  place->put("x.tti.partial", left);
  const auto unfinished = Unfinished::open(place, "x.tti", {});
  if (!unfinished || !*unfinished) return;
  for (const Area& area : (*unfinished)->prologue().areas) {
    for (std::uint64_t chunk = 0; chunk < 4; ++chunk) (void)(*unfinished)->entry(area.number, chunk);
    (void)(*unfinished)->page(area.number, 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteSpan input(reinterpret_cast<const std::byte*>(data), size);
  Bytes file(input.begin(), input.end());
  mend(file);
  const auto place = std::make_shared<test::MemoryPlace>();
  place->put("x.tti", file);
  scan(place);
  go_on(file);
  SalvageRequest request;
  request.place = place;
  request.image = "x.tti";
  request.create = [](const std::string&, std::uint64_t bytes) -> Result<std::shared_ptr<Drive>> {
    if (bytes > kMostDriveBytes) return fail(ErrorCode::no_space, "too large");
    return make_memory_drive(bytes);
  };
  NoEvents events;
  const CancelToken cancel;
  FixedClock clock{std::chrono::sys_seconds{}};
  SeededRandom random(1);
  JobContext context{events, cancel, clock, random, 1};
  if (const auto report = run_salvage(request, context)) {
    (void)salvage_json(*report, "x.tti");
    (void)salvage_text(*report, "x.tti");
  }
  return 0;
}
