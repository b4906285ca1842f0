// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/linux/qemu_server.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace tintype {
namespace {

constexpr const char* kHint = "virtual drives need the package qemu-utils";

const char* driver_of(DriveFormat format) {
  switch (format) {
    case DriveFormat::vhdd:
    case DriveFormat::vhdf: return "vpc";
    case DriveFormat::vmdk:
    case DriveFormat::vmdks: return "vmdk";
    case DriveFormat::qcow2: return "qcow2";
    case DriveFormat::vhdx: return "vhdx";
    case DriveFormat::vdi: return "vdi";
    case DriveFormat::raw: return "raw";
  }
  return "raw";
}

// A fixed VHD is served as the raw bytes in front of its footer: QEMU would look for a header in its first sector, which is its guest's.
std::string driver_words(const DetectedFormat& format) {
  if (format.format == DriveFormat::vhdf) return fmt::format("driver=raw,offset=0,size={}", format.fixed_bytes);
  return fmt::format("driver={}", driver_of(format.format));
}

const char* create_options(DriveFormat format) {
  switch (format) {
    case DriveFormat::vhdd: return "subformat=dynamic,force_size=on";
    case DriveFormat::vhdf: return "subformat=fixed,force_size=on";
    case DriveFormat::vmdk: return "subformat=monolithicSparse,adapter_type=ide";
    case DriveFormat::vmdks: return "subformat=monolithicSparse,adapter_type=lsilogic";
    case DriveFormat::vhdx: return "subformat=dynamic";
    default: return "";
  }
}

std::string absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path full = std::filesystem::absolute(path, error);
  return error ? path : full.string();
}

// QEMU's own words, without its name and ours for the file; the last line of what it wrote that is not a hint.
std::string said_in(const std::string& file) {
  std::ifstream in(file);
  std::string line, said;
  while (std::getline(in, line))
    if (!line.empty()) said += (said.empty() ? "" : "; ") + line;
  return printable(said.substr(0, 500));
}

// `said` may name the file, whose own name says nothing.
Error failure(const std::string& path, const std::string& said) {
  if (said.find("Failed to get") != std::string::npos && said.find(" lock") != std::string::npos)
    return make_error(ErrorCode::busy, fmt::format("{} is open in another program", printable(path)), "end that program, then try again");
  if (said.find("No space left") != std::string::npos) return make_error(ErrorCode::no_space, fmt::format("there is no room for {}", printable(path)));
  return make_error(ErrorCode::io, fmt::format("QEMU cannot work with {}{}{}", printable(path), said.empty() ? "" : ": ", said));
}

}  // namespace

Result<std::unique_ptr<QemuServer>> QemuServer::start(const std::string& path, const DetectedFormat& format, Access access) {
  std::unique_ptr<QemuServer> server(new QemuServer);
  server->path_ = path;
  server->folder_ = TRY(PrivateFolder::make());
  server->socket_ = server->folder_->path() + "/nbd";
  std::string file = absolute(path);
  for (std::size_t at = 0; (at = file.find(',', at)) != std::string::npos; at += 2) file.insert(at, ",");
  std::vector<std::string> words = {"qemu-nbd", "--shared=8", "--socket=" + server->socket_, "--image-opts",
                                    fmt::format("{},file.driver=file,file.filename={}", driver_words(format), file)};
  if (access == Access::read) words.insert(words.begin() + 1, "--read-only");
  else words.insert(words.begin() + 1, {"--discard=unmap", access == Access::fill ? "--cache=unsafe" : "--cache=writeback"});
  // What a person types to end this program must not end the server before its last data is there.
  const ChildOptions options{.output_file = server->folder_->path() + "/said", .own_session = true};
  Result<std::unique_ptr<ChildProcess>> process = ChildProcess::start(words, options);
  if (!process) return fail(std::move(process).error().with_hint(kHint));
  server->process_ = std::move(*process);
  return server;
}

Result<void> QemuServer::check() {
  const std::lock_guard lock(mutex_);
  if (!process_->wait(std::chrono::milliseconds(0))) return {};
  return fail(failure(path_, said_in(folder_->path() + "/said")));
}

void QemuServer::wait_for_end() {
  const std::lock_guard lock(mutex_);
  process_->wait(std::chrono::minutes(10));
}

Result<void> create_with_qemu(const std::string& path, std::uint64_t size_bytes, DriveFormat format) {
  const std::unique_ptr<PrivateFolder> folder = TRY(PrivateFolder::make());
  const std::string said = folder->path() + "/said", options = create_options(format);
  std::vector<std::string> words = {"qemu-img", "create", "-q", "-f", driver_of(format)};
  if (!options.empty()) words.insert(words.end(), {"-o", options});
  words.insert(words.end(), {"--", absolute(path), std::to_string(size_bytes)});
  Result<std::unique_ptr<ChildProcess>> process = ChildProcess::start(words, {.output_file = said, .own_session = true});
  if (!process) return fail(std::move(process).error().with_hint(kHint));
  // A fixed VHD is written out whole.
  const std::optional<int> status = (*process)->wait(std::chrono::hours(24));
  if (status && *status == 0) return {};
  return fail(failure(path, said_in(said)));
}

}  // namespace tintype
