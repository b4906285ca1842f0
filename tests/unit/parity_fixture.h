// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>
#include <map>
#include <random>

#include "image/part_names.h"
#include "image_fixture.h"
#include "job/repair.h"
#include "support/memory_place.h"

namespace tintype::test {

using Files = std::map<std::string, Bytes>;

inline Files files_of(const MemoryPlace& place) {
  Files files;
  for (const std::string& name : place.names()) files[name] = place.get(name);
  return files;
}

// A made-up set of parts with its recovery file, and the ways to damage it. The first part has a real header, so that the set
// is recognised; the rest is noise.
class ParityLab {
 public:
  ParityLab(std::vector<std::uint64_t> part_bytes, std::uint32_t share, std::uint64_t seed = 1) : random(seed) {
    SeededRandom noise(seed);
    EXPECT_TRUE(noise.fill(id));
    for (std::uint32_t i = 0; i < part_bytes.size(); ++i) {
      PartHeader header;
      header.set_id = id;
      header.part = i;
      Bytes bytes(static_cast<std::size_t>(part_bytes[i]));
      EXPECT_TRUE(noise.fill(bytes));
      const auto start = header.encode();
      std::copy(start.begin(), start.end(), bytes.begin());
      place->put(part_name("pc.tti", i), bytes);
    }
    head = ParityHead::plan(id, std::move(part_bytes), share);
    PartRow row = parts_beside(place, "pc.tti", head);
    JobContext run = context();
    const auto made = write_parity(*place, "pc.tti.parity", head, row, run, append);
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    EXPECT_EQ(place->get("pc.tti.parity").size(), head.file_bytes());
    whole = files_of(*place);
  }

  static Result<void> append(AppendFile& file, ByteSpan bytes) {
    const std::array<ByteSpan, 1> pieces = {bytes};
    return file.append(pieces);
  }
  JobContext context(unsigned workers = 2) { return {events, cancel, clock, chance, workers}; }

  void reset() {
    place = std::make_shared<MemoryPlace>();
    for (const auto& [name, bytes] : whole) place->put(name, bytes);
  }
  void spoil(const std::string& name, std::uint64_t at, std::uint64_t length) {
    Bytes bytes = place->get(name);
    for (std::uint64_t i = at; i < std::min<std::uint64_t>(at + length, bytes.size()); ++i) bytes[static_cast<std::size_t>(i)] ^= std::byte{0x5A};
    place->put(name, bytes);
  }
  // Of the row of all parts.
  void spoil_row(std::uint64_t at, std::uint64_t length) {
    std::uint64_t start = 0;
    for (std::uint32_t i = 0; i < head.part_bytes.size(); start += head.part_bytes[i++]) {
      const std::uint64_t from = std::max(at, start), to = std::min(at + length, start + head.part_bytes[i]);
      if (from < to) spoil(part_name("pc.tti", i), from - start, to - from);
    }
  }
  void spoil_block(std::uint64_t block) {
    const std::uint64_t at = block * head.block_bytes;
    spoil_row(at + random() % std::min<std::uint64_t>(head.block_bytes, head.set_bytes - at), 1);
  }
  void spoil_parity(std::uint64_t stripe, std::uint32_t p) {
    const ParityGroup group = head.group(stripe / head.group_stripes);
    spoil("pc.tti.parity", head.parity_at(group) + ((stripe - group.first_stripe) * head.parity_blocks + p) * head.block_bytes, 10);
  }

  Result<ParityReport> check(bool data = true) {
    const auto found = find_parity(*place, "pc.tti");
    if (!found) return fail(found.error());
    if (found->state != FoundParity::State::there) return fail(ErrorCode::not_found, found->why);
    PartRow row = parts_beside(place, "pc.tti", found->file->head());
    JobContext run = context();
    return check_parity(*found->file, row, *place, "pc.tti", data, run);
  }
  Result<RepairReport> repair(const std::function<Result<bool>()>& sound = {}) {
    JobContext run = context();
    return run_repair({place, "pc.tti", sound}, run);
  }
  // Repaired, and all is as it was.
  void expect_repaired(const std::string& when) {
    const auto found = check();
    ASSERT_TRUE(found) << when << ": " << found.error().message();
    EXPECT_TRUE(found->repairable()) << when;
    const auto report = repair();
    ASSERT_TRUE(report) << when << ": " << report.error().message();
    expect_whole(when);
  }
  void expect_whole(const std::string& when) {
    const Files now = files_of(*place);
    ASSERT_EQ(place->names().size(), whole.size()) << when << ": " << ::testing::PrintToString(place->names());
    for (const auto& [name, bytes] : whole) EXPECT_TRUE(now.contains(name) && now.at(name) == bytes) << when << ": " << name;
  }

  std::mt19937_64 random;
  QuietEvents events;
  CancelToken cancel;
  FixedClock clock{std::chrono::sys_seconds(std::chrono::seconds(1795439109))};
  SeededRandom chance{7};
  SetId id{};
  std::shared_ptr<MemoryPlace> place = std::make_shared<MemoryPlace>();
  ParityHead head;
  Files whole;
};

}  // namespace tintype::test
