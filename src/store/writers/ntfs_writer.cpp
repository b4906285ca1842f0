// SPDX-License-Identifier: GPL-3.0-or-later
// Changes an NTFS by libntfs-3g, which writes no journal: what a crash interrupts is mended by chkdsk, which the dirty flag asks for. The
// library keeps one record in memory for each open file, so nothing stays open from one call to the next.
#include <fmt/format.h>

#include <cstdlib>
#include <map>

#include "base/text.h"
#include "store/writers/ntfs_device.h"
#include "store/writers/ntfs_library.h"
#include "store/writers/tree_writer.h"

namespace tintype {
namespace {

constexpr std::size_t kMostAtOnce = 16U << 20;

// A name in the library's words.
class WideName {
 public:
  explicit WideName(const std::string& name) : length_(ntfs_mbstoucs(name.c_str(), &text_)) {}
  WideName(const ntfschar* text, int length) : text_(ntfs_ucsndup(text, static_cast<::u32>(length))), length_(text_ != nullptr ? length : 0) {}
  ~WideName() { std::free(text_); }
  WideName(const WideName&) = delete;
  WideName& operator=(const WideName&) = delete;
  bool usable() const { return length_ > 0 && length_ <= 255 && !ntfs_forbidden_chars(text_, length_, TRUE); }
  ntfschar* text() const { return text_; }
  ::u8 length() const { return static_cast<::u8>(length_); }

 private:
  ntfschar* text_ = nullptr;
  int length_;
};

// An open record. Closing it writes it.
class Record {
 public:
  explicit Record(ntfs_inode* inode) : inode_(inode) {}
  ~Record() {
    if (inode_ != nullptr) (void)ntfs_inode_close(inode_);
  }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  explicit operator bool() const { return inode_ != nullptr; }
  ntfs_inode* get() const { return inode_; }
  ntfs_inode* release() { return std::exchange(inode_, nullptr); }
  bool close() { return ntfs_inode_close(release()) == 0; }

 private:
  ntfs_inode* inode_;
};

class NtfsWriter final : public TreeWriter {
 public:
  NtfsWriter(std::shared_ptr<Drive> partition, std::string words) : io_(std::move(partition)), words_(std::move(words)) {}
  ~NtfsWriter() override { (void)close(); }

  Result<void> start() {
    ntfs_log_set_handler(ntfs_log_handler_null);
    ntfs_set_char_encoding("utf8");
    ntfs_device* device = make_ntfs_device(io_);
    if (device == nullptr) return failed("cannot open the file system of");
    volume_ = ntfs_device_mount(device, NTFS_MNT_NONE);
    if (volume_ == nullptr) {
      const int code = errno;
      ntfs_device_free(device);
      return not_mounted(code);
    }
    clean_flags_ = volume_->flags;
    if (ntfs_volume_get_free_space(volume_) != 0) return failed("cannot count the free clusters of");
    if (ntfs_volume_write_flags(volume_, static_cast<::le16>(clean_flags_ | VOLUME_IS_DIRTY)) != 0) return failed("cannot write to");
    started_ = true;
    return settle();
  }

  Result<FolderId> folder(const std::string& path) override {
    FolderId at = FILE_root;
    for (const std::string& part : names_in_path(path)) {
      const auto next = TRY(find(at, part));
      if (!next) return fail(ErrorCode::not_found, fmt::format("{} has no folder {}", printable(words_), printable(path)));
      at = *next;
    }
    const Record record(ntfs_inode_open(volume_, at));
    if (!record) return failed("cannot read a folder of");
    if ((record.get()->mrec->flags & MFT_RECORD_IS_DIRECTORY) == 0 || (record.get()->flags & FILE_ATTR_REPARSE_POINT) != 0)
      return fail(ErrorCode::usage, fmt::format("{} of {} is no folder", printable(path), printable(words_)));
    if ((record.get()->flags & (FILE_ATTR_COMPRESSED | FILE_ATTR_ENCRYPTED)) != 0)
      return fail(ErrorCode::unsupported, fmt::format("new files in {} of {} would be compressed or encrypted by NTFS, which cannot be done here", printable(path), printable(words_)),
                  "use another folder");
    return at;
  }

