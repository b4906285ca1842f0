// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/chain.h"

#include <fmt/format.h>

#include "base/environment.h"
#include "base/text.h"
#include "image/frame.h"
#include "image/hash.h"
#include "image/part_names.h"

namespace tintype {
namespace {

constexpr std::string_view kExtension = ".tti";

bool is_set(Place& place, const std::string& name, const SetId& set) {
  const Result<PartHeader> header = read_part_header(place, name);
  return header && header->set_id == set && header->part == 0;
}

std::string describe_link(const Link& link) {
  const std::chrono::sys_seconds at{std::chrono::seconds(link.created)};
  return fmt::format("{} ({} image of {})", printable(link.name), printable(link.kind), iso8601(at));
}

}  // namespace

std::optional<NamedImage> LinkFinder::look_in(const std::shared_ptr<Place>& place, const Link& link) {
  // A name that leaves the folder is none that a backup wrote.
  if (link.name.find('/') == std::string::npos && is_set(*place, link.name, link.set_id)) return NamedImage{place, link.name};
  auto found = listed_.find(place.get());
  if (found == listed_.end()) {
    Folder folder{place, {}};
    if (const Result<std::vector<std::string>> names = place->list()) {
      for (const std::string& name : *names) {
        if (!name.ends_with(kExtension)) continue;
        const Result<PartHeader> header = read_part_header(*place, name);
        if (header && header->part == 0) folder.names.emplace(header->set_id, name);
      }
    }
    found = listed_.emplace(place.get(), std::move(folder)).first;
  }
  const auto name = found->second.names.find(link.set_id);
  if (name == found->second.names.end()) return std::nullopt;
  return NamedImage{place, name->second};
}

std::optional<NamedImage> LinkFinder::look_for(const Link& link) {
  for (const NamedImage& image : named_)
    if (is_set(*image.place, image.name, link.set_id)) return image;
  if (std::optional<NamedImage> image = look_in(beside_, link)) return image;
  for (const NamedImage& image : named_)
    if (std::optional<NamedImage> other = look_in(image.place, link)) return other;
  const std::shared_ptr<Place> remembered = remembered_place(link);
  return remembered ? look_in(remembered, link) : std::nullopt;
}

std::shared_ptr<Place> LinkFinder::remembered_place(const Link& link) const {
  if (open_folder_) {
    const Result<std::shared_ptr<Place>> place = open_folder_(link.folder);
    return place ? *place : nullptr;
  }
  if (link.folder.empty() || link.folder.front() != '/') return nullptr;
  Result<std::unique_ptr<Place>> place = open_local_place(link.folder);
  return place ? std::shared_ptr<Place>(std::move(*place)) : nullptr;
}

std::vector<NamedImage> LinkFinder::candidates(const Link& link) {
  const std::lock_guard lock(mutex_);
  if (std::optional<NamedImage> image = look_for(link)) return {*image};
  std::vector<NamedImage> out{{beside_, link.name}};
  for (const NamedImage& image : named_) out.push_back({image.place, link.name});
  out.insert(out.end(), named_.begin(), named_.end());
  if (std::shared_ptr<Place> remembered = remembered_place(link)) out.push_back({std::move(remembered), link.name});
  return out;
}

Error LinkFinder::missing(const Link& link) const {
  std::string where = beside_->describe("");
  if (!link.folder.empty()) where += fmt::format(" nor in {}", printable(link.folder));
  return make_error(ErrorCode::not_found, fmt::format("the image builds on {}, which is not in {}", describe_link(link), where))
      .with_hint("put it beside the image, or name it with --base");
}

bool LinkFinder::has(const Link& link) {
  const std::lock_guard lock(mutex_);
  return look_for(link).has_value();
}

Result<std::shared_ptr<PartReader>> LinkFinder::find(const Link& link) {
  const std::lock_guard lock(mutex_);
  const std::optional<NamedImage> image = look_for(link);
  if (!image) return fail(missing(link));
  Result<std::unique_ptr<PartReader>> parts = PartReader::open(image->place, image->name);
  if (!parts) return fail(std::move(parts).error().within(fmt::format("the image builds on {}", describe_link(link))));
  if ((*parts)->trailer().catalog_hash != link.catalog_hash)
    return fail(ErrorCode::corrupt,
                fmt::format("{} has the set id of {}, on which the image builds, but not its content", (*parts)->describe(0), describe_link(link)),
                "put the right image in its place, or name it with --base");
  return std::shared_ptr<PartReader>(std::move(*parts));
}

Result<OpenedCatalog> read_catalog(PartReader& parts, const std::optional<SecretKey>& data_key) {
  const FramePlace at = parts.trailer().catalog;
  const auto damaged = [&](const char* what) {
    Error error = make_error(ErrorCode::corrupt, what);
    error.offset_bytes = at.offset;
    return fail(std::move(error).within(parts.describe(at.part)));
  };
  Bytes frame;
  TRY(parts.read(at, frame));
  if (sha256(frame) != parts.trailer().catalog_hash) return damaged("the image's catalog is damaged");
  FrameOpener opener(data_key);
  Bytes content;
  Result<OpenedFrame> opened = opener.open(frame, kMaxRawBytes, content);
  if (!opened) return fail(std::move(opened).error().within(parts.describe(at.part)));
  if (opened->header.type != FrameType::catalog || opened->header.encrypted != parts.header().encrypted)
    return damaged("the image's catalog is not where it should be");
  Catalog catalog = TRY(Catalog::decode(content));
  if (catalog.part_bytes.size() + 1 != parts.parts())
    return fail(ErrorCode::corrupt, fmt::format("{} and its catalog disagree on the number of parts", parts.describe(0)));
  for (std::uint32_t i = 0; i + 1 < parts.parts(); ++i) {
    const std::shared_ptr<ReadFile> file = TRY(parts.part(i));
    if (file->size() != catalog.part_bytes[i])
      return fail(ErrorCode::corrupt, fmt::format("{} has {} bytes instead of {}", parts.describe(i), file->size(), catalog.part_bytes[i]),
                  "it was cut off or changed; take the part from another copy");
  }
  return OpenedCatalog{std::move(catalog), opened->header.session};
}

void Chain::set_links(std::vector<Link> links, std::shared_ptr<LinkFinder> finder) {
  links_ = std::move(links);
  finder_ = std::move(finder);
  opened_.resize(links_.size());
  failed_.resize(links_.size());
}

Result<PartReader*> Chain::parts(std::uint32_t link) {
  if (link == 0) return own_.get();
  if (link > links_.size()) return fail(ErrorCode::corrupt, "the index names an earlier image that the catalog does not list");
  const std::size_t i = link - 1;
  const std::lock_guard lock(mutex_);
  if (opened_[i]) return opened_[i].get();
  if (failed_[i]) return fail(*failed_[i]);
  Result<std::shared_ptr<PartReader>> found = finder_->find(links_[i]);
  if (!found) {
    failed_[i] = found.error();
    return fail(std::move(found).error());
  }
  opened_[i] = std::move(*found);
  return opened_[i].get();
}

}  // namespace tintype
