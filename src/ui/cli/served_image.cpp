// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/served_image.h"

#include <sys/stat.h>

#include <cerrno>

namespace tintype::cli {

Result<std::unique_ptr<ServedImage>> ServedImage::open(const OpenedImage& image, ShowOptions options) {
  std::unique_ptr<ServedImage> out(new ServedImage);
  out->folder_ = TRY(PrivateFolder::make());
  const std::string folder = out->folder() + "/m";
  if (::mkdir(folder.c_str(), 0700) != 0) return fail(os_error(errno, "cannot make " + folder));
  options.partitions = false;
  std::vector<std::string> notes;
  Shown shown = TRY(show_image(image, options, notes));
  out->mount_ = TRY(mount(folder, std::move(shown)));
  return out;
}

ServedImage::~ServedImage() {
  mount_.reset();  // before the folder it is in
}

}  // namespace tintype::cli
