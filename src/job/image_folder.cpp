// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "image/part_names.h"
#include "image/reader.h"

namespace tintype {
namespace {

constexpr std::string_view kExtension = ".tti";
constexpr std::string_view kPartial = ".partial";
constexpr std::string_view kPurged = ".purged";
constexpr std::int64_t kLastSecond = 253402300799;  // of the year 9999

// What of a part's header counts here; the key slots would take a lot of memory in a folder of many parts.
struct PartFacts {
  SetId set_id{}, base_id{};
  std::uint32_t part = 0;
  bool password_needed = false;
};

// What the beginning of a file tells.
struct Head {
  std::uint64_t bytes = 0;
  std::optional<PartFacts> header;   // if it is sound
  bool ours = false;                 // begins like an image, sound or not
  SetId claimed_base{};              // what a damaged header has where the base belongs
  Error error;                       // why there is no header
};

Head read_head(Place& place, const std::string& name) {
  Head head;
  const auto read = [&]() -> Result<void> {
    const std::unique_ptr<ReadFile> file = TRY(place.open(name));
    head.bytes = file->size();
    Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(kPartHeaderBytes, file->size())));
    TRY(file->read(0, bytes));
    const std::array<std::byte, kPartHeaderBytes> sample = PartHeader{}.encode();
    head.ours = bytes.size() >= 48 && std::equal(bytes.begin(), bytes.begin() + 8, sample.begin());
    if (head.ours) std::copy_n(bytes.begin() + 32, head.claimed_base.size(), head.claimed_base.begin());
    const PartHeader header = TRY(PartHeader::decode(bytes, place.describe(name)));
    head.header = PartFacts{header.set_id, header.base_id, header.part, header.password_needed};
    return {};
  };
  if (Result<void> result = read(); !result) head.error = std::move(result).error();
  return head;
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

bool has_extension(const std::string& name) { return name.size() > kExtension.size() && lower(name).ends_with(kExtension); }

std::string short_name(const std::string& file) {
  return has_extension(file) ? file.substr(0, file.size() - kExtension.size()) : file;
}

std::string drive_identity(const Catalog& catalog) {
  const std::string signature = catalog.layout.signature_text();
  const bool meaningful = catalog.layout.kind != TableKind::none && !signature.empty() && signature != "00000000";
  if (meaningful) return "table " + signature;
  if (!catalog.source.serial.empty()) return fmt::format("serial {}/{}", catalog.source.model, catalog.source.serial);
  std::string volume;  // a drive without a table may be told by its file system
  if (catalog.layout.kind == TableKind::none && !catalog.areas.empty()) volume = catalog.areas.front().fs.serial;
  return fmt::format("path {}:{}:{}:{}", catalog.host, catalog.source.path, catalog.source.size_bytes, volume);
}

class Scan {
 public:
  Scan(std::shared_ptr<Place> place, const std::optional<std::string>& password, const CancelToken& cancel)
      : place_(std::move(place)), password_(password), cancel_(cancel) {}

  Result<ImageFolder> run() {
    for (const std::string& name : TRY(place_->list())) {
      TRY(cancel_.check());
      Head head = read_head(*place_, name);
      TRY(check_readable(name, head));
      if (head.header || head.ours || has_extension(name)) heads_.emplace(name, std::move(head));
    }
    for (const auto& [name, head] : heads_) {
      TRY(cancel_.check());
      if (head.header ? head.header->part == 0 : has_extension(name)) TRY(add(name, head));
    }
    return std::move(folder_);
  }

 private:
  // A file whose beginning cannot be read may build on any other, or be a part of it. (One that can be read and makes no sense
  // tells at least what it builds on, or is no image.)
  Result<void> check_readable(const std::string& name, const Head& head) const {
    const bool said_something = head.error.code == ErrorCode::corrupt || head.error.code == ErrorCode::unsupported ||
                                head.error.code == ErrorCode::usage || head.error.code == ErrorCode::not_found;
    if (head.header || said_something || lower(name).find(kExtension) == std::string::npos) return {};
    return fail(Error(head.error).with_hint("no image of the folder is deleted, since this one may need it: make it readable or move it away"));
  }

  Result<void> add(const std::string& name, const Head& head) {
    if (head.header && name.ends_with(kPurged)) return add_leftover(name, *head.header);
    FoundSet found;
    found.file = name;
    found.bytes = head.bytes;
    found.set.name = short_name(name);
    const auto set_header = head.header ? head.header : header_of_another_part(name);
    if (set_header) {
      found.set.id = set_header->set_id;
      need(found.set, set_header->base_id);
      TRY(add_files(found));
    } else if (head.ours) {
      need(found.set, head.claimed_base);
    }
    if (!head.header) found.set.why_kept = fmt::format("cannot be read: {}", head.error.what);
    else if (name.ends_with(kPartial)) found.set.why_kept = "unfinished: a backup is writing it or was cut off";
    else if (!has_extension(name)) found.set.why_kept = "its name does not end in .tti";
    else read_catalog(found, *head.header);
    folder_.sets.push_back(std::move(found));
    return {};
  }

