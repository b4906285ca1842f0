// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "drive/child_process.h"
#include "drive/virtual_drive.h"

namespace tintype {

// A qemu-nbd process that serves one virtual drive on a socket of ours, until nobody is connected any more.
class QemuServer {
 public:
  // `fill`: for a file that was just made. QEMU flushes nothing to the disk, neither between its own tables and the data nor when it
  // is asked to; a flush only brings everything to the file, and the caller has to sync that.
  enum class Access { read, write, fill };
  static Result<std::unique_ptr<QemuServer>> start(const std::string& path, const DetectedFormat& format, Access access);
  const std::string& socket() const { return socket_; }
  // Error{busy} or another one with what QEMU said, if it has ended; nothing while it runs. From any thread.
  Result<void> check();
  // Waits for it to end by itself, which it does when the last client has gone.
  void wait_for_end();

 private:
  QemuServer() = default;
  std::string path_, socket_;
  std::unique_ptr<PrivateFolder> folder_;
  std::mutex mutex_;                       // of process_
  std::unique_ptr<ChildProcess> process_;  // first to go
};

// `qemu-img create` of an empty drive of exactly that size.
Result<void> create_with_qemu(const std::string& path, std::uint64_t size_bytes, DriveFormat format);

}  // namespace tintype
