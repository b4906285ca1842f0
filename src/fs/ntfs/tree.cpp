// SPDX-License-Identifier: GPL-3.0-or-later
// The files of an NTFS volume. $MFT is the list of all that is; a folder's index has names and record numbers, and the records say what a
// file is like: the copies of sizes and times in an index are out of date as often as not.
#include <fmt/format.h>

#include "base/text.h"
#include "fs/file_trees.h"
#include "fs/ntfs/content.h"
#include "fs/ntfs/file_facts.h"
#include "fs/ntfs/folder_index.h"
#include "fs/ntfs/owners.h"
#include "fs/ntfs/reparse.h"

namespace tintype {
namespace ntfs {
namespace {

constexpr std::uint64_t kMaxReparseBytes = 64 * 1024;  // Windows keeps 16 KiB

FileReference reference_of(const FileNode& node) { return {node.handle[0], static_cast<std::uint16_t>(node.handle[1])}; }

// A name that only DOS programs know, beside another, and the root's entry for itself.
bool is_shown(const FileName& name) { return name.name_space != kDosName && !name_is(name.name, ".") && !name_is(name.name, ".."); }

class NtfsTree final : public FileTree {
 public:
  NtfsTree(std::shared_ptr<Drive> partition, Mft mft)
      : partition_(std::move(partition)), mft_(std::move(mft)), upcase_(UpCase::load(mft_)) {}

  FsType type() const override { return FsType::ntfs; }
  bool ignores_case() const override { return true; }
  bool same_name(const std::string& a, const std::string& b) const override { return upcase_.same(a, b); }

  Result<FileNode> root() override {
    Bytes buffer;
    const Record record = TRY(mft_.read_record(kRootRecord, buffer));
    std::optional<Error> ignored;
    FileNode node = TRY(load_node(mft_, {kRootRecord, record.sequence}, ignored));
    if (node.kind != NodeKind::folder) return fail(ErrorCode::corrupt, "the root of NTFS is no folder");
    return node;
  }

  Result<void> list(const FileNode& folder, const NameFilter& wanted, const Visitor& visit) override {
    if (!(folder.dos_attributes & kFolderAttribute))
      return fail(ErrorCode::usage, fmt::format("{} is a {}, not a folder", printable(folder.name), to_string(folder.kind)));
    const FileReference self = reference_of(folder);
    const File file = TRY(mft_.load_file(self.record, self.sequence, is_index_part));
    std::optional<Error> problem;
    const auto note = [&](Error error) {
      if (!problem) problem = std::move(error);
    };
    const Result<void> walked = for_each_name(mft_, file, [&](FileReference reference, const FileName& name) {
      if (!is_shown(name)) return true;
      const std::string text = text_of_utf16(name.name);
      if (wanted.fits && !wanted.fits(text)) return true;
      std::optional<Error> partly;
      Result<FileNode> node = load_node(mft_, reference, partly);
      if (partly) note(std::move(*partly));
      if (!node) {
        note(Error(node.error()).within(printable(text)));
        // Whoever looks for a file that a bad sector took should see that it was there.
        node = node_of_name(reference, name);
      }
      node->name = text;
      return visit(*node);
    }, &upcase_, folded(wanted.names));
    if (!walked) return fail(walked.error());
    if (problem) return fail(std::move(*problem));
    return {};
  }

  std::vector<Extent> names_of(const FileNode& folder, const std::vector<std::string>& names) override {
    const FileReference self = reference_of(folder);
    const Result<File> file = mft_.load_file(self.record, self.sequence, is_index_part);
    return file ? index_places(mft_, *file, upcase_, folded(names)) : std::vector<Extent>();
  }

  // Worth it if otherwise each piece would be come back to time and again.
  void will_need_nodes(std::uint64_t count) override {
    constexpr std::uint64_t kPiece = 1U << 20, kNodesOfAPiece = 8, kMost = 64U << 20;
    const Stream* table = mft_.self().find(kData);
    if (table == nullptr || table->data_bytes > std::min(count / kNodesOfAPiece * kPiece, kMost)) return;
    std::uint64_t left = table->data_bytes;  // the runs may claim any length
    for (const Extent& extent : table->runs.extents(mft_.boot().cluster_bytes)) {
      const std::uint64_t end = std::min(extent.length, left);
      for (std::uint64_t at = 0; at < end; at += kPiece) mft_.drive().will_need(extent.start + at, std::min(kPiece, end - at));
      left -= end;
      if (left == 0) return;
    }
  }

  Result<std::unique_ptr<FileContent>> open(const FileNode& file, const std::string& stream) override {
    auto content = open_stream(file, stream);
    if (!content) return fail(Error(content.error()).within(full_name(file, stream)));
    return content;
  }

  Result<std::vector<NamedStream>> streams(const FileNode& node) override {
    std::vector<NamedStream> out;
    const FileReference file = reference_of(node);
    const auto wanted = [](std::uint32_t type, ByteSpan name) { return type == kData && !name.empty(); };
    TRY(mft_.visit_heads(file.record, file.sequence, wanted,
                         [&](const Head&, const Attribute& a) { out.push_back({text_of_utf16(a.name), a.size_bytes()}); }));
    return out;
  }

