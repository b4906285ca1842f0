// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/scratch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/bytes.h"

namespace tintype::test {
namespace {

constexpr std::size_t kPageBytes = 64 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<ScratchFile> ScratchFile::make(std::uint64_t size_bytes) {
  const char* folder = std::getenv("TMPDIR");
  std::string pattern = std::string(folder != nullptr && *folder != 0 ? folder : "/tmp") + "/tintype-test-XXXXXX";
  const Descriptor file(::mkstemp(pattern.data()));
  if (file.get() < 0) return fail(os_error(errno, "cannot make " + pattern));
  ScratchFile scratch{std::filesystem::path(pattern)};
  if (::ftruncate(file.get(), static_cast<off_t>(size_bytes)) != 0)
    return fail(os_error(errno, "cannot size " + pattern));
  return scratch;
}

ScratchFile::~ScratchFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

CommandOutcome run(const std::string& command) {
  CommandOutcome outcome;
  const std::string line =
      "PATH=\"$PATH:/usr/local/sbin:/usr/sbin:/sbin\"; LC_ALL=C; export PATH LC_ALL; exec 2>&1 </dev/null; " + command;
  std::FILE* pipe = ::popen(line.c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> buffer;
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) outcome.output.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

std::string shell_word(const std::filesystem::path& argument) {
  std::string out = "'";
  for (const char c : argument.string()) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

bool have_program(const std::string& name) { return run("command -v " + shell_word(name)).status == 0; }

Result<std::shared_ptr<Drive>> load_drive(const std::filesystem::path& file, std::uint32_t sector_bytes) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts {};
  if (in.get() < 0 || ::fstat(in.get(), &facts) != 0) return fail(os_error(errno, "cannot open " + file.string()));
  auto drive = make_memory_drive(static_cast<std::uint64_t>(facts.st_size), sector_bytes);
  Bytes page(kPageBytes);
  for (off_t at = 0; at < facts.st_size;) {
    const off_t data = ::lseek(in.get(), at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only holes from here on
    at = std::max(at, data < 0 ? at : data);
    const std::size_t wanted = kPageBytes - static_cast<std::size_t>(at) % kPageBytes;
    const ssize_t n = ::pread(in.get(), page.data(), wanted, at);
    if (n < 0) return fail(os_error(errno, "cannot read " + file.string()));
    if (n == 0) break;
    const ByteSpan got(page.data(), static_cast<std::size_t>(n));
    if (!all_zero(got)) TRY(drive->write(static_cast<std::uint64_t>(at), got));
    at += n;
  }
  return drive;
}

Result<void> wipe_all_but(const std::filesystem::path& file, const ExtentSet& kept) {
  const Descriptor out(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  struct stat facts {};
  if (out.get() < 0 || ::fstat(out.get(), &facts) != 0) return fail(os_error(errno, "cannot open " + file.string()));
  ExtentSet wiped({{0, static_cast<std::uint64_t>(facts.st_size)}});
  for (const Extent& extent : kept.items()) wiped.remove(extent);
  for (const Extent& extent : wiped.items())
    if (::fallocate(out.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(extent.start),
                    static_cast<off_t>(extent.length)) != 0)
      return fail(os_error(errno, "cannot punch a hole into " + file.string()));
  return {};
}

}  // namespace tintype::test
