// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "image/catalog.h"
#include "image/cipher.h"
#include "image/part_reader.h"

namespace tintype {

// An image file in a place, as somebody named it.
struct NamedImage {
  std::shared_ptr<Place> place;
  std::string name;  // of its first part
};

// Opens a folder that an image remembers.
using FolderOpener = std::function<Result<std::shared_ptr<Place>>(const std::string& folder)>;

// Finds the earlier images of a chain, wherever they lie: among those that were named, beside the image, and in the
// folders that the image remembers; by name first, else by the set id in their headers. Thread safe.
class LinkFinder {
 public:
  // Without `open` only folders of mounted file systems are opened.
  explicit LinkFinder(std::shared_ptr<Place> beside, std::vector<NamedImage> named = {}, FolderOpener open = {})
      : beside_(std::move(beside)), named_(std::move(named)), open_folder_(std::move(open)) {}

  // Whether the image is anywhere; its parts are not looked at.
  bool has(const Link& link);
  // The parts of the image, checked to be there. Error{not_found} saying what was looked for and where; Error{corrupt} if
  // what has its set id is damaged or is not the image that was used.
  Result<std::shared_ptr<PartReader>> find(const Link& link);

  // For images that may be damaged: where its parts may lie, the likeliest first. That is the image that says it is the one; if none
  // does, whatever has its name in any of the places.
  std::vector<NamedImage> candidates(const Link& link);
  // One sentence for a person: which image, and where it was looked for.
  Error missing(const Link& link) const;

 private:
  struct Folder {
    std::shared_ptr<Place> place;
    std::map<SetId, std::string> names;  // of the first parts in it
  };
  std::optional<NamedImage> look_for(const Link& link);
  std::shared_ptr<Place> remembered_place(const Link& link) const;  // null if it is not there
  std::optional<NamedImage> look_in(const std::shared_ptr<Place>& place, const Link& link);

  std::shared_ptr<Place> beside_;
  std::vector<NamedImage> named_;
  FolderOpener open_folder_;
  std::mutex mutex_;
  std::map<const Place*, Folder> listed_;
};

// The catalog of an image whose parts are at hand, with the sizes of all parts checked against it. The key is needed if the
// image's frames are encrypted.
struct OpenedCatalog {
  Catalog catalog;
  SessionId session{};  // that wrote it; zeros if the image is not encrypted
};
Result<OpenedCatalog> read_catalog(PartReader& parts, const std::optional<SecretKey>& data_key);

// The parts of an image and of the earlier images that it builds on, opened when they are needed. Thread safe.
class Chain {
 public:
  explicit Chain(std::unique_ptr<PartReader> own) : own_(std::move(own)) {}
  // When the catalog is known; before that only link 0 can be asked for.
  void set_links(std::vector<Link> links, std::shared_ptr<LinkFinder> finder);

  PartReader& own() { return *own_; }
  // Link 0 is the image itself, n the nth of its catalog's links.
  Result<PartReader*> parts(std::uint32_t link);

 private:
  std::unique_ptr<PartReader> own_;
  std::vector<Link> links_;
  std::shared_ptr<LinkFinder> finder_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<PartReader>> opened_;
  std::vector<std::optional<Error>> failed_;  // what cannot be had now is not looked for at every chunk
};

}  // namespace tintype
