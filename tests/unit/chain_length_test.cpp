// SPDX-License-Identifier: GPL-3.0-or-later
// However long a chain is: its newest image opens by its own index alone, which stays kilobytes.
#include "chain_fixture.h"
#include "support/counting_place.h"

namespace tintype::test {
namespace {

TEST(ChainLength, AChainOf200LinksOpensByReadingKilobytes) {
  constexpr std::uint32_t kLinks = 200;
  ChainLab lab(17, 8 * kMiB);
  std::string base;
  std::uint64_t read_at_10 = 0;
  std::shared_ptr<CountingPlace> counting;
  std::shared_ptr<ImageReader> image;
  const auto open_counted = [&](const std::string& name) {
    counting = std::make_shared<CountingPlace>(lab.place);
    const auto opened = ImageReader::open(counting, name, {});
    EXPECT_TRUE(opened) << opened.error().message();
    image = *opened;
  };
  for (std::uint32_t link = 0; link < kLinks; ++link) {
    const std::string name = "day" + std::to_string(link) + ".tti";
    const auto report = lab.backup(name, base);
    ASSERT_TRUE(report) << link << ": " << report.error().message();
    base = name;
    if (link == 10) {
      open_counted(name);
      read_at_10 = counting->bytes_read;
    }
    if (link + 1 < kLinks) lab.scribble(3 * kMiB + lab.number(64) * 4096, 1000);
  }
  open_counted(base);
  ASSERT_EQ(image->catalog().links.size(), kLinks - 1);
  // The earlier images are not even looked at, and each adds its name and hashes to the catalog.
  EXPECT_EQ(counting->files_opened(), std::set<std::string>{base});
  EXPECT_LT(counting->bytes_read, 64 * 1024U);
  EXPECT_LT(counting->bytes_read - read_at_10, (kLinks - 11) * 200U);

  // Reading its whole index touches no other image but for the pages that did not change, which lie where they were.
  for (std::size_t area = 0; area < image->catalog().areas.size(); ++area) {
    const auto pages = image->directory(area, 0);
    ASSERT_TRUE(pages);
    for (std::size_t region = 0; region < pages->size(); ++region) ASSERT_TRUE(image->page(area, region, (*pages)[region]));
  }
  EXPECT_LT(counting->bytes_read, 96 * 1024U);

  // That every link is there takes the header, trailer and catalog of each.
  counting->bytes_read = 0;
  ASSERT_TRUE(image->check_links());
  EXPECT_LT(counting->bytes_read, kLinks * 48 * 1024U);
  EXPECT_TRUE(lab.gives(base, lab.content()));
}

}  // namespace
}  // namespace tintype::test
