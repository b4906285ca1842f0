// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>

#include "image/chain.h"
#include "image/frame.h"

namespace tintype {

// Takes frames of chunks out of the images of a chain, to be appended to another image as they are: not decoded, not decrypted.
// One per worker.
class FrameCopier {
 public:
  // `sealer`: there if the new image is encrypted; frames of plain images are sealed with it, their content encoded as it is.
  FrameCopier(Chain& chain, std::optional<FrameSealer> sealer) : chain_(chain), sealer_(std::move(sealer)) {}

  // The frame at `place`, checked by its checksums, so that bit rot does not travel; what only the key and the hash of the chunk can
  // tell is left to the validation of the new image, which decodes every chunk. `delta`: whether it has to be one. `counter` is
  // used up if it has to be sealed. Error{corrupt} naming the part file and the position.
  Result<void> copy(FrameAddress address, const FramePlace& place, bool delta, std::uint64_t counter, Bytes& out);

 private:
  Result<void> check(FrameAddress address, bool delta, bool encrypted, ByteSpan frame) const;

  Chain& chain_;
  std::optional<FrameSealer> sealer_;
  Bytes plain_;
};

}  // namespace tintype
