// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/ls_text.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/environment.h"
#include "base/local_time.h"
#include "base/text.h"

namespace tintype::cli {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::sys_seconds;

constexpr std::uint32_t kReadOnly = 1, kHidden = 2, kSystem = 4;
constexpr std::int64_t kSecond = 1'000'000'000;

// Rounded down, also before 1970.
std::int64_t seconds_of(std::int64_t ns) { return ns / kSecond - (ns % kSecond < 0 ? 1 : 0); }

std::string time_text(const FileTime& time) {
  if (!time) return "-";
  const CivilTime civil = civil_time(to_local(sys_seconds(std::chrono::seconds(seconds_of(*time)))));
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second);
}

Json time_json(const FileTime& time) {
  if (!time) return nullptr;
  std::string text = iso8601(sys_seconds(std::chrono::seconds(seconds_of(*time))));
  const auto rest = *time - seconds_of(*time) * kSecond;
  if (text.ends_with('Z')) text.pop_back();
  return fmt::format("{}.{:09}Z", text, rest);
}

const char* kind_word(NodeKind kind) { return kind == NodeKind::reparse_point ? "reparse" : to_string(kind); }

std::string marks(const FileNode& node) {
  const auto mark = [](bool on, char c) { return on ? c : '-'; };
  return {mark((node.dos_attributes & kHidden) != 0, 'h'), mark((node.dos_attributes & kSystem) != 0, 's'),
          mark((node.dos_attributes & kReadOnly) != 0, 'r'), mark(node.compressed, 'c'), mark(node.encrypted, 'e')};
}

std::string details_of(const FileNode& node) {
  const auto id = [](const std::optional<std::uint32_t>& number) { return number ? std::to_string(*number) : std::string("-"); };
  return fmt::format("{:>5}  {:>5}:{:<5}  {:>4}  {:>9}  ", node.mode ? fmt::format("{:04o}", *node.mode & 07777U) : "-", id(node.owner),
                     id(node.group), node.links, format_size(node.stored_bytes));
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string one_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::uint64_t size_of(const PartitionListing& partition, const DriveListing& listing) {
  return checked_mul(partition.entry.sector_count, listing.layout.sector_bytes).value_or(0);
}

const char* type_of(const PartitionListing& partition) { return partition.entry.extended ? "extended" : to_string(partition.fs.type); }

}  // namespace

std::string ls_line(const LsEntry& entry, const std::string& shown, bool details) {
  const FileNode& node = entry.node;
  std::string line = fmt::format("{:<7}  {}  {}{:>9}  {:<19}  {}", kind_word(node.kind), marks(node), details ? details_of(node) : "",
                                 node.kind == NodeKind::folder ? "-" : format_size(node.size_bytes), time_text(node.modified), printable(shown));
  if (entry.target) line += " -> " + printable(*entry.target);
  for (const NamedStream& stream : entry.streams) line += fmt::format("\nstream   {}:{} ({})", printable(shown), printable(stream.name), format_size(stream.size_bytes));
  return line;
}

std::string ls_json(const LsEntry& entry) {
  const FileNode& node = entry.node;
  Json json{{"event", "entry"}, {"path", entry.path}, {"name", node.name}, {"kind", to_string(node.kind)}, {"size_bytes", node.size_bytes},
            {"stored_bytes", node.stored_bytes}};
  json["modified"] = time_json(node.modified);
  json["accessed"] = time_json(node.accessed);
  json["changed"] = time_json(node.changed);
  json["created"] = time_json(node.created);
  json["mode"] = node.mode ? Json(fmt::format("{:04o}", *node.mode & 07777U)) : Json(nullptr);
  json["owner"] = or_null(node.owner);
  json["group"] = or_null(node.group);
  json["links"] = node.links;
  json["hidden"] = (node.dos_attributes & kHidden) != 0;
  json["system"] = (node.dos_attributes & kSystem) != 0;
  json["read_only"] = (node.dos_attributes & kReadOnly) != 0;
  json["compressed"] = node.compressed;
  json["sparse"] = node.sparse;
  json["encrypted"] = node.encrypted;
  json["target"] = or_null(entry.target);
  Json streams = Json::array();
  for (const NamedStream& stream : entry.streams) streams.push_back({{"name", stream.name}, {"size_bytes", stream.size_bytes}});
  json["streams"] = std::move(streams);
  return one_line(json);
}

std::string partitions_text(const DriveListing& listing, bool of_image) {
  std::string text = fmt::format("{:<6}  {:>9}  {:<11}  {:<20}  {}\n", "id", "size", "file system", "label", of_image ? "in the image" : "");
  for (const PartitionListing& each : listing.partitions)
    text += fmt::format("{:<6}  {:>9}  {:<11}  {:<20}  {}\n", each.id, format_size(size_of(each, listing)), type_of(each), printable(each.fs.label),
                        !of_image || each.entry.extended ? "" : each.saved ? "yes" : "no");
  if (listing.partitions.empty()) text += "no partitions\n";
  text.pop_back();
  return text;
}

std::string partition_json(const PartitionListing& partition, const DriveListing& listing, bool of_image) {
  return one_line({{"event", "partition"}, {"id", partition.id}, {"file_system", type_of(partition)}, {"label", partition.fs.label},
                   {"size_bytes", size_of(partition, listing)}, {"saved", !of_image || partition.saved}});
}

}  // namespace tintype::cli
