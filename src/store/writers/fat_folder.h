// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>

#include "store/writers/fat_volume.h"

namespace tintype::fat {

constexpr std::size_t kSlotBytes = 32;

// One folder in memory, whole: names are found, put in and taken out there, and commit() brings all that has changed to the drive in as few
// writes as the folder has pieces; in one, if the changes lie in one piece. Source: Microsoft, "FAT: General Overview of On-Disk
// Format" 1.03 and its part on long names.
class WritableFolder {
 public:
  struct Found {
    std::size_t first = 0;  // slot: the first of the long name, or that of the short one
    std::size_t entry = 0;  // slot of the short name, with all facts
  };
  // `first_cluster` 0: the root.
  static Result<WritableFolder> read(std::shared_ptr<Drive> partition, WritableTable& table, std::uint32_t first_cluster);

  std::optional<Found> find(const std::string& name) const;  // as FAT folds case
  // A new name; the facts of its entry are zero. Makes the folder longer if need be. Error{no_space}; usage for a name that FAT does not take.
  Result<Found> add(const std::string& name, WritableTable& table);
  void take_out(const Found& found);
  // Writes `name` over the slots of `found` if it does not need more of them.
  bool rename_in_place(Found& found, const std::string& name);
  Result<void> commit();

  std::uint8_t attributes(std::size_t slot) const { return u8(bytes_, slot * kSlotBytes + 11); }
  std::uint32_t first_cluster(std::size_t slot) const;
  std::uint32_t size_bytes(std::size_t slot) const { return le32(bytes_, slot * kSlotBytes + 28); }
  std::uint64_t place_of(std::size_t slot) const;  // on the partition
  // With the time of now.
  void set_facts(std::size_t slot, std::uint8_t attributes, std::uint32_t first_cluster, std::uint32_t size);

 private:
  WritableFolder(std::shared_ptr<Drive> partition, const Geometry& geometry, std::uint32_t first_cluster)
      : partition_(std::move(partition)), g_(geometry), first_cluster_(first_cluster) {}
  MutableByteSpan slot(std::size_t number);  // about to be changed
  ByteSpan look(std::size_t number) const { return ByteSpan(bytes_).subspan(number * kSlotBytes, kSlotBytes); }
  std::size_t slots() const { return bytes_.size() / kSlotBytes; }
  std::string name_of(std::size_t entry, std::size_t first) const;
  std::string unused_short_name(const std::string& name) const;
  Result<std::size_t> free_run(std::size_t count, WritableTable& table);
  void put_long_name(std::size_t first, std::size_t count, const std::u16string& name, ByteSpan short_name);

  std::shared_ptr<Drive> partition_;
  Geometry g_;
  std::uint32_t first_cluster_;
  Bytes bytes_;
  std::vector<Extent> pieces_;  // of the partition, in order
  std::vector<std::uint32_t> clusters_;
  std::size_t dirty_from_ = 0, dirty_to_ = 0;
};

// The facts of an entry as a new size and start want them, for a file being written: 32 bytes, read and changed.
void put_facts(MutableByteSpan entry, std::uint32_t first_cluster, std::uint32_t size, const Geometry& geometry);

}  // namespace tintype::fat
