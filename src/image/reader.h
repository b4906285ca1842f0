// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "image/catalog.h"
#include "image/frame.h"
#include "image/hash.h"
#include "image/page.h"
#include "image/part_reader.h"

namespace tintype {

// Gives the password when an image needs one; called at most once an open.
using PasswordSource = std::function<Result<std::string>()>;

// A finished image, for random access: opening reads the catalog, pages are read when asked for. Thread safe, but for
// ChunkReader, of which every thread has its own.
class ImageReader {
 public:
  static Result<std::shared_ptr<ImageReader>> open(std::shared_ptr<Place> place, std::string image,
                                                   const PasswordSource& password);

  const Catalog& catalog() const { return catalog_; }
  const PartHeader& header() const { return parts_->header(); }
  PartReader& parts() { return *parts_; }
  const std::optional<SecretKey>& data_key() const { return data_key_; }

  // Records of the regions of an area, one directory at a time; checked against the catalog's hash.
  Result<std::vector<PageRef>> directory(std::size_t area, std::uint64_t group);
  // The page of a region, checked against its directory; null if the region has no used bytes. Recent ones are kept.
  Result<std::shared_ptr<const Page>> page(std::size_t area, std::uint64_t region);
  Result<std::shared_ptr<const Page>> page(std::size_t area, std::uint64_t region, const PageRef& ref);

 private:
  explicit ImageReader(std::unique_ptr<PartReader> parts) : parts_(std::move(parts)) {}
  Result<Bytes> read_index(const FramePlace& place, FrameType type, FrameAddress address, const Hash& hash);

  std::unique_ptr<PartReader> parts_;
  Catalog catalog_;
  std::optional<SecretKey> data_key_;

  struct CachedPage {
    std::size_t area;
    std::uint64_t region;
    std::shared_ptr<const Page> page;
  };
  std::mutex mutex_;
  std::list<CachedPage> pages_;  // most recent first
};

// Reads, decrypts, decodes and checks chunks. One per thread.
class ChunkReader {
 public:
  explicit ChunkReader(std::shared_ptr<ImageReader> image);
  // The content of a chunk; `out` is resized to `length`. Any doubt about it is Error{corrupt} naming the part file.
  Result<void> read(std::size_t area, std::uint64_t number, std::uint64_t length, const ChunkEntry& entry, Bytes& out);

 private:
  std::shared_ptr<ImageReader> image_;
  FrameOpener opener_;
  ChunkHasher hasher_;
  Bytes frame_;
};

}  // namespace tintype
