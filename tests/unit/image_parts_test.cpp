// SPDX-License-Identifier: GPL-3.0-or-later
// Parts in real folders: locks between backups of one name, and how long many parts take.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "image/part_names.h"
#include "image/writer.h"
#include "image_fixture.h"
#include "support/memory_place.h"

namespace tintype {
namespace {

using test::ImageLab;

class Parts : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tintype-parts-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    place_ = *open_local_place(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static Result<std::unique_ptr<PartWriter>> start(std::shared_ptr<Place> place) {
    PartHeader header;
    EXPECT_TRUE(system_random().fill(header.set_id));
    return PartWriter::create(std::move(place), {"pc.tti", header, kMinPartBytes, {}});
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out = *place_->list();
    std::sort(out.begin(), out.end());
    return out;
  }

  ImageLab lab_;
  std::string folder_;
  std::shared_ptr<Place> place_;
};

TEST_F(Parts, ASecondBackupOfTheNameIsRefusedAndTouchesNothing) {
  ASSERT_TRUE(lab_.backup(lab_.request(lab_.noise_drive(2 << 20, 1), place_), 1));
  const auto before = names();
  auto first = start(place_);
  ASSERT_TRUE(first) << first.error().message();
  ASSERT_TRUE((*first)->ensure_room(kMinPartBytes - 4096));  // on to the second part: the lock must stay
  ASSERT_TRUE((*first)->append(Bytes(1000)));
  ASSERT_TRUE((*first)->ensure_room(kMinPartBytes - 4096));
  const auto during = names();
  ASSERT_EQ(during.size(), before.size() + 2);
  for (std::shared_ptr<Place> place : {place_, std::shared_ptr<Place>(*open_local_place(folder_))}) {
    const auto second = start(place);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::busy);
    EXPECT_EQ(names(), during);
  }
  EXPECT_TRUE(lab_.open(place_));  // readers are not kept out
  first->reset();
  EXPECT_EQ(names(), before);
  EXPECT_TRUE(start(place_));
  EXPECT_EQ(names(), before);
}

TEST_F(Parts, OneOfManyWinsOverALeftover) {
  for (int round = 0; round < 50; ++round) {
    std::ofstream(folder_ + "/pc.tti.partial") << "left over";
    std::atomic<int> waiting = 4, won = 0, busy = 0;
    std::atomic<bool> done = false;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        std::shared_ptr<Place> place = *open_local_place(folder_);
        --waiting;
        while (waiting > 0) std::this_thread::yield();
        auto writer = start(place);
        if (writer) ++won;
        if (!writer && writer.error().code == ErrorCode::busy) ++busy;
        while (!done) std::this_thread::yield();
      });
    while (won + busy < 4) std::this_thread::yield();
    EXPECT_LE(won, 1);
    EXPECT_EQ(std::filesystem::exists(folder_ + "/pc.tti.partial"), won == 1);
    done = true;
  }
}

TEST_F(Parts, AFolderOrPipeOfThatNameIsRefused) {
  std::filesystem::create_directory(folder_ + "/pc.tti");
  EXPECT_EQ(start(place_).error().code, ErrorCode::usage);
  std::filesystem::remove(folder_ + "/pc.tti");
  ASSERT_EQ(::mkfifo((folder_ + "/pc.tti").c_str(), 0600), 0);
  EXPECT_EQ(start(place_).error().code, ErrorCode::usage);
  EXPECT_FALSE(lab_.open(place_));
  EXPECT_EQ(names(), std::vector<std::string>{"pc.tti"});
}

// A thousand parts of an image that cheats: no part is full.
TEST_F(Parts, AThousandPartsOpenQuickly) {
  SeededRandom random(1);
  Catalog catalog;
  catalog.source.size_bytes = 4096;
  constexpr std::uint32_t kParts = 1000;
  PartHeader header;
  ASSERT_TRUE(random.fill(header.set_id));
  std::uint64_t calls[2] = {};
  for (const std::uint32_t parts : {kParts / 10, kParts}) {
    const auto memory = std::make_shared<test::MemoryPlace>();
    FrameSealer sealer = *FrameSealer::create({}, 0);
    Bytes buffer(frame_room(kMaxRawBytes));
    catalog.part_bytes.assign(parts - 1, kPartHeaderBytes);
    const ByteSpan frame = *sealer.seal(FrameType::catalog, {}, kOtherFrames, catalog.encode(), buffer);
    for (std::uint32_t i = 0; i < parts; ++i) {
      header.part = i;
      const auto head = header.encode();
      Bytes content(head.begin(), head.end());
      if (i + 1 == parts) {
        Trailer trailer;
        trailer.set_id = header.set_id;
        trailer.parts = parts;
        trailer.catalog = {0, i, kPartHeaderBytes, static_cast<std::uint32_t>(frame.size())};
        trailer.catalog_hash = sha256(frame);
        trailer.part_bytes = kPartHeaderBytes + frame.size() + kTrailerBytes;
        content.insert(content.end(), frame.begin(), frame.end());
        const auto end = trailer.encode();
        content.insert(content.end(), end.begin(), end.end());
      }
      memory->put(part_name("pc.tti", i), content);
      std::ofstream(folder_ + "/" + part_name("pc.tti", i), std::ios::binary).write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    }
    const auto image = lab_.open(memory);
    ASSERT_TRUE(image) << image.error().message();
    calls[parts == kParts] = memory->operations();
  }
  EXPECT_LT(calls[1], calls[0] * 11);  // not quadratic
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(lab_.open(place_));
  const auto took = std::chrono::steady_clock::now() - start;
  std::fprintf(stderr, "%u parts opened in %lld ms\n", kParts, static_cast<long long>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  EXPECT_LT(took, std::chrono::seconds(5));
}

}  // namespace
}  // namespace tintype
