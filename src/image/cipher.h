// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/environment.h"
#include "base/result.h"
#include "image/format.h"

namespace tintype {

using SecretKey = std::array<std::byte, 32>;
using SessionId = std::array<std::byte, 16>;

// Wraps the data key of a set with a key derived from the password (Argon2id, 3 passes over 64 MiB, one lane: about
// a tenth of a second of one processor, and inside the program's memory limit).
Result<KeySlot> wrap_key(const SecretKey& data_key, const std::string& password, const SetId& set, Random& random);
// The data key, from whichever slot the password opens; Error{denied} if it opens none.
Result<SecretKey> unwrap_key(const PartHeader& header, const std::string& password, const std::string& image_name);

// Seals and opens frame payloads with the key of one session. One per thread.
class SessionCipher {
 public:
  static Result<SessionCipher> create(const SecretKey& data_key, const SessionId& session);
  ~SessionCipher();
  SessionCipher(SessionCipher&&) noexcept;
  // Encrypts `data` in place and writes the tag behind it (the span `tag` has 16 bytes).
  Result<void> seal(std::uint64_t counter, ByteSpan additional, MutableByteSpan data, MutableByteSpan tag);
  // Decrypts in place; Error{corrupt} if anything of it was changed.
  Result<void> open(std::uint64_t counter, ByteSpan additional, MutableByteSpan data, ByteSpan tag);

 private:
  struct Engine;
  explicit SessionCipher(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace tintype
