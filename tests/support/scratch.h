// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "base/extent.h"
#include "base/result.h"
#include "drive/drive.h"

namespace tintype::test {

// A file of our own under the temporary folder ($TMPDIR or /tmp), deleted with the object. Move-only.
class ScratchFile {
 public:
  // Empty (sparse) and `size_bytes` long.
  static Result<ScratchFile> make(std::uint64_t size_bytes = 0);
  ScratchFile(ScratchFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFile& operator=(ScratchFile&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~ScratchFile();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchFile(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

struct CommandOutcome {
  int status = -1;     // exit status; 127: no such program; -1: ended by a signal
  std::string output;  // standard output and standard error together
};
// Runs a shell command with a path that includes the sbin folders; `shell_word` makes an argument safe for it.
CommandOutcome run(const std::string& command);
std::string shell_word(const std::filesystem::path& argument);
bool have_program(const std::string& name);

// A file's content in a memory drive; holes and pages of zeros cost nothing. Writes do not reach the file.
Result<std::shared_ptr<Drive>> load_drive(const std::filesystem::path& file, std::uint32_t sector_bytes = 512);
// Writes zeros over every byte of the file that is not in `kept`: what a restore of only the used sectors would leave.
Result<void> wipe_all_but(const std::filesystem::path& file, const ExtentSet& kept);

}  // namespace tintype::test