  Result<FolderId> make_folder(FolderId parent, const std::string& name) override { return make(parent, name, S_IFDIR); }

  Result<FileId> create(FolderId folder, const std::string& name) override {
    const FileId made = TRY(make(folder, name, S_IFREG));
    files_[made] = 0;
    return made;
  }

  Result<FileId> reopen(FolderId folder, const std::string& name, std::uint64_t size) override {
    const auto id = TRY(find(folder, name));
    if (!id) return fail(os_error(ENOENT, fmt::format("cannot open {}", printable(name))));
    const Record record(ntfs_inode_open(volume_, *id));
    if (!record) return failed("cannot read a file of");
    ntfs_attr* data = ntfs_attr_open(record.get(), AT_DATA, AT_UNNAMED, 0);
    if (data == nullptr) return fail(ErrorCode::corrupt, fmt::format("{} is not what it was a moment ago", printable(name)));
    const bool shorter = static_cast<std::uint64_t>(data->data_size) < size;
    const bool cut = !shorter && ntfs_attr_truncate(data, static_cast<s64>(size)) == 0;
    ntfs_attr_close(data);
    if (shorter) return fail(ErrorCode::corrupt, fmt::format("{} is not what it was a moment ago", printable(name)));
    if (!cut) return failed("cannot cut off a file of");
    files_[*id] = size;
    return *id;
  }

  Result<void> append(FileId id, ByteSpan data, std::size_t& written) override {
    written = 0;
    std::uint64_t& size = files_.at(id);
    Record record(ntfs_inode_open(volume_, id));
    if (!record) return failed("cannot open a file of");
    ntfs_attr* stream = ntfs_attr_open(record.get(), AT_DATA, AT_UNNAMED, 0);
    if (stream == nullptr) return failed("cannot open a file of");
    int code = 0;
    while (code == 0 && written < data.size()) {
      const std::size_t piece = std::min(data.size() - written, kMostAtOnce);
      errno = 0;
      const s64 n = ntfs_attr_pwrite(stream, static_cast<s64>(size + written), static_cast<s64>(piece), data.data() + written);
      if (n > 0) written += static_cast<std::size_t>(n);
      if (n <= 0) code = errno != 0 ? errno : EIO;
    }
    // A write that fails may have made the file longer already.
    if (code != 0) (void)ntfs_attr_truncate(stream, static_cast<s64>(size + written));
    ntfs_attr_close(stream);
    ntfs_inode_update_times(record.get(), static_cast<ntfs_time_update_flags>(NTFS_UPDATE_MCTIME));
    size += written;
    if (!record.close() && code == 0) code = errno;
    return code == 0 ? Result<void>{} : failed("cannot write to", code);
  }

  std::uint64_t size(FileId file) const override { return files_.at(file); }
  void release(FileId file) override { files_.erase(file); }

  // NTFS takes no second file of a name, so the old one stands under another name until the new one has its own.
  Result<void> rename(FolderId folder, const std::string& from, const std::string& to) override {
    const auto id = TRY(find(folder, from));
    if (!id) return fail(os_error(ENOENT, fmt::format("cannot rename {}", printable(from))));
    const auto old = TRY(find(folder, to));
    if (!WideName(to).usable()) return unusable(to);
    if (old && *old == *id) return {};
    const std::string aside = from + "~";
    TRY(sync());
    if (old) {
      TRY(check_file(*old, to));
      TRY(remove(folder, aside));  // of a run that was cut off here
      TRY(add_name(folder, aside, *old));
      TRY(unlink(folder, to, *old));
    }
    if (Result<void> named = add_name(folder, to, *id); !named) {
      if (old && add_name(folder, to, *old)) (void)unlink(folder, aside, *old);
      return named;
    }
    TRY(sync());
    TRY(unlink(folder, from, *id));
    return old ? unlink(folder, aside, *old) : Result<void>();
  }

