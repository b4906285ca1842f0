// SPDX-License-Identifier: GPL-3.0-or-later
// A virtual drive over the NBD connections to a qemu-nbd of its own. Several connections, so that several threads are served at once;
// all of them reach one block backend, so a flush on one covers what was written on all.
#include <fcntl.h>
#include <fmt/format.h>
#include <libnbd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "base/text.h"
#include "drive/linux/qemu_server.h"
#include "drive/linux/write_behind.h"
#include "drive/test_hooks.h"

namespace tintype {
namespace {

constexpr std::size_t kConnections = 4;
constexpr std::uint64_t kMaxRequest = 8U << 20;     // of data
constexpr std::uint64_t kMaxRange = 1U << 30;       // of requests without data
constexpr std::uint64_t kGrain = 64 * 1024;         // zeros of this size and alignment are not written

bool all_zero(ByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

class Connection {
 public:
  ~Connection() {
    if (handle_ == nullptr) return;
    nbd_shutdown(handle_, 0);
    nbd_close(handle_);
  }
  nbd_handle* handle() const { return handle_; }
  std::mutex& mutex() { return mutex_; }
  bool open(const std::string& socket) {
    if (handle_ != nullptr) nbd_close(handle_);
    handle_ = nbd_create();
    return handle_ != nullptr && nbd_add_meta_context(handle_, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0 && nbd_connect_unix(handle_, socket.c_str()) == 0;
  }

 private:
  nbd_handle* handle_ = nullptr;
  std::mutex mutex_;
};

class NbdDrive final : public Drive {
 public:
  // `file`: what a flush syncs besides, as QEMU does not, and what is written out as `cache` says; -1 if QEMU syncs it. Closed in the end.
  NbdDrive(std::unique_ptr<QemuServer> server, DriveInfo info, bool writable, int file, const CacheUse& cache)
      : server_(std::move(server)), info_(std::move(info)), writable_(writable), file_(file) {
    if (file_ >= 0) behind_.emplace(file_, cache, info_.removable);
  }

  ~NbdDrive() override {
    for (Connection& each : connections_) {
      const std::lock_guard lock(each.mutex());
      if (each.handle() != nullptr) nbd_shutdown(each.handle(), 0);
    }
    server_->wait_for_end();
    if (file_ < 0) return;
    ::fdatasync(file_);  // what QEMU wrote when it closed it
    ::close(file_);
  }

  Result<void> connect() {
    for (int tries = 0; !connections_[0].open(server_->socket()); ++tries) {
      TRY(server_->check());
      if (tries == 1000) return fail(ErrorCode::io, fmt::format("QEMU does not serve {}", printable(info_.path)));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    for (std::size_t i = 1; i < kConnections; ++i)
      if (!connections_[i].open(server_->socket())) return fail(error("cannot connect to"));
    nbd_handle* const first = connections_[0].handle();
    const std::int64_t size = nbd_get_size(first);
    if (size < 0) return fail(error("cannot find the size of"));
    info_.size_bytes = static_cast<std::uint64_t>(size);
    // Some formats (VHDX) are reached by whole blocks alone.
    block_ = static_cast<std::uint64_t>(std::max<std::int64_t>(nbd_get_block_size(first, LIBNBD_SIZE_MINIMUM), 1));
    if (block_ > kGrain || info_.size_bytes % block_ != 0)
      return fail(ErrorCode::unsupported, fmt::format("QEMU wants blocks of {} bytes for {}", block_, printable(info_.path)));
    can_trim_ = nbd_can_trim(first) == 1;
    can_zero_ = nbd_can_zero(first) == 1;
    return {};
  }

  const DriveInfo& info() const override { return info_; }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(check_range(offset, out.size()));
    while (!out.empty()) {
      auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), kMaxRequest));
      if (aligned(offset, length)) {
        TRY(get(offset, out.first(length)));
      } else {
        length = std::min<std::size_t>(length, kGrain);
        const Extent whole = widened(offset, length);
        Bytes bytes(static_cast<std::size_t>(whole.length));
        TRY(get(whole.start, bytes));
        std::ranges::copy(ByteSpan(bytes).subspan(static_cast<std::size_t>(offset - whole.start), length), out.begin());
      }
      out = out.subspan(length);
      offset += length;
    }
    return {};
  }

  // Zeros are left to zero(), so that a file which grows with its data does not grow with them.
  Result<void> write(std::uint64_t offset, ByteSpan data) override {
    TRY(check_write(offset, data.size()));
    while (!data.empty()) {
      const auto to_boundary = static_cast<std::size_t>(std::min<std::uint64_t>(data.size(), kGrain - offset % kGrain));
      const bool zeros = all_zero(data.first(to_boundary));
      std::size_t length = to_boundary;
      while (length < data.size() && length < kMaxRequest) {
        const std::size_t next = std::min<std::size_t>(data.size() - length, kGrain);
        if (all_zero(data.subspan(length, next)) != zeros) break;
        length += next;
      }
      length = std::min<std::size_t>(length, kMaxRequest);
      if (zeros) TRY(zero(offset, length));
      else TRY(put(offset, data.first(length)));
      data = data.subspan(length);
      offset += length;
    }
    return {};
  }

