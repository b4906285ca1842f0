// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>

#include "drive/foreign/unpacker.h"

namespace tintype {

struct DecoderStep {
  std::size_t taken = 0, made = 0;
  bool ended = false;  // a frame (member, stream) is complete
};

// One library's streaming decoder behind our own words. restart() comes before each frame. step() takes what it can of `in`, which is
// empty when the file has ended, and makes what fits into `out`.
class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual Result<void> restart() = 0;
  virtual Result<DecoderStep> step(ByteSpan in, MutableByteSpan out) = 0;
};

// Null for none and unsupported.
std::unique_ptr<Decoder> make_decoder(Packing packing);

}  // namespace tintype
