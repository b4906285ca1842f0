// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/file_tree.h"

// What the trees share to answer FileTree::owners(). Private to the room.
namespace tintype {

// Collects who owns which of the asked bytes. Memory grows with the asked ranges and the owners found, both capped: what does not
// fit in the list any more is named together.
class OwnerList {
 public:
  static constexpr std::size_t kMaxOwners = 65536;

  OwnerList(const ExtentSet& asked, std::uint64_t partition_bytes);
  const ExtentSet& asked() const { return asked_; }
  bool wants(const Extent& bytes) const { return asked_.intersects(bytes); }
  // The asked part of the bytes, if there is one. Claims of the same owner that follow each other become one.
  void claim(ByteOwner::Kind kind, const std::string& what, const Extent& bytes);
  void claim(ByteOwner::Kind kind, const std::string& what, const ExtentSet& bytes);
  // There are more owners than the caller could keep: what nobody claims in the end is theirs.
  void note_more() { more_ = true; }
  // What of the asked bytes nobody has claimed yet. Empty once the list is full: it would be no longer true.
  ExtentSet unclaimed();
  std::vector<ByteOwner> take();

 private:
  ByteOwner* owner(ByteOwner::Kind kind, const std::string& what);
  void note(const Extent& bytes);
  void tidy();

  ExtentSet asked_;
  std::vector<ByteOwner> owners_;
  std::vector<Extent> claimed_;  // any order; put in order whenever it has doubled
  std::size_t tidy_at_ = 1024;
  std::size_t pieces_ = 0;
  bool full_ = false, more_ = false;
};

// A file or folder that owns asked bytes, found by its number; where its name stands is filled in later.
struct FoundFile {
  ExtentSet bytes;
  bool folder = false;
  bool named = false;
  std::uint64_t parent = 0;
  std::string name;
};
struct FoundFiles : std::map<std::uint64_t, FoundFile> {
  std::size_t pieces = 0;
  // The asked part of bytes that belong to a file. No more than OwnerList::kMaxOwners files and a million pieces are kept.
  void add(OwnerList& list, std::uint64_t id, bool folder, const Extent& bytes);
};

// How to climb from a folder to the root in a file system whose folders know their parent.
struct FolderClimb {
  std::uint64_t root = 0;
  std::function<std::optional<std::uint64_t>(std::uint64_t folder)> parent_of;
  using Visit = std::function<bool(std::uint64_t id, std::string_view name)>;
  std::function<void(std::uint64_t folder, const Visit& visit)> list;  // ends early if visit returns false
};

// Claims the bytes of all files found under their paths. Each folder above them is read once; loops of folders end.
void claim_by_path(OwnerList& list, const FoundFiles& found, const FolderClimb& climb);

}  // namespace tintype
