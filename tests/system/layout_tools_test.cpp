// SPDX-License-Identifier: GPL-3.0-or-later
// Tables made by sfdisk, sgdisk and parted read as those tools read them; tables made by us judged by the same tools.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include <algorithm>

#include "../unit/layout_fixture.h"
#include "drive/open.h"
#include "layout/edit.h"
#include "layout/render.h"
#include "support/scratch.h"

namespace tintype {
namespace {
using namespace test;

constexpr std::uint64_t kMiB = 1024 * 1024;

// A sparse file with what a test does to it.
class Disk {
 public:
  explicit Disk(std::uint64_t size_bytes, std::uint32_t sector_bytes = 512)
      : file_(ScratchFile::make(size_bytes).value()), sector_bytes_(sector_bytes) {}

  std::string word() const { return shell_word(file_.path()); }
  void shell(const std::string& command) const {
    const CommandOutcome outcome = run(command + " " + word() + " 2>&1");
    ASSERT_EQ(outcome.status, 0) << command << "\n" << outcome.output;
  }
  void sfdisk(const std::string& script) const {
    const CommandOutcome outcome = run("printf '" + script + "' | sfdisk -q " + word() + " 2>&1");
    ASSERT_EQ(outcome.status, 0) << outcome.output;
  }
  std::shared_ptr<Drive> open(OpenOptions::Access access = OpenOptions::Access::read) const {
    OpenOptions options;
    options.access = access;
    options.sector_bytes = sector_bytes_;
    return open_drive(file_.path().string(), options).value();
  }
  Layout layout() const { return read_ok(*open()); }
  void write(const std::vector<TableSectors>& pieces) const {
    const auto drive = open(OpenOptions::Access::write);
    for (const TableSectors& piece : pieces)
      ASSERT_TRUE(drive->write(piece.start_sector * sector_bytes_, piece.bytes));
  }
  void put(const Layout& layout) const {
    const auto pieces = render_tables(layout, open()->size_bytes() / sector_bytes_);
    ASSERT_TRUE(pieces) << pieces.error().message();
    EXPECT_EQ(pieces->back().start_sector, 0U);
    write(*pieces);
  }

