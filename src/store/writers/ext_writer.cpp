// SPDX-License-Identifier: GPL-3.0-or-later
// Changes an ext file system by libext2fs, which knows nothing of the journal: what a crash interrupts is mended by e2fsck. The order of
// writing keeps every older file whole: a new name appears by the change of one directory block, after all of the new file, and only
// then are the old file's blocks given back.
extern "C" {
#include <et/com_err.h>
}
#include <fmt/format.h>

#include <ctime>
#include <cstring>
#include <map>

#include "base/text.h"
#include "store/writers/ext_io.h"
#include "store/writers/tree_writer.h"

namespace tintype {
namespace {

constexpr int kOpenFlags = EXT2_FLAG_RW | EXT2_FLAG_64BITS;
// Each is kept up to date by the kernel in ways that the library does not know.
constexpr unsigned kNotMaintained = EXT4_FEATURE_RO_COMPAT_QUOTA | EXT4_FEATURE_RO_COMPAT_PROJECT | EXT4_FEATURE_RO_COMPAT_SHARED_BLOCKS;
constexpr unsigned kFolderNotOurs = EXT4_ENCRYPT_FL | EXT4_CASEFOLD_FL;
constexpr std::uint64_t kBlocksForTheMap = 64;  // that a file's extents may need besides
constexpr std::size_t kMostAtOnce = 16U << 20;

class ExtWriter final : public TreeWriter {
 public:
  ExtWriter(std::unique_ptr<ExtIo> io, std::string words) : io_(std::move(io)), words_(std::move(words)) {}
  ~ExtWriter() override { (void)close(); }

  Result<void> start() {
    ::initialize_ext2_error_table();  // the words for the library's codes
    if (const errcode_t code = io_->open(kOpenFlags, &fs_)) return failed(code, "cannot open the file system of");
    if (ext2fs_has_feature_mmp(fs_->super)) return cannot("multiple mount protection");
    if ((fs_->super->s_feature_ro_compat & kNotMaintained) != 0) return cannot("quotas or shared blocks");
    if (ext2fs_has_feature_journal_needs_recovery(fs_->super)) return cannot("a journal that was not replayed");
    if (const errcode_t code = ext2fs_read_bitmaps(fs_)) return failed(code, "cannot read the bitmaps of");
    fs_->super->s_state = static_cast<__u16>(fs_->super->s_state & ~EXT2_VALID_FS);
    started_ = true;
    ext2fs_mark_super_dirty(fs_);
    return settle();
  }

  Result<FolderId> folder(const std::string& path) override {
    ext2_ino_t at = EXT2_ROOT_INO;
    for (const std::string& part : names_in_path(path)) {
      const auto next = TRY(find(at, part));
      if (!next) return fail(ErrorCode::not_found, fmt::format("{} has no folder {}", printable(words_), printable(path)));
      at = *next;
    }
    ext2_inode inode{};
    if (const errcode_t code = ext2fs_read_inode(fs_, at, &inode)) return failed(code, "cannot read a folder of");
    if (!LINUX_S_ISDIR(inode.i_mode)) return fail(ErrorCode::usage, fmt::format("{} of {} is no folder", printable(path), printable(words_)));
    if ((inode.i_flags & kFolderNotOurs) != 0) return cannot("encryption or case folding in that folder");
    return FolderId{at};
  }

  Result<FolderId> make_folder(FolderId parent, const std::string& name) override {
    const auto in = static_cast<ext2_ino_t>(parent);
    errcode_t code = ext2fs_mkdir(fs_, in, 0, name.c_str());
    if (code == EXT2_ET_DIR_NO_SPACE) {
      code = ext2fs_expand_dir(fs_, in);
      if (code == 0) code = ext2fs_mkdir(fs_, in, 0, name.c_str());
    }
    if (code != 0) return failed(code, "cannot make a folder in");
    const auto made = TRY(find(in, name));
    if (!made) return fail(ErrorCode::corrupt, fmt::format("the new folder is not found in {}", printable(words_)));
    return FolderId{*made};
  }

