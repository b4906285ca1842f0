// SPDX-License-Identifier: GPL-3.0-or-later
// Input: a volume as ntfs_volume.h has it. Everything is listed, the beginning and a piece behind it of each stream read, and the whole
// volume asked for its owners.
#include "fs/file_tree.h"
#include "fs/file_trees.h"
#include "fs_probe_fuzz.h"
#include "ntfs_volume.h"

using namespace tintype;

namespace {

using fuzz::must;

class Walk {
 public:
  Walk(FileTree& tree, std::uint64_t volume_bytes) : tree_(tree), volume_bytes_(volume_bytes) {}

  void folder(const FileNode& node, int depth) {
    std::vector<FileNode> nodes;
    const auto listed = tree_.list(node, [&](const FileNode& each) {
      nodes.push_back(each);
      return ++seen_ < 500;
    });
    if (listed && seen_ < 500) look_up(node, nodes);
    for (const FileNode& each : nodes) {
      must(each.name != "." && each.name != "..", "a folder lists itself");
      file(each);
      if (each.kind == NodeKind::folder && depth < 8 && seen_ < 500) folder(each, depth + 1);
    }
  }

 private:
  // What the whole listing has must be found by its name too, whatever order the index claims.
  void look_up(const FileNode& folder, const std::vector<FileNode>& nodes) {
    if (nodes.empty()) return;
    FileTree::NameFilter wanted;
    for (const FileNode& each : nodes)
      if (wanted.names.size() < 20) wanted.names.push_back(each.name);
    (void)tree_.names_of(folder, wanted.names);
    std::size_t found = 0;
    (void)tree_.list(folder, wanted, [&](const FileNode&) { return ++found < nodes.size(); }).has_value();
    must(found == nodes.size(), "a name that is listed is not found");
  }

  void file(const FileNode& node) {
    content(node, {});
    (void)tree_.link_target(node).has_value();
    if (const auto streams = tree_.streams(node))
      for (std::size_t i = 0; i < std::min<std::size_t>(streams->size(), 8); ++i) content(node, (*streams)[i].name);
  }

  void content(const FileNode& node, const std::string& stream) {
    auto opened = tree_.open(node, stream);
    if (!opened) return;
    FileContent& bytes = **opened;
    const std::uint64_t size = bytes.size_bytes();
    must(!bytes.read(size, buffer_), "a read past the end");
    MutableByteSpan out = MutableByteSpan(buffer_).first(static_cast<std::size_t>(std::min<std::uint64_t>(size, buffer_.size())));
    (void)bytes.read(0, out).has_value();
    (void)bytes.read(size - out.size(), out).has_value();
    if (const auto extents = bytes.extents())
      for (const Extent& extent : *extents) must(fits(extent.start, extent.length, volume_bytes_), "an extent leaves the volume");
    std::uint64_t at = 0;
    for (int i = 0; i < 20; ++i) {
      const auto data = bytes.next_data(at);
      if (!data || !*data) break;
      must((*data)->start >= at && (*data)->length > 0 && fits((*data)->start, (*data)->length, size), "data that is not in the file");
      at = (*data)->end();
    }
  }

  FileTree& tree_;
  std::uint64_t volume_bytes_;
  std::size_t seen_ = 0;
  Bytes buffer_ = Bytes(100'000);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto drive = fuzz::ntfs_volume_of({reinterpret_cast<const std::byte*>(data), size});
  if (!drive) return 0;
  const auto tree = open_ntfs_tree(std::make_shared<fuzz::CountingDrive>(drive));
  if (!tree) return 0;
  (*tree)->will_need_nodes(1000);
  if (const auto root = (*tree)->root()) Walk(**tree, drive->size_bytes()).folder(*root, 0);
  const ExtentSet all({{0, drive->size_bytes()}});
  const auto owners = (*tree)->owners(all);
  must(owners.has_value(), "no owners although every read succeeds");
  ExtentSet claimed;
  for (const ByteOwner& owner : *owners)
    for (const Extent& extent : owner.bytes.items()) claimed.add(extent);
  must(claimed == all, "bytes that nobody is said to own, or others than were asked for");
  return 0;
}
