// SPDX-License-Identifier: GPL-3.0-or-later
// $MFT maps itself: record 0 holds the first runs (and they hold record 0), extension records named by its attribute list
// hold the rest, and each must lie in what is mapped already. So opening walks the list in order and grows the map.
#include "fs/ntfs/mft.h"

#include <fmt/format.h>

#include <algorithm>

#include "fs/ntfs/attribute_list.h"

namespace tintype::ntfs {
namespace {

constexpr std::uint64_t kMaxRecords = std::uint64_t{1} << 32;
constexpr std::size_t kMaxHeadLoads = 4096;  // extension records read for the heads of one file

const Attribute* find_attribute(const Record& record, std::uint32_t type) {
  for (const Attribute& a : record.attributes)
    if (a.type == type && a.name.empty()) return &a;
  return nullptr;
}

}  // namespace

const Stream* File::find(std::uint32_t type, std::string_view name) const {
  for (const Stream& stream : streams)
    if (stream.type == type && name_is(stream.name, name)) return &stream;
  return nullptr;
}

Result<Mft> Mft::open(Drive& partition, const BootSector& boot) {
  Mft mft(partition, boot);
  Bytes buffer(boot.record_bytes);
  TRY(partition.read(boot.mft_cluster * boot.cluster_bytes, buffer));
  const Record record = TRY(parse_record(buffer));
  const Attribute* data = find_attribute(record, kData);
  if (!(record.flags & kInUse) || record.base != FileReference{} || !data || data->resident)
    return fail(ErrorCode::corrupt, "the first record is not that of $MFT");
  TRY(mft.runs_.append(data->mapping_pairs, data->lowest_vcn, data->highest_vcn, boot.total_clusters));
  if (mft.runs_.runs().empty() || mft.runs_.runs().front().lcn != boot.mft_cluster)
    return fail(ErrorCode::corrupt, "$MFT does not begin where the boot sector says");
  if (const Attribute* list = find_attribute(record, kAttributeList)) {
    const Bytes entries = TRY(mft.read_attribute_list(*list));
    TRY(mft.grow_own_runs(entries));
  }

  mft.self_ = TRY(mft.load_file(kMftRecord));
  const Stream* stream = mft.self_.find(kData);
  const Stream* bitmap = mft.self_.find(kBitmap);
  if (!stream || !bitmap || stream->flags != 0 || bitmap->flags != 0 || stream->runs.has_holes() ||
      stream->runs.clusters() != mft.runs_.clusters() || stream->data_bytes / boot.record_bytes > kMaxRecords)
    return fail(ErrorCode::corrupt, "$MFT is not stored as it must be");
  return mft;
}

Result<void> Mft::grow_own_runs(ByteSpan list) {
  Bytes buffer;
  while (!list.empty()) {
    const ListEntry entry = TRY(take_entry(list));
    if (entry.type != kData || !entry.name.empty() || entry.lowest_vcn == 0) continue;
    const Record record = TRY(read_record(entry.record.record, buffer));
    const Attribute* piece = find_piece(record, entry);
    if (record.sequence != entry.record.sequence || !piece || piece->resident)
      return fail(ErrorCode::corrupt, "$MFT's attribute list names a piece that is not there");
    TRY(runs_.append(piece->mapping_pairs, piece->lowest_vcn, piece->highest_vcn, boot_.total_clusters));
  }
  return {};
}

Result<Record> Mft::read_record(std::uint64_t number, Bytes& buffer) const {
  if (number >= kMaxRecords) return fail(ErrorCode::corrupt, "a record number is impossible");
  buffer.resize(boot_.record_bytes);
  TRY(runs_.read(*drive_, boot_.cluster_bytes, number * boot_.record_bytes, buffer));
  return parse_record(buffer);
}

Result<Bytes> Mft::read_attribute_list(const Attribute& list) const {
  if (list.resident) return Bytes(list.value.begin(), list.value.end());
  if (list.data_bytes > kMaxAttributeListBytes || list.initialized_bytes != list.data_bytes || list.lowest_vcn != 0)
    return fail(ErrorCode::corrupt, "an attribute list has an impossible size");
  RunList runs;
  TRY(runs.append(list.mapping_pairs, 0, list.highest_vcn, boot_.total_clusters));
  Bytes bytes(list.data_bytes);
  TRY(runs.read(*drive_, boot_.cluster_bytes, 0, bytes));
  return bytes;
}

Result<void> Mft::add_piece(File& file, const Attribute& piece) const {
  if (!piece.resident)
    for (Stream& stream : file.streams)
      if (!stream.resident && stream.type == piece.type && std::ranges::equal(stream.name, piece.name))
        return stream.runs.append(piece.mapping_pairs, piece.lowest_vcn, piece.highest_vcn, boot_.total_clusters);
  Stream stream;
  stream.type = piece.type;
  stream.flags = piece.flags;
  stream.resident = piece.resident;
  stream.name.assign(piece.name.begin(), piece.name.end());
  if (piece.resident) {
    stream.value.assign(piece.value.begin(), piece.value.end());
    stream.data_bytes = stream.initialized_bytes = piece.value.size();
  } else {
    stream.compression_unit = piece.compression_unit;
    stream.data_bytes = piece.data_bytes;
    stream.initialized_bytes = piece.initialized_bytes;
    TRY(stream.runs.append(piece.mapping_pairs, piece.lowest_vcn, piece.highest_vcn, boot_.total_clusters));
  }
  file.streams.push_back(std::move(stream));
  return {};
}

Result<void> Mft::add_listed(File& file, ByteSpan list, const Record& base, const Wanted& wanted) const {
  Bytes buffer;
  Record extension;
  std::uint64_t loaded = file.number;  // neighbours in the list mostly share a record
  while (!list.empty()) {
    const ListEntry entry = TRY(take_entry(list));
    if (wanted && !wanted(entry.type, entry.name)) continue;
    if (entry.record.record != file.number && entry.record.record != loaded) {
      loaded = file.number;
      extension = TRY(read_record(entry.record.record, buffer));
      if (!(extension.flags & kInUse) || extension.base != FileReference{file.number, file.sequence})
        return fail(ErrorCode::corrupt, "an extension record belongs to another file");
      loaded = entry.record.record;
    }
    const Record& record = entry.record.record == file.number ? base : extension;
    const Attribute* piece = find_piece(record, entry);
    if (record.sequence != entry.record.sequence || !piece)
      return fail(ErrorCode::corrupt, "an attribute list names a piece that is not there");
    TRY(add_piece(file, *piece));
  }
  return {};
}

Result<void> Mft::check_streams(const File& file) const {
  for (const Stream& stream : file.streams)
    if (!stream.resident && (stream.initialized_bytes > stream.data_bytes ||
                             div_round_up(stream.data_bytes, boot_.cluster_bytes) > stream.runs.clusters()))
      return fail(ErrorCode::corrupt, "a stream is longer than its run list");
  return {};
}

Result<File> Mft::load_file(std::uint64_t number, std::optional<std::uint16_t> sequence, const Wanted& wanted) const {
  const auto load = [&]() -> Result<File> {
    Bytes buffer;
    const Record record = TRY(read_record(number, buffer));
    if (!(record.flags & kInUse) || record.base != FileReference{} || (sequence && record.sequence != *sequence))
      return fail(ErrorCode::corrupt, "the record is not in use by this file");
    File file{number, record.sequence, record.links, record.flags, {}};
    if (const Attribute* list = find_attribute(record, kAttributeList)) {
      const Bytes entries = TRY(read_attribute_list(*list));
      TRY(add_listed(file, entries, record, wanted));
    } else {
      for (const Attribute& attribute : record.attributes)
        if (!wanted || wanted(attribute.type, attribute.name)) TRY(add_piece(file, attribute));
    }
    TRY(check_streams(file));
    return file;
  };
  auto file = load();
  if (!file) return fail(std::move(file.error()).within(fmt::format("record {} of $MFT", number)));
  return file;
}

Result<Head> Mft::visit_heads(std::uint64_t number, std::optional<std::uint16_t> sequence, const Wanted& wanted,
                              const HeadVisit& visit) const {
  Bytes buffer;
  const Record record = TRY(read_record(number, buffer));
  if (!(record.flags & kInUse) || record.base != FileReference{} || (sequence && record.sequence != *sequence))
    return fail(ErrorCode::corrupt, fmt::format("record {} of $MFT is not in use by this file", number));
  const Head head{{number, record.sequence}, record.links, record.flags};
  for (const Attribute& a : record.attributes)
    if ((a.resident || a.lowest_vcn == 0) && wanted(a.type, a.name)) visit(head, a);
  const Attribute* list = find_attribute(record, kAttributeList);
  if (!list) return head;
  const Bytes entries = TRY(read_attribute_list(*list));
  Bytes extension_buffer;
  std::size_t loads = 0;
  for (ByteSpan rest = entries; !rest.empty();) {
    const ListEntry entry = TRY(take_entry(rest));
    if (entry.record.record == number || entry.lowest_vcn != 0 || !wanted(entry.type, entry.name)) continue;
    if (++loads > kMaxHeadLoads) return fail(ErrorCode::corrupt, fmt::format("record {} of $MFT has too many attributes", number));
    const Record extension = TRY(read_record(entry.record.record, extension_buffer));
    const Attribute* piece = find_piece(extension, entry);
    if (extension.base != head.reference || extension.sequence != entry.record.sequence || !piece)
      return fail(ErrorCode::corrupt, fmt::format("the attribute list of record {} of $MFT names a piece that is not there", number));
    visit(head, *piece);
  }
  return head;
}

Result<void> Mft::read(const Stream& stream, std::uint64_t offset, MutableByteSpan out) const {
  if (!fits(offset, out.size(), stream.data_bytes)) return fail(ErrorCode::corrupt, "a stream ends too early");
  if (stream.resident) {
    std::copy_n(stream.value.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }
  if (stream.flags & (kCompressedMask | kEncrypted))
    return fail(ErrorCode::unsupported, "a stream that should be plain is compressed or encrypted");
  const std::size_t stored =
      offset >= stream.initialized_bytes
          ? 0
          : static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), stream.initialized_bytes - offset));
  TRY(stream.runs.read(*drive_, boot_.cluster_bytes, offset, out.first(stored)));
  std::ranges::fill(out.subspan(stored), std::byte{0});
  return {};
}

}  // namespace tintype::ntfs
