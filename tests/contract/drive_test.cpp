// SPDX-License-Identifier: GPL-3.0-or-later
// What drive/drive.h promises, asked of every kind of Drive.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/environment.h"
#include "drive/drive.h"
#include "drive/faulty_drive.h"
#include "drive/gentle_drive.h"
#include "drive/open.h"
#include "drive/overlay_drive.h"
#include "drive/virtual_drive.h"

namespace tintype {
namespace {

constexpr std::uint64_t kSize = 4U << 20;

// A drive and what must go away after it.
struct Made {
  std::shared_ptr<Drive> drive;
  std::function<void()> clean_up = [] {};
};

std::string temporary_path() {
  static int number = 0;
  return testing::TempDir() + "tintype-contract-" + std::to_string(::getpid()) + "-" + std::to_string(number++);
}

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  std::array<char, 256> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) text += buffer.data();
  if (::pclose(pipe) != 0) text.clear();
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Made make_file(OpenOptions options) {
  const std::string path = temporary_path();
  if (!create_raw_file(path, kSize)) return {};
  options.access = OpenOptions::Access::write;
  auto drive = open_drive(path, options);
  return {drive ? *drive : nullptr, [path] { ::unlink(path.c_str()); }};
}

Made make_loop(std::uint32_t sector_bytes) {
  if (::geteuid() != 0) return {};
  const std::string path = temporary_path();
  if (!create_raw_file(path, kSize)) return {};
  const std::string device =
      output_of("losetup -f --show -b " + std::to_string(sector_bytes) + " " + path + " 2>/dev/null");
  if (device.empty()) {
    ::unlink(path.c_str());
    return {};
  }
  auto drive = open_drive(device, {.access = OpenOptions::Access::write, .exclusive = true, .lock = true});
  return {drive ? *drive : nullptr, [device, path] {
            output_of("losetup -d " + device);
            ::unlink(path.c_str());
          }};
}

struct Kind {
  const char* name;
  std::function<Made()> make;
  std::uint32_t sector_bytes = 512;
  friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }
};

Made make_virtual(DriveFormat format) {
  const std::string path = temporary_path();
  auto drive = create_drive_file(path, kSize, format);
  return {drive ? *drive : nullptr, [path] { ::unlink(path.c_str()); }};
}

const Kind kKinds[] = {
    {"memory", [] { return Made{make_memory_drive(kSize)}; }},
    {"memory_4096", [] { return Made{make_memory_drive(kSize, 4096)}; }, 4096},
    {"slice", [] { return Made{make_slice(make_memory_drive(kSize * 3), {kSize + 512, kSize}, "slice")}; }},
    {"overlay", [] { return Made{make_overlay_drive(make_memory_drive(kSize), make_memory_drive(kSize))}; }},
    {"overlay_in_a_scratch_file", [] { return Made{make_overlay_drive(make_memory_drive(kSize), *make_scratch_file(testing::TempDir(), kSize))}; }},
    {"vhd_dynamic", [] { return make_virtual(DriveFormat::vhdd); }},
    {"vhd_fixed", [] { return make_virtual(DriveFormat::vhdf); }},
    {"vmdk", [] { return make_virtual(DriveFormat::vmdk); }},
    {"vmdk_scsi", [] { return make_virtual(DriveFormat::vmdks); }},
    {"qcow2", [] { return make_virtual(DriveFormat::qcow2); }},
    {"vhdx", [] { return make_virtual(DriveFormat::vhdx); }},
    {"vdi", [] { return make_virtual(DriveFormat::vdi); }},
    {"raw_file", [] { return make_file({}); }},
    {"raw_file_4096", [] { return make_file({.sector_bytes = 4096}); }, 4096},
    {"raw_file_dropping", [] { return make_file({.cache = {.keep_read = false, .keep_written = false}}); }},
    {"raw_file_paced", [] { return make_file({.cache = {.dirty_bytes = 256 * 1024}}); }},
    {"gentle", [] { return Made{make_gentle_drive(make_memory_drive(kSize), std::make_shared<Pacer>())}; }},
    {"raw_file_direct", [] { return make_file({.direct = true}); }},
    {"faulty_without_faults", [] { return Made{make_faulty_drive(make_memory_drive(kSize), {})}; }},
    {"loop_device", [] { return make_loop(512); }},
    {"loop_device_4096", [] { return make_loop(4096); }, 4096},
};

