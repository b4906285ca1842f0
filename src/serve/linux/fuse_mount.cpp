// SPDX-License-Identifier: GPL-3.0-or-later
// mount() through libfuse 3's low-level interface: the kernel asks by inode numbers, which ShownNodes keeps.
#include <fmt/format.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "serve/linux/fuse_ops.h"
#include "drive/linux/mount_table.h"
#include "drive/linux/unique_fd.h"

namespace tintype {
namespace {

constexpr unsigned kReadAheadKib = 2048;

// Of a mount whose server was killed.
std::string hint_if_dead(const std::error_code& error, const std::string& folder) {
  if (error != std::errc::not_connected) return "";
  return fmt::format("what served it has ended: tintype unmount {} takes it away", printable(folder));
}

Result<std::string> checked_folder(const std::string& folder) {
  std::error_code error;
  const std::string path = std::filesystem::canonical(folder, error).string();
  if (error) {
    const std::string hint = error == std::errc::no_such_file_or_directory ? "make the folder first" : hint_if_dead(error, folder);
    return fail(os_error(error.value(), fmt::format("cannot mount on {}", printable(folder))).with_hint(hint));
  }
  if (!std::filesystem::is_directory(path, error)) return fail(ErrorCode::usage, fmt::format("{} is not a folder", printable(folder)));
  for (const MountEntry& entry : mount_table())
    if (entry.folder == path) {
      // Its attributes may still be known to the kernel; looking into it tells.
      std::filesystem::directory_iterator(path, error);
      return fail(ErrorCode::busy, fmt::format("something is mounted on {} already", printable(folder)), hint_if_dead(error, folder));
    }
  const bool empty = std::filesystem::is_empty(path, error);
  if (error) return fail(os_error(error.value(), fmt::format("cannot look into {}", printable(folder))));
  if (!empty) return fail(ErrorCode::usage, fmt::format("the folder {} is not empty", printable(folder)), "give one that is, or a new one");
  return path;
}

// As root: the kernel would ask for 128 KiB at a time only. Without it everything works, more slowly.
void widen_read_ahead(const std::string& folder) {
  struct stat st{};
  if (::stat(folder.c_str(), &st) != 0) return;
  std::ofstream(fmt::format("/sys/class/bdi/{}:{}/read_ahead_kb", major(st.st_dev), minor(st.st_dev))) << kReadAheadKib;
}

class FuseMount final : public Mount {
 public:
  explicit FuseMount(Shown shown) : view_(std::move(shown)) {}
  ~FuseMount() override { stop(); }

  Result<void> start(const std::string& folder) {
    folder_ = folder;
    std::string options = fmt::format("fsname={},subtype=tintype,nosuid,nodev,noatime", escaped(view_.shown().source));
    bool writable = false;
    for (const ShownDrive& drive : view_.shown().drives) writable = writable || drive.writable;
    if (!writable) options += ",ro";
    if (view_.shown().allow_other) options += ",allow_other,default_permissions";
    fuse_args args = FUSE_ARGS_INIT(0, nullptr);
    fuse_opt_add_arg(&args, "tintype");
    fuse_opt_add_arg(&args, "-o");
    fuse_opt_add_arg(&args, options.c_str());
    session_ = fuse_session_new(&args, &fuse_operations(), sizeof(fuse_lowlevel_ops), &view_);
    fuse_opt_free_args(&args);
    if (session_ == nullptr) return fail(ErrorCode::unsupported, "cannot begin a FUSE session");
    if (::access("/dev/fuse", F_OK) != 0)
      return fail(ErrorCode::unsupported, "this system has no /dev/fuse", "load the module fuse, or run where it is there");
    // fusermount3 opens it with our rights, and would say so on our standard error.
    const UniqueFd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
    if (!device) return fail(os_error(errno, "cannot open /dev/fuse").with_hint("whoever mounts needs the right to read and write it"));
    if (fuse_session_mount(session_, folder.c_str()) != 0)
      return fail(os_error(EPERM, fmt::format("cannot mount on {}", printable(folder)))
                      .with_hint(view_.shown().allow_other ? "--allow-other needs root, or user_allow_other in /etc/fuse.conf"
                                                           : "the package fuse3 is needed for who is not root"));
    mounted_ = true;
    thread_ = std::thread([this] { serve(); });
    widen_read_ahead(folder);
    return {};
  }

  bool wait(std::chrono::milliseconds most) override {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, most, [this] { return over_; });
  }

  void stop() override {
    if (session_ == nullptr) return;
    if (mounted_) {
      fuse_session_exit(session_);
      fuse_session_unmount(session_);  // wakes those who wait for requests
      mounted_ = false;
    }
    if (thread_.joinable()) thread_.join();
    fuse_session_destroy(session_);
    session_ = nullptr;
  }

 private:
  // Commas and backslashes separate options.
  static std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
      if (c == ',' || c == '\\') out += '\\';
      out += c;
    }
    return out;
  }

  void serve() {
    fuse_loop_config* const config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_clone_fd(config, 1);
    fuse_loop_cfg_set_max_threads(config, 8);
    fuse_session_loop_mt(session_, config);
    fuse_loop_cfg_destroy(config);
    const std::lock_guard lock(mutex_);
    over_ = true;
    ended_.notify_all();
  }

  FuseView view_;
  std::string folder_;
  fuse_session* session_ = nullptr;
  bool mounted_ = false;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
};

}  // namespace

Result<std::unique_ptr<Mount>> mount(const std::string& folder, Shown shown) {
  const std::string path = TRY(checked_folder(folder));
  auto made = std::make_unique<FuseMount>(std::move(shown));
  TRY(made->start(path));
  return std::unique_ptr<Mount>(std::move(made));
}

}  // namespace tintype
