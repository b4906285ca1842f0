// SPDX-License-Identifier: GPL-3.0-or-later
// Source: ntfs-3g's layout.h (STANDARD_INFORMATION).
#include "fs/ntfs/file_facts.h"

#include "fs/ntfs/reparse.h"

namespace tintype::ntfs {
namespace {

constexpr std::size_t kMaxLinkBytes = 8 + 2 * 4096;
constexpr std::uint32_t kOnlyInNames = 0xf0000000;  // bits of $FILE_NAME that are no attributes: folder, view

void note_times(FileNode& node, std::int64_t created, std::int64_t modified, std::int64_t changed, std::int64_t accessed) {
  node.created = unix_time(created);
  node.modified = unix_time(modified);
  node.changed = unix_time(changed);
  node.accessed = unix_time(accessed);
}

void note_attributes(FileNode& node, std::uint32_t attributes) {
  node.dos_attributes = attributes;
  node.compressed = attributes & kCompressedAttribute;
  node.sparse = attributes & kSparseAttribute;
  node.encrypted = attributes & kEncryptedAttribute;
}

void note_information(FileNode& node, ByteSpan value) {
  if (value.size() < 36) return;
  const auto time = [&](std::size_t at) { return static_cast<std::int64_t>(le64(value, at)); };
  note_times(node, time(0), time(8), time(16), time(24));
  note_attributes(node, le32(value, 32));
}

void note_data(FileNode& node, const Attribute& data) {
  node.size_bytes = data.size_bytes();
  node.stored_bytes = data.resident ? 0 : data.allocated_bytes;
  node.compressed = data.flags & kCompressedMask;
  node.sparse = data.flags & kSparse;
  node.encrypted = data.flags & kEncrypted;
}

NodeKind kind_of_tag(std::uint32_t tag, bool folder) {
  switch (tag) {
    case kSymlinkTag:
    case kMountPointTag:
    case kLinuxSymlinkTag: return NodeKind::symlink;
    case kLinuxSocketTag: return NodeKind::socket;
    case kLinuxFifoTag: return NodeKind::fifo;
    case kLinuxCharacterTag:
    case kLinuxBlockTag: return NodeKind::device;
    default: break;
  }
  // Files and folders that a filter driver of Windows looks after are files and folders all the same: OneDrive's folders
  // have their entries, WOF's files their size. What else a tag may mean nobody knows.
  const bool looked_after = tag == kWofTag || tag == kDedupTag || (tag & 0xffff0fff) == 0x9000001a;
  if (folder) return NodeKind::folder;
  return looked_after ? NodeKind::file : NodeKind::reparse_point;
}

// What the heads of the attributes say.
struct Heads {
  FileNode node;
  std::optional<Head> base;
  bool has_tag = false, tag_elsewhere = false;
  std::uint32_t tag = 0;
  bool interix_link = false, perhaps_interix = false;
  unsigned dos_names = 0;
};

void note_head(Heads& heads, const Attribute& a) {
  switch (a.type) {
    case kStandardInformation: return note_information(heads.node, a.value);
    case kFileName:
      if (const auto name = parse_file_name(a.value); name && name->name_space == kDosName) ++heads.dos_names;
      return;
    case kReparsePoint:
      heads.has_tag = true;
      heads.tag = reparse_tag(a.value);
      heads.tag_elsewhere = !a.resident;
      return;
    case kData:
      note_data(heads.node, a);
      heads.interix_link = interix_target(a.value).has_value();
      heads.perhaps_interix = !a.resident && a.data_bytes <= kMaxLinkBytes;
      return;
    default: return;
  }
}

Result<Bytes> beginning(const Mft& mft, FileReference file, std::uint32_t wanted_type, std::size_t length) {
  const File loaded = TRY(mft.load_file(file.record, file.sequence, [&](std::uint32_t type, ByteSpan name) { return type == wanted_type && name.empty(); }));
  const Stream* stream = loaded.find(wanted_type);
  if (!stream) return Bytes{};
  Bytes out(static_cast<std::size_t>(std::min<std::uint64_t>(length, stream->data_bytes)));
  TRY(mft.read(*stream, 0, out));
  return out;
}

}  // namespace

FileNode node_of_name(FileReference file, const FileName& name) {
  FileNode node;
  node.id = node.handle[0] = file.record;
  node.handle[1] = file.sequence;
  note_times(node, name.created, name.modified, name.changed, name.accessed);
  note_attributes(node, name.attributes & ~kOnlyInNames);
  node.size_bytes = name.data_bytes;
  node.stored_bytes = name.allocated_bytes;
  if (name.says_folder()) {
    node.kind = NodeKind::folder;
    node.size_bytes = node.stored_bytes = 0;
    node.dos_attributes |= kFolderAttribute;
  }
  return node;
}

Result<FileNode> load_node(const Mft& mft, FileReference file, std::optional<Error>& problem) {
  Heads heads;
  const auto wanted = [](std::uint32_t type, ByteSpan name) {
    return name.empty() && (type == kStandardInformation || type == kFileName || type == kReparsePoint || type == kData);
  };
  auto visited = mft.visit_heads(file.record, file.sequence, wanted, [&](const Head& head, const Attribute& a) {
    heads.base = head;
    note_head(heads, a);
  });
  if (!visited && !heads.base) return fail(std::move(visited.error()));
  if (!visited) problem = std::move(visited.error());
  const Head base = heads.base ? *heads.base : *visited;
  FileNode& node = heads.node;
  node.id = node.handle[0] = base.reference.record;
  node.handle[1] = base.reference.sequence;
  // A file with a DOS name beside its own has two names by NTFS's count.
  node.links = base.links > heads.dos_names ? base.links - heads.dos_names : 1;
  const bool folder = base.flags & kDirectory;
  if (heads.tag_elsewhere)
    if (const auto value = beginning(mft, file, kReparsePoint, 8)) heads.tag = reparse_tag(*value);
  node.reparse_tag = heads.tag;
  node.kind = heads.has_tag ? kind_of_tag(heads.tag, folder) : folder ? NodeKind::folder : NodeKind::file;
  if (folder) {
    node.dos_attributes |= kFolderAttribute;
    node.size_bytes = node.stored_bytes = 0;
  } else if (node.kind == NodeKind::file && (node.dos_attributes & kSystemAttribute)) {
    if (heads.perhaps_interix)
      if (const auto data = beginning(mft, file, kData, 16)) heads.interix_link = interix_target(*data).has_value();
    if (heads.interix_link) node.kind = NodeKind::symlink;
  }
  if (file.record < kFirstUserRecord && file.record != kRootRecord) node.dos_attributes |= kHiddenAttribute | kSystemAttribute;
  return node;
}

}  // namespace tintype::ntfs