class DriveContract : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    made_ = GetParam().make();
    if (!made_.drive) GTEST_SKIP() << "cannot make a " << GetParam().name << " here (needs root and a free loop device, or qemu-utils)";
  }
  void TearDown() override {
    made_.drive.reset();
    made_.clean_up();
  }
  Drive& drive() { return *made_.drive; }
  Bytes read(std::uint64_t offset, std::size_t length) {
    Bytes bytes(length, std::byte{0xEE});
    const auto result = drive().read(offset, bytes);
    EXPECT_TRUE(result) << (result ? "" : result.error().message());
    return bytes;
  }

  Made made_;
};

Bytes pattern(std::size_t length, std::uint64_t seed) {
  Bytes bytes(length);
  SeededRandom random(seed);
  EXPECT_TRUE(random.fill(bytes));
  return bytes;
}

TEST_P(DriveContract, KnowsItsSizeAndSectors) {
  EXPECT_EQ(drive().size_bytes(), kSize);
  EXPECT_EQ(drive().info().logical_sector_bytes, GetParam().sector_bytes);
  EXPECT_GE(drive().info().physical_sector_bytes, GetParam().sector_bytes);
  EXPECT_FALSE(drive().info().path.empty());
  EXPECT_FALSE(drive().info().read_only);
}

TEST_P(DriveContract, ReadsBackWhatWasWrittenAtAnyPosition) {
  Bytes expected(kSize);
  std::uint64_t seed = 1;
  for (const auto& [offset, length] : std::vector<std::pair<std::uint64_t, std::size_t>>{
           {0, 512}, {4096, 65536}, {1, 1}, {511, 2}, {70000, 123457}, {kSize - 1, 1}, {kSize - 5000, 5000}, {9, 0}}) {
    const Bytes data = pattern(length, seed++);
    ASSERT_TRUE(drive().write(offset, data));
    std::copy(data.begin(), data.end(), expected.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  ASSERT_TRUE(drive().flush());
  EXPECT_TRUE(read(0, kSize) == expected);
  const Bytes part = read(69999, 1001);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), expected.begin() + 69999));
}

TEST_P(DriveContract, WhatTheCacheForgetsIsStillThere) {
  const Bytes data = pattern(300'000, 5);
  ASSERT_TRUE(drive().write(5000, data));
  ASSERT_TRUE(drive().flush());
  drive().drop_cache();
  EXPECT_TRUE(read(5000, data.size()) == data);
}

TEST_P(DriveContract, WhatIsHeldIsWhatReadingGives) {
  const Bytes data = pattern(100'000, 5);
  ASSERT_TRUE(drive().write(12'345, data));
  for (const std::uint64_t from : {std::uint64_t{0}, std::uint64_t{12'000}, std::uint64_t{50'001}, kSize - 5000}) {
    std::uint64_t at = from;
    const std::uint64_t end = std::min<std::uint64_t>(kSize, from + 90'000);
    while (at < end) {
      const auto held = drive().held(at, end - at);
      ASSERT_TRUE(held) << held.error().message();
      if (!*held) break;
      const ByteSpan bytes = (*held)->bytes;
      ASSERT_FALSE(bytes.empty());
      ASSERT_LE(bytes.size(), end - at);
      EXPECT_TRUE(std::ranges::equal(bytes, read(at, bytes.size()))) << "at " << at;
      at += bytes.size();
    }
  }
  const auto outside = drive().held(kSize - 1, 2);
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().code, ErrorCode::out_of_bounds);
}

TEST_P(DriveContract, ANewDriveIsAllZeros) { EXPECT_TRUE(all_zero(read(0, kSize))); }

TEST_P(DriveContract, ARangeThatLeavesTheDriveIsRefusedAndTouchesNothing) {
  const Bytes data = pattern(1024, 3);
  Bytes out(1024);
  for (const std::uint64_t offset : {kSize - 1023, kSize, kSize + 1, ~std::uint64_t{0}, ~std::uint64_t{0} - 1023}) {
    for (const auto& result : {drive().write(offset, data), drive().read(offset, out), drive().zero(offset, 1024),
                               drive().trim(offset, 1024)}) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, ErrorCode::out_of_bounds);
    }
    EXPECT_FALSE(drive().status(offset, 1024));
    drive().will_need(offset, 1024);
  }
  EXPECT_TRUE(all_zero(read(kSize - 4096, 4096)));
  EXPECT_TRUE(drive().read(kSize, MutableByteSpan()));
}

TEST_P(DriveContract, ZeroClearsExactlyItsRange) {
  const Bytes data = pattern(kSize, 4);
  for (const auto& [offset, length] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 512}, {100, 200}, {4000, 200}, {65537, 300001}, {1U << 20, 1U << 20}, {kSize - 777, 777}, {5, 0}}) {
    ASSERT_TRUE(drive().write(0, data));
    ASSERT_TRUE(drive().zero(offset, length));
    Bytes expected = data;
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(offset), length, std::byte{0});
    EXPECT_TRUE(read(0, kSize) == expected) << offset << "+" << length;
  }
}

