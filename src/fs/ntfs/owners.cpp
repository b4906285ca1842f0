// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/owners.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "fs/ntfs/lost_names.h"
#include "fs/ntfs/mft_walk.h"
#include "fs/ntfs/owners_rest.h"
#include "fs/ntfs/paths.h"

namespace tintype::ntfs {
namespace {

constexpr std::size_t kMaxOwners = 10'000;
constexpr std::size_t kMaxPieces = 1'000'000;
constexpr std::size_t kMaxTextBytes = 16 * 1024 * 1024;

enum class Part { content, index, attributes, record, unreadable_record };

struct Claimant {
  std::uint64_t record = 0;
  std::uint16_t sequence = 0;
  Part part = Part::content;
  std::string stream;  // UTF-8
  auto operator<=>(const Claimant&) const = default;
};

const char* words_of(Part part) {
  switch (part) {
    case Part::content: return "";
    case Part::index: return "index";
    case Part::attributes: return "attributes";
    case Part::record:
    case Part::unreadable_record: return "MFT record";
  }
  return "";
}

// The file system's own files that people know by what they do; null for others, which go by their paths.
const char* words_of(std::uint64_t record) {
  switch (record) {
    case kMftRecord: return "the MFT";
    case kMirrorRecord: return "the MFT mirror";
    case kLogFileRecord: return "the log file";
    case kVolumeRecord: return "the volume's label and state";
    case 4: return "the attribute definitions";
    case kBitmapRecord: return "the bitmap";
    case kBootRecord: return "the boot sector";
    case kBadClustersRecord: return "clusters marked as bad";
    case kSecureRecord: return "the security descriptors";
    case kUpCaseRecord: return "the upper-case table";
    default: return record > kExtendRecord && record < kFirstUserRecord ? "a reserved record of the MFT" : nullptr;
  }
}

Part part_of(const Attribute& attribute) {
  switch (attribute.type) {
    case kData: return Part::content;
    case kIndexAllocation:
    case kBitmap: return Part::index;
    default: return Part::attributes;
  }
}

class Search {
 public:
  Search(const Mft& mft, const ExtentSet& asked) : mft_(mft), asked_(asked), cluster_bytes_(mft.boot().cluster_bytes) {}

  Result<std::vector<ByteOwner>> run() {
    find_hit_records();
    walk_records(mft_, [&](std::uint64_t number, const Record* record) {
      if (hit_records_.contains(number)) claim_record(number, record);
      if (record) claim_runs(number, *record);
    });
    claim_rest_of_mft();
    std::vector<ByteOwner> out = name_all();
    add_unclaimed(mft_, asked_, full_, out);
    return out;
  }

 private:
  const Stream& table() const { return *mft_.self().find(kData); }

  void find_hit_records() {
    std::vector<Extent> hits;
    const std::uint64_t record_bytes = mft_.boot().record_bytes;
    for (const Run& run : table().runs.runs()) {
      const Extent place{*run.lcn * cluster_bytes_, run.length * cluster_bytes_};
      if (!asked_.intersects(place)) continue;
      const ExtentSet pieces = asked_.clipped(place);
      for (const Extent& piece : pieces.items()) {
        const std::uint64_t from = run.vcn * cluster_bytes_ + piece.start - place.start;
        const std::uint64_t first = from / record_bytes;
        hits.push_back({first, div_round_up(from + piece.length, record_bytes) - first});
      }
    }
    hit_records_ = ExtentSet(std::move(hits));
  }

  void claim(const Claimant& claimant, Extent place) {
    if (!asked_.intersects(place)) return;
    if (!claims_.contains(claimant) && claims_.size() >= kMaxOwners) {
      full_ = true;
      return;
    }
    const ExtentSet pieces = asked_.clipped(place);
    if (pieces_ + pieces.items().size() > kMaxPieces) {
      full_ = true;
      return;
    }
    pieces_ += pieces.items().size();
    std::vector<Extent>& to = claims_[claimant];
    to.insert(to.end(), pieces.items().begin(), pieces.items().end());
  }

  void claim_record(std::uint64_t number, const Record* record) {
    Claimant claimant{number, 0, Part::unreadable_record, {}};
    if (record) {
      const FileReference file = owner_of(number, *record);
      claimant = {file.record, file.sequence, Part::record, {}};
    } else if (is_free(number)) {
      return;
    }
    const std::uint64_t record_bytes = mft_.boot().record_bytes;
    for (const Extent& place : places_of(table().runs, cluster_bytes_, {number * record_bytes, record_bytes})) claim(claimant, place);
  }

  static FileReference owner_of(std::uint64_t number, const Record& record) {
    return record.base == FileReference{} ? FileReference{number, record.sequence} : record.base;
  }