  Result<void> remove(FolderId folder, const std::string& name) override {
    const auto id = TRY(find(folder, name));
    if (!id) return {};
    TRY(check_file(*id, name));
    return unlink(folder, name, *id);
  }

  bool broken() const override { return io_.error.has_value(); }
  std::uint64_t free_bytes() override {
    return volume_->free_clusters < 0 ? 0 : static_cast<std::uint64_t>(volume_->free_clusters) * volume_->cluster_size;
  }

  Result<void> settle() override {
    for (ntfs_inode* inode : {volume_->mft_ni, volume_->lcnbmp_ni, volume_->mftmirr_ni, volume_->vol_ni})
      if (inode != nullptr && ntfs_inode_sync(inode) != 0) return failed("cannot write to");
    return {};
  }

  Result<void> close() override {
    if (volume_ == nullptr) return {};
    Result<void> done;
    if (started_ && !io_.error) {
      done = sync();
      if (done && ntfs_volume_write_flags(volume_, clean_flags_) != 0) done = failed("cannot write to");
    }
    const bool closed = ntfs_umount(std::exchange(volume_, nullptr), FALSE) == 0;  // gone even if it says that it failed
    if (done && (!closed || io_.error)) done = failed("cannot write to");
    return done;
  }

 private:
  Result<void> sync() {
    TRY(settle());
    if (ntfs_device_sync(volume_->dev) != 0) return failed("cannot flush");
    return {};
  }

  std::unexpected<Error> failed(const char* what, int code = errno) {
    if (io_.error) return fail(Error(*io_.error).within(fmt::format("{} {}", what, printable(words_))));
    Error error = os_error(code == 0 ? EIO : code, fmt::format("{} {}", what, printable(words_)));
    if (code == EIO) error.hint = "have Windows check it (chkdsk /f)";
    return fail(std::move(error));
  }

  std::unexpected<Error> not_mounted(int code) {
    if (io_.error) return failed("cannot open the file system of", code);
    if (code == EPERM)
      return fail(ErrorCode::refused, fmt::format("the ntfs on {} belongs to a system that is hibernated", printable(words_)),
                  "start that system and shut it down fully (Windows: shutdown /s /t 0)");
    if (code == EOPNOTSUPP)
      return fail(ErrorCode::refused, fmt::format("the journal of the ntfs on {} is not empty", printable(words_)), "let its system start and shut it down fully, or have Windows check it (chkdsk /f)");
    return fail(ErrorCode::refused, fmt::format("the ntfs on {} is damaged", printable(words_)), "have Windows check it (chkdsk /f)");
  }

  std::unexpected<Error> unusable(const std::string& name) const {
    return fail(ErrorCode::usage, fmt::format("NTFS takes no file of the name '{}'", printable(name)), "choose another name");
  }

  Result<std::optional<FileId>> find(FolderId folder, const std::string& name) {
    const WideName wide(name);
    if (wide.length() == 0) return unusable(name);
    const Record in(ntfs_inode_open(volume_, folder));
    if (!in) return failed("cannot read a folder of");
    if ((in.get()->mrec->flags & MFT_RECORD_IS_DIRECTORY) == 0) return fail(os_error(ENOTDIR, fmt::format("cannot look for {}", printable(name))));
    errno = 0;
    const u64 found = ntfs_inode_lookup_by_name(in.get(), wide.text(), wide.length());
    if (found != static_cast<u64>(-1)) return std::optional(FileId{MREF(found)});
    if (errno != ENOENT) return failed("cannot read a folder of");
    const auto other = TRY(find_ignoring_case(in.get(), wide));
    return other ? std::optional(other->id) : std::nullopt;
  }