  Result<FileId> create(FolderId folder, const std::string& name) override {
    const auto in = static_cast<ext2_ino_t>(folder);
    ext2_ino_t ino = 0;
    if (const errcode_t code = ext2fs_new_inode(fs_, in, LINUX_S_IFREG | 0600, nullptr, &ino)) return failed(code, "cannot make a file in");
    ext2_inode inode{};
    inode.i_mode = LINUX_S_IFREG | 0600;
    inode.i_links_count = 1;
    inode.i_atime = inode.i_ctime = inode.i_mtime = now();
    const bool extents = ext2fs_has_feature_extents(fs_->super);
    if (extents) inode.i_flags |= EXT4_EXTENTS_FL;
    ext2fs_inode_alloc_stats2(fs_, ino, +1, 0);
    errcode_t code = ext2fs_write_new_inode(fs_, ino, &inode);
    if (code == 0 && extents) {
      ext2_extent_handle_t handle = nullptr;  // opening one writes the header of an empty tree
      code = ext2fs_extent_open2(fs_, ino, &inode, &handle);
      if (code == 0) ext2fs_extent_free(handle);
      if (code == 0) code = ext2fs_write_inode(fs_, ino, &inode);
    }
    if (code == 0) code = link(in, name, ino);
    if (code != 0) {
      inode.i_links_count = 0;
      inode.i_dtime = now();
      (void)ext2fs_write_inode(fs_, ino, &inode);
      ext2fs_inode_alloc_stats2(fs_, ino, -1, 0);
      return failed(code, "cannot make a file in");
    }
    files_[ino] = 0;
    return FileId{ino};
  }

  Result<FileId> reopen(FolderId folder, const std::string& name, std::uint64_t size) override {
    const auto ino = TRY(find(static_cast<ext2_ino_t>(folder), name));
    if (!ino) return fail(os_error(ENOENT, fmt::format("cannot open {}", printable(name))));
    ext2_inode inode{};
    if (const errcode_t code = ext2fs_read_inode(fs_, *ino, &inode)) return failed(code, "cannot read a file of");
    if (!LINUX_S_ISREG(inode.i_mode) || EXT2_I_SIZE(&inode) < size)
      return fail(ErrorCode::corrupt, fmt::format("{} is not what it was a moment ago", printable(name)));
    ext2_file_t file = nullptr;
    if (const errcode_t code = ext2fs_file_open(fs_, *ino, EXT2_FILE_WRITE, &file)) return failed(code, "cannot open a file of");
    const errcode_t cut = with_last_block(*ino, inode, [&] { return ext2fs_file_set_size2(file, static_cast<ext2_off64_t>(size)); });
    const errcode_t closed = ext2fs_file_close(file);
    if (cut != 0 || closed != 0) return failed(cut != 0 ? cut : closed, "cannot cut off a file of");
    files_[*ino] = size;
    return FileId{*ino};
  }

  Result<void> append(FileId id, ByteSpan data, std::size_t& written) override {
    written = 0;
    std::uint64_t& size = files_.at(id);
    const auto ino = static_cast<ext2_ino_t>(id);
    const auto part = [&](std::size_t count, auto how) -> Result<void> {
      std::size_t arrived = 0;
      Result<void> done = count == 0 ? Result<void>{} : (this->*how)(ino, size, data.subspan(written, count), arrived);
      written += arrived;
      size += arrived;
      return done;
    };
    // The library takes data block by block, each through its own map of the file: only what is no whole block goes that way, and what
    // does not fit as a whole.
    const std::size_t block = fs_->blocksize;
    const std::size_t head = std::min<std::size_t>(data.size(), static_cast<std::size_t>(round_up(size, block) - size));
    TRY(part(head, &ExtWriter::append_bytes));
    const std::size_t whole = data.size() - written - (data.size() - written) % block;
    if (ext2fs_has_feature_extents(fs_->super)) TRY(part(whole, &ExtWriter::append_blocks));
    return part(data.size() - written, &ExtWriter::append_bytes);
  }

  std::uint64_t size(FileId file) const override { return files_.at(file); }
  void release(FileId file) override { files_.erase(file); }

