// SPDX-License-Identifier: GPL-3.0-or-later
// Leaving out data is the one place where a wrong answer loses something, so every check that fails keeps the file in.
#include "fs/ntfs/left_out.h"

#include <algorithm>

#include "base/text.h"
#include "fs/ntfs/root_index.h"

namespace tintype::ntfs {
namespace {

struct Candidate {
  FileReference record;
  LeftOutFile file;
  bool doubtful = false;
};

bool only_named_in_root(const File& file, const File& root, ByteSpan name) {
  constexpr std::size_t kHeader = 66;
  std::size_t names = 0;
  for (const Stream& stream : file.streams) {
    if (stream.type != kFileName) continue;
    ++names;
    const ByteSpan value = stream.value;
    if (!stream.resident || value.size() < kHeader || value.size() < kHeader + 2 * std::size_t{u8(value, 64)} ||
        load_reference(value, 0) != FileReference{root.number, root.sequence} ||
        !std::ranges::equal(value.subspan(kHeader, 2 * std::size_t{u8(value, 64)}), name))
      return false;
  }
  return names == 1 && file.links == 1;
}

Result<std::optional<Candidate>> examine(Volume& volume, const File& root, const DirectoryEntry& entry,
                                         const ExtentSet& system_ranges) {
  const File file = TRY(volume.mft.load_file(entry.file.record, entry.file.sequence));
  const Stream* data = file.find(kData);
  if ((file.flags & kDirectory) || !only_named_in_root(file, root, entry.name) || !data || data->resident ||
      (data->flags & ~kSparse))
    return std::nullopt;
  std::vector<Extent> extents = data->runs.extents(volume.mft.boot().cluster_bytes);
  std::uint64_t total = 0;
  for (const Extent& extent : extents) total += extent.length;
  if (!head_begins_a_piece(extents)) return std::nullopt;
  Candidate out{entry.file, {}, false};
  out.file.extents = ExtentSet(std::move(extents));
  out.file.size_bytes = data->data_bytes;
  out.file.path = "/" + utf8_from_utf16le(entry.name);
  out.file.kind = name_is(entry.name, "hiberfil.sys", true) ? LeftOutFile::Kind::hibernation : LeftOutFile::Kind::page;
  const bool crosses_itself = out.file.extents.total_bytes() != total;
  if (out.file.extents.empty() || crosses_itself || !TRY(volume.bitmap.all_used(out.file.extents))) return std::nullopt;
  for (const Extent& range : system_ranges.items())
    if (out.file.extents.intersects(range)) return std::nullopt;
  return out;
}

// Marks candidates whose clusters another file, or another stream of the same file, claims too.
Result<void> mark_shared(const Volume& volume, std::vector<Candidate>& candidates) {
  const std::uint64_t cluster_bytes = volume.mft.boot().cluster_bytes;
  return volume.mft.scan([&](std::uint64_t number, const Record& record) -> Result<void> {
    for (const Attribute& attribute : record.attributes) {
      if (attribute.resident) continue;
      RunDecoder decoder(attribute.mapping_pairs, 0, volume.mft.boot().total_clusters);
      while (const std::optional<Run> run = TRY(decoder.next())) {
        if (!run->lcn) continue;
        for (Candidate& candidate : candidates) {
          const bool own_record =
              number == candidate.record.record || record.base == candidate.record;
          if (own_record && attribute.type == kData && attribute.name.empty()) continue;
          if (candidate.file.extents.intersects({*run->lcn * cluster_bytes, run->length * cluster_bytes}))
            candidate.doubtful = true;
        }
      }
    }
    return {};
  });
}

Result<std::vector<LeftOutFile>> find(Volume& volume, const ExtentSet& system_ranges) {
  const File root = TRY(volume.mft.load_file(kRootRecord));
  std::vector<Candidate> candidates;
  for (const char* name : {"pagefile.sys", "swapfile.sys", "hiberfil.sys"}) {
    const auto entries = TRY(find_names(volume.mft, root, {name}));
    if (entries.size() != 1) continue;  // absent, or two names that differ in case only
    auto candidate = examine(volume, root, entries.front(), system_ranges);
    if (candidate && *candidate) candidates.push_back(std::move(**candidate));
  }
  if (candidates.empty()) return std::vector<LeftOutFile>{};
  TRY(mark_shared(volume, candidates));
  std::vector<LeftOutFile> out;
  for (Candidate& candidate : candidates)
    if (!candidate.doubtful) out.push_back(std::move(candidate.file));
  return out;
}

}  // namespace

bool head_begins_a_piece(const std::vector<Extent>& in_file_order) {
  if (in_file_order.empty()) return false;
  const ExtentSet pieces(in_file_order);
  return std::ranges::any_of(pieces.items(), [&](const Extent& piece) { return piece.start == in_file_order.front().start; });
}

std::vector<LeftOutFile> find_left_out_files(Volume& volume, const ExtentSet& system_ranges) {
  auto found = find(volume, system_ranges);
  return found ? std::move(*found) : std::vector<LeftOutFile>{};
}

}  // namespace tintype::ntfs
