// SPDX-License-Identifier: GPL-3.0-or-later
// Compressed files read upwards, backwards and out of order; the tools of the formats make them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/environment.h"
#include "drive/foreign/byte_source.h"
#include "drive/open.h"
#include "support/scratch.h"

namespace tintype {
namespace {

constexpr std::size_t kSize = (12U << 20) + 12345;  // more than what is kept of it

// Sets $TMPDIR, and puts it back.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const char* path) {
    if (const char* now = std::getenv("TMPDIR")) before_ = now;
    ::setenv("TMPDIR", path, 1);
  }
  ~TemporaryFolder() {
    if (before_.empty()) ::unsetenv("TMPDIR");
    else ::setenv("TMPDIR", before_.c_str(), 1);
  }

 private:
  std::string before_;
};

Bytes content() {
  Bytes bytes(kSize);
  SeededRandom random(11);
  EXPECT_TRUE(random.fill(MutableByteSpan(bytes).subspan(3U << 20)));  // begins with a hole
  return bytes;
}

// Two frames, as tools that run in parallel make them.
std::shared_ptr<Drive> packed(const Bytes& bytes, const std::string& tool, const test::ScratchFile& file) {
  const auto plain = test::ScratchFile::make();
  std::ofstream(plain->path(), std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  const std::string from = test::shell_word(plain->path()), to = test::shell_word(file.path());
  const auto done = test::run("head -c 5000000 " + from + " | " + tool + " > " + to + " && tail -c +5000001 " + from + " | " + tool + " >> " + to);
  EXPECT_EQ(done.status, 0) << done.output;
  auto drive = open_drive(file.path().string());
  return drive ? *drive : nullptr;
}

void expect_all_positions(ByteSource& source, const Bytes& bytes) {
  Bytes out(300'000);
  const auto same = [&](std::size_t at) {
    const std::size_t length = std::min(out.size(), kSize - at);
    const auto result = source.read(at, MutableByteSpan(out).first(length));
    ASSERT_TRUE(result) << at << ": " << result.error().message();
    ASSERT_TRUE(std::equal(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(length), bytes.begin() + static_cast<std::ptrdiff_t>(at))) << at;
  };
  for (std::size_t at = 0; at < kSize; at += out.size()) same(at);
  for (const std::size_t at : {std::size_t{5}, std::size_t{11} << 20, std::size_t{4} << 20, std::size_t{1}, kSize - 1, std::size_t{3} << 20}) same(at);
  EXPECT_EQ(source.read(kSize - 10, MutableByteSpan(out).first(11)).error().code, ErrorCode::corrupt);
  same(77);
}

TEST(PackedSource, ReadsEveryFormatInAnyOrderWithAndWithoutATemporaryFile) {
  const Bytes bytes = content();
  for (const std::string tool : {"gzip -1", "zstd -1 -q", "xz -0", "lz4 -1 -q", "bzip2 -1"}) {
    SCOPED_TRACE(tool);
    if (!test::have_program(tool.substr(0, tool.find(' ')))) continue;
    const auto file = test::ScratchFile::make();
    const auto drive = packed(bytes, tool, *file);
    ASSERT_TRUE(drive);
    for (const bool temporary : {true, false}) {
      if (!temporary && tool != "gzip -1") continue;
      const TemporaryFolder folder(temporary ? "/tmp" : "/no-such-folder");
      auto source = open_byte_source(drive);
      ASSERT_TRUE(source);
      expect_all_positions(**source, bytes);
    }
  }
}

TEST(PackedSource, DamageAndCutsAreFoundAndWhatLiesBeforeThemIsRead) {
  const Bytes bytes = content();
  for (const std::string tool : {"gzip -1", "xz -0"}) {
    SCOPED_TRACE(tool);
    const auto file = test::ScratchFile::make();
    const auto whole = packed(bytes, tool, *file);
    ASSERT_TRUE(whole);
    auto cut = open_byte_source(make_slice(whole, {0, whole->size_bytes() - 500'000}, "cut"));
    ASSERT_TRUE(cut);
    Bytes out(1000);
    EXPECT_EQ((*cut)->read(kSize - 1000, out).error().code, ErrorCode::corrupt);
    EXPECT_TRUE((*cut)->read(4'000'000, out));
    EXPECT_TRUE(std::equal(out.begin(), out.end(), bytes.begin() + 4'000'000));
  }
}

}  // namespace
}  // namespace tintype
