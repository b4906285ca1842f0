// SPDX-License-Identifier: GPL-3.0-or-later
#include "serve/linux/fuse_ops.h"

#include <linux/falloc.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tintype {

FuseView& view_of(fuse_req_t request) { return *static_cast<FuseView*>(fuse_req_userdata(request)); }

int code_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::no_space: return ENOSPC;
    case ErrorCode::denied: return EROFS;
    case ErrorCode::not_found: return ENOENT;
    case ErrorCode::unsupported: return EOPNOTSUPP;
    case ErrorCode::out_of_bounds: return EINVAL;
    default: return EIO;
  }
}

bool is_shown_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 * 4 && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

fuse_entry_param entry_of(FuseView& view, std::uint64_t ino, const ShownNode& node) {
  fuse_entry_param entry{};
  entry.ino = ino;
  entry.attr = view.nodes().attributes(ino, node);
  entry.attr_timeout = entry.entry_timeout = kForever;
  return entry;
}

namespace {

using Node = ShownNode;
using Kind = ShownNode::Kind;

void reply_missing(fuse_req_t request) {
  fuse_entry_param nothing{};
  nothing.entry_timeout = kForever;
  fuse_reply_entry(request, &nothing);
}

void do_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  FuseView& view = view_of(request);
  const std::optional<Node> folder = view.nodes().find(parent);
  if (!folder) return void(fuse_reply_err(request, ENOENT));
  const auto reply = [&](std::uint64_t ino, const Node& node) {
    const fuse_entry_param entry = entry_of(view, ino, node);
    fuse_reply_entry(request, &entry);
  };
  if (folder->kind == Kind::root) {
    const auto& drives = view.shown().drives;
    for (std::size_t i = 0; i < drives.size(); ++i)
      if (drives[i].name == name) return reply(view.nodes().drive_ino(i), {Kind::drive, i, {}});
    if (!view.shown().trees.empty() && std::strcmp(name, "files") == 0) return reply(view.nodes().trees_ino(), {Kind::trees, 0, {}});
    return reply_missing(request);
  }
  std::optional<FileNode> found;
  std::size_t tree = folder->index;
  if (folder->kind == Kind::trees) {
    const auto& trees = view.shown().trees;
    const auto at = std::ranges::find(trees, std::string(name), &ShownTree::name);
    if (at == trees.end()) return reply_missing(request);
    tree = static_cast<std::size_t>(at - trees.begin());
    const std::lock_guard lock(view.lock_of(tree));
    Result<FileNode> root = view.tree(tree).root();
    if (!root) return void(fuse_reply_err(request, code_of(root.error())));
    found = std::move(*root);
  } else if (folder->kind == Kind::file && folder->file.kind == NodeKind::folder) {
    const std::lock_guard lock(view.lock_of(tree));
    Result<std::optional<FileNode>> looked_up = find_in(view.tree(tree), folder->file, name);
    if (!looked_up) return void(fuse_reply_err(request, code_of(looked_up.error())));
    found = std::move(*looked_up);
    if (found && !is_shown_name(found->name)) found.reset();
  }
  if (!found) return reply_missing(request);
  const Node node{Kind::file, tree, std::move(*found)};
  reply(view.nodes().remember(tree, node.file), node);
}

void do_forget(fuse_req_t request, fuse_ino_t ino, std::uint64_t references) {
  view_of(request).nodes().forget(ino, references);
  fuse_reply_none(request);
}

