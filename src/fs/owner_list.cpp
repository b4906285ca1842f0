// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/owner_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tintype {
namespace {

constexpr std::size_t kMaxPieces = std::size_t{1} << 20;
constexpr std::size_t kMaxFolders = std::size_t{1} << 20;
constexpr std::size_t kMaxPathBytes = 4096;
constexpr const char* kRest = "more files than can be listed";

struct Link {
  std::uint64_t parent = 0;
  std::string name;  // empty: not found
};
using Links = std::map<std::uint64_t, Link>;

// Level by level upwards, so that each folder is read once for all its wanted children.
Links climb_to_root(const FoundFiles& found, const FolderClimb& climb) {
  Links links;
  std::set<std::uint64_t> level;
  for (const auto& [id, file] : found)
    if (file.named && file.parent != climb.root) level.insert(file.parent);
  while (!level.empty() && links.size() < kMaxFolders) {
    std::map<std::uint64_t, std::set<std::uint64_t>> children;
    for (const std::uint64_t folder : level) {
      const std::optional<std::uint64_t> parent = climb.parent_of(folder);
      links[folder] = {parent.value_or(climb.root), {}};
      if (parent) children[*parent].insert(folder);
    }
    level.clear();
    for (auto& [parent, wanted] : children) {
      climb.list(parent, [&](std::uint64_t id, std::string_view name) {
        if (wanted.erase(id) != 0) links[id].name = name;
        return !wanted.empty();
      });
      if (parent != climb.root && !links.contains(parent)) level.insert(parent);
    }
  }
  return links;
}

std::string path_of(const FoundFile& file, const Links& links, std::uint64_t root) {
  std::string path = "/" + file.name;
  for (std::uint64_t folder = file.parent; folder != root;) {
    const auto link = links.find(folder);
    if (link == links.end() || link->second.name.empty()) return "/..." + path;
    path.insert(0, "/" + link->second.name);
    if (path.size() > kMaxPathBytes) return "/..." + path.substr(path.size() - kMaxPathBytes);
    folder = link->second.parent;
  }
  return path;
}

}  // namespace

OwnerList::OwnerList(const ExtentSet& asked, std::uint64_t partition_bytes) : asked_(asked.clipped({0, partition_bytes})) {}

ByteOwner* OwnerList::owner(ByteOwner::Kind kind, const std::string& what) {
  if (!owners_.empty() && owners_.back().kind == kind && owners_.back().what == what) return &owners_.back();
  if (full_ || owners_.size() >= kMaxOwners || pieces_ >= kMaxPieces) {
    full_ = true;
    return nullptr;
  }
  owners_.push_back({kind, what, {}});
  return &owners_.back();
}

void OwnerList::tidy() {
  const ExtentSet sorted(std::move(claimed_));
  claimed_ = sorted.items();
}

void OwnerList::note(const Extent& bytes) {
  claimed_.push_back(bytes);
  if (claimed_.size() < tidy_at_) return;
  tidy();
  tidy_at_ = std::max<std::size_t>(1024, 2 * claimed_.size());
}

void OwnerList::claim(ByteOwner::Kind kind, const std::string& what, const Extent& bytes) {
  if (full_ || !wants(bytes)) return;
  ByteOwner* into = owner(kind, what);
  if (into == nullptr) return;
  const ExtentSet pieces = asked_.clipped(bytes);
  for (const Extent& piece : pieces.items()) {
    if (++pieces_ > kMaxPieces) full_ = true;
    into->bytes.add(piece);
    note(piece);
  }
}

void OwnerList::claim(ByteOwner::Kind kind, const std::string& what, const ExtentSet& bytes) {
  for (const Extent& extent : bytes.items()) claim(kind, what, extent);
}

ExtentSet OwnerList::unclaimed() {
  if (full_ || more_) return {};
  tidy();
  const auto rest = collect(*without(stream_of(asked_), ExtentSet(claimed_)));
  return rest ? *rest : ExtentSet{};
}

std::vector<ByteOwner> OwnerList::take() {
  if (full_ || more_) {
    const auto rest = collect(*without(stream_of(asked_), ExtentSet(claimed_)));
    if (rest && !rest->empty()) owners_.push_back({ByteOwner::Kind::structure, kRest, *rest});
  }
  return std::move(owners_);
}

void FoundFiles::add(OwnerList& list, std::uint64_t id, bool folder, const Extent& bytes) {
  if (!list.wants(bytes)) return;
  if (pieces >= kMaxPieces || (size() >= OwnerList::kMaxOwners && !contains(id))) return list.note_more();
  FoundFile& file = (*this)[id];
  file.folder |= folder;
  const ExtentSet asked = list.asked().clipped(bytes);
  for (const Extent& piece : asked.items()) file.bytes.add(piece);
  pieces += asked.items().size();
}

void claim_by_path(OwnerList& list, const FoundFiles& found, const FolderClimb& climb) {
  const Links links = climb_to_root(found, climb);
  for (const auto& [id, file] : found) {
    const ByteOwner::Kind kind = file.folder ? ByteOwner::Kind::folder : ByteOwner::Kind::file;
    if (file.folder && id == climb.root)
      list.claim(kind, "/", file.bytes);
    else if (file.named)
      list.claim(kind, path_of(file, links, climb.root), file.bytes);
    else
      list.claim(kind, fmt::format("a {} without a name (number {})", file.folder ? "folder" : "file", id), file.bytes);
  }
}

}  // namespace tintype