  Result<void> rename(FolderId folder, const std::string& from, const std::string& to) override {
    const auto in = static_cast<ext2_ino_t>(folder);
    const auto ino = TRY(find(in, from));
    if (!ino) return fail(os_error(ENOENT, fmt::format("cannot rename {}", printable(from))));
    const auto old = TRY(find(in, to));
    if (old && *old == *ino) return {};
    TRY(sync());
    if (old) {
      TRY(must_be_file(*old, to));
      TRY(exchange(in, to, *ino));
    } else if (const errcode_t code = link(in, to, *ino)) {
      return failed(code, "cannot rename a file of");
    }
    TRY(sync());
    if (const errcode_t code = ext2fs_unlink(fs_, in, from.c_str(), *ino, 0)) return failed(code, "cannot rename a file of");
    return old ? drop(*old) : Result<void>{};
  }

  Result<void> remove(FolderId folder, const std::string& name) override {
    const auto in = static_cast<ext2_ino_t>(folder);
    const auto ino = TRY(find(in, name));
    if (!ino) return {};
    TRY(must_be_file(*ino, name));
    if (const errcode_t code = ext2fs_unlink(fs_, in, name.c_str(), *ino, 0)) return failed(code, "cannot remove a file of");
    return drop(*ino);
  }

  bool broken() const override { return broken_; }
  std::uint64_t free_bytes() override {
    const std::uint64_t free = ext2fs_free_blocks_count(fs_->super), kept = ext2fs_r_blocks_count(fs_->super);
    return (free > kept ? free - kept : 0) * fs_->blocksize;
  }

  Result<void> settle() override {
    if (const errcode_t code = ext2fs_flush2(fs_, EXT2_FLAG_FLUSH_NO_SYNC)) return failed(code, "cannot write to");
    return {};
  }

  Result<void> close() override {
    if (fs_ == nullptr) return {};
    Result<void> done;
    if (started_ && !broken_) {
      done = sync();
      if (done) {
        fs_->super->s_state = static_cast<__u16>(fs_->super->s_state | EXT2_VALID_FS);
        fs_->super->s_wtime = now();
        ext2fs_mark_super_dirty(fs_);
        done = sync();
      }
    }
    ext2fs_free(fs_);  // everything has been written: nothing of a failed start is
    fs_ = nullptr;
    return done;
  }

 private:
  static __u32 now() { return static_cast<__u32>(std::time(nullptr)); }

  Result<void> sync() {
    TRY(settle());
    return io_->drive().flush();
  }

  // Whole blocks behind whole blocks, in a file of extents. Nothing arrives where there is not room for all of it.
  Result<void> append_blocks(ext2_ino_t ino, std::uint64_t size, ByteSpan data, std::size_t& written) {
    const std::uint64_t block = fs_->blocksize, first = size / block, count = data.size() / block;
    if (ext2fs_free_blocks_count(fs_->super) < count + kBlocksForTheMap) return {};
    ext2_inode inode{};
    if (const errcode_t code = ext2fs_read_inode(fs_, ino, &inode)) return failed(code, "cannot read a file of");
    errcode_t code = ext2fs_fallocate(fs_, EXT2_FALLOCATE_FORCE_INIT | EXT2_FALLOCATE_INIT_BEYOND_EOF, ino, &inode, ~0ULL, first, count);
    for (std::uint64_t done = 0; code == 0 && done < count;) {
      std::uint64_t start = 0, run = 0;
      for (; done + run < count; ++run) {
        blk64_t at = 0;
        code = ext2fs_bmap2(fs_, ino, &inode, nullptr, 0, first + done + run, nullptr, &at);
        if (code == 0 && at == 0) code = EXT2_ET_BLOCK_ALLOC_FAIL;
        if (code != 0 || (run > 0 && at != start + run)) break;
        if (run == 0) start = at;
      }
      if (code != 0) break;
      code = io_channel_write_blk64(fs_->io, start, static_cast<int>(run), data.data() + done * block);
      done += run;
    }
    if (code == 0) code = ext2fs_inode_size_set(fs_, &inode, static_cast<ext2_off64_t>(size + data.size()));
    inode.i_mtime = inode.i_ctime = now();
    if (code == 0) code = ext2fs_write_inode(fs_, ino, &inode);
    if (code == 0) {
      written = data.size();
      return {};
    }
    const errcode_t cut = with_last_block(ino, inode, [&] { return ext2fs_punch(fs_, ino, &inode, nullptr, first, ~0ULL); });
    if (cut != 0 || ext2fs_write_inode(fs_, ino, &inode) != 0) broken_ = true;
    return failed(code, "cannot write to");
  }

