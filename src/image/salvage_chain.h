// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/chain.h"
#include "image/salvage_parts.h"

namespace tintype {

// A damaged image and the earlier images that it builds on, which may be damaged or missing too. One thread.
class SalvageChain {
 public:
  // `cancel` ends long searches early; what they would have found then counts as lost.
  SalvageChain(std::unique_ptr<SalvageParts> own, std::shared_ptr<LinkFinder> finder, const CancelToken& cancel)
      : own_(std::move(own)), finder_(std::move(finder)), cancel_(cancel) {}

  // What all links share; before this nothing can be read.
  void set_key(const std::optional<SecretKey>& data_key) { opener_.emplace(data_key); }
  // When the catalog is known.
  void set_links(std::vector<Link> links);

  SalvageParts& own() { return *own_; }
  FrameOpener& opener() { return *opener_; }
  // The content of the frame that lies there, or that lay there before its file lost bytes; false if it is not sound, or its link
  // is missing. Its hash is for the caller to check. `base` as for FrameOpener::open().
  bool read(const FramePlace& place, FrameType type, FrameAddress address, ByteSpan base, Bytes& content);

  // About all links that were looked at.
  std::vector<std::string> notes() const;

 private:
  SalvageParts* parts(std::uint32_t link);  // null if it is missing
  struct EarlierImage {
    Link link;
    bool looked_for = false;
    std::unique_ptr<SalvageParts> parts;
  };

  std::unique_ptr<SalvageParts> own_;
  std::shared_ptr<LinkFinder> finder_;
  const CancelToken& cancel_;
  std::optional<FrameOpener> opener_;
  std::vector<EarlierImage> earlier_;
  std::vector<std::string> notes_;  // about links that are missing
};

}  // namespace tintype
