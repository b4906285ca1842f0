// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "image/cbor_guard.h"
#include "image/page.h"

namespace tintype {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxAreas = 1024;
constexpr unsigned kMaxDepth = 8;
constexpr std::uint64_t kMaxItems = 1000000;
// Every piece may cost a page of memory when the layout is read off them again. The longest chain of extended
// partitions and both copies of a GPT take fewer.
constexpr std::size_t kMaxTablePieces = 2048;

json binary(ByteSpan bytes) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return json::binary(std::vector<std::uint8_t>(data, data + bytes.size()));
}

// Reading: a wrong type or a missing key throws json::exception, which decode() turns into an Error.
template <std::size_t N>
std::array<std::byte, N> bytes_of(const json& value) {
  const auto& data = value.get_binary();
  std::array<std::byte, N> out{};
  if (data.size() != N) throw json::other_error::create(501, "a binary value has the wrong length", nullptr);
  std::memcpy(out.data(), data.data(), N);
  return out;
}

json from_place(const FramePlace& place, const Hash& hash) {
  return {{"link", place.link}, {"part", place.part}, {"offset", place.offset}, {"bytes", place.bytes}, {"sha256", binary(hash)}};
}

json from_source(const DriveInfo& info) {
  return {{"path", info.path},
          {"model", info.model},
          {"serial", info.serial},
          {"size_bytes", info.size_bytes},
          {"sector_bytes", info.logical_sector_bytes},
          {"physical_sector_bytes", info.physical_sector_bytes},
          {"cylinders", info.geometry.cylinders},
          {"heads", info.geometry.heads},
          {"sectors_per_track", info.geometry.sectors_per_track}};
}

DriveInfo to_source(const json& j) {
  DriveInfo info;
  info.path = j.at("path").get<std::string>();
  info.model = j.at("model").get<std::string>();
  info.serial = j.at("serial").get<std::string>();
  info.size_bytes = j.at("size_bytes").get<std::uint64_t>();
  info.logical_sector_bytes = j.at("sector_bytes").get<std::uint32_t>();
  info.physical_sector_bytes = j.at("physical_sector_bytes").get<std::uint32_t>();
  info.geometry = {j.at("cylinders").get<std::uint32_t>(), j.at("heads").get<std::uint32_t>(),
                   j.at("sectors_per_track").get<std::uint32_t>()};
  return info;
}

// The raw sectors are the layout; what they mean is read off them again.
json from_layout(const Layout& layout) {
  json j = {{"kind", to_string(layout.kind)}, {"table_sectors", json::array()}};
  for (const TableSectors& t : layout.table_sectors)
    j["table_sectors"].push_back({{"start_sector", t.start_sector}, {"bytes", binary(t.bytes)}});
  return j;
}

Result<Layout> to_layout(const json& j, const DriveInfo& source) {
  std::vector<TableSectors> sectors;
  if (j.at("table_sectors").size() > kMaxTablePieces)
    return fail(ErrorCode::corrupt, "the image's catalog lists too many table sectors");
  for (const json& t : j.at("table_sectors")) {
    const auto& data = t.at("bytes").get_binary();
    const ByteSpan span = std::as_bytes(std::span(data));
    sectors.push_back({t.at("start_sector").get<std::uint64_t>(), Bytes(span.begin(), span.end())});
  }
  return layout_from_sectors(sectors, source.size_bytes / source.logical_sector_bytes, source.logical_sector_bytes);
}

json from_fs(const FsInfo& fs) {
  return {{"type", to_string(fs.type)},       {"state", to_string(fs.state)},
          {"label", fs.label},                {"serial", fs.serial},
          {"cluster_bytes", fs.cluster_bytes},{"used_bytes", fs.used_bytes},
          {"free_bytes", fs.free_bytes},      {"file_system_bytes", fs.file_system_bytes},
          {"last_used_byte", fs.last_used_byte}, {"warning", fs.warning},
          {"used_map_known", fs.used_map_known}};
}

