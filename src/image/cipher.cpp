// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/cipher.h"

#include <argon2.h>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <sodium.h>

namespace tintype {
namespace {

constexpr std::uint32_t kPasses = 3;
constexpr std::uint32_t kMemoryKib = 64 * 1024;
constexpr std::uint32_t kLanes = 1;  // all that libsodium has; its vector code is done with it before libargon2 with four on two processors
constexpr std::string_view kSessionInfo = "tintype frame key 1";

const unsigned char* in(ByteSpan bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* out(MutableByteSpan bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

struct ContextDeleter {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

Result<SecretKey> derive(const std::string& password, const KeySlot& slot) {
  static_assert(crypto_pwhash_SALTBYTES == std::tuple_size_v<decltype(KeySlot::salt)>);
  SecretKey key{};
  // Earlier versions wrote four lanes.
  if (slot.lanes == 1 && slot.passes >= crypto_pwhash_argon2id_OPSLIMIT_MIN && sodium_init() >= 0 &&
      crypto_pwhash_argon2id(out(key), key.size(), password.data(), password.size(), in(slot.salt), slot.passes, std::size_t{slot.memory_kib} << 10,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0)
    return key;
  const int code = argon2id_hash_raw(slot.passes, slot.memory_kib, slot.lanes, password.data(), password.size(),
                                     slot.salt.data(), slot.salt.size(), key.data(), key.size());
  if (code != ARGON2_OK)
    return fail(ErrorCode::io, fmt::format("cannot derive a key from the password: {}", argon2_error_message(code)));
  return key;
}

bool seal_with(EVP_CIPHER_CTX* c, ByteSpan nonce, ByteSpan aad, MutableByteSpan data, MutableByteSpan tag) {
  int n = 0;
  return EVP_EncryptInit_ex(c, nullptr, nullptr, nullptr, in(nonce)) == 1 &&
         EVP_EncryptUpdate(c, nullptr, &n, in(aad), static_cast<int>(aad.size())) == 1 &&
         EVP_EncryptUpdate(c, out(data), &n, in(data), static_cast<int>(data.size())) == 1 &&
         EVP_EncryptFinal_ex(c, out(data), &n) == 1 &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()), out(tag)) == 1;
}

bool open_with(EVP_CIPHER_CTX* c, ByteSpan nonce, ByteSpan aad, MutableByteSpan data, ByteSpan tag) {
  int n = 0;
  Bytes tag_copy(tag.begin(), tag.end());
  return EVP_DecryptInit_ex(c, nullptr, nullptr, nullptr, in(nonce)) == 1 &&
         EVP_DecryptUpdate(c, nullptr, &n, in(aad), static_cast<int>(aad.size())) == 1 &&
         EVP_DecryptUpdate(c, out(data), &n, in(data), static_cast<int>(data.size())) == 1 &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag_copy.data()) == 1 &&
         EVP_DecryptFinal_ex(c, out(data), &n) == 1;
}

Context gcm_context(const SecretKey& key, bool encrypt) {
  Context context(EVP_CIPHER_CTX_new());
  if (!context || EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, in(key), nullptr, encrypt ? 1 : 0) != 1)
    return nullptr;
  return context;
}

std::unexpected<Error> engine_failed() { return fail(ErrorCode::io, "the encryption library failed"); }

}  // namespace

Result<KeySlot> wrap_key(const SecretKey& data_key, const std::string& password, const SetId& set, Random& random) {
  KeySlot slot;
  slot.used = true;
  slot.passes = kPasses;
  slot.memory_kib = kMemoryKib;
  slot.lanes = kLanes;
  TRY(random.fill(slot.salt));
  TRY(random.fill(slot.nonce));
  const SecretKey key = TRY(derive(password, slot));
  slot.wrapped_key = data_key;
  const Context context = gcm_context(key, true);
  if (!context || !seal_with(context.get(), slot.nonce, set, slot.wrapped_key, slot.tag)) return engine_failed();
  return slot;
}

Result<SecretKey> unwrap_key(const PartHeader& header, const std::string& password, const std::string& image_name) {
  for (const KeySlot& slot : header.slots) {
    if (!slot.used) continue;
    const SecretKey key = TRY(derive(password, slot));
    const Context context = gcm_context(key, false);
    if (!context) return engine_failed();
    SecretKey data_key = slot.wrapped_key;
    if (open_with(context.get(), slot.nonce, header.set_id, data_key, slot.tag)) return data_key;
  }
  return fail(ErrorCode::denied, fmt::format("the password does not open {}", image_name),
              "passwords are case sensitive; check the keyboard layout");
}

struct SessionCipher::Engine {
  Context encrypt, decrypt;
};

SessionCipher::SessionCipher(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
SessionCipher::~SessionCipher() = default;
SessionCipher::SessionCipher(SessionCipher&&) noexcept = default;

Result<SessionCipher> SessionCipher::create(const SecretKey& data_key, const SessionId& session) {
  SecretKey key{};
  std::size_t length = key.size();
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> hkdf(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr),
                                                                        &EVP_PKEY_CTX_free);
  if (!hkdf || EVP_PKEY_derive_init(hkdf.get()) != 1 || EVP_PKEY_CTX_set_hkdf_md(hkdf.get(), EVP_sha256()) != 1 ||
      EVP_PKEY_CTX_set1_hkdf_salt(hkdf.get(), in(session), static_cast<int>(session.size())) != 1 ||
      EVP_PKEY_CTX_set1_hkdf_key(hkdf.get(), in(data_key), static_cast<int>(data_key.size())) != 1 ||
      EVP_PKEY_CTX_add1_hkdf_info(hkdf.get(), in(as_bytes(kSessionInfo)), static_cast<int>(kSessionInfo.size())) != 1 ||
      EVP_PKEY_derive(hkdf.get(), out(key), &length) != 1)
    return engine_failed();
  auto engine = std::make_unique<Engine>();
  engine->encrypt = gcm_context(key, true);
  engine->decrypt = gcm_context(key, false);
  if (!engine->encrypt || !engine->decrypt) return engine_failed();
  return SessionCipher(std::move(engine));
}

namespace {
std::array<std::byte, 12> nonce_of(std::uint64_t counter) {
  std::array<std::byte, 12> nonce{};
  store_le(nonce, 4, counter);
  return nonce;
}
}  // namespace

Result<void> SessionCipher::seal(std::uint64_t counter, ByteSpan additional, MutableByteSpan data, MutableByteSpan tag) {
  if (!seal_with(engine_->encrypt.get(), nonce_of(counter), additional, data, tag)) return engine_failed();
  return {};
}

Result<void> SessionCipher::open(std::uint64_t counter, ByteSpan additional, MutableByteSpan data, ByteSpan tag) {
  if (!open_with(engine_->decrypt.get(), nonce_of(counter), additional, data, tag))
    return fail(ErrorCode::corrupt, "encrypted data was changed (its authentication tag does not fit)");
  return {};
}

}  // namespace tintype
