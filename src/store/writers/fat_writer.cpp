// SPDX-License-Identifier: GPL-3.0-or-later
// Changes a FAT file system. Data comes before the table, the table before the folder, and what is given back after all of them; a
// name changes by one write of its folder. What a crash interrupts is at worst clusters that belong to nobody, which fsck finds.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "base/text.h"
#include "store/writers/fat_folder.h"
#include "store/writers/fat_volume.h"
#include "store/writers/tree_writer.h"

namespace tintype {
namespace {

using fat::WritableFolder;
using fat::WritableTable;

constexpr std::uint8_t kArchive = 0x20, kFolder = 0x10;
constexpr std::uint64_t kMostBytes = 0xFFFFFFFF;

class FatWriter final : public TreeWriter {
 public:
  FatWriter(std::shared_ptr<Drive> partition, const fat::Geometry& geometry, std::uint64_t free_clusters, std::string words)
      : partition_(std::move(partition)), words_(std::move(words)), table_(partition_, geometry, free_clusters) {}
  ~FatWriter() override { (void)close(); }

  Result<void> start() {
    TRY(table_.mark(true));
    open_ = true;
    return {};
  }

  // A folder is named by its first cluster; 0: the root.
  Result<FolderId> folder(const std::string& path) override {
    std::uint32_t at = 0;
    for (const std::string& part : names_in_path(path)) {
      const WritableFolder in = TRY(read(at));
      const auto found = in.find(part);
      if (!found) return fail(ErrorCode::not_found, fmt::format("{} has no folder {}", printable(words_), printable(path)));
      if ((in.attributes(found->entry) & kFolder) == 0) return fail(ErrorCode::usage, fmt::format("{} of {} is no folder", printable(path), printable(words_)));
      at = in.first_cluster(found->entry);
    }
    return FolderId{at};
  }

  Result<FolderId> make_folder(FolderId parent, const std::string& name) override {
    WritableFolder in = TRY(read(parent));
    if (in.find(name)) return fail(ErrorCode::exists, fmt::format("{} exists in {}", printable(name), printable(words_)));
    const std::vector<std::uint32_t> first = TRY(table_.allocate(0, 1));
    if (first.empty()) return fail(os_error(ENOSPC, fmt::format("cannot make a folder in {}", printable(words_))));
    const std::uint32_t cluster = first.front();
    Bytes content(table_.geometry().cluster_bytes);
    for (std::size_t i = 0; i < 2; ++i) {
      const MutableByteSpan entry = MutableByteSpan(content).subspan(i * fat::kSlotBytes, fat::kSlotBytes);
      std::ranges::fill(entry.first(11), std::byte{' '});
      std::ranges::fill(entry.first(i + 1), std::byte{'.'});
      entry[11] = std::byte{kFolder};
      fat::put_facts(entry, i == 0 ? cluster : static_cast<std::uint32_t>(parent), 0, table_.geometry());
    }
    Result<void> done = partition_->write(table_.offset_of(cluster), content);
    if (done) {
      Result<WritableFolder::Found> found = in.add(name, table_);
      if (found) in.set_facts(found->entry, kFolder, cluster, 0);
      done = found ? table_.flush() : Result<void>(fail(found.error()));
      if (done) done = in.commit();
    }
    if (done) return FolderId{cluster};
    (void)table_.free_chain(cluster);
    return failed(std::move(done).error());
  }

  Result<FileId> create(FolderId folder, const std::string& name) override {
    WritableFolder in = TRY(read(folder));
    if (in.find(name)) return fail(ErrorCode::exists, fmt::format("{} exists in {}", printable(name), printable(words_)));
    Result<WritableFolder::Found> found = in.add(name, table_);
    if (!found) return failed(std::move(found).error());
    in.set_facts(found->entry, kArchive, 0, 0);
    if (Result<void> done = in.commit(); !done) return failed(std::move(done).error());
    return keep({.place = in.place_of(found->entry)});
  }