FsInfo to_fs(const json& j) {
  FsInfo fs;
  const auto type = j.at("type").get<std::string>();
  for (int i = 0; i <= static_cast<int>(FsType::swap); ++i)
    if (type == to_string(static_cast<FsType>(i))) fs.type = static_cast<FsType>(i);
  const auto state = j.at("state").get<std::string>();
  for (int i = 0; i <= static_cast<int>(FsState::hibernated); ++i)
    if (state == to_string(static_cast<FsState>(i))) fs.state = static_cast<FsState>(i);
  fs.label = j.at("label").get<std::string>();
  fs.serial = j.at("serial").get<std::string>();
  fs.cluster_bytes = j.at("cluster_bytes").get<std::uint64_t>();
  fs.used_bytes = j.at("used_bytes").get<std::uint64_t>();
  fs.free_bytes = j.at("free_bytes").get<std::uint64_t>();
  fs.file_system_bytes = j.at("file_system_bytes").get<std::uint64_t>();
  fs.last_used_byte = j.at("last_used_byte").get<std::uint64_t>();
  fs.warning = j.at("warning").get<std::string>();
  fs.used_map_known = j.at("used_map_known").get<bool>();
  return fs;
}

json from_left_out(const LeftOutFile& file) {
  json extents = json::array();
  for (const Extent& e : file.extents.items()) extents.push_back({e.start, e.length});
  return {{"path", file.path},
          {"kind", file.kind == LeftOutFile::Kind::page ? "page" : "hibernation"},
          {"size_bytes", file.size_bytes},
          {"extents", std::move(extents)}};
}

LeftOutFile to_left_out(const json& j, std::uint64_t area_bytes) {
  LeftOutFile file;
  file.path = j.at("path").get<std::string>();
  file.kind = j.at("kind").get<std::string>() == "page" ? LeftOutFile::Kind::page : LeftOutFile::Kind::hibernation;
  file.size_bytes = j.at("size_bytes").get<std::uint64_t>();
  std::vector<Extent> extents;
  for (const json& e : j.at("extents")) {
    const Extent extent{e.at(0).get<std::uint64_t>(), e.at(1).get<std::uint64_t>()};
    if (!fits(extent.start, extent.length, area_bytes))
      throw json::other_error::create(501, "a left-out file leaves its area", nullptr);
    extents.push_back(extent);
  }
  file.extents = ExtentSet(std::move(extents));
  return file;
}

json from_link(const Link& link) {
  return {{"set", binary(link.set_id)}, {"catalog_sha256", binary(link.catalog_hash)}, {"kind", link.kind},
          {"name", link.name},          {"folder", link.folder},                       {"created", link.created}};
}

Link to_link(const json& j) {
  return {bytes_of<16>(j.at("set")),          bytes_of<32>(j.at("catalog_sha256")),   j.at("kind").get<std::string>(),
          j.at("name").get<std::string>(),    j.at("folder").get<std::string>(),      j.at("created").get<std::int64_t>()};
}

json from_area(const Area& area) {
  json j = {{"number", area.number},          {"kind", to_string(area.kind)},   {"partition", area.partition},   {"start_byte", area.start_byte},
            {"size_bytes", area.size_bytes},  {"raw", area.raw},               {"fs", from_fs(area.fs)},
            {"left_out", json::array()},      {"directories", json::array()},  {"used_bytes", area.used_bytes},
            {"stored_bytes", area.stored_bytes}, {"unreadable_bytes", area.unreadable_bytes}};
  for (const LeftOutFile& file : area.left_out) j["left_out"].push_back(from_left_out(file));
  for (const DirectoryRef& d : area.directories) j["directories"].push_back(from_place(d.place, d.hash));
  return j;
}

// `number` is what the area has if it does not say.
Area to_area(const json& j, std::uint32_t number, const DriveInfo& source) {
  Area area;
  area.number = j.value("number", number);
  const auto kind = j.at("kind").get<std::string>();
  for (const AreaKind candidate : {AreaKind::first_track, AreaKind::drive})
    if (kind == to_string(candidate)) area.kind = candidate;
  area.partition = j.at("partition").get<std::uint32_t>();
  area.start_byte = j.at("start_byte").get<std::uint64_t>();
  area.size_bytes = j.at("size_bytes").get<std::uint64_t>();
  if (!fits(area.start_byte, area.size_bytes, source.size_bytes))
    throw json::other_error::create(501, "an area leaves the source drive", nullptr);
  area.raw = j.at("raw").get<bool>();
  area.fs = to_fs(j.at("fs"));
  for (const json& file : j.at("left_out")) area.left_out.push_back(to_left_out(file, area.size_bytes));
  for (const json& d : j.at("directories"))
    area.directories.push_back({{d.at("link").get<std::uint32_t>(), d.at("part").get<std::uint32_t>(),
                                 d.at("offset").get<std::uint64_t>(), d.at("bytes").get<std::uint32_t>()},
                                bytes_of<32>(d.at("sha256"))});
  area.used_bytes = j.at("used_bytes").get<std::uint64_t>();
  area.stored_bytes = j.at("stored_bytes").get<std::uint64_t>();
  area.unreadable_bytes = j.at("unreadable_bytes").get<std::uint64_t>();
  return area;
}

}  // namespace

