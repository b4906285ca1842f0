// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <algorithm>

#include <map>

#include "naming/drive_name.h"
#include "naming/image_name.h"
#include "naming/resolve.h"
#include "support/scratch.h"

namespace tintype {
namespace {

using Kind = DriveName::Kind;
const FileExists kNothing = [](const std::string&) { return false; };

struct Form {
  const char* text;
  Kind kind;
  std::uint32_t number;  // or signature
  const char* word;
  std::vector<std::uint32_t> partitions;
};

TEST(DriveName, ReadsEveryForm) {
  const std::vector<Form> forms = {
      {"0", Kind::number, 0, "", {}},
      {"12@3", Kind::number, 12, "", {3}},
      {"0@0x301", Kind::number, 0, "", {0x301}},
      {"0@769", Kind::number, 0, "", {0x301}},
      {"0@0x1", Kind::number, 0, "", {1}},
      {"0@1,2,0x4ff", Kind::number, 0, "", {1, 2, 0x4FF}},
      {"1@0", Kind::number, 1, "", {0}},
      {"w0", Kind::number, 0, "", {}},
      {"w0@128", Kind::number, 0, "", {128}},
      {"w/dev/sdb@2", Kind::path, 0, "/dev/sdb", {2}},
      {"/dev/sdb", Kind::path, 0, "/dev/sdb", {}},
      {"disk.raw@0x101", Kind::path, 0, "disk.raw", {0x101}},
      {"windows.raw", Kind::path, 0, "windows.raw", {}},
      {"v.raw", Kind::path, 0, "v.raw", {}},
      {"7z.raw", Kind::path, 0, "7z.raw", {}},
      {"me@home.raw", Kind::path, 0, "me@home.raw", {}},
      {"./0", Kind::path, 0, "./0", {}},
      {"#A1B2C3D4", Kind::signature, 0xA1B2C3D4, "", {}},
      {"w#a1b2c3d4@2", Kind::signature, 0xA1B2C3D4, "", {2}},
      {"#", Kind::image_signature, 0, "", {}},
      {"#@1", Kind::image_signature, 0, "", {1}},
      {"#0FC63DAF-8483-4772-8E79-3D69D8477DE4@3", Kind::guid, 0, "", {3}},
      {"?/home/", Kind::mount_point, 0, "/home", {}},
      {"?/", Kind::mount_point, 0, "/", {}},
      {"?WIN@1", Kind::label, 0, "WIN@1", {}},
      {"?D:", Kind::letter, 0, "D", {}},
      {"v3@2", Kind::virtual_drive, 3, "", {2}},
  };
  for (const Form& form : forms) {
    const auto name = parse_drive_name(form.text, kNothing);
    ASSERT_TRUE(name) << form.text << ": " << name.error().message();
    EXPECT_EQ(name->kind, form.kind) << form.text;
    EXPECT_EQ(form.kind == Kind::signature ? name->signature : name->number, form.number) << form.text;
    EXPECT_EQ(name->word, form.word) << form.text;
    EXPECT_EQ(name->partitions, form.partitions) << form.text;
    EXPECT_EQ(name->text, form.text);
  }
}

TEST(DriveName, SaysWhatIsWrong) {
  for (const char* text : {"", "0@", "0@129", "0@0x100", "0@0x500", "0@1,1", "0@1,", "0@-1", "0@ 1", "1000", "v10", "#XYZ", "#0",
                           "#123456789", "?", "0@1@2", "@1", "0@99999999999999999999"}) {
    const auto name = parse_drive_name(text, kNothing);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().code, ErrorCode::usage) << text;
  }
  EXPECT_FALSE(parse_drive_name(std::string(5000, 'a')));
  EXPECT_FALSE(parse_drive_name(std::string("a\0b", 3)));
}

TEST(DriveName, AnExistingFileWithAnAtSignIsThatFile) {
  const FileExists exists = [](const std::string& path) { return path == "disk@1" || path == "disk"; };
  EXPECT_EQ(parse_drive_name("disk@1", exists)->word, "disk@1");
  EXPECT_EQ(parse_drive_name("disk@1@2", exists)->word, "disk@1");
  EXPECT_EQ(parse_drive_name("disk@2", exists)->word, "disk");
  EXPECT_EQ(parse_drive_name("disk@x", exists).error().code, ErrorCode::usage);
}

TEST(ImageName, ReadsEveryForm) {
  using Image = ImageName::Kind;
  struct ImageForm {
    const char* text;
    Image kind;
    const char* path;
  };
  for (const ImageForm& form : std::vector<ImageForm>{{"/mnt/bk/pc", Image::local, "/mnt/bk/pc"},
                                                      {"pc.tti", Image::local, "pc.tti"},
                                                      {"a:b", Image::local, "a:b"},
                                                      {"name:/x", Image::local, "name:/x"},
                                                      {"1@1:\\bk\\pc", Image::partition, "\\bk\\pc"},
                                                      {"w0@0x301:/pc", Image::partition, "/pc"},
                                                      {"#A1B2C3D4@1:\\pc", Image::partition, "\\pc"},
                                                      {"v0@2:\\pc", Image::partition, "\\pc"},
                                                      {"o0:\\pc", Image::optical, "\\pc"},
                                                      {"wo0:\\pc", Image::optical, "\\pc"},
                                                      {"o:\\pc", Image::optical, "\\pc"},
                                                      {"x:\\pc", Image::letter, "\\pc"},
                                                      {"\\\\server\\share\\pc", Image::share, "\\\\server\\share\\pc"}}) {
    const auto name = parse_image_name(form.text, kNothing);
    ASSERT_TRUE(name) << form.text << ": " << name.error().message();
    EXPECT_EQ(name->kind, form.kind) << form.text;
    EXPECT_EQ(name->path, form.path) << form.text;
    if (form.kind == Image::partition) {
      std::string path = form.path;
      std::ranges::replace(path, '\\', '/');
      const Result<std::string> written = resolve_image_path(*name, ImageUse::write);
      ASSERT_TRUE(written) << form.text;
      EXPECT_TRUE(written->ends_with(":" + path + ".tti")) << *written;
    } else if (form.kind != Image::local) {
      const Result<std::string> written = resolve_image_path(*name, ImageUse::write);
      ASSERT_FALSE(written) << form.text;
      EXPECT_EQ(written.error().code, ErrorCode::unsupported);
    }
  }
  for (const char* text : {"", "1:\\pc", "1@1,2:\\pc", "1@200:\\pc", "#zz@1:\\pc"}) EXPECT_FALSE(parse_image_name(text, kNothing)) << text;
}

TEST(ImageName, TheExtensionMayBeLeftOut) {
  auto file = test::ScratchFile::make(1);
  ASSERT_TRUE(file);
  const std::string base = file->path().string();
  const auto path = [](const std::string& text, ImageUse use) { return resolve_image_path(*parse_image_name(text), use); };
  EXPECT_EQ(*path(base + "-new", ImageUse::write), base + "-new.tti");
  EXPECT_EQ(*path(base + "-new.TTI", ImageUse::write), base + "-new.TTI");
  EXPECT_EQ(*path(base + "-new.v2", ImageUse::write), base + "-new.v2.tti");
  EXPECT_EQ(*path(base, ImageUse::read), base);
  EXPECT_EQ(path(base + "-new", ImageUse::read).error().code, ErrorCode::not_found);
  EXPECT_EQ(path("/tmp/", ImageUse::write).error().code, ErrorCode::usage);
}

// Two drives with MBR tables and a raw file without one, all in memory.
class FakeMachine final : public Machine {
 public:
  FakeMachine() {
    add("/dev/sda", 0xA1B2C3D4);
    add("/dev/sdb", 0x00000007);
    files_["blank.raw"] = make_memory_drive(8U << 20);
  }
  void add(const std::string& path, std::uint32_t signature) {
    auto drive = make_memory_drive(64U << 20);
    Bytes sector(512);
    store_le<std::uint32_t>(sector, 440, signature);
    // Entry: status, CHS, type, CHS, start, count. A FAT16 area and an ext area.
    const auto entry = [&](std::size_t slot, unsigned type, std::uint32_t start, std::uint32_t count) {
      const std::size_t at = 446 + 16 * slot;
      sector[at + 4] = static_cast<std::byte>(type);
      store_le(MutableByteSpan(sector), at + 8, start);
      store_le(MutableByteSpan(sector), at + 12, count);
    };
    entry(0, 0x07, 2048, 20000);
    entry(1, 0x83, 40960, 20000);
    store_le<std::uint16_t>(sector, 510, 0xAA55);
    EXPECT_TRUE(drive->write(0, sector));
    ListedDrive listed;
    listed.number = static_cast<unsigned>(drives_.size());
    listed.info = drive->info();
    listed.info.path = path;
    drives_.push_back(listed);
    files_[path] = drive;
  }
  Result<std::vector<ListedDrive>> drives() override { return drives_; }
  Result<std::shared_ptr<Drive>> open(const std::string& path, const OpenOptions&) override {
    const auto found = files_.find(path);
    if (found == files_.end()) return fail(ErrorCode::not_found, "cannot open " + path);
    return found->second;
  }

