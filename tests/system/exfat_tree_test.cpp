// SPDX-License-Identifier: GPL-3.0-or-later
// Files of exFAT without mounting, against exfat-fuse (names, times, contents) and, for real volumes, The Sleuth Kit.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <map>
#include <sstream>

#include "support/corpus.h"
#include "support/scratch.h"
#include "tree_support.h"

namespace tintype::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPopulate = R"sh(
set -e
cd "$1"
mkdir -p "A folder/below/lower" many
for i in $(seq 1 300); do echo $i > "many/a file whose name takes several entries of the folder $i"; done
head -c 3000000 /dev/urandom > "A folder/below/lower/data"
echo u > "$(printf 'caf\303\251 \316\251 \320\226 \360\237\230\200')"; : > empty; echo long > "$(head -c 255 /dev/zero | tr '\0' n)"
for i in $(seq 1 60); do head -c 20000 /dev/urandom > part$i; done
rm part*[13579]
head -c 900000 /dev/urandom > "in many pieces"
find . -exec touch -d '1999-12-31 23:59:58' {} +; touch -d '2099-12-31 10:20:30' empty
)sh";

// The folder where exfat-fuse shows an image; undone at the end.
class FuseMount {
 public:
  FuseMount(const fs::path& image, const std::string& options) {
    const CommandOutcome loop = run("losetup -f --show " + shell_word(image) + " 2>/dev/null");
    if (loop.status != 0) return;
    device_ = loop.output.substr(0, loop.output.find('\n'));
    std::string name = (fs::temp_directory_path() / "tintype-exfat-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    ok_ = run("mount.exfat-fuse -o " + options + " " + device_ + " " + shell_word(folder_)).status == 0;
  }
  ~FuseMount() {
    if (ok_) (void)run("umount " + shell_word(folder_));
    std::error_code ignored;
    if (!folder_.empty()) fs::remove(folder_, ignored);
    // The driver may hold the device a moment longer than the mount.
    for (int i = 0; i < 50 && !device_.empty() && run("fuser -s " + device_).status == 0; ++i) (void)run("sleep 0.1");
    if (!device_.empty()) (void)run("losetup -d " + device_);
  }
  bool ok() const { return ok_; }
  const fs::path& folder() const { return folder_; }

 private:
  std::string device_;
  fs::path folder_;
  bool ok_ = false;
};

class ExfatTree : public testing::TestWithParam<const char*> {};

TEST_P(ExfatTree, HoldsWhatExfatFuseShows) {
  if (!have_program("mkfs.exfat") || !have_program("mount.exfat-fuse")) GTEST_SKIP() << "needs exfatprogs and exfat-fuse";
  const auto image = ScratchFile::make(100 << 20);
  ASSERT_TRUE(image);
  const CommandOutcome made = run(std::string("mkfs.exfat -L LABEL ") + GetParam() + " " + shell_word(image->path()));
  ASSERT_EQ(made.status, 0) << made.output;
  {
    const FuseMount mount(image->path(), "rw");
    if (!mount.ok()) GTEST_SKIP() << "exfat-fuse cannot mount here";
    const CommandOutcome filled = run("export TZ=UTC LC_ALL=C.UTF-8; bash -c " + shell_word(kPopulate) + " x " + shell_word(mount.folder()));
    ASSERT_EQ(filled.status, 0) << filled.output;
  }
  const FuseMount mount(image->path(), "ro");
  ASSERT_TRUE(mount.ok());
  const auto tree = open_tree(image->path());
  ASSERT_TRUE(tree) << tree.error().message();
  Compared compared;
  compared.modes = compared.created = compared.folder_times = compared.accessed = false;
  EXPECT_EQ(differences(**tree, mount.folder(), compared), "");
  EXPECT_TRUE(find_node(**tree, "\\a FOLDER/BELOW"));
  EXPECT_TRUE(find_node(**tree, "/CAF\xC3\x89 \xCF\x89 \xD0\xB6 \xF0\x9F\x98\x80"));

  // Each file owns what it lies in, in however many pieces.
  for (const std::string path : {"/in many pieces", "/A folder/below/lower/data", "/many/a file whose name takes several entries of the folder 7"}) {
    const auto node = find_node(**tree, path);
    ASSERT_TRUE(node);
    const auto content = (*tree)->open(*node);
    const auto extents = (*content)->extents();
    ASSERT_TRUE(extents);
    if (path == "/in many pieces") {
      EXPECT_GT(extents->size(), 5U);
    }
    for (const Extent& extent : *extents) EXPECT_EQ(owner_of(**tree, extent), "file: " + path);
  }
  EXPECT_EQ(owner_of(**tree, {0, 1}), "structure: the boot region");
  EXPECT_EQ(owner_of(**tree, {(100U << 20) - (1U << 19), 10}), "free: free space");
}

INSTANTIATE_TEST_SUITE_P(Clusters, ExfatTree, testing::Values("-c 512", "-c 4096", "-c 65536"),
                         [](const auto& each) { return "c" + std::string(each.param).substr(3); });

void list_all(FileTree& tree, const FileNode& folder, const std::string& path, std::map<std::string, std::string>& out) {
  (void)tree.list(folder, [&](const FileNode& node) {
    out[path + "/" + node.name] = std::to_string(node.kind == NodeKind::file ? node.size_bytes : 0);
    if (node.kind == NodeKind::folder) list_all(tree, node, path + "/" + node.name, out);
    return true;
  });
}

// Names, sizes and contents as The Sleuth Kit sees them.
TEST(ExfatTreeCorpus, SameFilesAsSleuthKit) {
  if (!have_program("fls") || !have_program("icat")) GTEST_SKIP() << "needs sleuthkit";
  if (!corpus_folder()) GTEST_SKIP() << "there is no corpus";
  int files = 0;
  for (const CorpusEntry& entry : corpus_entries("raw:exfat")) {
    if (entry.path.find("bad") != std::string::npos || entry.path.find("syz") != std::string::npos ||
        entry.path.find("invalid") != std::string::npos || entry.path.find("loop") != std::string::npos || entry.path.find("duplicated") != std::string::npos)
      continue;
    SCOPED_TRACE(entry.path);
    const auto image = unpack(entry);
    ASSERT_TRUE(image);
    const auto tree = open_tree(image->path());
    ASSERT_TRUE(tree) << tree.error().message();
    std::map<std::string, std::string> ours, theirs;
    const auto root = (*tree)->root();
    ASSERT_TRUE(root);
    list_all(**tree, *root, "", ours);
    // "type/type inode:\tpath\tfour times\tsize\tuid\tgid"
    std::istringstream rows(run("fls -f exfat -r -u -p -l " + shell_word(image->path())).output);
    for (std::string row; std::getline(rows, row);) {
      std::vector<std::string> columns;
      std::istringstream in(row);
      for (std::string column; std::getline(in, column, '\t');) columns.push_back(column);
      if (columns.size() < 7 || columns[1].starts_with("$") || columns[0].starts_with("v/v")) continue;
      const bool file = columns[0].starts_with("r/r");
      if (columns[1].find(" (Volume Label Entry)") != std::string::npos) continue;
      theirs["/" + columns[1]] = file ? columns[6] : "0";
      if (!file) continue;
      ++files;
      const auto node = find_node(**tree, "/" + columns[1]);
      ASSERT_TRUE(node) << columns[1];
      auto content = (*tree)->open(*node);
      ASSERT_TRUE(content);
      Bytes bytes((*content)->size_bytes());
      ASSERT_TRUE((*content)->read(0, bytes));
      const std::string inode = columns[0].substr(4, columns[0].find(':') - 4);
      const std::string real = run("icat -f exfat " + shell_word(image->path()) + " " + inode + " 2>/dev/null").output;
      EXPECT_TRUE(real == as_text(bytes)) << columns[1];
    }
    EXPECT_EQ(ours, theirs);
  }
  EXPECT_GT(files, 3);
}

}  // namespace
}  // namespace tintype::test
