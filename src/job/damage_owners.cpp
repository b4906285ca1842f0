// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/damage_owners.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "drive/read_only_drive.h"
#include "fs/file_tree.h"
#include "job/areas.h"

namespace tintype {
namespace {

constexpr std::size_t kMostRanges = 1000;

// The partition without what is damaged of it.
class SoundPart final : public ReadOnlyDrive {
 public:
  SoundPart(std::shared_ptr<Drive> partition, ExtentSet damaged, const CancelToken& cancel)
      : partition_(std::move(partition)), damaged_(std::move(damaged)), cancel_(cancel) {}
  const DriveInfo& info() const override { return partition_->info(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(cancel_.check());
    TRY(check_range(offset, out.size()));
    const ExtentSet bad = damaged_.clipped({offset, out.size()});
    if (bad.empty()) return partition_->read(offset, out);
    Error error = make_error(ErrorCode::io, fmt::format("{} is damaged there", partition_->info().path));
    error.offset_bytes = bad.items().front().start;
    error.length_bytes = bad.items().front().length;
    return fail(std::move(error));
  }
  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override { return partition_->status(offset, length); }

 private:
  std::shared_ptr<Drive> partition_;
  ExtentSet damaged_;
  const CancelToken& cancel_;
};

Hit::Kind kind_of(ByteOwner::Kind kind) {
  switch (kind) {
    case ByteOwner::Kind::structure: return Hit::Kind::structure;
    case ByteOwner::Kind::folder: return Hit::Kind::folder;
    case ByteOwner::Kind::file: return Hit::Kind::file;
    case ByteOwner::Kind::free_space: return Hit::Kind::free_space;
  }
  return Hit::Kind::structure;
}

Hit unknown(const PartitionDamage& damage, std::uint64_t bytes, const Error& why) {
  return {Hit::Kind::unknown, damage.partition, why.message(), {}, bytes};
}

std::uint64_t bytes_in(const ExtentSet& set, const ExtentSet& of) {
  std::uint64_t bytes = 0;
  for (const Extent& extent : of.items()) bytes += set.clipped(extent).total_bytes();
  return bytes;
}

Result<std::vector<ByteOwner>> owners_in(const std::shared_ptr<Drive>& drive, const PartitionDamage& damage, const ExtentSet& missing,
                                         const CancelToken& cancel) {
  if (!fits(damage.range.start, damage.range.length, drive->size_bytes())) return fail(ErrorCode::out_of_bounds, "it leaves the drive");
  const std::unique_ptr<FileTree> tree =
      TRY(open_file_tree(std::make_shared<SoundPart>(make_slice(drive, damage.range, damage.partition), missing, cancel)));
  std::vector<ByteOwner> owners = TRY(tree->owners(missing));
  TRY(cancel.check());  // what it could not read any more would be told as lost
  return owners;
}

void add_hits(const std::shared_ptr<Drive>& drive, const PartitionDamage& damage, const CancelToken& cancel, std::vector<Hit>& hits) {
  std::vector<Extent> both = damage.bytes.items();
  both.insert(both.end(), damage.doubtful.items().begin(), damage.doubtful.items().end());
  const ExtentSet missing(std::move(both));
  if (damage.unlisted_bytes != 0)
    hits.push_back(unknown(damage, damage.unlisted_bytes, make_error(ErrorCode::unsupported, "it lies in more places than are looked up")));
  if (missing.empty()) return;
  const Result<std::vector<ByteOwner>> owners = owners_in(drive, damage, missing, cancel);
  if (!owners) {
    // Of a partition that perhaps lacks nothing there is nothing to say.
    if (!damage.bytes.empty()) hits.push_back(unknown(damage, damage.bytes.total_bytes(), owners.error()));
    return;
  }
  for (const ByteOwner& owner : *owners) {
    const Hit::Kind kind = kind_of(owner.kind);
    const std::uint64_t bytes = kind == Hit::Kind::free_space ? bytes_in(damage.bytes, owner.bytes) : owner.bytes.total_bytes();
    if (bytes != 0) hits.push_back({kind, damage.partition, owner.what, owner.part, bytes});
  }
}

}  // namespace

void add_damage(std::vector<PartitionDamage>& damage, const Area& area, const Layout& layout, Extent bytes) {
  if (area.kind == AreaKind::first_track) return;
  const Extent range{area.start_byte, area.size_bytes};
  auto at = std::ranges::find(damage, range, &PartitionDamage::range);
  if (at == damage.end()) at = damage.insert(at, {describe(area, layout), range, {}});
  if (at->bytes.items().size() < kMostRanges)
    at->bytes.add(bytes);
  else
    at->unlisted_bytes += bytes.length;
}

const char* to_string(Hit::Kind kind) {
  switch (kind) {
    case Hit::Kind::unknown: return "unknown";
    case Hit::Kind::structure: return "structure";
    case Hit::Kind::folder: return "folder";
    case Hit::Kind::file: return "file";
    case Hit::Kind::free_space: return "free_space";
  }
  return "unknown";
}

std::string Hit::line() const {
  if (kind == Kind::unknown)
    return fmt::format("{}: which files {} of damage hit cannot be told: {}", printable(partition), format_size(bytes), printable(what));
  const std::string of = part.empty() ? "" : fmt::format(" ({})", part);
  return fmt::format("{}: {}{}, {}", printable(partition), printable(what), of, format_size(bytes));
}

void Hits::add(Hits more) {
  std::ranges::move(more.listed, std::back_inserter(listed));
  count += more.count;
  // Sorted before it is cut: what hides files must not be cut off.
  std::ranges::stable_sort(listed, {}, &Hit::kind);
  listed.resize(std::min(listed.size(), kMostHits));
}

std::vector<std::string> Hits::lines() const {
  std::vector<std::string> out;
  for (const Hit& hit : listed) out.push_back(hit.line());
  if (count > listed.size()) out.push_back(fmt::format("and {} more", count - listed.size()));
  return out;
}

Hits owners_of_damage(const std::shared_ptr<Drive>& drive, const std::vector<PartitionDamage>& damage, const CancelToken& cancel) {
  Hits hits;
  for (const PartitionDamage& each : damage) {
    Hits more;
    add_hits(drive, each, cancel, more.listed);
    more.count = more.listed.size();
    hits.add(std::move(more));
  }
  return hits;
}

}  // namespace tintype
