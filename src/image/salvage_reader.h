// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "image/catalog.h"
#include "image/frame_scan.h"
#include "image/page.h"
#include "image/reader.h"

namespace tintype {

struct SalvagePart {
  std::uint32_t number = 0;
  std::string name;
  std::optional<PartHeader> header;  // if it is sound
};

// What can still be learnt from the parts of a damaged image: which files belong to it, the key, the catalog or at least the
// prologue, and the pieces of the index that are sound. A piece that a sound parent describes is taken only if it has the hash
// that the parent says; without a parent the last one with its address is taken. One thread.
class SalvageReader {
 public:
  // Reads the index by its own places; where it is incomplete, goes through all parts in search of what is left of it.
  // Errors: not_found if no part is there; denied for a wrong password; cancelled. Damage is none.
  static Result<std::unique_ptr<SalvageReader>> open(std::shared_ptr<Place> place, std::string image, const PasswordSource& password,
                                                     const CancelToken& cancel);

  const std::vector<SalvagePart>& parts() const { return parts_; }
  Result<std::shared_ptr<ReadFile>> file(std::size_t part);
  const std::optional<SecretKey>& data_key() const { return data_key_; }
  // Whether the set's frames are encrypted; nothing if no header is left to say.
  std::optional<bool> encrypted() const { return encrypted_; }
  bool is_ours(const FrameHeader& header) const { return !encrypted_ || header.encrypted == *encrypted_; }

  // Where source, layout and areas are known from.
  enum class Basis { none, prologue, catalog };
  Basis basis() const { return basis_; }
  const Catalog& catalog() const { return catalog_; }  // basis other than none

  // The records of up to 1024 regions; null if lost.
  const std::vector<PageRef>* directory(std::size_t area, std::uint64_t group);
  // The page of a region; null if lost, or if the region has none.
  std::shared_ptr<const Page> page(std::size_t area, std::uint64_t region);
  // Regions of an area of which something is known, ascending: a page was found, or a directory tells.
  Result<std::vector<std::uint64_t>> known_regions(std::size_t area, const CancelToken& cancel);

  // What a person should know: files that were passed over, parts that are missing. One sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  using Key = std::pair<std::uint32_t, std::uint64_t>;  // area and number
  struct Found {
    std::size_t part = 0;  // index of parts_
    FoundFrame frame;
  };
  using FoundMap = std::map<Key, std::vector<Found>>;

  SalvageReader(std::shared_ptr<Place> place, std::string image)
      : place_(std::move(place)), image_(std::move(image)) {}
  Result<void> find_files();
  std::optional<SetId> choose_set(const std::vector<SalvagePart>& candidates) const;
  void note_missing();
  Result<void> unlock(const PasswordSource& password);
  void read_catalog();
  Result<bool> index_is_whole(const CancelToken& cancel);
  Result<void> survey(const CancelToken& cancel);
  void survey_frame(std::size_t part, FrameScanner& scanner, const FoundFrame& frame, bool first);
  void take_catalog(ByteSpan content, Basis basis);
  std::optional<Bytes> read_at(const FramePlace& place, FrameType type, FrameAddress address);
  std::optional<Bytes> read_found(const Found& found);
  std::optional<Bytes> read_piece(const FramePlace* place, const Hash* hash, FrameType type, FrameAddress address);

  std::shared_ptr<Place> place_;
  std::string image_;
  std::vector<SalvagePart> parts_;
  std::optional<SecretKey> data_key_;
  std::optional<bool> encrypted_;
  std::optional<FrameOpener> opener_;  // there once the key is known
  Basis basis_ = Basis::none;
  bool prologue_known_ = false;
  bool by_trailer_ = false;  // the catalog was found where the trailer says
  Catalog catalog_;
  FoundMap directories_found_, pages_found_;
  std::size_t found_count_ = 0;
  std::vector<std::string> notes_;

  std::size_t file_part_ = ~std::size_t{0};  // the part opened last
  std::shared_ptr<ReadFile> file_;
  std::optional<Key> directory_key_, page_key_;  // what was asked for last
  std::optional<std::vector<PageRef>> directory_;
  std::shared_ptr<const Page> page_;
};

}  // namespace tintype
