// SPDX-License-Identifier: GPL-3.0-or-later
// The scanner finds every frame whose bytes are there, whatever lies around it.
#include <gtest/gtest.h>

#include "base/environment.h"
#include "image/frame_scan.h"
#include "support/memory_place.h"

namespace tintype {
namespace {

class FrameScan : public ::testing::Test {
 protected:
  Bytes frame(std::uint64_t number, std::size_t bytes, ByteSpan content = {}) {
    Bytes noise(bytes);
    EXPECT_TRUE(random_.fill(noise));
    if (!content.empty()) noise.assign(content.begin(), content.end());
    Bytes buffer(frame_room(noise.size()));
    const ByteSpan sealed = *sealer_.seal(FrameType::chunk, {0, number}, number, noise, buffer);
    return {sealed.begin(), sealed.end()};
  }

  static void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

  // Numbers of the sound frames, in order.
  static std::vector<std::uint64_t> scan(const Bytes& file) {
    auto place = std::make_shared<test::MemoryPlace>();
    place->put("x", file);
    FrameScanner scanner(std::shared_ptr<ReadFile>(*place->open("x")));
    FrameOpener opener(std::nullopt);
    std::vector<std::uint64_t> out;
    Bytes content;
    while (const auto found = scanner.next()) {
      EXPECT_LE(found->end(), file.size());
      if (const auto opened = scanner.open(*found, opener, kMaxRawBytes, content)) out.push_back(opened->address.number);
    }
    return out;
  }

  SeededRandom random_{5};
  FrameSealer sealer_ = *FrameSealer::create(std::nullopt, 0);
};

using Numbers = std::vector<std::uint64_t>;

TEST_F(FrameScan, FindsAllInASoundFileAndNothingInAnEmptyOne) {
  Bytes file(kPartHeaderBytes);
  for (std::uint64_t i = 0; i < 5; ++i) append(file, frame(i, 1000 * i));
  EXPECT_EQ(scan(file), (Numbers{0, 1, 2, 3, 4}));
  file.resize(file.size() + kTrailerBytes);
  EXPECT_EQ(scan(file), (Numbers{0, 1, 2, 3, 4}));
  EXPECT_TRUE(scan({}).empty());
  EXPECT_TRUE(scan(Bytes(10)).empty());
  EXPECT_TRUE(scan(Bytes(1 << 20)).empty());
}

TEST_F(FrameScan, FindsFramesAtEveryDistanceFromTheEndOfASearchWindow) {
  const Bytes one = frame(1, 50), two = frame(2, 50);
  for (const std::size_t window : {256UL * 1024, 2 * 256UL * 1024 - 63})
    for (std::size_t back = 0; back < 140; ++back) {
      Bytes file(window - back, std::byte{0xD7});
      append(file, one);
      append(file, two);
      ASSERT_EQ(scan(file), (Numbers{1, 2})) << window << " - " << back;
    }
}

TEST_F(FrameScan, GoesOnBehindEveryKindOfDamage) {
  const std::size_t kBytes = 3000, kFrame = kBytes + kContentAt;
  Bytes good;
  for (std::uint64_t i = 0; i < 4; ++i) append(good, frame(i, kBytes));
  Bytes payload = good, header = good, gap = good, more = good, both = good;
  payload[kFrame + 500] ^= std::byte{1};
  EXPECT_EQ(scan(payload), (Numbers{0, 2, 3}));
  header[kFrame + 20] ^= std::byte{1};
  EXPECT_EQ(scan(header), (Numbers{0, 2, 3}));
  gap.erase(gap.begin() + kFrame + 100, gap.begin() + kFrame + 333);
  EXPECT_EQ(scan(gap), (Numbers{0, 2, 3}));
  more.insert(more.begin() + kFrame * 2, 77, std::byte{0xD7});
  EXPECT_EQ(scan(more), (Numbers{0, 1, 2, 3}));
  both[kFrame + 500] ^= std::byte{1};
  both[2 * kFrame + 3] ^= std::byte{1};
  EXPECT_EQ(scan(both), (Numbers{0, 3}));
  EXPECT_EQ(scan(Bytes(good.begin(), good.end() - 1)), (Numbers{0, 1, 2}));
  EXPECT_EQ(scan(Bytes(good.begin() + 1, good.end())), (Numbers{1, 2, 3}));
}

TEST_F(FrameScan, AFrameInsideASoundFrameIsNone) {
  Bytes inner;
  for (std::uint64_t i = 100; i < 103; ++i) append(inner, frame(i, 400));
  Bytes file = frame(0, 0, inner);
  append(file, frame(1, 700));
  EXPECT_EQ(scan(file), (Numbers{0, 1}));
  file[kContentAt + inner.size() - 5] ^= std::byte{1};  // the payload is damaged, its length is known all the same
  EXPECT_EQ(scan(file), (Numbers{1}));
}

// A file that promises payloads again and again must not be read again and again.
TEST_F(FrameScan, OverlappingPromisesTakeBoundedTime) {
  Bytes header(kFrameHeaderBytes);
  FrameHeader promise;
  promise.stored_bytes = 1U << 20;
  promise.encode(header);
  Bytes file;
  for (int i = 0; i < 60000; ++i) append(file, header);
  EXPECT_TRUE(scan(file).empty());
}

}  // namespace
}  // namespace tintype