  Result<FileId> reopen(FolderId folder, const std::string& name, std::uint64_t size) override {
    const WritableFolder in = TRY(read(folder));
    const auto found = in.find(name);
    if (!found) return fail(os_error(ENOENT, fmt::format("cannot open {}", printable(name))));
    if ((in.attributes(found->entry) & kFolder) != 0 || in.size_bytes(found->entry) < size)
      return fail(ErrorCode::corrupt, fmt::format("{} is not what it was a moment ago", printable(name)));
    File file{.place = in.place_of(found->entry), .size = size};
    const std::uint32_t first = in.first_cluster(found->entry);
    if (first != 0) TRY(cut_off(file, first));
    return keep(file);
  }

  Result<void> append(FileId id, ByteSpan data, std::size_t& written) override {
    written = 0;
    File& file = files_.at(id);
    const bool too_long = data.size() > kMostBytes - file.size;
    if (too_long) data = data.first(static_cast<std::size_t>(kMostBytes - file.size));
    Result<void> done = append_to(file, data, written);
    if (Result<void> told = tell(file); !told && done) done = std::move(told);
    if (!done) return failed(std::move(done).error());
    if (too_long) return fail(os_error(EFBIG, fmt::format("cannot write to {}", printable(words_))));
    return {};
  }

  std::uint64_t size(FileId file) const override { return files_.at(file).size; }
  void release(FileId file) override { files_.erase(file); }

  Result<void> rename(FolderId folder, const std::string& from, const std::string& to) override {
    WritableFolder in = TRY(read(folder));
    std::optional<WritableFolder::Found> ours = in.find(from), old = in.find(to);
    if (!ours) return fail(os_error(ENOENT, fmt::format("cannot rename {}", printable(from))));
    if (old && old->entry == ours->entry) return {};
    if (old && (in.attributes(old->entry) & kFolder) != 0) return fail(ErrorCode::usage, fmt::format("{} is not a regular file", printable(to)));
    const std::uint64_t was = in.place_of(ours->entry);
    const std::uint32_t given_back = old ? in.first_cluster(old->entry) : 0;
    TRY(sync());
    WritableFolder::Found now = *ours;
    if (old || !in.rename_in_place(now, to)) {
      now = old ? *old : TRY(in.add(to, table_));
      in.set_facts(now.entry, in.attributes(ours->entry), in.first_cluster(ours->entry), in.size_bytes(ours->entry));
      in.take_out(*ours);
    }
    if (Result<void> done = in.commit(); !done) return failed(std::move(done).error());
    for (auto& [id, file] : files_)
      if (file.place == was) file.place = in.place_of(now.entry);
    TRY(sync());
    return given_back == 0 ? Result<void>{} : table_.free_chain(given_back);
  }

  Result<void> remove(FolderId folder, const std::string& name) override {
    WritableFolder in = TRY(read(folder));
    const auto found = in.find(name);
    if (!found) return {};
    if ((in.attributes(found->entry) & kFolder) != 0) return fail(ErrorCode::usage, fmt::format("{} is not a regular file", printable(name)));
    const std::uint32_t first = in.first_cluster(found->entry);
    in.take_out(*found);
    if (Result<void> done = in.commit(); !done) return failed(std::move(done).error());
    return first == 0 ? Result<void>{} : table_.free_chain(first);
  }

  bool broken() const override { return broken_; }
  std::uint64_t free_bytes() override { return table_.free_clusters() * table_.geometry().cluster_bytes; }
  Result<void> settle() override { return table_.flush(); }

  Result<void> close() override {
    if (!std::exchange(open_, false) || broken_) return {};
    TRY(sync());
    return table_.mark(false);
  }

 private:
  struct File {
    std::uint64_t place = 0;  // of its entry on the partition
    std::uint32_t first = 0, last = 0;
    std::uint64_t size = 0;
  };

  Result<WritableFolder> read(FolderId folder) {
    Result<WritableFolder> in = WritableFolder::read(partition_, table_, static_cast<std::uint32_t>(folder));
    if (!in) return failed(std::move(in).error());
    return in;
  }

  FileId keep(const File& file) {
    files_[++last_id_] = file;
    return last_id_;
  }

  // The mark stays where the drive failed: nobody knows what is there now.
  std::unexpected<Error> failed(Error error) {
    if (error.code == ErrorCode::io || error.code == ErrorCode::corrupt) broken_ = true;
    return fail(std::move(error).within(printable(words_)));
  }

