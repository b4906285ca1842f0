// SPDX-License-Identifier: GPL-3.0-or-later
// A hostile recovery file beside two small parts: finding it, checking, and repairing. The first byte says how much of the rest is
// the head; its checksum is put right, and it is put where all three heads belong, so that the fuzzer gets past them. What lies
// between is the rest of the input. A repair must never change a part unless it says so.
#include <array>
#include <cstdlib>
#include <iostream>

#include "job/repair.h"
#include "image/part_names.h"
#include "support/memory_place.h"

namespace {
using namespace tintype;

constexpr std::uint64_t kMostBytes = 8U << 20;

class NoEvents final : public Events {
  void stage(const std::string&, std::uint64_t) override {}
  void progress(const Progress&) override {}
  void message(const Message&) override {}
  Answer ask(const Question&) override { return Answer::abort; }
};

void must(bool holds, const char* what) {
  if (holds) return;
  std::cerr << what << "\n";
  std::abort();
}

Bytes part(std::uint32_t number, std::size_t bytes) {
  PartHeader header;
  header.part = number;
  const auto head = header.encode();
  Bytes out(head.begin(), head.end());
  out.resize(bytes, std::byte{0x33});
  return out;
}

// A head with a checksum that fits, whatever it says.
Bytes sealed(ByteSpan raw) {
  Bytes head(raw.begin(), raw.end());
  const std::size_t claimed = head.size() >= 16 ? std::min<std::size_t>(le32(head, 12), 4 * kMinParityHeadBytes) : 0;
  head.resize(std::max<std::size_t>(round_up(claimed, kMinParityHeadBytes), kMinParityHeadBytes));
  store_le(head, 0, std::uint64_t{0x1A0A0D5241505454});
  const BlockSum sum = block_sum(ByteSpan(head).first(head.size() - 16));
  std::copy(sum.begin(), sum.end(), head.end() - 16);
  return head;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  ByteSpan rest(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  const std::size_t head_bytes = std::min<std::size_t>(rest.size(), std::size_t{data[0]} + 1);
  const Bytes head = sealed(rest.first(head_bytes));
  rest = rest.subspan(head_bytes);
  Bytes file = head;
  const auto decoded = ParityHead::decode(head, "x");
  if (decoded) {
    // What a later minor version says besides does not come back.
    const auto again = ParityHead::decode(decoded->encode(), "x");
    must(again && again->encode() == decoded->encode(), "a head does not come back");
    must(le16(head, 10) != 0 || decoded->encode() == head, "a head comes back different");
    must(decoded->stripes <= kMaxStripes && decoded->stripe_blocks() <= kMaxStripeBlocks, "limits");
    must(decoded->heads_at()[2] < decoded->file_bytes(), "the heads leave the file");
    if (decoded->file_bytes() > kMostBytes || decoded->blocks > 4096) return 0;
    file.insert(file.end(), rest.begin(), rest.end());
    file.resize(static_cast<std::size_t>(decoded->file_bytes()));
    for (const std::uint64_t at : decoded->heads_at()) std::copy(head.begin(), head.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
  }
  const auto place = std::make_shared<test::MemoryPlace>();
  place->put("x", part(0, 9000));
  place->put("x.1", part(1, 5000));
  place->put("x.parity", file);
  NoEvents events;
  const CancelToken cancel;
  FixedClock clock{std::chrono::sys_seconds{}};
  SeededRandom random(1);
  JobContext context{events, cancel, clock, random, 1};
  const auto report = run_repair({place, "x", []() -> Result<bool> { return true; }}, context);
  const bool said = report && !report->found.parts_sound();
  must(said || (place->get("x") == part(0, 9000) && place->get("x.1") == part(1, 5000)), "a part was changed without a word");
  if (!report) return 0;
  const auto again = run_repair({place, "x", []() -> Result<bool> { return true; }}, context);
  must(again && again->repaired_files.empty(), "a repaired image is not whole");
  return 0;
}