void do_forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* forgets) {
  for (std::size_t i = 0; i < count; ++i) view_of(request).nodes().forget(forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none(request);
}

void do_getattr(fuse_req_t request, fuse_ino_t ino, fuse_file_info*) {
  FuseView& view = view_of(request);
  const std::optional<Node> node = view.nodes().find(ino);
  if (!node) return void(fuse_reply_err(request, ENOENT));
  const struct stat st = view.nodes().attributes(ino, *node);
  fuse_reply_attr(request, &st, kForever);
}

// Times and modes are taken and forgotten, for tools that set them; the size of a drive stays.
void do_setattr(fuse_req_t request, fuse_ino_t ino, struct stat* wanted, int what, fuse_file_info* file) {
  FuseView& view = view_of(request);
  const std::optional<Node> node = view.nodes().find(ino);
  if (!node) return void(fuse_reply_err(request, ENOENT));
  if (node->kind != Kind::drive || !view.shown().drives[node->index].writable) return void(fuse_reply_err(request, EROFS));
  if ((what & FUSE_SET_ATTR_SIZE) != 0 &&
      static_cast<std::uint64_t>(wanted->st_size) != view.shown().drives[node->index].drive->size_bytes())
    return void(fuse_reply_err(request, EPERM));
  do_getattr(request, ino, file);
}

void do_readlink(fuse_req_t request, fuse_ino_t ino) {
  FuseView& view = view_of(request);
  const std::optional<Node> node = view.nodes().find(ino);
  if (!node || node->kind != Kind::file) return void(fuse_reply_err(request, EINVAL));
  const std::lock_guard lock(view.lock_of(node->index));
  const Result<std::optional<std::string>> target = view.tree(node->index).link_target(node->file);
  if (!target) return void(fuse_reply_err(request, code_of(target.error())));
  if (!*target) return void(fuse_reply_err(request, EINVAL));
  fuse_reply_readlink(request, (*target)->c_str());
}

void do_open(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info) {
  FuseView& view = view_of(request);
  const std::optional<Node> node = view.nodes().find(ino);
  if (!node) return void(fuse_reply_err(request, ENOENT));
  const bool writes = (info->flags & O_ACCMODE) != O_RDONLY;
  info->keep_cache = 1;
  info->fh = 0;
  if (node->kind == Kind::drive) {
    if (writes && !view.shown().drives[node->index].writable) return void(fuse_reply_err(request, EROFS));
    // Views of one drive overlap: what is written through one must be seen through the others.
    for (const ShownDrive& each : view.shown().drives)
      if (each.writable) info->direct_io = 1;
  } else if (node->kind == Kind::file) {
    if (writes) return void(fuse_reply_err(request, EROFS));
    const std::lock_guard lock(view.lock_of(node->index));
    Result<std::unique_ptr<FileContent>> content = view.tree(node->index).open(node->file);
    if (!content) return void(fuse_reply_err(request, code_of(content.error())));
    info->fh = reinterpret_cast<std::uint64_t>(content->release());
  } else {
    return void(fuse_reply_err(request, EISDIR));
  }
  if (fuse_reply_open(request, info) != 0) delete reinterpret_cast<FileContent*>(info->fh);
}

void do_release(fuse_req_t request, fuse_ino_t ino, fuse_file_info* info) {
  FuseView& view = view_of(request);
  if (const std::optional<Node> node = view.nodes().find(ino); node && node->kind == Kind::file && info->fh != 0) {
    const std::lock_guard lock(view.lock_of(node->index));
    delete reinterpret_cast<FileContent*>(info->fh);
  }
  fuse_reply_err(request, 0);
}

// From where the drive has it in memory, without a copy of our own. False: it cannot be had so.
bool reply_held(fuse_req_t request, Drive& drive, std::uint64_t at, std::uint64_t length) {
  constexpr std::size_t kMostPieces = 64;
  std::vector<HeldBytes> held;
  for (std::uint64_t done = 0; done < length; done += held.back().bytes.size()) {
    if (held.size() == kMostPieces) return false;
    Result<std::optional<HeldBytes>> piece = drive.held(at + done, length - done);
    if (!piece) {
      fuse_reply_err(request, code_of(piece.error()));
      return true;
    }
    if (!*piece) return false;
    held.push_back(std::move(**piece));
  }
  std::vector<iovec> pieces;
  for (const HeldBytes& each : held) pieces.push_back({const_cast<std::byte*>(each.bytes.data()), each.bytes.size()});
  fuse_reply_iov(request, pieces.data(), static_cast<int>(pieces.size()));
  return true;
}

void do_read(fuse_req_t request, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info* info) {
  FuseView& view = view_of(request);
  const std::optional<Node> node = view.nodes().find(ino);
  if (!node || offset < 0) return void(fuse_reply_err(request, EINVAL));
  static thread_local Bytes buffer;
  const auto at = static_cast<std::uint64_t>(offset);
  const auto wanted_of = [&](std::uint64_t whole) { return std::min<std::uint64_t>(size, at < whole ? whole - at : 0); };
  const auto prepare = [&](std::uint64_t wanted) {
    if (buffer.size() < wanted) buffer.resize(static_cast<std::size_t>(wanted));
    return MutableByteSpan(buffer).first(static_cast<std::size_t>(wanted));
  };
  MutableByteSpan out;
  Result<void> done;
  if (node->kind == Kind::drive) {
    Drive& drive = *view.shown().drives[node->index].drive;
    const std::uint64_t wanted = wanted_of(drive.size_bytes());
    if (wanted != 0 && reply_held(request, drive, at, wanted)) return;
    out = prepare(wanted);
    if (!out.empty()) done = drive.read(at, out);
  } else {
    if (info->fh == 0) return void(fuse_reply_err(request, EBADF));
    FileContent& content = *reinterpret_cast<FileContent*>(info->fh);
    const std::lock_guard lock(view.lock_of(node->index));
    out = prepare(wanted_of(content.size_bytes()));
    if (!out.empty()) done = content.read(at, out);
  }
  if (!done) return void(fuse_reply_err(request, code_of(done.error())));
  fuse_reply_buf(request, reinterpret_cast<const char*>(out.data()), out.size());
}

Drive* writable_drive(fuse_req_t request, fuse_ino_t ino) {
  FuseView& view = view_of(request);
  const std::optional<Node> node = view.nodes().find(ino);
  if (!node || node->kind != Kind::drive || !view.shown().drives[node->index].writable) return nullptr;
  return view.shown().drives[node->index].drive.get();
}

void do_write(fuse_req_t request, fuse_ino_t ino, const char* data, std::size_t size, off_t offset, fuse_file_info*) {
  Drive* const drive = writable_drive(request, ino);
  if (drive == nullptr) return void(fuse_reply_err(request, EROFS));
  const std::uint64_t at = static_cast<std::uint64_t>(offset);
  if (offset < 0 || at >= drive->size_bytes()) return void(fuse_reply_err(request, ENOSPC));
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, drive->size_bytes() - at));
  const Result<void> done = drive->write(at, std::as_bytes(std::span(data, size)));
  if (!done) return void(fuse_reply_err(request, code_of(done.error())));
  fuse_reply_write(request, size);
}

