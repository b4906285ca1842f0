// SPDX-License-Identifier: GPL-3.0-or-later
#define NO_COMPAT_IMB_API_053
#include <intel-ipsec-mb.h>

#include "image/multi_hash.h"

namespace tintype {
namespace {

class IpsecMultiHash final : public MultiHash {
 public:
  explicit IpsecMultiHash(IMB_MGR* manager) : manager_(manager) {}
  ~IpsecMultiHash() override { free_mb_mgr(manager_); }

  void hash(ByteSpan bytes, std::size_t piece_bytes, std::span<Hash> out) override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const ByteSpan rest = bytes.subspan(i * piece_bytes);
      IMB_JOB* job = IMB_GET_NEXT_JOB(manager_);
      *job = {};
      job->cipher_mode = IMB_CIPHER_NULL;
      job->cipher_direction = IMB_DIR_ENCRYPT;
      job->chain_order = IMB_ORDER_HASH_CIPHER;
      job->hash_alg = IMB_AUTH_SHA_256;
      job->src = reinterpret_cast<const std::uint8_t*>(rest.data());
      job->msg_len_to_hash_in_bytes = std::min(piece_bytes, rest.size());
      job->auth_tag_output = reinterpret_cast<std::uint8_t*>(out[i].data());
      job->auth_tag_output_len_in_bytes = sizeof(Hash);
      IMB_SUBMIT_JOB(manager_);
    }
    while (IMB_FLUSH_JOB(manager_) != nullptr) {
    }
  }

 private:
  IMB_MGR* manager_;
};

}  // namespace

std::unique_ptr<MultiHash> make_multi_hash() {
  IMB_MGR* manager = alloc_mb_mgr(0);
  if (manager == nullptr) return nullptr;
  IMB_ARCH arch{};
  init_mb_mgr_auto(manager, &arch);
  // Below AVX2 the lanes are too few to beat OpenSSL.
  if (imb_get_errno(manager) != 0 || arch < IMB_ARCH_AVX2) {
    free_mb_mgr(manager);
    return nullptr;
  }
  return std::make_unique<IpsecMultiHash>(manager);
}

}  // namespace tintype