  static void need(RetentionSet& set, const SetId& id) {
    if (id != SetId{} && std::ranges::find(set.needs, id) == set.needs.end()) set.needs.push_back(id);
  }

  // Every part says what the image builds on: one may be sound where the first is not.
  std::optional<PartFacts> header_of_another_part(const std::string& image) const {
    for (const auto& [name, head] : heads_)
      if (head.header && head.header->part != 0 && is_part_of(name, image, head.header->part)) return head.header;
    return std::nullopt;
  }

  bool is_part_of(const std::string& name, const std::string& image, std::uint32_t part) const {
    return place_->same_name(name, part_name(image, part)) || place_->same_name(name, partial_name(image, part));
  }

  Result<void> add_files(FoundSet& found) const {
    for (const auto& [name, head] : heads_) {
      if (!head.header || head.header->part == 0 || head.header->set_id != found.set.id) continue;
      if (!is_part_of(name, found.file, head.header->part)) continue;
      found.others.push_back(name);
      found.bytes += head.bytes;
    }
    const std::string parity = found.file + ".parity";
    if (!TRY(belongs_to(*place_, parity, found.set.id))) return {};
    found.others.push_back(parity);
    found.bytes += TRY(place_->open(parity))->size();
    return {};
  }

  Result<void> add_leftover(const std::string& name, const PartFacts& header) {
    Leftover leftover{name, header.set_id, {}};
    FoundSet gone;
    gone.file = name.substr(0, name.size() - kPurged.size());
    gone.set.id = header.set_id;
    TRY(add_files(gone));
    leftover.files = std::move(gone.others);
    folder_.leftovers.push_back(std::move(leftover));
    return {};
  }

  void read_catalog(FoundSet& found, const PartFacts& header) {
    if (header.password_needed && !password_) {
      found.set.why_kept = "needs a password to be read";
      return;
    }
    const auto image = ImageReader::open(place_, found.file, [this]() -> Result<std::string> { return *password_; });
    if (!image) {
      found.set.why_kept = image.error().code == ErrorCode::denied ? "the password does not fit"
                                                                    : fmt::format("cannot be read: {}", image.error().what);
      return;
    }
    const Catalog& catalog = (*image)->catalog();
    found.kind = catalog.kind;
    for (const Link& link : catalog.links) need(found.set, link.set_id);
    if (catalog.created < 0 || catalog.created > kLastSecond) {
      found.set.why_kept = "its date makes no sense";
      return;
    }
    found.set.created = std::chrono::sys_seconds(std::chrono::seconds(catalog.created));
    found.set.created_local = to_local(found.set.created);
    found.set.source = source_identity(catalog);
  }

  std::shared_ptr<Place> place_;
  const std::optional<std::string>& password_;
  const CancelToken& cancel_;
  std::map<std::string, Head> heads_;
  ImageFolder folder_;
};

}  // namespace

std::string purged_name(const std::string& file) { return file + std::string(kPurged); }

Result<bool> belongs_to(Place& place, const std::string& name, const SetId& id) {
  if (!TRY(place.exists(name))) return false;
  const std::unique_ptr<ReadFile> file = TRY(place.open(name));
  Bytes head(static_cast<std::size_t>(std::min<std::uint64_t>(kPartHeaderBytes, file->size())));
  TRY(file->read(0, head));
  return std::search(head.begin(), head.end(), id.begin(), id.end()) != head.end();
}

std::string source_identity(const Catalog& catalog) {
  std::set<std::uint32_t> saved, there;
  bool whole = false;
  for (const Area& area : catalog.areas) {
    whole = whole || area.kind == AreaKind::drive;
    if (area.kind == AreaKind::partition) saved.insert(area.partition);
  }
  for (const Partition& partition : catalog.layout.partitions)
    if (!partition.extended && !partition.leaves_drive) there.insert(partition.id);
  std::string identity = drive_identity(catalog);
  if (whole || saved == there) return identity + ", whole";
  for (const std::uint32_t id : saved) identity += fmt::format(", {:#x}", id);
  return identity;
}

Result<ImageFolder> scan_images(const std::shared_ptr<Place>& place, const std::optional<std::string>& password,
                                const CancelToken& cancel) {
  return Scan(place, password, cancel).run();
}

}  // namespace tintype