  Result<void> sync() {
    TRY(table_.flush());
    return partition_->flush();
  }

  Result<void> append_to(File& file, ByteSpan data, std::size_t& written) {
    const std::uint64_t cluster = table_.geometry().cluster_bytes;
    // The room in the last cluster first.
    if (const std::uint64_t used = file.size % cluster; used != 0 && !data.empty()) {
      const ByteSpan part = data.first(static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), cluster - used)));
      TRY(partition_->write(table_.offset_of(file.last) + used, part));
      written += part.size();
      file.size += part.size();
    }
    data = data.subspan(written);
    if (data.empty()) return {};
    const std::vector<std::uint32_t> clusters = TRY(table_.allocate(0, div_round_up(data.size(), cluster)));
    for (std::size_t i = 0; i < clusters.size();) {
      std::size_t run = 1;
      while (i + run < clusters.size() && clusters[i + run] == clusters[i] + run) ++run;
      const auto from = static_cast<std::size_t>(i * cluster);
      const ByteSpan part = data.subspan(from, std::min(data.size() - from, static_cast<std::size_t>(run * cluster)));
      if (Result<void> done = partition_->write(table_.offset_of(clusters[i]), part); !done) {
        (void)table_.free_chain(clusters.front());
        return done;
      }
      i += run;
    }
    if (!clusters.empty()) {
      if (file.last != 0) TRY(table_.set(file.last, clusters.front()));
      else file.first = clusters.front();
      file.last = clusters.back();
      const std::size_t arrived = std::min(data.size(), static_cast<std::size_t>(clusters.size() * cluster));
      written += arrived;
      file.size += arrived;
      data = data.subspan(arrived);
    }
    return data.empty() ? Result<void>{} : Result<void>(fail(os_error(ENOSPC, "cannot write")));
  }

  Result<void> tell(const File& file) {
    TRY(table_.flush());
    std::array<std::byte, fat::kSlotBytes> entry{};
    TRY(partition_->read(file.place, entry));
    fat::put_facts(entry, file.first, static_cast<std::uint32_t>(file.size), table_.geometry());
    return partition_->write(file.place, entry);
  }

  // What is behind file.size of the chain goes; the entry is told before.
  Result<void> cut_off(File& file, std::uint32_t first) {
    const std::vector<std::uint32_t> clusters = TRY(table_.chain(first, kMostBytes / table_.geometry().cluster_bytes + 1));
    const auto kept = static_cast<std::size_t>(div_round_up(file.size, table_.geometry().cluster_bytes));
    if (kept > clusters.size()) return fail(ErrorCode::corrupt, "a file is shorter than its folder says", "run fsck.fat -a on it");
    if (kept > 0) {
      file.first = first;
      file.last = clusters[kept - 1];
      TRY(table_.set(file.last, table_.end_mark()));
    }
    TRY(tell(file));
    return kept < clusters.size() ? table_.free_chain(clusters[kept]) : Result<void>{};
  }

  std::shared_ptr<Drive> partition_;
  std::string words_;
  WritableTable table_;
  std::map<FileId, File> files_;
  FileId last_id_ = 0;
  bool open_ = false;
  bool broken_ = false;
};

}  // namespace

Result<std::unique_ptr<TreeWriter>> open_fat_writer(std::shared_ptr<Drive> partition, const std::string& words) {
  Bytes sector(512);
  TRY(partition->read(0, sector));
  const auto geometry = fat::parse_boot_sector(sector);
  if (!geometry) return fail(ErrorCode::corrupt, fmt::format("the boot sector of {} is damaged", printable(words)));
  // Its map of what is used is known only if the geometry fits the partition and the table.
  const FsInfo info = TRY(open_file_system(partition))->info();
  if (info.type != geometry->type || !info.used_map_known || !info.warning.empty())
    return fail(ErrorCode::corrupt, fmt::format("the FAT on {} is damaged: {}", printable(words), printable(info.warning)), "run fsck.fat -a on it");
  const std::uint64_t free = info.free_bytes / geometry->cluster_bytes;
  auto writer = std::make_unique<FatWriter>(std::move(partition), *geometry, free, words);
  TRY(writer->start());
  return writer;
}

}  // namespace tintype