  Result<void> append_bytes(ext2_ino_t ino, std::uint64_t size, ByteSpan data, std::size_t& written) {
    ext2_file_t file = nullptr;
    if (const errcode_t code = ext2fs_file_open(fs_, ino, EXT2_FILE_WRITE, &file)) return failed(code, "cannot open a file of");
    __u64 at = 0;
    errcode_t code = ext2fs_file_llseek(file, size, EXT2_SEEK_SET, &at);
    while (code == 0 && written < data.size()) {
      const ByteSpan piece = data.subspan(written, std::min(data.size() - written, kMostAtOnce));
      unsigned int arrived = 0;
      code = ext2fs_file_write(file, piece.data(), static_cast<unsigned int>(piece.size()), &arrived);
      written += arrived;
      if (code == 0 && arrived == 0) code = EXT2_ET_SHORT_WRITE;
    }
    const errcode_t closed = ext2fs_file_close(file);  // writes the last block
    if (code == 0 && closed == 0) return {};
    // Nothing more is claimed than what the size says that the library keeps.
    ext2_inode inode{};
    const bool known = closed == 0 && ext2fs_read_inode(fs_, ino, &inode) == 0 && EXT2_I_SIZE(&inode) >= size;
    written = known ? static_cast<std::size_t>(std::min<std::uint64_t>(written, EXT2_I_SIZE(&inode) - size)) : 0;
    return failed(code != 0 ? code : closed, "cannot write to");
  }

  std::unexpected<Error> cannot(const char* feature) const {
    return fail(ErrorCode::unsupported, fmt::format("the file system on {} has {}, which only the kernel can write to", printable(words_), feature),
                "mount it and give the path of the file");
  }

  std::unexpected<Error> failed(errcode_t code, const char* what) {
    if (auto error = io_->take_error()) {
      broken_ = true;
      return fail(std::move(*error).within(fmt::format("{} {}", what, printable(words_))));
    }
    const bool full = code == EXT2_ET_BLOCK_ALLOC_FAIL || code == EXT2_ET_INODE_ALLOC_FAIL || code == EXT2_ET_DIR_NO_SPACE;
    if (full) return fail(os_error(ENOSPC, fmt::format("{} {}", what, printable(words_))));
    if (code == EXT2_ET_DIR_EXISTS) return fail(ErrorCode::exists, fmt::format("{} {}: it exists", what, printable(words_)));
    if (code == EXT2_ET_FILE_TOO_BIG) return fail(os_error(EFBIG, fmt::format("{} {}", what, printable(words_))));
    broken_ = true;  // something may have been done by half
    if (code > 0 && code < 256) return fail(os_error(static_cast<int>(code), fmt::format("{} {}", what, printable(words_))));
    return fail(ErrorCode::corrupt, fmt::format("{} {}: {}", what, printable(words_), ::error_message(code)), "run e2fsck -f on it");
  }

  Result<std::optional<ext2_ino_t>> find(ext2_ino_t in, const std::string& name) {
    ext2_ino_t ino = 0;
    const errcode_t code = ext2fs_lookup(fs_, in, name.c_str(), static_cast<int>(name.size()), nullptr, &ino);
    if (code == EXT2_ET_FILE_NOT_FOUND) return std::optional<ext2_ino_t>{};
    if (code == EXT2_ET_NO_DIRECTORY) return fail(os_error(ENOTDIR, fmt::format("cannot look for {}", printable(name))));
    if (code != 0) return failed(code, "cannot read a folder of");
    return std::optional(ino);
  }

  errcode_t link(ext2_ino_t in, const std::string& name, ext2_ino_t ino) {
    errcode_t code = ext2fs_link(fs_, in, name.c_str(), ino, EXT2_FT_REG_FILE);
    if (code != EXT2_ET_DIR_NO_SPACE) return code;
    code = ext2fs_expand_dir(fs_, in);
    return code != 0 ? code : ext2fs_link(fs_, in, name.c_str(), ino, EXT2_FT_REG_FILE);
  }

  Result<void> must_be_file(ext2_ino_t ino, const std::string& name) {
    ext2_inode inode{};
    if (const errcode_t code = ext2fs_read_inode(fs_, ino, &inode)) return failed(code, "cannot read a file of");
    if (LINUX_S_ISREG(inode.i_mode)) return {};
    return fail(ErrorCode::usage, fmt::format("{} is not a regular file", printable(name)));
  }