  // The library takes names as they are; Windows would not know the two apart.
  struct Entry {
    FileId id = 0;
    std::shared_ptr<const WideName> name;  // as it stands there
  };
  Result<std::optional<Entry>> find_ignoring_case(ntfs_inode* in, const WideName& name) {
    struct Wanted {
      NtfsWriter& self;
      const WideName& name;
      std::optional<Entry> entry;
    };
    Wanted wanted{*this, name, {}};
    const auto visit = [](void* told, const ntfschar* entry, const int length, const int space, const s64, const MFT_REF id, const unsigned) {
      auto& to = *static_cast<Wanted*>(told);
      const ntfs_volume& volume = *to.self.volume_;
      if (space != FILE_NAME_DOS && ntfs_names_are_equal(entry, static_cast<std::size_t>(length), to.name.text(), to.name.length(), IGNORE_CASE,
                                                         volume.upcase, volume.upcase_len))
        to.entry = Entry{FileId{MREF(id)}, std::make_shared<const WideName>(entry, length)};
      return 0;
    };
    s64 position = 0;
    if (ntfs_readdir(in, &position, &wanted, visit) != 0) return failed("cannot read a folder of");
    return wanted.entry;
  }

  Result<FileId> make(FolderId folder, const std::string& name, mode_t kind) {
    if (TRY(find(folder, name))) return fail(ErrorCode::exists, fmt::format("{} exists in {}", printable(name), printable(words_)));
    const WideName wide(name);
    if (!wide.usable()) return unusable(name);
    Record in(ntfs_inode_open(volume_, folder));
    if (!in) return failed("cannot read a folder of");
    Record made(ntfs_create(in.get(), ::le32{}, wide.text(), wide.length(), kind));
    if (!made) return failed("cannot make a file in");
    const FileId id = made.get()->mft_no;
    if (ntfs_inode_close_in_dir(made.release(), in.get()) != 0 || !in.close()) return failed("cannot make a file in");
    return id;
  }

  Result<void> check_file(FileId id, const std::string& name) {
    const Record record(ntfs_inode_open(volume_, id));
    if (!record) return failed("cannot read a file of");
    if ((record.get()->mrec->flags & MFT_RECORD_IS_DIRECTORY) == 0 && id >= FILE_first_user) return {};
    return fail(ErrorCode::usage, fmt::format("{} is not a regular file", printable(name)));
  }

  Result<void> add_name(FolderId folder, const std::string& name, FileId id) {
    const WideName wide(name);
    if (!wide.usable()) return unusable(name);
    const Record record(ntfs_inode_open(volume_, id)), in(ntfs_inode_open(volume_, folder));
    if (!record || !in || ntfs_link(record.get(), in.get(), wide.text(), wide.length()) != 0) return failed("cannot rename a file of");
    return {};
  }

  Result<void> unlink(FolderId folder, const std::string& name, FileId id) {
    auto wide = std::make_shared<const WideName>(name);
    Record record(ntfs_inode_open(volume_, id)), in(ntfs_inode_open(volume_, folder));
    if (!record || !in) return failed("cannot remove a file of");
    errno = 0;
    if (ntfs_inode_lookup_by_name(in.get(), wide->text(), wide->length()) == static_cast<u64>(-1)) {
      if (errno != ENOENT) return failed("cannot remove a file of");
      const auto other = TRY(find_ignoring_case(in.get(), *wide));  // ntfs_delete() wants the name as it stands there
      if (other && other->id == id) wide = other->name;
    }
    if (ntfs_delete(volume_, nullptr, record.release(), in.release(), wide->text(), wide->length()) != 0) return failed("cannot remove a file of");
    return {};
  }

  NtfsIo io_;
  std::string words_;
  ntfs_volume* volume_ = nullptr;
  std::map<FileId, std::uint64_t> files_;  // sizes of those being written
  ::le16 clean_flags_{};
  bool started_ = false;
};

}  // namespace

Result<std::unique_ptr<TreeWriter>> open_ntfs_writer(std::shared_ptr<Drive> partition, const std::string& words) {
  auto writer = std::make_unique<NtfsWriter>(std::move(partition), words);
  TRY(writer->start());
  return writer;
}

}  // namespace tintype
