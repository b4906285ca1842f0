// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "compat_image.h"
#include "job/parity.h"
#include "job/restore.h"
#include "job/validate.h"

namespace tintype {
namespace {

bool has_entry(const std::shared_ptr<ImageReader>& image, const std::function<bool(const ChunkEntry&)>& wanted) {
  for (std::size_t area = 0; area < image->catalog().areas.size(); ++area) {
    const auto page = image->page(area, 0);
    if (page && *page && std::ranges::any_of((*page)->entries, wanted)) return true;
  }
  return false;
}

class Images : public ::testing::TestWithParam<std::string> {};

TEST_P(Images, OpenValidateAndRestoreToTheRecordedDigest) {
  const std::filesystem::path folder = std::filesystem::path(TINTYPE_SOURCE_DIR) / "tests/compat" / GetParam();
  std::shared_ptr<Place> place = *open_local_place(folder.string());
  std::ifstream list(folder / "digests");
  ASSERT_TRUE(list.is_open());
  std::size_t images = 0, in_chains = 0, with_deltas = 0, with_moved = 0, continued = 0, recoverable = 0;
  std::uint64_t size = 0;
  for (std::string name, digest; list >> name >> size >> digest; ++images) {
    SCOPED_TRACE(name);
    compat::NoEvents events;
    const CancelToken cancel;
    SeededRandom random(1);
    JobContext context{events, cancel, system_clock(), random, 2};
    const auto image = ImageReader::open(place, name + ".tti", []() -> Result<std::string> { return compat::kPassword; });
    ASSERT_TRUE(image) << image.error().message();
    const auto report = run_validate(*image, context);
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->sound()) << report->damage.front().what;
    // Old bytes on the target that a restore leaves alone would change the digest: the sources were zero there.
    const auto target = make_memory_drive(size, (*image)->catalog().source.logical_sector_bytes);
    RestoreRequest request;
    const auto plan = plan_restore((*image)->catalog(), target->info(), *read_layout(*target), {}, {}, random);
    ASSERT_TRUE(plan) << plan.error().message();
    request.plan = *plan;
    request.image = *image;
    request.target = target;
    const auto restored = run_restore(request, context);
    ASSERT_TRUE(restored) << restored.error().message();
    EXPECT_EQ(*compat::drive_digest(*target), digest);
    in_chains += (*image)->catalog().links.empty() ? 0 : 1;
    with_deltas += has_entry(*image, [](const ChunkEntry& entry) { return entry.kind == ChunkEntry::Kind::delta; }) ? 1 : 0;
    with_moved += has_entry(*image, [](const ChunkEntry& entry) { return !entry.moved.empty(); }) ? 1 : 0;
    continued += (*image)->catalog().sessions > 1 ? 1 : 0;
    const auto parity = find_parity(*place, name + ".tti");
    ASSERT_TRUE(parity);
    if (parity->state == FoundParity::State::none) continue;
    ASSERT_EQ(parity->state, FoundParity::State::there) << parity->why;
    PartRow row = parts_beside(place, name + ".tti", parity->file->head());
    const auto checked = check_parity(*parity->file, row, *place, name + ".tti", true, context);
    ASSERT_TRUE(checked) << checked.error().message();
    EXPECT_TRUE(checked->parts_sound() && checked->file_sound());
    ++recoverable;
  }
  EXPECT_GE(images, 15U);
  EXPECT_GE(in_chains, 5U);
  EXPECT_GE(with_deltas, 5U);
  EXPECT_GE(with_moved, 1U);
  EXPECT_GE(continued, 1U);
  EXPECT_GE(recoverable, 1U);
}

INSTANTIATE_TEST_SUITE_P(Versions, Images, ::testing::Values("v1"));

}  // namespace
}  // namespace tintype