  // Makes the entry `name` lead to another file, by one write of one block.
  Result<void> exchange(ext2_ino_t in, const std::string& name, ext2_ino_t ino) {
    struct Wanted {
      const std::string& name;
      ext2_ino_t ino;
      bool done;
    } wanted{name, ino, false};
    const auto visit = [](ext2_ino_t, int, ext2_dir_entry* entry, int, int, char*, void* told) {
      auto& to = *static_cast<Wanted*>(told);
      const auto length = static_cast<std::size_t>(ext2fs_dirent_name_len(entry));
      if (length != to.name.size() || std::memcmp(entry->name, to.name.data(), length) != 0) return 0;
      entry->inode = to.ino;
      to.done = true;
      return DIRENT_CHANGED | DIRENT_ABORT;
    };
    if (const errcode_t code = ext2fs_dir_iterate2(fs_, in, 0, nullptr, visit, &wanted)) return failed(code, "cannot rename a file of");
    if (!wanted.done) return fail(ErrorCode::corrupt, fmt::format("a name is not found twice in {}", printable(words_)), "run e2fsck -f on it");
    return {};
  }

  // ext2fs_punch() of 1.47.0 takes a run of blocks that ends with the last one of the file system for one that leaves it, when it has
  // taken the run out of the file already. For a file that has that block, and none behind it, the file system is one block longer meanwhile.
  template <typename Cut>
  errcode_t with_last_block(ext2_ino_t ino, ext2_inode& inode, const Cut& cut) {
    if (ext2fs_inode_has_valid_blocks2(fs_, &inode) == 0) return cut();
    blk64_t highest = 0;
    const auto visit = [](ext2_filsys, blk64_t* block, e2_blkcnt_t, blk64_t, int, void* told) {
      auto& to = *static_cast<blk64_t*>(told);
      to = std::max(to, *block);
      return 0;
    };
    if (const errcode_t code = ext2fs_block_iterate3(fs_, ino, BLOCK_FLAG_READ_ONLY, nullptr, visit, &highest)) return code;
    const blk64_t count = ext2fs_blocks_count(fs_->super);
    if (highest + 1 == count) ext2fs_blocks_count_set(fs_->super, count + 1);
    const errcode_t code = cut();
    ext2fs_blocks_count_set(fs_->super, count);
    return code;
  }

  // One name less; without any the blocks are given back.
  Result<void> drop(ext2_ino_t ino) {
    ext2_inode_large inode{};
    auto* small = reinterpret_cast<ext2_inode*>(&inode);
    if (const errcode_t code = ext2fs_read_inode_full(fs_, ino, small, sizeof inode)) return failed(code, "cannot read a file of");
    if (inode.i_links_count > 0) --inode.i_links_count;
    inode.i_ctime = now();
    if (inode.i_links_count == 0) inode.i_dtime = now();
    if (const errcode_t code = ext2fs_write_inode_full(fs_, ino, small, sizeof inode)) return failed(code, "cannot write to");
    if (inode.i_links_count > 0) return {};
    if (const errcode_t code = ext2fs_free_ext_attr(fs_, ino, &inode)) return failed(code, "cannot write to");
    const auto give_back = [&] { return ext2fs_punch(fs_, ino, small, nullptr, 0, ~0ULL); };
    if (ext2fs_inode_has_valid_blocks2(fs_, small))
      if (const errcode_t code = with_last_block(ino, *small, give_back)) return failed(code, "cannot write to");
    ext2fs_inode_alloc_stats2(fs_, ino, -1, 0);
    return {};
  }

  std::unique_ptr<ExtIo> io_;
  std::string words_;
  ext2_filsys fs_ = nullptr;
  std::map<FileId, std::uint64_t> files_;  // sizes of those being written
  bool started_ = false;
  bool broken_ = false;  // the drive or the library failed: it is left marked as not clean
};

}  // namespace

Result<std::unique_ptr<TreeWriter>> open_ext_writer(std::shared_ptr<Drive> partition, const std::string& words) {
  auto writer = std::make_unique<ExtWriter>(std::make_unique<ExtIo>(std::move(partition)), words);
  TRY(writer->start());
  return writer;
}

}  // namespace tintype
