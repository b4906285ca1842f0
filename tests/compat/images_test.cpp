// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "compat_image.h"
#include "job/restore.h"
#include "job/validate.h"

namespace tintype {
namespace {

class Images : public ::testing::TestWithParam<std::string> {};

TEST_P(Images, OpenValidateAndRestoreToTheRecordedDigest) {
  const std::filesystem::path folder = std::filesystem::path(TINTYPE_SOURCE_DIR) / "tests/compat" / GetParam();
  std::shared_ptr<Place> place = *open_local_place(folder.string());
  std::ifstream list(folder / "digests");
  ASSERT_TRUE(list.is_open());
  std::size_t images = 0;
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
  }
  EXPECT_GE(images, 5U);
}

INSTANTIATE_TEST_SUITE_P(Versions, Images, ::testing::Values("v1"));

}  // namespace
}  // namespace tintype