void do_flush(fuse_req_t request, fuse_ino_t, fuse_file_info*) { fuse_reply_err(request, 0); }

void do_fsync(fuse_req_t request, fuse_ino_t ino, int, fuse_file_info*) {
  Drive* const drive = writable_drive(request, ino);
  const Result<void> done = drive == nullptr ? Result<void>() : drive->flush();
  fuse_reply_err(request, done ? 0 : code_of(done.error()));
}

void do_fallocate(fuse_req_t request, fuse_ino_t ino, int mode, off_t offset, off_t length, fuse_file_info*) {
  Drive* const drive = writable_drive(request, ino);
  if (drive == nullptr) return void(fuse_reply_err(request, EROFS));
  if ((mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) == 0 || offset < 0 || length < 0)
    return void(fuse_reply_err(request, EOPNOTSUPP));
  const Result<void> done = drive->zero(static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length));
  fuse_reply_err(request, done ? 0 : code_of(done.error()));
}

// Where data, or a hole, is next, so that whoever copies a drive can leave out what is not there.
Result<std::uint64_t> seek(Drive& drive, std::uint64_t at, bool data) {
  while (at < drive.size_bytes()) {
    const BlockStatus status = TRY(drive.status(at, drive.size_bytes() - at));
    if ((status.state == BlockState::data) == data) return at;
    at = status.extent.end();
  }
  return at;
}

Result<std::uint64_t> seek(FileContent& content, std::uint64_t at, bool data) {
  const std::uint64_t size = content.size_bytes();
  while (at < size) {
    const std::optional<Extent> run = TRY(content.next_data(at));
    if (data) return run ? std::max(at, run->start) : size;
    if (!run || run->start > at) return at;
    at = run->end();
  }
  return at;
}

void do_lseek(fuse_req_t request, fuse_ino_t ino, off_t offset, int whence, fuse_file_info* info) {
  FuseView& view = view_of(request);
  const std::optional<Node> node = view.nodes().find(ino);
  if (!node || offset < 0 || (whence != SEEK_DATA && whence != SEEK_HOLE)) return void(fuse_reply_err(request, EINVAL));
  const auto at = static_cast<std::uint64_t>(offset);
  Result<std::uint64_t> found = std::uint64_t{0};
  std::uint64_t size = 0;
  if (node->kind == Kind::drive) {
    Drive& drive = *view.shown().drives[node->index].drive;
    size = drive.size_bytes();
    if (at < size) found = seek(drive, at, whence == SEEK_DATA);
  } else {
    if (info->fh == 0) return void(fuse_reply_err(request, EBADF));
    const std::lock_guard lock(view.lock_of(node->index));
    FileContent& content = *reinterpret_cast<FileContent*>(info->fh);
    size = content.size_bytes();
    if (at < size) found = seek(content, at, whence == SEEK_DATA);
  }
  if (at >= size) return void(fuse_reply_err(request, ENXIO));
  if (!found) return void(fuse_reply_err(request, code_of(found.error())));
  if (whence == SEEK_DATA && *found >= size) return void(fuse_reply_err(request, ENXIO));
  fuse_reply_lseek(request, static_cast<off_t>(*found));
}

void do_statfs(fuse_req_t request, fuse_ino_t) {
  struct statvfs st{};
  st.f_bsize = st.f_frsize = 4096;
  st.f_namemax = 255;
  if (!view_of(request).shown().drives.empty()) st.f_blocks = view_of(request).shown().drives.front().drive->size_bytes() / 4096;
  fuse_reply_statfs(request, &st);
}

void do_init(void*, fuse_conn_info* connection) {
  connection->max_write = 1 << 20;
  connection->want |= connection->capable & (FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ASYNC_READ);
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops ops{};
  ops.init = do_init;
  ops.lookup = do_lookup;
  ops.forget = do_forget;
  ops.forget_multi = do_forget_multi;
  ops.getattr = do_getattr;
  ops.setattr = do_setattr;
  ops.readlink = do_readlink;
  ops.open = do_open;
  ops.release = do_release;
  ops.read = do_read;
  ops.write = do_write;
  ops.flush = do_flush;
  ops.fsync = do_fsync;
  ops.fallocate = do_fallocate;
  ops.lseek = do_lseek;
  add_folder_operations(ops);
  ops.statfs = do_statfs;
  return ops;
}

}  // namespace

const fuse_lowlevel_ops& fuse_operations() {
  static const fuse_lowlevel_ops operations = make_operations();
  return operations;
}

}  // namespace tintype