  // By $MFT's own bitmap, as far as that can be read.
  bool is_free(std::uint64_t number) const {
    const Stream* bitmap = mft_.self().find(kBitmap);
    if (number / 8 >= bitmap->data_bytes) return true;
    Bytes bits(1);
    return mft_.read(*bitmap, number / 8, bits) && !((u8(bits, 0) >> (number % 8)) & 1);
  }

  void claim_runs(std::uint64_t number, const Record& record) {
    const FileReference file = owner_of(number, record);
    for (const Attribute& attribute : record.attributes) {
      if (attribute.resident || (file.record == kMftRecord && attribute.type == kData)) continue;
      RunDecoder decoder(attribute.mapping_pairs, attribute.lowest_vcn, mft_.boot().total_clusters);
      std::optional<Claimant> claimant;
      while (true) {
        const auto run = decoder.next();
        if (!run || !*run) break;
        if (!(*run)->lcn) continue;
        const Extent place{*(*run)->lcn * cluster_bytes_, (*run)->length * cluster_bytes_};
        if (!asked_.intersects(place)) continue;
        const Part part = part_of(attribute);
        if (!claimant)
          claimant = Claimant{file.record, file.sequence, part, part == Part::content ? text_of_utf16(attribute.name) : std::string()};
        claim(*claimant, place);
      }
    }
  }

  // What of $MFT holds no record that is in use.
  void claim_rest_of_mft() {
    std::vector<Extent> in_records;
    for (const auto& [claimant, pieces] : claims_)
      if (claimant.part == Part::record || claimant.part == Part::unreadable_record) in_records.insert(in_records.end(), pieces.begin(), pieces.end());
    const auto rest = collect(*without(stream_of(asked_), ExtentSet(std::move(in_records))));
    if (!rest) return;
    const Claimant table_itself{kMftRecord, mft_.self().sequence, Part::content, {}};
    for (const Extent& place : table().runs.extents(cluster_bytes_)) {
      if (!rest->intersects(place)) continue;
      const ExtentSet pieces = rest->clipped(place);
      for (const Extent& piece : pieces.items()) claim(table_itself, piece);
    }
  }

  std::vector<ByteOwner> name_all() {
    std::vector<ByteOwner> out;
    Paths paths(mft_);
    std::set<std::uint64_t> lost;
    for (const auto& [claimant, pieces] : claims_)
      if (!words_of(claimant.record) && (claimant.part == Part::unreadable_record || !paths.find({claimant.record, claimant.sequence}).exists))
        lost.insert(claimant.record);
    const std::map<std::uint64_t, LostName> lost_names = names_in_folders(mft_, lost, paths);
    std::size_t text = 0;
    for (auto& [claimant, pieces] : claims_) {
      const auto known = lost_names.find(claimant.record);
      ByteOwner owner = name(claimant, paths, known == lost_names.end() ? nullptr : &known->second);
      text += owner.what.size();
      if (text > kMaxTextBytes) {
        full_ = true;
        break;
      }
      owner.bytes = ExtentSet(std::move(pieces));
      out.push_back(std::move(owner));
    }
    return out;
  }

  ByteOwner name(const Claimant& claimant, Paths& paths, const LostName* lost) const {
    ByteOwner owner;
    owner.part = words_of(claimant.part);
    if (const char* words = words_of(claimant.record)) {
      owner.what = words;
      if (claimant.part == Part::index) owner.part.clear();
      if (claimant.part == Part::index && claimant.record == kMftRecord) owner.what = "the bitmap of the MFT";
      return owner;
    }
    if (!lost && claimant.part == Part::unreadable_record) {
      owner.what = fmt::format("record {} of the MFT, which cannot be read", claimant.record);
      owner.part.clear();
      return owner;
    }
    const Paths::Found found = lost ? Paths::Found{lost->path, lost->folder, false} : paths.find({claimant.record, claimant.sequence});
    owner.kind = found.folder ? ByteOwner::Kind::folder : ByteOwner::Kind::file;
    owner.what = found.path;
    if (!claimant.stream.empty()) owner.what += ":" + claimant.stream;
    return owner;
  }

  const Mft& mft_;
  const ExtentSet& asked_;
  std::uint64_t cluster_bytes_;
  ExtentSet hit_records_;  // numbers, not bytes
  std::map<Claimant, std::vector<Extent>> claims_;
  std::size_t pieces_ = 0;
  bool full_ = false;
};

}  // namespace

Result<std::vector<ByteOwner>> find_owners(const Mft& mft, const ExtentSet& asked) {
  if (asked.empty()) return std::vector<ByteOwner>{};
  return Search(mft, asked).run();
}

}  // namespace tintype::ntfs