const char* to_string(AreaKind kind) {
  switch (kind) {
    case AreaKind::first_track: return "first-track";
    case AreaKind::partition: return "partition";
    case AreaKind::drive: return "drive";
  }
  return "partition";
}

Bytes Catalog::encode() const {
  json j = {{"created", created},         {"finished", finished},       {"program", program},
            {"host", host},               {"description", description}, {"kind", kind},
            {"consistency", consistency}, {"compression", compression}, {"source", from_source(source)},
            {"layout", from_layout(layout)}, {"areas", json::array()},  {"parts", part_bytes},
            {"links", json::array()},     {"sessions", sessions}};
  for (const Area& area : areas) j["areas"].push_back(from_area(area));
  for (const Link& link : links) j["links"].push_back(from_link(link));
  const std::vector<std::uint8_t> cbor = json::to_cbor(j);
  const ByteSpan bytes = std::as_bytes(std::span(cbor));
  return {bytes.begin(), bytes.end()};
}

Result<Catalog> Catalog::decode(ByteSpan cbor, Stage stage) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(cbor.data());
  if (!cbor_is_modest(cbor, kMaxDepth, kMaxItems)) return fail(ErrorCode::corrupt, "the image's catalog is malformed");
  try {
    const json j = json::from_cbor(data, data + cbor.size());
    Catalog catalog;
    catalog.created = j.at("created").get<std::int64_t>();
    catalog.finished = j.at("finished").get<std::int64_t>();
    catalog.program = j.at("program").get<std::string>();
    catalog.host = j.at("host").get<std::string>();
    catalog.description = j.at("description").get<std::string>();
    catalog.kind = j.at("kind").get<std::string>();
    catalog.consistency = j.at("consistency").get<std::string>();
    catalog.compression = j.at("compression").get<int>();
    catalog.sessions = j.value("sessions", 1U);
    catalog.source = to_source(j.at("source"));
    const std::uint32_t sector = catalog.source.logical_sector_bytes;
    if (sector < 512 || sector > 65536 || (sector & (sector - 1)) != 0)
      return fail(ErrorCode::corrupt, fmt::format("the image's catalog claims sectors of {} bytes", sector));
    catalog.layout = TRY(to_layout(j.at("layout"), catalog.source));
    if (j.at("areas").size() > kMaxAreas) return fail(ErrorCode::corrupt, "the image's catalog lists too many areas");
    for (const json& area : j.at("areas")) {
      catalog.areas.push_back(to_area(area, static_cast<std::uint32_t>(catalog.areas.size()), catalog.source));
      const Area& last = catalog.areas.back();
      if (std::ranges::count(catalog.areas, last.number, &Area::number) > 1)
        return fail(ErrorCode::corrupt, "the image's catalog gives two areas the same number");
      const std::uint64_t wanted = div_round_up(region_count(last.size_bytes), kRegionsPerDirectory);
      if (last.directories.size() != (stage == Stage::complete ? wanted : 0))
        return fail(ErrorCode::corrupt, "the image's catalog has an incomplete index");
    }
    catalog.part_bytes = j.at("parts").get<std::vector<std::uint64_t>>();
    if (j.at("links").size() > kMaxLinks) return fail(ErrorCode::corrupt, "the image's catalog lists too many earlier images");
    for (const json& link : j.at("links")) catalog.links.push_back(to_link(link));
    return catalog;
  } catch (const json::exception& e) {
    return fail(ErrorCode::corrupt, fmt::format("the image's catalog is malformed: {}", e.what()));
  }
}

}  // namespace tintype
