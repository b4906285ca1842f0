// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <optional>

#include "base/bytes.h"
#include "base/environment.h"
#include "base/extent.h"
#include "base/local_time.h"
#include "base/text.h"

namespace tintype {
namespace {

TEST(ExtentSet, MergesWhatTouchesAndSplitsWhatIsRemoved) {
  ExtentSet set;
  set.add({10, 10});
  set.add({30, 10});
  set.add({20, 10});
  EXPECT_EQ(set.items(), (std::vector<Extent>{{10, 30}}));
  set.remove({15, 5});
  EXPECT_EQ(set.items(), (std::vector<Extent>{{10, 5}, {20, 20}}));
  EXPECT_TRUE(set.contains(14));
  EXPECT_FALSE(set.contains(15));
  EXPECT_TRUE(set.intersects({15, 6}));
  EXPECT_FALSE(set.intersects({15, 5}));
  EXPECT_EQ(set.clipped({12, 10}).items(), (std::vector<Extent>{{12, 3}, {20, 2}}));
  EXPECT_EQ(set.total_bytes(), 25U);
}

TEST(ExtentStream, WithoutAndTogetherAgreeWithTheSets) {
  SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    ExtentSet a, b;
    for (int i = 0; i < 12; ++i) {
      std::array<std::byte, 4> r{};
      ASSERT_TRUE(random.fill(r));
      a.add({u8(r, 0), u8(r, 1) % 20U});
      b.add({u8(r, 2), u8(r, 3) % 20U});
    }
    ExtentSet minus = a, plus = a;
    for (const Extent& e : b.items()) {
      minus.remove(e);
      plus.add(e);
    }
    EXPECT_EQ(*collect(*without(stream_of(a), b)), minus);
    auto both = together(stream_of(a), b);
    std::vector<Extent> streamed;
    while (auto e = *both->next()) streamed.push_back(*e);
    EXPECT_EQ(streamed, plus.items());
  }
}

class Fixed final : public ExtentStream {
 public:
  explicit Fixed(std::vector<Extent> items) : items_(std::move(items)) {}
  Result<std::optional<Extent>> next() override {
    if (at_ == items_.size()) return std::nullopt;
    return items_[at_++];
  }

 private:
  std::vector<Extent> items_;
  std::size_t at_ = 0;
};

TEST(ExtentStream, CoalescedJoinsAndRefusesDisorder) {
  auto joined = coalesced(std::make_unique<Fixed>(std::vector<Extent>{{0, 4}, {4, 4}, {10, 2}}), 12);
  EXPECT_EQ(**joined->next(), (Extent{0, 8}));
  EXPECT_EQ(**joined->next(), (Extent{10, 2}));
  EXPECT_FALSE(joined->next()->has_value());
  auto back = coalesced(std::make_unique<Fixed>(std::vector<Extent>{{8, 4}, {4, 2}}), 12);
  EXPECT_FALSE(back->next().has_value());
  auto outside = coalesced(std::make_unique<Fixed>(std::vector<Extent>{{8, 5}}), 12);
  EXPECT_FALSE(outside->next().has_value());
}

TEST(Text, GuidRoundTrip) {
  const std::string text = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
  const auto guid = guid_from_string("{0fc63daf-8483-4772-8e79-3d69d8477de4}");
  ASSERT_TRUE(guid);
  EXPECT_EQ(guid_to_string(*guid), text);
  EXPECT_EQ(u8(*guid, 0), 0xAF);
  EXPECT_FALSE(guid_from_string("0FC63DAF-8483-4772-8E79-3D69D8477DEG"));
}

TEST(Text, Utf16AndHostileUtf8) {
  const std::array<std::byte, 10> utf16 = {std::byte{0x44}, std::byte{0}, std::byte{0xE4}, std::byte{0}, std::byte{0x3D},
                                           std::byte{0xD8}, std::byte{0x00}, std::byte{0xDE}, std::byte{0}, std::byte{0}};
  EXPECT_EQ(utf8_from_utf16le(utf16), "D\xC3\xA4\xF0\x9F\x98\x80");
  EXPECT_EQ(utf8_checked(as_bytes("a\xFF"
                                  "b")),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(printable("a\x1B[31mb"), "a?[31mb");
}

TEST(Text, Sizes) {
  EXPECT_EQ(format_size(1536), "1.50 KiB");
  EXPECT_EQ(format_size(1000), "1000 B");
  EXPECT_EQ(parse_size("64G"), std::uint64_t{64} << 30);
  EXPECT_EQ(parse_size("200m"), 200U << 20);
  EXPECT_EQ(parse_size("1.5GiB"), 1610612736U);
  EXPECT_EQ(parse_size("7", 1 << 20), 7U << 20);
  EXPECT_FALSE(parse_size("7x"));
  EXPECT_FALSE(parse_size("99999999999999999999"));
  EXPECT_FALSE(parse_size("-1"));
  EXPECT_EQ(parse_number("0x301"), 0x301U);
  EXPECT_FALSE(parse_number("12a"));
}

TEST(Bytes, ZeroTest) {
  Bytes bytes(1000);
  EXPECT_TRUE(all_zero(bytes));
  for (const std::size_t at : {0U, 15U, 16U, 17U, 500U, 999U}) {
    bytes[at] = std::byte{1};
    EXPECT_FALSE(all_zero(bytes)) << at;
    bytes[at] = std::byte{0};
  }
}

TEST(Environment, Iso8601) {
  EXPECT_EQ(iso8601(std::chrono::sys_seconds(std::chrono::seconds(1795439109))), "2026-11-23T13:05:09Z");
}

TEST(LocalTime, SpansOfTheCalendar) {
  using namespace std::chrono;
  const auto at = local_days(2024y / March / 31) + 5h;
  EXPECT_EQ(before(at, *parse_span("1m")), local_days(2024y / February / 29) + 5h);
  EXPECT_EQ(before(at, *parse_span("1y1m")), local_days(2023y / February / 28) + 5h);
  EXPECT_EQ(before(at, *parse_span("1w2d12H")), local_days(2024y / March / 21) + 17h);
  for (const char* bad : {"", "5", "m", "1x", "1d1d", "0d", "-1d", "1 d", "2000y", "99999999999999999999d"})
    EXPECT_FALSE(parse_span(bad)) << bad;
}

TEST(LocalTime, FollowsTheZone) {
  using namespace std::chrono;
  const sys_seconds moment = sys_days(2026y / July / 1) + 23h;
  const auto in_zone = [&](const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    return to_local(moment);
  };
  const char* before_test = std::getenv("TZ");
  const std::optional<std::string> old = before_test != nullptr ? std::optional<std::string>(before_test) : std::nullopt;
  EXPECT_EQ(in_zone("UTC"), local_days(2026y / July / 1) + 23h);
  EXPECT_EQ(in_zone("CET-1CEST,M3.5.0,M10.5.0/3"), local_days(2026y / July / 2) + 1h);
  EXPECT_EQ(in_zone("XXX+11"), local_days(2026y / July / 1) + 12h);
  old ? ::setenv("TZ", old->c_str(), 1) : ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace tintype
