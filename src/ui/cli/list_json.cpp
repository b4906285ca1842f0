// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/list_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/environment.h"
#include "base/text.h"

namespace tintype::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string type_text(const PartitionListing& partition) {
  if (partition.entry.type_guid) return guid_to_string(*partition.entry.type_guid);
  return fmt::format("0x{:02x}", partition.entry.mbr_type);
}

Json partition_object(const PartitionListing& partition, const DriveListing& drive, bool of_image) {
  const FsInfo& fs = partition.fs;
  // A figure nobody knows is null: zero would be a claim.
  const bool known = partition.looked_at && fs.type != FsType::unknown;
  const auto figure = [&](std::uint64_t value) { return known ? Json(value) : Json(nullptr); };
  Json json;
  json["id"] = partition.id;
  json["start_sector"] = partition.entry.start_sector;
  json["sector_count"] = partition.entry.sector_count;
  json["type"] = drive.layout.kind == TableKind::none ? "" : type_text(partition);
  json["active"] = partition.entry.active;
  json["name"] = partition.entry.name;
  json["file_system"] = partition.entry.extended ? "extended" : to_string(fs.type);
  json["label"] = fs.label;
  json["serial"] = fs.serial;
  json["cluster_bytes"] = figure(fs.cluster_bytes);
  json["used_bytes"] = figure(fs.used_bytes);
  json["free_bytes"] = figure(fs.free_bytes);
  json["last_used_byte"] = partition.looked_at ? Json(fs.last_used_byte) : Json(nullptr);
  json["state"] = to_string(fs.state);
  json["warning"] = partition.warning;
  if (partition.entry.partition_guid) json["guid"] = guid_to_string(*partition.entry.partition_guid);
  if (of_image) {
    json["saved"] = partition.saved;
    json["saved_bytes"] = partition.saved_bytes;
    json["stored_bytes"] = partition.stored_bytes;
  } else {
    json["mount_points"] = partition.mount_points;
  }
  return json;
}

Json drive_object(const DriveListing& drive, bool of_image) {
  Json json;
  json["number"] = drive.number ? Json(*drive.number) : Json(nullptr);
  if (!of_image) {
    json["virtual_number"] = drive.virtual_number ? Json(*drive.virtual_number) : Json(nullptr);
    json["format"] = drive.info.format;
  }
  json["path"] = drive.info.path;
  json["size_bytes"] = drive.info.size_bytes;
  json["sector_size_bytes"] = drive.layout.sector_bytes;
  json["table"] = to_string(drive.layout.kind);
  json["signature"] = drive.layout.signature_text();
  json["model"] = drive.info.model;
  json["serial"] = drive.info.serial;
  json["removable"] = drive.info.removable;
  json["read_only"] = drive.info.read_only;
  if (!of_image) {
    json["in_use"] = Json::array();
    for (const Use& use : drive.uses) json["in_use"].push_back(use.text());
  }
  json["warnings"] = drive.warnings;
  json["partitions"] = Json::array();
  for (const PartitionListing& partition : drive.partitions)
    json["partitions"].push_back(partition_object(partition, drive, of_image));
  return json;
}

// A time from an image may be any number.
Json time_text(std::int64_t seconds) {
  if (seconds < 0 || seconds > 253402300799) return nullptr;
  return iso8601(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
}

const char* encryption_word(const PartHeader& header) {
  return header.encrypted ? "aes256" : header.password_needed ? "password" : "none";
}

Json image_object(const ImageListing& image) {
  const Catalog& catalog = image.catalog;
  const bool based = std::ranges::any_of(image.header.base_id, [](std::byte b) { return b != std::byte{0}; });
  std::uint64_t total = 0, saved = 0, stored = 0, unreadable = 0;
  for (const std::uint64_t bytes : image.part_bytes) total += bytes;
  for (const Area& area : catalog.areas) {
    saved += area.used_bytes;
    stored += area.stored_bytes;
    unreadable += area.unreadable_bytes;
  }
  Json json;
  json["path"] = image.path;
  json["set_id"] = to_hex(image.header.set_id);
  json["base_id"] = based ? Json(to_hex(image.header.base_id)) : Json(nullptr);
  json["kind"] = catalog.kind;
  json["created"] = time_text(catalog.created);
  json["finished"] = time_text(catalog.finished);
  json["program"] = catalog.program;
  json["host"] = catalog.host;
  json["description"] = catalog.description;
  json["consistency"] = catalog.consistency;
  json["compression"] = catalog.compression;
  json["encryption"] = encryption_word(image.header);
  json["parts"] = image.part_bytes.size();
  json["part_bytes"] = image.part_bytes;
  json["size_bytes"] = total;
  json["saved_bytes"] = saved;
  json["stored_bytes"] = stored;
  json["unreadable_bytes"] = unreadable;
  json["chain"] = Json::array();
  for (const ChainListing& link : image.chain)
    json["chain"].push_back({{"set_id", link.set_id},
                             {"kind", link.kind},
                             {"created", time_text(link.created)},
                             {"name", link.name},
                             {"path", link.path.empty() ? Json(nullptr) : Json(link.path)},
                             {"size_bytes", link.size_bytes},
                             {"stored_bytes", link.stored_bytes},
                             {"problem", link.problem}});
  json["areas"] = Json::array();
  for (const Area& area : catalog.areas) {
    Json left_out = Json::array();
    for (const LeftOutFile& file : area.left_out)
      left_out.push_back({{"path", file.path}, {"size_bytes", file.size_bytes}});
    const Partition* partition = catalog.layout.find(area.partition);
    json["areas"].push_back({{"kind", to_string(area.kind)},
                             {"partition", partition != nullptr ? Json(partition->id_text(catalog.layout.kind)) : Json(nullptr)},
                             {"start_byte", area.start_byte},
                             {"size_bytes", area.size_bytes},
                             {"raw", area.raw},
                             {"used_bytes", area.used_bytes},
                             {"stored_bytes", area.stored_bytes},
                             {"unreadable_bytes", area.unreadable_bytes},
                             {"left_out", std::move(left_out)}});
  }
  return json;
}

}  // namespace

std::string list_json(const std::vector<DriveListing>& drives, const ImageListing* image) {
  Json json;
  if (image != nullptr) json["image"] = image_object(*image);
  json["drives"] = Json::array();
  for (const DriveListing& drive : drives) json["drives"].push_back(drive_object(drive, image != nullptr));
  // Names from drives may hold any bytes; what is no UTF-8 becomes U+FFFD.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tintype::cli