  Result<std::optional<std::string>> link_target(const FileNode& node) override {
    if (node.reparse_tag != 0) {
      const Bytes value = TRY(reparse_value(node));
      return reparse_target(value);
    }
    if (node.kind != NodeKind::symlink) return std::nullopt;
    Stream stream = TRY(load_stream(node, kData, {}));
    const auto content = TRY(open_content(mft_, std::move(stream)));
    if (content->size_bytes() > kMaxReparseBytes) return std::nullopt;
    Bytes data(static_cast<std::size_t>(content->size_bytes()));
    TRY(content->read(0, data));
    return interix_target(data);
  }

  Result<std::vector<ByteOwner>> owners(const ExtentSet& bytes) override { return find_owners(mft_, bytes); }

 private:
  std::vector<std::u16string> folded(const std::vector<std::string>& names) const {
    std::vector<std::u16string> out;
    for (const std::string& name : names)
      if (std::optional<std::u16string> each = upcase_.folded(name)) out.push_back(std::move(*each));
    return out;
  }

  static std::string full_name(const FileNode& file, const std::string& stream) {
    return printable(stream.empty() ? file.name : file.name + ":" + stream);
  }

  Result<Stream> load_stream(const FileNode& node, std::uint32_t type, const std::string& name) const {
    const FileReference reference = reference_of(node);
    // As stored if there is such a one, else as this volume folds case.
    for (const bool exact : {true, false}) {
      File file = TRY(mft_.load_file(reference.record, reference.sequence, [&](std::uint32_t each_type, ByteSpan each) {
        return each_type == type && (exact ? text_of_utf16(each) == name : upcase_.same(text_of_utf16(each), name));
      }));
      if (!file.streams.empty()) return std::move(file.streams.front());
    }
    return fail(ErrorCode::not_found, type == kData ? "there is no such stream" : "its record lacks what it should have");
  }

  Result<Bytes> reparse_value(const FileNode& node) const {
    const Stream stream = TRY(load_stream(node, kReparsePoint, {}));
    if (stream.data_bytes > kMaxReparseBytes) return fail(ErrorCode::corrupt, "a reparse point has an impossible size");
    Bytes value(static_cast<std::size_t>(stream.data_bytes));
    TRY(mft_.read(stream, 0, value));
    return value;
  }

  Result<std::unique_ptr<FileContent>> open_stream(const FileNode& node, const std::string& stream) {
    if (!stream.empty()) {
      Stream named = TRY(load_stream(node, kData, stream));
      return open_content(mft_, std::move(named));
    }
    if (node.kind == NodeKind::folder) return fail(ErrorCode::usage, "a folder has no content");
    if (node.kind == NodeKind::symlink) {
      const auto target = TRY(link_target(node));
      if (!target) return fail(ErrorCode::corrupt, "the link is malformed");
      const ByteSpan bytes = as_bytes(*target);
      return content_of(Bytes(bytes.begin(), bytes.end()));
    }
    if (node.kind != NodeKind::file) return content_of(TRY(reparse_value(node)));
    if (const char* how = content_elsewhere(node.reparse_tag, node.dos_attributes))
      return fail(ErrorCode::unsupported, fmt::format("its content is {}", how), "restore the partition and read it under Windows");
    auto data = load_stream(node, kData, {});
    if (!data && data.error().code == ErrorCode::not_found) return content_of({});  // some of NTFS's own have no data at all
    if (!data) return fail(std::move(data.error()));
    return open_content(mft_, std::move(*data));
  }

  std::shared_ptr<Drive> partition_;
  Mft mft_;
  UpCase upcase_;
};

// Empty if what is there is no sane boot sector.
Result<std::optional<BootSector>> read_boot_sector(Drive& partition) {
  Bytes sector(kBootSectorBytes);
  TRY(partition.read(0, sector));
  return parse_boot_sector(sector);
}

}  // namespace
}  // namespace ntfs

bool begins_as_ntfs(Drive& partition) {
  if (partition.size_bytes() < ntfs::kBootSectorBytes) return false;
  const auto boot = ntfs::read_boot_sector(partition);
  return boot ? boot->has_value() : ntfs::read_backup_boot_sector(partition).has_value();
}

Result<std::unique_ptr<FileTree>> open_ntfs_tree(std::shared_ptr<Drive> partition) {
  using namespace ntfs;
  if (partition->size_bytes() < kBootSectorBytes) return fail(ErrorCode::corrupt, "the partition is too small for NTFS");
  const auto first = read_boot_sector(*partition);
  auto boot = first ? *first : std::nullopt;
  if (!boot) boot = read_backup_boot_sector(*partition);
  if (!boot) return fail(ErrorCode::corrupt, "the boot sector of NTFS and its backup are damaged");
  Mft mft = TRY(Mft::open(*partition, *boot));
  return std::make_unique<NtfsTree>(std::move(partition), std::move(mft));
}

}  // namespace tintype