 private:
  ScratchFile file_;
  std::uint32_t sector_bytes_;
};

nlohmann::json table_of(const std::string& word) {
  const CommandOutcome outcome = run("sfdisk --json " + word + " 2>/dev/null");
  EXPECT_EQ(outcome.status, 0) << outcome.output;
  return nlohmann::json::parse(outcome.output, nullptr, false)["partitiontable"];
}

std::vector<std::string> sfdisk_list(const nlohmann::json& table) {
  std::vector<std::string> lines;
  for (const auto& p : table["partitions"])
    lines.push_back(fmt::format("{}+{} {} {} {}", p["start"].get<std::uint64_t>(), p["size"].get<std::uint64_t>(),
                                p["type"].get<std::string>(), p.value("name", ""), p.value("uuid", "")));
  return lines;
}

std::vector<std::string> our_list(const Layout& layout) {
  std::vector<const Partition*> order;  // sfdisk: primaries first, then volumes
  for (const Partition& p : layout.partitions) order.push_back(&p);
  std::ranges::sort(order, {}, &Partition::id);
  std::vector<std::string> lines;
  for (const Partition* p : order)
    lines.push_back(fmt::format("{}+{} {} {} {}", p->start_sector, p->sector_count,
                                p->type_guid ? guid_to_string(*p->type_guid) : fmt::format("{:x}", p->mbr_type), p->name,
                                p->partition_guid ? guid_to_string(*p->partition_guid) : ""));
  return lines;
}

void expect_as_sfdisk(const Disk& disk) {
  const Layout layout = disk.layout();
  const nlohmann::json table = table_of(disk.word());
  auto theirs = sfdisk_list(table);
  if (layout.kind == TableKind::mbr)
    for (std::string& line : theirs) line.erase(line.find_last_not_of(' ') + 1);
  auto ours = our_list(layout);
  if (layout.kind == TableKind::mbr)
    for (std::string& line : ours) line.erase(line.find_last_not_of(' ') + 1);
  EXPECT_EQ(ours, theirs);
  const std::string id = table["id"].get<std::string>();
  EXPECT_EQ(layout.kind == TableKind::mbr ? "0x" + layout.signature_text() : layout.signature_text(),
            layout.kind == TableKind::mbr ? fmt::format("0x{:08X}", std::stoul(id, nullptr, 16)) : id);
  EXPECT_EQ(problems(layout), "");
}

void expect_sgdisk_content(const Disk& disk) {
  const CommandOutcome outcome = run("sgdisk -v " + disk.word() + " 2>&1");
  EXPECT_NE(outcome.output.find("No problems found"), std::string::npos) << outcome.output;
  EXPECT_EQ(run("sfdisk -V " + disk.word() + " 2>&1").status, 0);
}

Partition wanted(std::uint64_t sectors, std::uint8_t type) {
  Partition partition;
  partition.sector_count = sectors;
  partition.mbr_type = type;
  return partition;
}

#define NEEDS(program) \
  if (!have_program(program)) GTEST_SKIP() << program << " is not installed"

constexpr const char* kMbrScript =
    "label: dos\\nlabel-id: 0xA1B2C3D4\\n2048,200M,7,*\\n,100M,83\\n,600M,f\\n,,82\\n,100M,83\\n,120M,7\\n,50M,c\\n";

TEST(LayoutTools, ReadsMbrOfSfdisk) {
  NEEDS("sfdisk");
  const Disk disk(1200 * kMiB);
  disk.sfdisk(kMbrScript);
  expect_as_sfdisk(disk);
  EXPECT_EQ(disk.layout().partitions.size(), 7U);
  EXPECT_TRUE(disk.layout().find(1)->active);
}

TEST(LayoutTools, ReadsGptOfSgdisk) {
  NEEDS("sgdisk");
  const Disk disk(500 * kMiB);
  disk.shell("sgdisk -n 1:0:+100M -t 1:ef00 -c 1:'ESP é' -n 3:0:+50M -t 3:0700 -n 2:0:0 -A 2:set:2");
  expect_as_sfdisk(disk);
  const Layout layout = disk.layout();
  EXPECT_EQ(layout.kind, TableKind::gpt);
  EXPECT_TRUE(layout.find(2)->active);
  EXPECT_EQ(layout.find(1)->name, "ESP é");
  EXPECT_EQ(layout.find(3)->id_text(layout.kind), "3");
}

TEST(LayoutTools, ReadsTablesOfParted) {
  NEEDS("parted");
  const Disk gpt(300 * kMiB);
  EXPECT_EQ(run("parted -s " + gpt.word() + " mklabel gpt mkpart one 1MiB 50MiB mkpart two 50MiB 100%").status, 0);
  expect_as_sfdisk(gpt);
  const Disk mbr(300 * kMiB);
  EXPECT_EQ(run("parted -s " + mbr.word() + " mklabel msdos mkpart primary 63s 50MiB mkpart extended 51MiB 100% "
                "mkpart logical 52MiB 100MiB mkpart logical 101MiB 150MiB").status, 0);
  expect_as_sfdisk(mbr);
}

TEST(LayoutTools, HybridOfSgdisk) {
  NEEDS("sgdisk");
  const Disk disk(500 * kMiB);
  disk.shell("sgdisk -n 1:0:+100M -n 2:0:+100M -n 3:0:+100M");
  disk.shell("sgdisk -h 2:3");
  const Layout layout = disk.layout();
  EXPECT_EQ(layout.kind, TableKind::hybrid);
  EXPECT_EQ(problems(layout), "");
  EXPECT_EQ(layout.find(1)->mbr_slot, 0);
  EXPECT_NE(layout.find(2)->mbr_slot, 0);
  EXPECT_EQ(layout.find(3)->mbr_type, 0x83);
  const Disk larger(900 * kMiB);
  larger.put(layout);
  EXPECT_EQ(our_list(larger.layout()), our_list(layout));
  EXPECT_EQ(larger.layout().kind, TableKind::hybrid);
  EXPECT_EQ(larger.layout().find(3)->mbr_slot, layout.find(3)->mbr_slot);
  EXPECT_EQ(run("sgdisk -v " + larger.word()).output.find("problems!"), std::string::npos);
}

TEST(LayoutTools, UnchangedTablesAreTheSameBytes) {
  NEEDS("sgdisk");
  const Disk mbr(1200 * kMiB);
  mbr.sfdisk(kMbrScript);
  const Disk gpt(500 * kMiB);
  gpt.shell("sgdisk -n 1:0:+100M -c 1:name -n 4:0:0");
  for (const Disk* disk : {&mbr, &gpt}) {
    const Disk copy(disk->open()->size_bytes());
    copy.put(disk->layout());
    EXPECT_EQ(run("cmp " + disk->word() + " " + copy.word()).output, "");
  }
}

TEST(LayoutTools, GptMovesToTheEndOfALargerDrive) {
  NEEDS("sgdisk");
  const Disk disk(500 * kMiB);
  disk.shell("sgdisk -n 1:0:+100M -c 1:name -n 2:0:0");
  const Disk larger(3000 * kMiB + 512);
  larger.put(disk.layout());
  expect_sgdisk_content(larger);
  EXPECT_EQ(sfdisk_list(table_of(larger.word())), sfdisk_list(table_of(disk.word())));
  EXPECT_EQ(table_of(larger.word())["lastlba"], (3000 * kMiB + 512) / 512 - 34);
  const auto smaller = render_tables(disk.layout(), 400 * kMiB / 512);
  ASSERT_FALSE(smaller);
  EXPECT_EQ(smaller.error().code, ErrorCode::no_space);
}

TEST(LayoutTools, DamagedGptCopyIsRepaired) {
  NEEDS("sgdisk");
  for (const std::string where : {"seek=1 count=1", "seek=2 count=1", "seek=1 count=33", "seek=1023999 count=1"}) {
    SCOPED_TRACE(where);
    const Disk disk(500 * kMiB);
    disk.shell("sgdisk -n 1:0:+100M -c 1:name -n 2:0:0");
    const Layout sound = disk.layout();
    const auto before = sfdisk_list(table_of(disk.word()));
    ASSERT_EQ(run("dd if=/dev/zero bs=512 conv=notrunc " + where + " of=" + disk.word()).status, 0);
    const Layout damaged = disk.layout();
    EXPECT_EQ(damaged.recovered_from_backup, where.find("seek=1023999") == std::string::npos);
    EXPECT_EQ(damaged.problems.size(), 1U);
    EXPECT_EQ(our_list(damaged), our_list(sound));
    disk.put(damaged);
    expect_sgdisk_content(disk);
    expect_as_sfdisk(disk);
    EXPECT_EQ(sfdisk_list(table_of(disk.word())), before);
  }
}

TEST(LayoutTools, AddedPartitionsPleaseSfdisk) {
  NEEDS("sfdisk");
  const Disk disk(3000 * kMiB);
  disk.sfdisk("label: dos\\n2048,200M,7,*\\n,1000M,f\\n,,83\\n,100M,83\\n");
  SeededRandom random(1);
  Layout layout = disk.layout();
  ASSERT_NE(layout.find(3), nullptr);
  layout = remove_partition(layout, 3).value();
  for (int i = 0; i < 3; ++i) {
    Placement inside;
    inside.where = Placement::Where::volume;
    auto added = add_partition(layout, wanted(100 * kMiB / 512, 0x07), inside, random);
    ASSERT_TRUE(added) << added.error().message();
    EXPECT_EQ(added->id, 0x202U + static_cast<unsigned>(i));
    EXPECT_EQ(added->layout.find(added->id)->start_sector % 2048, 0U);
    layout = added->layout;
  }
  auto added = add_partition(layout, wanted(0, 0x83), {}, random);
  ASSERT_TRUE(added) << added.error().message();
  EXPECT_EQ(added->id, 3U);
  disk.put(added->layout);
  expect_as_sfdisk(disk);
  EXPECT_EQ(run("sfdisk -V " + disk.word() + " 2>&1").status, 0);
  EXPECT_EQ(our_list(disk.layout()), our_list(added->layout));
}

TEST(LayoutTools, NewGptPleasesSgdisk) {
  NEEDS("sgdisk");
  const Disk disk(3000 * kMiB);
  SeededRandom random(2);
  Layout layout = make_layout(TableKind::gpt, 3000 * kMiB / 512, 512, random).value();
  for (const std::uint8_t type : std::array<std::uint8_t, 3>{0xEF, 0x07, 0x83}) {
    Partition partition = wanted(type == 0x83 ? 0 : 200 * kMiB / 512, type);
    partition.name = "Größe 𝄞";
    layout = add_partition(layout, partition, {}, random).value().layout;
  }
  disk.put(layout);
  expect_sgdisk_content(disk);
  expect_as_sfdisk(disk);
  disk.put(new_signature(disk.layout(), random).value());
  expect_sgdisk_content(disk);
  EXPECT_NE(disk.layout().disk_guid, layout.disk_guid);
  // Over to MBR: nothing of the GPT may be found again.
  disk.write(clear_tables(disk.layout()));
  EXPECT_EQ(disk.layout().kind, TableKind::none);
  EXPECT_EQ(run("wipefs -n " + disk.word()).output, "");
}

TEST(LayoutTools, SectorsOf4096Bytes) {
  NEEDS("sgdisk");
  const Disk disk(600 * kMiB, 4096);
  const CommandOutcome loop = run("losetup -f --show -b 4096 " + disk.word() + " 2>/dev/null");
  if (loop.status != 0) GTEST_SKIP() << "no loop device of 4096-byte sectors can be made here";
  const std::string device = loop.output.substr(0, loop.output.find('\n'));
  EXPECT_EQ(run("sgdisk -n 1:0:+100M -c 1:first -n 2:0:0 " + device + " 2>&1").status, 0);
  EXPECT_EQ(run("sync -f " + disk.word()).status, 0);
  const Layout layout = disk.layout();
  EXPECT_EQ(problems(layout), "");
  EXPECT_EQ(our_list(layout), sfdisk_list(table_of(device)));
  EXPECT_EQ(detect_sector_bytes(*disk.open()), 4096U);
  run("losetup -d " + device);

  const Disk larger(900 * kMiB, 4096);
  SeededRandom random(3);
  larger.put(add_partition(layout_on_drive(layout, 900 * kMiB / 4096).value(), wanted(0, 0x83), {}, random)->layout);
  const CommandOutcome second = run("losetup -f --show -b 4096 " + larger.word());
  ASSERT_EQ(second.status, 0);
  const std::string judge = second.output.substr(0, second.output.find('\n'));
  const CommandOutcome verdict = run("sgdisk -v " + judge + " 2>&1");
  EXPECT_NE(verdict.output.find("No problems found"), std::string::npos) << verdict.output;
  EXPECT_EQ(our_list(larger.layout()), sfdisk_list(table_of(judge)));
  EXPECT_EQ(larger.layout().partitions.size(), 3U);
  run("losetup -d " + judge);
}

}  // namespace
}  // namespace tintype
