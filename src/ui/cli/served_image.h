// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "drive/child_process.h"
#include "serve/mount.h"
#include "ui/cli/shown_image.h"

namespace tintype::cli {

// An image shown as a file in a private folder, for a program that wants one. All of it goes with the object.
class ServedImage {
 public:
  static Result<std::unique_ptr<ServedImage>> open(const OpenedImage& image, ShowOptions options);
  ~ServedImage();
  ServedImage(const ServedImage&) = delete;
  ServedImage& operator=(const ServedImage&) = delete;

  const std::string& folder() const { return folder_->path(); }
  std::string drive_file() const { return folder() + "/m/" + kWholeDrive; }

 private:
  ServedImage() = default;
  std::unique_ptr<PrivateFolder> folder_;
  std::unique_ptr<Mount> mount_;
};

}  // namespace tintype::cli