TEST_P(DriveContract, TrimTouchesNothingOutsideItsRange) {
  const Bytes data = pattern(kSize, 5);
  ASSERT_TRUE(drive().write(0, data));
  ASSERT_TRUE(drive().trim(4097, 100000));
  const Bytes now = read(0, kSize);
  EXPECT_TRUE(std::equal(now.begin(), now.begin() + 4097, data.begin()));
  EXPECT_TRUE(std::equal(now.begin() + 104097, now.end(), data.begin() + 104097));
}

TEST_P(DriveContract, StatusCoversTheDriveAndNeverCallsDataAHole) {
  const Bytes data = pattern(70000, 6);
  ASSERT_TRUE(drive().write(1U << 20, data));
  ASSERT_TRUE(drive().write(kSize - 1, ByteSpan(data).first(1)));
  const Bytes all = read(0, kSize);
  std::uint64_t at = 0;
  for (int calls = 0; at < kSize; ++calls) {
    ASSERT_LT(calls, 100000);
    const std::uint64_t ask = std::min<std::uint64_t>(kSize - at, 300000);
    const auto status = drive().status(at, ask);
    ASSERT_TRUE(status);
    ASSERT_EQ(status->extent.start, at);
    ASSERT_GT(status->extent.length, 0U);
    ASSERT_LE(status->extent.length, ask);
    if (status->state != BlockState::data) {
      EXPECT_TRUE(all_zero(ByteSpan(all).subspan(at, status->extent.length))) << at;
    }
    at = status->extent.end();
  }
  // A hole that gets written is one no more.
  ASSERT_TRUE(drive().write(2U << 20, data));
  const auto status = drive().status(2U << 20, 4096);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state, BlockState::data);
}

TEST_P(DriveContract, ManyThreadsAtOnce) {
  constexpr std::size_t kThreads = 8, kShare = kSize / kThreads;
  std::vector<std::jthread> threads;
  std::array<bool, kThreads> good{};
  for (std::size_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      Bytes back(kShare / 16);
      good[t] = true;
      for (std::size_t i = 0; i < 16; ++i) {
        const Bytes data = pattern(back.size(), t * 100 + i);
        const std::uint64_t at = t * kShare + i * back.size();
        drive().will_need(at, back.size());
        good[t] = good[t] && drive().write(at, data) && drive().status(at, back.size()) && drive().read(at, back) &&
                  back == data;
      }
    });
  threads.clear();
  for (const bool ok : good) EXPECT_TRUE(ok);
}

TEST(RawDrive, ReadsADeviceAnewAfterDroppingTheCache) {
  Made made = make_loop(512);
  if (!made.drive) GTEST_SKIP() << "needs root and a free loop device";
  const Bytes before = pattern(65536, 1), after = pattern(65536, 2);
  ASSERT_TRUE(made.drive->write(8192, before));
  ASSERT_TRUE(made.drive->flush());
  const std::string file = output_of("losetup -n -O BACK-FILE " + made.drive->info().path);
  const auto behind = open_drive(file, {.access = OpenOptions::Access::write});
  ASSERT_TRUE(behind);
  ASSERT_TRUE((*behind)->write(8192, after));
  ASSERT_TRUE((*behind)->flush());
  Bytes seen(before.size());
  ASSERT_TRUE(made.drive->read(8192, seen));
  EXPECT_TRUE(seen == before) << "the system keeps no cache here: nothing is shown by what follows";
  made.drive->drop_cache();
  ASSERT_TRUE(made.drive->read(8192, seen));
  EXPECT_TRUE(seen == after);
  made.drive.reset();
  made.clean_up();
}

INSTANTIATE_TEST_SUITE_P(Kinds, DriveContract, testing::ValuesIn(kKinds),
                         [](const auto& case_info) { return std::string(case_info.param.name); });

}  // namespace
}  // namespace tintype