  // What reads as zeros already is left alone: not every format can tell or make holes.
  Result<void> zero(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_write(offset, length));
    while (length > 0) {
      const BlockStatus now = TRY(status(offset, length));
      if (now.state == BlockState::data) TRY(make_zero(offset, now.extent.length));
      offset += now.extent.length;
      length -= now.extent.length;
    }
    return {};
  }

  Result<void> trim(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_write(offset, length));
    while (can_trim_ && length > 0 && aligned(offset, length)) {
      const std::uint64_t now = std::min(length, kMaxRange);
      TRY(call(offset, "cannot trim", [&](nbd_handle* nbd) { return nbd_trim(nbd, now, offset, 0); }));
      offset += now;
      length -= now;
    }
    return {};
  }

  Result<void> flush() override {
    if (!writable_) return {};
    TRY(call(0, "cannot flush", [](nbd_handle* nbd) { return nbd_flush(nbd, 0); }));
    if (file_ < 0) return {};
    if (::fdatasync(file_) != 0) return fail(os_error(errno, fmt::format("cannot flush {}", printable(info_.path))));
    if (Result<void> all = behind_->check(); !all) return fail(std::move(all).error().within(printable(info_.path)));
    behind_->flushed();
    return {};
  }

  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    if (length == 0) return BlockStatus{{offset, 0}, BlockState::data};
    struct Found {
      std::uint64_t at = 0, length = 0;
      bool hole = false;
    } found;
    const auto collect = [](void* user, const char* context, std::uint64_t at, std::uint32_t* entries, std::size_t count, int*) {
      auto& out = *static_cast<Found*>(user);
      if (std::string_view(context) != LIBNBD_CONTEXT_BASE_ALLOCATION || at != out.at) return 0;
      for (std::size_t i = 0; i + 1 < count; i += 2) {
        const bool hole = (entries[i + 1] & LIBNBD_STATE_ZERO) != 0;
        if (out.length > 0 && hole != out.hole) break;
        out.hole = hole;
        out.length += entries[i];
      }
      return 0;
    };
    const Extent whole = widened(offset, std::min(length, kMaxRange));
    found.at = whole.start;
    TRY(call(offset, "cannot find out what is in use of", [&](nbd_handle* nbd) {
      return nbd_block_status(nbd, whole.length, whole.start, {.callback = collect, .user_data = &found, .free = nullptr}, 0);
    }));
    if (found.length <= offset - whole.start) return BlockStatus{{offset, length}, BlockState::data};
    return BlockStatus{{offset, std::min(found.length - (offset - whole.start), length)}, found.hole ? BlockState::hole : BlockState::data};
  }

 private:
  Result<void> check_write(std::uint64_t offset, std::uint64_t length) const {
    TRY(check_range(offset, length));
    if (writable_) return {};
    return fail(ErrorCode::denied, fmt::format("{} is open for reading only", printable(info_.path)));
  }

  Error error(const char* doing, std::optional<std::uint64_t> offset = {}) const {
    const int code = nbd_get_errno();
    const Result<void> alive = server_->check();
    Error out = os_error(code == 0 ? EIO : code, fmt::format("{} {}", doing, printable(info_.path)));
    if (!alive || code == ENOTCONN || code == EPIPE || code == ECONNRESET || code == ESHUTDOWN) {
      out.code = ErrorCode::gone;
      out.what += ": the QEMU process that has it open is gone";
      out.hint = "start again";
      out.os_error = 0;
    }
    if (out.code == ErrorCode::io) out.offset_bytes = offset;
    return out;
  }

  template <class Call>
  Result<void> call(std::uint64_t offset, const char* doing, const Call& request) {
    Connection& connection = take();
    const std::lock_guard lock(connection.mutex(), std::adopt_lock);
    if (request(connection.handle()) == 0) return {};
    return fail(error(doing, offset));
  }

  // One that nobody uses now, locked; else the next one in turn.
  Connection& take() {
    const std::size_t first = next_.fetch_add(1);
    for (std::size_t i = 0; i < kConnections; ++i)
      if (Connection& each = connections_[(first + i) % kConnections]; each.mutex().try_lock()) return each;
    Connection& each = connections_[first % kConnections];
    each.mutex().lock();
    return each;
  }

  bool aligned(std::uint64_t offset, std::uint64_t length) const { return offset % block_ == 0 && length % block_ == 0; }
  Extent widened(std::uint64_t offset, std::uint64_t length) const {
    const std::uint64_t start = round_down(offset, block_);
    return {start, round_up(offset + length, block_) - start};
  }

  Result<void> get(std::uint64_t offset, MutableByteSpan out) {
    return call(offset, "cannot read", [&](nbd_handle* nbd) { return nbd_pread(nbd, out.data(), out.size(), offset, 0); });
  }

  // Blocks that are written in part are read first, one writer at a time.
  Result<void> put(std::uint64_t offset, ByteSpan data) {
    if (aligned(offset, data.size())) {
      if (block_ == 1) return put_blocks(offset, data);
      const std::shared_lock lock(parts_mutex_);
      return put_blocks(offset, data);
    }
    const std::unique_lock lock(parts_mutex_);
    const Extent whole = widened(offset, data.size());
    Bytes bytes(static_cast<std::size_t>(whole.length));
    TRY(get(whole.start, bytes));
    std::ranges::copy(data, bytes.begin() + static_cast<std::ptrdiff_t>(offset - whole.start));
    return put_blocks(whole.start, bytes);
  }

  Result<void> put_blocks(std::uint64_t offset, ByteSpan data) {
    TRY(call(offset, "cannot write to", [&](nbd_handle* nbd) { return nbd_pwrite(nbd, data.data(), data.size(), offset, 0); }));
    if (behind_) see_growth();
    return {};
  }

  // Where in the file QEMU puts things is its own affair, but a file that is filled grows with them.
  void see_growth() {
    struct stat now {};
    if (::fstat(file_, &now) != 0) return;
    const auto size = static_cast<std::uint64_t>(now.st_size);
    std::uint64_t before = grown_;
    while (before < size && !grown_.compare_exchange_weak(before, size)) {
    }
    if (before < size) behind_->wrote(before, size - before);
  }

  Result<void> make_zero(std::uint64_t offset, std::uint64_t length) {
    Bytes found;
    while (length > 0) {
      const std::uint64_t now = std::min(length, kMaxRequest);
      found.resize(static_cast<std::size_t>(now));
      TRY(read(offset, found));
      if (!all_zero(found)) {
        if (can_zero_ && aligned(offset, now)) {
          TRY(call(offset, "cannot clear a part of", [&](nbd_handle* nbd) { return nbd_zero(nbd, now, offset, 0); }));
        } else {
          std::ranges::fill(found, std::byte{0});
          TRY(put(offset, found));
        }
      }
      offset += now;
      length -= now;
    }
    return {};
  }

  std::unique_ptr<QemuServer> server_;  // outlives the connections
  DriveInfo info_;
  const bool writable_;
  const int file_;
  std::uint64_t block_ = 1;
  bool can_trim_ = false, can_zero_ = false;
  std::shared_mutex parts_mutex_;
  std::array<Connection, kConnections> connections_;
  std::atomic<std::size_t> next_{0};
  std::optional<WriteBehind> behind_;    // where there is a file_
  std::atomic<std::uint64_t> grown_{0};  // bytes of the file that it has been told of
};

