// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "image/catalog.h"
#include "image/page.h"
#include "image/reader.h"
#include "image/salvage_chain.h"

namespace tintype {

// What can still be learnt from the parts of a damaged image: which files belong to it, the key, the catalog or at least the
// prologue, and the pieces of the index that are sound, wherever in its chain they lie. A piece that a sound parent describes is
// taken only if it has the hash that the parent says; without a parent the last one with its address is taken. Areas are given by
// their place in the catalog. One thread.
class SalvageReader {
 public:
  // Reads the index by its own places; where it is incomplete, goes through all parts in search of what is left of it.
  // `finder`: where earlier images are looked for; null: beside the image and in the folders it remembers. `cancel` must outlive it.
  // Errors: not_found if no part is there; denied for a wrong password; cancelled. Damage is none.
  static Result<std::unique_ptr<SalvageReader>> open(std::shared_ptr<Place> place, std::string image, const PasswordSource& password,
                                                     const CancelToken& cancel, std::shared_ptr<LinkFinder> finder = nullptr);

  SalvageParts& parts() { return chain_.own(); }  // of this image alone
  const std::optional<SecretKey>& data_key() const { return data_key_; }

  // Where source, layout and areas are known from.
  enum class Basis { none, prologue, catalog };
  Basis basis() const { return basis_; }
  const Catalog& catalog() const { return catalog_; }  // basis other than none

  // The records of up to 1024 regions; null if lost.
  const std::vector<PageRef>* directory(std::size_t area, std::uint64_t group);
  // The page of a region; null if lost, or if the region has none.
  std::shared_ptr<const Page> page(std::size_t area, std::uint64_t region);
  // Regions of an area of which something is known, ascending: a page was found, or a directory tells.
  Result<std::vector<std::uint64_t>> known_regions(std::size_t area);

  // The content of a chunk that the index describes, read from the frames that its entry names, wherever in the chain they lie, and
  // checked by its hash.
  enum class Chunk { whole, lost, lost_in_earlier_image };
  Chunk read_chunk(std::size_t area, std::uint64_t number, const ChunkEntry& entry, Bytes& out);

  // What a person should know: files that were passed over, parts and earlier images that are missing. One sentence each; more
  // of them the more of the chain was looked at.
  std::vector<std::string> notes() const { return chain_.notes(); }

 private:
  using Key = std::pair<std::size_t, std::uint64_t>;  // area and number

  SalvageReader(std::unique_ptr<SalvageParts> parts, std::shared_ptr<LinkFinder> finder, const CancelToken& cancel)
      : chain_(std::move(parts), std::move(finder), cancel), cancel_(cancel) {}
  Result<void> unlock(Place& place, const PasswordSource& password);
  void read_catalog();
  Result<bool> index_is_whole();
  Result<void> survey();
  void survey_frame(FrameScanner& scanner, const PartFrame& found, bool first);
  void take_catalog(ByteSpan content, Basis basis);
  std::optional<Bytes> read_piece(const FramePlace* place, const Hash* hash, FrameType type, FrameAddress address);
  const FramePlace* read_state(FrameAddress address, std::span<const FramePlace> frames, Bytes& out);
  void add_found(FrameType type, std::size_t area, std::vector<std::uint64_t>& numbers) const;

  SalvageChain chain_;
  const CancelToken& cancel_;
  std::optional<SecretKey> data_key_;
  Basis basis_ = Basis::none;
  bool prologue_known_ = false;
  bool by_trailer_ = false;  // the catalog was found where the trailer says
  Catalog catalog_;
  FrameMap found_;           // directories and pages of this set
  ChunkHasher hasher_;

  std::optional<Key> directory_key_, page_key_;  // what was asked for last
  std::optional<std::vector<PageRef>> directory_;
  std::shared_ptr<const Page> page_;
};

}  // namespace tintype
