// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/text.h"
#include "ui/cli/actions.h"
#include "ui/cli/served_image.h"

namespace tintype::cli {
namespace {

using std::chrono::milliseconds;

// Connects, and takes leave as NBD has it (doc/proto.md, NBD_OPT_ABORT): the server would complain of a client that is just gone.
bool answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool up = fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (up) {
    constexpr std::string_view kLeave("\0\0\0\1IHAVEOPT\0\0\0\2\0\0\0\0", 20);  // a fixed-newstyle client; abort, without data
    const timeval patience{2, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char said[64];
    if (::recv(fd, said, 18, MSG_WAITALL) == 18 && ::send(fd, kLeave.data(), kLeave.size(), MSG_NOSIGNAL) > 0)
      while (::recv(fd, said, sizeof said, 0) > 0) {
      }
  }
  if (fd >= 0) ::close(fd);
  return up;
}

Result<void> check_socket_path(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(ErrorCode::usage, fmt::format("{} is too long for a unix socket", printable(path)), "107 bytes are the most");
  std::error_code error;
  const std::string folder = split_path(path).folder;
  if (!std::filesystem::is_directory(folder, error))
    return fail(ErrorCode::not_found, fmt::format("there is no folder {} for the socket", printable(folder)), "make it, or give another path");
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, error))) return {};
  return fail(ErrorCode::exists, fmt::format("{} exists", printable(path)), "give another path, or remove it if nobody listens there");
}

}  // namespace

Result<Report> run_serve_action(Session& session) {
  const options::ParsedCommand& command = session.command();
  OpenedImage image = TRY(open_image(*command.text("file"), session));
  TRY(require_chain(image));
  std::optional<std::string> path = command.text("socket");
  if (path) path = absolute_path(*path);
  if (path) TRY(check_socket_path(*path));
  ShowOptions options = show_options(command);
  options.writable = command.flag("writable");
  const std::unique_ptr<ServedImage> served = TRY(ServedImage::open(image, options));
  if (!path) path = served->folder() + "/nbd.sock";
  std::vector<std::string> words = {"qemu-nbd", "--format=raw", "--persistent", "--shared=16", "--socket=" + *path};
  words.push_back(options.writable ? "--discard=unmap" : "--read-only");
  words.push_back(served->drive_file());
  Result<std::unique_ptr<ChildProcess>> server = ChildProcess::start(words, {.own_session = true});
  if (!server) return fail(std::move(server).error().with_hint("it is in the package qemu-utils"));
  // From here on a path that we did not find there is ours to remove.
  const std::shared_ptr<void> socket(nullptr, [&](void*) { ::unlink(path->c_str()); });
  std::optional<int> ended;
  for (int tries = 0; !answers(*path) && !session.cancel().cancelled(); ++tries) {
    ended = (*server)->wait(milliseconds(50));
    if (ended || tries == 200) return fail(ErrorCode::io, "qemu-nbd does not serve the drive", "what it said stands above");
  }
  const std::string uri = fmt::format("nbd+unix:///?socket={}", *path);
  session.events().info(fmt::format("{} is served as {}, {}", printable(image.path), uri, options.writable ? "writable; writes are forgotten in the end" : "read-only"));
  session.events().info("Ctrl-C ends it");
  while (!session.cancel().cancelled() && !(ended = (*server)->wait(milliseconds(200)))) {
  }
  if (ended && !session.cancel().cancelled()) return fail(ErrorCode::io, fmt::format("qemu-nbd ended by itself, with status {}", *ended));
  (*server)->terminate();
  Report end;
  end.summary.push_back(fmt::format("{} is no longer served", printable(image.path)));
  end.facts = {{"image", image.path}, {"uri", uri}};
  return end;
}

}  // namespace tintype::cli