  std::vector<ListedDrive> drives_;
  std::map<std::string, std::shared_ptr<Drive>> files_;
};

TEST(Resolve, FindsDrivesByNumberSignatureAndPath) {
  FakeMachine machine;
  const auto by_number = resolve("1@2", machine);
  ASSERT_TRUE(by_number) << by_number.error().message();
  EXPECT_EQ(by_number->drive, machine.files_["/dev/sdb"]);
  EXPECT_EQ(by_number->partitions, std::vector<std::uint32_t>{2});
  ASSERT_TRUE(by_number->listed);
  EXPECT_EQ(by_number->listed->number, 1U);
  EXPECT_EQ(resolve("#A1B2C3D4", machine)->drive, machine.files_["/dev/sda"]);
  EXPECT_EQ(resolve("#7@1", machine)->drive, machine.files_["/dev/sdb"]);
  EXPECT_EQ(resolve("#", machine, {.open = {}, .image_signature = "00000007"})->drive, machine.files_["/dev/sdb"]);
  EXPECT_EQ(resolve("blank.raw", machine)->layout.kind, TableKind::none);
  EXPECT_TRUE(resolve("blank.raw@0", machine));

  const auto slice = open_partition(by_number->drive, by_number->layout, 2);
  ASSERT_TRUE(slice);
  EXPECT_EQ((*slice)->size_bytes(), 20000U * 512);
}

TEST(Resolve, FindsMountPointsAndLabels) {
  FakeMachine machine;
  machine.drives_[0].uses.push_back({.kind = Use::Kind::mount, .device = "/dev/sda2", .mount_point = "/home", .extent = {40960 * 512, 20000 * 512}});
  machine.drives_[0].uses.push_back({.kind = Use::Kind::mount, .device = "/dev/dm-0", .mount_point = "/", .extent = {2048 * 512, 20000 * 512}});
  const auto home = resolve("?/home", machine);
  ASSERT_TRUE(home) << home.error().message();
  EXPECT_EQ(home->partitions, std::vector<std::uint32_t>{2});
  EXPECT_EQ(resolve("?/", machine).error().code, ErrorCode::unsupported);
  EXPECT_EQ(resolve("?/usr", machine).error().code, ErrorCode::not_found);
  EXPECT_EQ(resolve("?NOLABEL", machine).error().code, ErrorCode::not_found);
}

TEST(Resolve, FindsALabelOfARealFileSystem) {
  if (!test::have_program("mkfs.ext4")) GTEST_SKIP() << "needs mkfs.ext4";
  FakeMachine machine;
  auto file = test::ScratchFile::make(20000 * 512);
  ASSERT_TRUE(file);
  ASSERT_EQ(test::run("mkfs.ext4 -q -L Rescue " + test::shell_word(file->path())).status, 0);
  auto source = test::load_drive(file->path());
  ASSERT_TRUE(source);
  Bytes content((*source)->size_bytes());
  ASSERT_TRUE((*source)->read(0, content));
  ASSERT_TRUE(machine.files_["/dev/sdb"]->write(40960 * 512, content));
  for (const char* text : {"?Rescue", "?RESCUE"}) {
    const auto found = resolve(text, machine);
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(found->drive, machine.files_["/dev/sdb"]);
    EXPECT_EQ(found->partitions, std::vector<std::uint32_t>{2});
  }
  ASSERT_TRUE(machine.files_["/dev/sda"]->write(40960 * 512, content));
  const auto twice = resolve("?Rescue", machine);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, ErrorCode::usage);
  EXPECT_NE(twice.error().what.find("0@0x2"), std::string::npos) << twice.error().what;
}

TEST(Resolve, SaysWhatThereIsInstead) {
  FakeMachine machine;
  const auto expect = [&](const char* text, ErrorCode code, const char* words) {
    const auto result = resolve(text, machine);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, code) << text;
    EXPECT_NE(result.error().message().find(words), std::string::npos) << result.error().message();
  };
  expect("7", ErrorCode::not_found, "drives 0-1");
  expect("0@3", ErrorCode::not_found, "there are 0x1, 0x2");
  expect("blank.raw@1", ErrorCode::not_found, "no partition table");
  expect("#DEADBEEF", ErrorCode::not_found, "DEADBEEF");
  expect("#", ErrorCode::usage, "#A1B2C3D4");
  expect("v0", ErrorCode::not_found, "no virtual drive v0");
  expect("?D:", ErrorCode::unsupported, "drive letters");
  expect("/dev/sdz", ErrorCode::not_found, "/dev/sdz");
  machine.add("/dev/sdc", 0xA1B2C3D4);
  expect("#A1B2C3D4", ErrorCode::usage, "/dev/sdc");
}

}  // namespace
}  // namespace tintype