Result<std::shared_ptr<Drive>> open_with(const std::string& path, const OpenOptions& options, QemuServer::Access access) {
  DriveInfo info;
  info.path = path;
  info.logical_sector_bytes = info.physical_sector_bytes = options.sector_bytes == 0 ? 512 : options.sector_bytes;
  info.read_only = ::access(path.c_str(), W_OK) != 0;
  const bool writable = access != QemuServer::Access::read;
  if (writable && info.read_only) return fail(ErrorCode::denied, fmt::format("{} is read-only", printable(path)));
  OpenOptions as_file = options;
  as_file.access = OpenOptions::Access::read;
  as_file.as_raw = true;
  as_file.lock = as_file.exclusive = false;  // QEMU locks it
  const std::shared_ptr<Drive> file = TRY(open_drive(path, as_file));
  const DetectedFormat format = TRY(detect_format(*file));
  info.format = to_string(format.format);
  std::unique_ptr<QemuServer> server = TRY(QemuServer::start(path, format, access));
  // Opened before anything is written: a later one would not be told of errors in writing back.
  const int synced = access == QemuServer::Access::fill ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC) : -1;
  if (access == QemuServer::Access::fill && synced < 0) return fail(os_error(errno, fmt::format("cannot open {}", printable(path))));
  auto drive = std::make_shared<NbdDrive>(std::move(server), std::move(info), writable, synced, options.cache);
  TRY(drive->connect());
  return with_test_faults(drive);
}

}  // namespace

Result<std::shared_ptr<Drive>> open_virtual_drive(const std::string& path, const OpenOptions& options) {
  const bool writable = options.access == OpenOptions::Access::write;
  return open_with(path, options, writable ? QemuServer::Access::write : QemuServer::Access::read);
}

Result<std::shared_ptr<Drive>> create_drive_file(const std::string& path, std::uint64_t size_bytes, DriveFormat format, const CreateOptions& options) {
  if (format == DriveFormat::raw) return create_raw_file(path, size_bytes, options);
  const bool existed = ::access(path.c_str(), F_OK) == 0;
  if (existed && !options.replace) return fail(ErrorCode::exists, fmt::format("{} already exists", printable(path)));
  Result<void> made = create_with_qemu(path, size_bytes, format);
  Result<std::shared_ptr<Drive>> drive = std::shared_ptr<Drive>();
  // Until the first flush nobody relies on it, and each block that a VHD grows by would wait for the disk.
  const OpenOptions writing{.access = OpenOptions::Access::write, .cache = options.cache, .sector_bytes = options.sector_bytes};
  if (made) drive = open_with(path, writing, QemuServer::Access::fill);
  if (made && drive) return drive;
  if (!existed) ::unlink(path.c_str());
  return fail(made ? drive.error() : made.error());
}

}  // namespace tintype
