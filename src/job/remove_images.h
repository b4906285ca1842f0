// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/chain.h"

namespace tintype {

struct RemoveRequest {
  std::vector<NamedImage> images;      // of one chain, oldest first, each building on the one before
  std::optional<SecretKey> data_key;   // of the chain, if it is encrypted: catalogs of others that build on it can be read
  std::vector<std::shared_ptr<Place>> also_look_in;  // for images that build on them, beside the places they lie in
};

struct RemoveReport {
  std::vector<std::string> removed;  // paths of first parts, newest first
  std::vector<std::string> kept;     // a sentence each, naming what needs the image
};

// Deletes images of a chain, newest first, so that whatever is left at any moment is a whole chain; and of each image the first part
// first, so that none looks whole and is not. What another image in these places still builds on, and all that that builds on, is kept:
// catalogs tell, or headers from base to base where a catalog cannot be read; unfinished images count too. What cannot be told
// keeps everything. Error{corrupt} with nothing deleted if there is an image whose header cannot be read.
Result<RemoveReport> remove_images(const RemoveRequest& request);

}  // namespace tintype
