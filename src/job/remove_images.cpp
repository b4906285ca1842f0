// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/remove_images.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/text.h"
#include "image/parity_file.h"
#include "image/part_names.h"
#include "job/image_folder.h"

namespace tintype {
namespace {

constexpr std::string_view kExtension = ".tti";
constexpr std::string_view kPartial = ".partial";

// One file has one name here, however the path to it is written.
std::string file_id(const Place& place, const std::string& name) {
  std::error_code error;
  const std::string path = place.describe(name);
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, error);
  return error ? path : canonical.string();
}

class Removal {
 public:
  explicit Removal(const RemoveRequest& request) : request_(request) {}

  Result<RemoveReport> run() {
    for (const NamedImage& image : request_.images) {
      const PartHeader header = TRY(read_part_header(*image.place, image.name));
      sets_.push_back(header.set_id);
      bases_[header.set_id] = header.base_id;
      files_.insert(file_id(*image.place, image.name));
    }
    for (const NamedImage& image : request_.images) TRY(look_through(image.place));
    for (const std::shared_ptr<Place>& place : request_.also_look_in) TRY(look_through(place));
    for (const auto& [set, path] : unclear_) follow(set, path);
    RemoveReport report;
    for (std::size_t i = request_.images.size(); i-- > needed_;) {
      TRY(remove(request_.images[i], sets_[i]));
      report.removed.push_back(path_of(i));
    }
    for (std::size_t i = 0; i < needed_; ++i)
      report.kept.push_back(fmt::format("{} is kept: {}", printable(path_of(i)), i + 1 == needed_ ? reason_ : builds_on_it(path_of(i + 1))));
    return report;
  }

 private:
  static std::string builds_on_it(const std::string& path) { return fmt::format("{} builds on it", printable(path)); }
  std::string path_of(std::size_t i) const { return request_.images[i].place->describe(request_.images[i].name); }

  void need(const SetId& set, std::string reason) {
    const auto at = static_cast<std::size_t>(std::ranges::find(sets_, set) - sets_.begin());
    if (at == sets_.size() || at < needed_) return;
    needed_ = at + 1;
    reason_ = std::move(reason);
  }

  // From base to base by their headers. Where that leads to an image that is not there, nobody can tell what it builds on.
  void follow(SetId set, const std::string& path) {
    for (std::size_t steps = 0; steps <= kMaxLinks && set != SetId{}; ++steps) {
      if (std::ranges::find(sets_, set) != sets_.end()) return need(set, builds_on_it(path));
      const auto next = bases_.find(set);
      if (next == bases_.end())
        return need(sets_.back(), fmt::format("{} may build on it, as its own base is not there to tell", printable(path)));
      set = next->second;
    }
  }

  // Notes which of the images are needed by others in the place.
  Result<void> look_through(const std::shared_ptr<Place>& place) {
    if (!looked_in_.insert(file_id(*place, ".")).second) return {};
    for (const std::string& name : TRY(place->list())) {
      const bool unfinished = name.ends_with(std::string(kExtension).append(kPartial));
      if ((!unfinished && !name.ends_with(kExtension)) || files_.contains(file_id(*place, name))) continue;
      TRY(look_at(place, name, unfinished));
    }
    return {};
  }

  Result<void> look_at(const std::shared_ptr<Place>& place, const std::string& name, bool unfinished) {
    const Result<PartHeader> header = read_part_header(*place, name);
    if (!header) {
      // It is gone, or begins like no image does; a backup that has only just begun has not written its header yet.
      const ErrorCode code = header.error().code;
      if (code == ErrorCode::not_found || code == ErrorCode::usage || !TRY(begins_as_image(*place, name))) return {};
      return fail(make_error(ErrorCode::corrupt, fmt::format("{} may build on them, but cannot be read", printable(place->describe(name))),
                             "repair it or move it away, then delete the old images"));
    }
    const std::string path = place->describe(name);
    bases_[header->set_id] = header->base_id;
    need(header->base_id, builds_on_it(path));
    // The catalog lists all that it builds on. Without it, as it has another key or is not finished, the headers have to tell.
    const std::optional<std::vector<Link>> links = unfinished ? std::nullopt : links_of(place, name);
    if (!links) unclear_.emplace_back(header->base_id, path);
    for (const Link& link : links.value_or(std::vector<Link>())) need(link.set_id, builds_on_it(path));
    return {};
  }

  std::optional<std::vector<Link>> links_of(const std::shared_ptr<Place>& place, const std::string& name) const {
    const Result<std::unique_ptr<PartReader>> parts = PartReader::open(place, name);
    if (!parts) return std::nullopt;
    const Result<OpenedCatalog> opened = read_catalog(**parts, request_.data_key);
    if (!opened) return std::nullopt;
    return opened->catalog.links;
  }

  static Result<bool> begins_as_image(Place& place, const std::string& name) {
    constexpr std::string_view kMagic = "TINTYPE\x1A";
    const std::unique_ptr<ReadFile> file = TRY(place.open(name));
    std::array<std::byte, kMagic.size()> head{};
    if (file->size() < head.size()) return false;
    TRY(file->read(0, head));
    return std::ranges::equal(head, as_bytes(kMagic));
  }

  static Result<void> remove(const NamedImage& image, const SetId& set) {
    Place& place = *image.place;
    const std::unique_ptr<PlaceLock> lock = TRY(place.lock(image.name));
    std::vector<std::string> others;
    for (const PartFile& file : TRY(find_parts(place, image.name))) {
      const Result<PartHeader> header = read_part_header(place, file.name);
      const bool ours = header && header->set_id == set && header->part == file.part;
      const bool first = file.part == 0 && !file.partial;
      if (first && !ours)
        return fail(ErrorCode::refused, fmt::format("{} was replaced meanwhile", printable(place.describe(image.name))));
      if (ours && !first) others.push_back(file.name);
    }
    if (TRY(belongs_to(place, parity_name(image.name), set))) others.push_back(parity_name(image.name));
    TRY(place.remove(image.name));
    TRY(place.sync());  // on the disk too it stops being an image before its other parts go
    for (const std::string& name : others) TRY(place.remove(name));
    return place.sync();
  }

  const RemoveRequest& request_;
  std::vector<SetId> sets_;
  std::set<std::string> files_, looked_in_;
  std::map<SetId, SetId> bases_;                        // of every image that was seen
  std::vector<std::pair<SetId, std::string>> unclear_;  // base and path of those whose catalogs cannot be read
  std::size_t needed_ = 0;  // so many of the oldest are kept
  std::string reason_;      // why
};

}  // namespace

Result<RemoveReport> remove_images(const RemoveRequest& request) { return Removal(request).run(); }

}  // namespace tintype
