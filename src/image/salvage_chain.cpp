// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/salvage_chain.h"

#include <algorithm>

namespace tintype {

void SalvageChain::set_links(std::vector<Link> links) {
  earlier_.clear();
  for (Link& link : links) earlier_.push_back({std::move(link), false, nullptr});
}

// Of several files that may be it those are taken whose headers say so, else those that have no sound header at all: what is not
// of this chain fails the checks of its frames.
SalvageParts* SalvageChain::parts(std::uint32_t link) {
  if (link == 0) return own_.get();
  if (link > earlier_.size()) return nullptr;
  EarlierImage& image = earlier_[link - 1];
  if (image.looked_for) return image.parts.get();
  image.looked_for = true;
  for (const NamedImage& candidate : finder_->candidates(image.link)) {
    Result<std::unique_ptr<SalvageParts>> found = SalvageParts::find(candidate.place, candidate.name, image.link.set_id);
    if (!found) continue;
    const bool says_so = (*found)->encrypted().has_value();
    if (says_so || !image.parts) image.parts = std::move(*found);
    if (says_so) break;
  }
  if (!image.parts) notes_.push_back(finder_->missing(image.link).message());
  return image.parts.get();
}

bool SalvageChain::read(const FramePlace& place, FrameType type, FrameAddress address, ByteSpan base, Bytes& content) {
  SalvageParts* const from = parts(place.link);
  if (from == nullptr) return false;
  if (from->read(place, type, address, *opener_, base, content)) return true;
  if (type != FrameType::chunk && type != FrameType::page) return false;
  const std::optional<PartFrame> moved = from->moved(place, type, address, *opener_, cancel_);
  return moved && from->read(*moved, *opener_, base, content);
}

std::vector<std::string> SalvageChain::notes() const {
  std::vector<std::string> all = own_->notes();
  for (const EarlierImage& image : earlier_)
    if (image.parts) all.insert(all.end(), image.parts->notes().begin(), image.parts->notes().end());
  all.insert(all.end(), notes_.begin(), notes_.end());
  return all;
}

}  // namespace tintype
