// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "image/reader.h"
#include "ui/cli/session.h"

namespace tintype::cli {

struct OpenedImage {
  std::string path;  // of its first part
  std::shared_ptr<Place> place;
  std::string name;  // of its first part, in the place
  std::shared_ptr<ImageReader> reader;
  std::optional<std::string> password;  // if it needed one
};

// Splits "/mnt/bk/pc.tti" into a folder ("." if there is none) and a name.
struct SplitPath {
  std::string folder, name;
};
SplitPath split_path(const std::string& path);

// The absolute path of a folder; as it is if the system will not say. Of a folder in a partition: with the absolute path of its drive.
std::string absolute_folder(const std::string& folder);
// Of a file or device; a symbolic link at its end stays one.
std::string absolute_path(const std::string& path);

// A FolderOpener: an absolute path, or a folder in a partition that is not mounted.
Result<std::shared_ptr<Place>> open_remembered_folder(const std::string& folder);

// The images that --base names.
Result<std::vector<NamedImage>> named_bases(Session& session);

// Finds and opens the image that --file or --base names, asking for its password if it has one. Earlier images of its chain are
// looked for among those that --base names too. A missing part is Error{corrupt}.
Result<OpenedImage> open_image(const std::string& file, Session& session);

// That every earlier image of its chain is there and is the one that was used; a missing one is Error{corrupt}.
Result<void> require_chain(OpenedImage& image);

}  // namespace tintype::cli
