// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/frame.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sys/resource.h>

#include "image/hash.h"

namespace tintype {
namespace {

Bytes text_content(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>("some words that shrink "[i * i % 23]);
  return out;
}
Bytes noise(std::size_t size, std::uint64_t seed = 1) {
  Bytes out(size);
  SeededRandom random(seed);
  EXPECT_TRUE(random.fill(out));
  return out;
}
WritingKey sample_key(std::uint8_t session = 1) {
  WritingKey key;
  key.data_key.fill(std::byte{0x11});
  key.session.fill(static_cast<std::byte>(session));
  return key;
}
Bytes sealed(const std::optional<WritingKey>& key, FrameAddress address, std::uint64_t counter, const Bytes& content,
             int level = 1, FrameType type = FrameType::chunk) {
  FrameSealer sealer = *FrameSealer::create(key, level);
  Bytes buffer(frame_room(content.size()));
  const ByteSpan frame = *sealer.seal(type, address, counter, content, buffer);
  return {frame.begin(), frame.end()};
}
// Puts the frame's two plain checksums right again, as somebody would who forges a frame.
void forge(Bytes& frame) {
  store_le(frame, 48, frame_checksum(ByteSpan(frame).subspan(kFrameHeaderBytes)));
  store_le(frame, 56, frame_checksum(ByteSpan(frame).first(56)));
}

class Frames : public ::testing::TestWithParam<bool> {
 protected:
  std::optional<WritingKey> key() const { return GetParam() ? std::optional(sample_key()) : std::nullopt; }
  FrameOpener opener() const { return FrameOpener(GetParam() ? std::optional(sample_key().data_key) : std::nullopt); }
};

TEST_P(Frames, RoundTrip) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{65536}, std::size_t{kChunkBytes}}) {
    for (const int level : {0, 1, 7}) {
      for (const Bytes& content : {text_content(size), noise(size)}) {
        Bytes frame = sealed(key(), {3, 77}, 9, content, level);
        Bytes out;
        const auto opened = opener().open(frame, kChunkBytes, out);
        ASSERT_TRUE(opened) << opened.error().message();
        EXPECT_EQ(out, content);
        EXPECT_EQ(opened->address, (FrameAddress{3, 77}));
        EXPECT_EQ(opened->header.counter, 9U);
        EXPECT_EQ(opened->header.encrypted, GetParam());
      }
    }
  }
}

TEST_P(Frames, EveryFlippedByteAndLengthIsFound) {
  const Bytes good = sealed(key(), {1, 2}, 3, text_content(3000));
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const std::byte mask : {std::byte{1}, std::byte{0x80}}) {
      Bytes bad = good, out;
      bad[at] ^= mask;
      EXPECT_FALSE(opener().open(bad, kChunkBytes, out)) << at;
    }
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    Bytes bad(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)), out;
    EXPECT_FALSE(opener().open(bad, kChunkBytes, out)) << size;
  }
}

TEST_P(Frames, MoreThanAskedForIsRefusedWithoutTakingMemory) {
  Bytes frame = sealed(key(), {}, 0, text_content(70000)), out;
  EXPECT_FALSE(opener().open(frame, 69999, out));
  EXPECT_LT(out.capacity(), 70000U);
  Bytes liar = sealed(std::nullopt, {}, 0, text_content(70000));
  store_le(liar, 16, std::uint32_t{70001});  // says more than it decodes to
  forge(liar);
  EXPECT_FALSE(FrameOpener(std::nullopt).open(liar, kChunkBytes, out));
}

INSTANTIATE_TEST_SUITE_P(PlainAndEncrypted, Frames, ::testing::Bool());

TEST(EncryptedFrames, ForgedChecksumsDoNotHelp) {
  const Bytes good = sealed(sample_key(), {1, 2}, 3, text_content(500));
  for (std::size_t at = 8; at < good.size(); ++at) {
    if (at >= 48 && at < kFrameHeaderBytes) continue;  // the checksums themselves
    Bytes bad = good, out;
    bad[at] ^= std::byte{1};
    forge(bad);
    const auto opened = FrameOpener(sample_key().data_key).open(bad, kChunkBytes, out);
    // With the flag cleared it is a plain frame, which a reader of an encrypted image refuses.
    EXPECT_TRUE(!opened || !opened->header.encrypted) << at;
  }
}

TEST(EncryptedFrames, WrongCounterSessionOrKeyAreFound) {
  Bytes out;
  for (const std::size_t at : {std::size_t{24}, std::size_t{40}}) {  // session, counter: those of another frame
    Bytes bad = sealed(sample_key(), {1, 2}, 3, text_content(500));
    const Bytes other = sealed(sample_key(2), {1, 2}, 4, text_content(500));
    std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(at), at == 24 ? 16 : 8, bad.begin() + static_cast<std::ptrdiff_t>(at));
    forge(bad);
    EXPECT_EQ(FrameOpener(sample_key().data_key).open(bad, kChunkBytes, out).error().code, ErrorCode::corrupt);
  }
  Bytes frame = sealed(sample_key(), {}, 1, text_content(100));
  SecretKey wrong{};
  EXPECT_EQ(FrameOpener(wrong).open(frame, kChunkBytes, out).error().code, ErrorCode::corrupt);
  frame = sealed(sample_key(), {}, 1, text_content(100));
  EXPECT_EQ(FrameOpener(std::nullopt).open(frame, kChunkBytes, out).error().code, ErrorCode::denied);
}

TEST(EncryptedFrames, EqualContentLooksDifferent) {
  const Bytes content = text_content(4096);
  const Bytes a = sealed(sample_key(), {1, 2}, 1, content), b = sealed(sample_key(), {1, 2}, 2, content);
  ASSERT_EQ(a.size(), b.size());
  EXPECT_NE(Bytes(a.begin() + 64, a.end()), Bytes(b.begin() + 64, b.end()));
}

TEST(EncryptedFrames, ManySessionsAreOpenedWithBoundedMemory) {
  FrameOpener opener(sample_key().data_key);
  Bytes out;
  for (unsigned i = 0; i < 300; ++i) {
    Bytes frame = sealed(sample_key(static_cast<std::uint8_t>(i % 200)), {}, i, text_content(10));
    EXPECT_TRUE(opener.open(frame, kChunkBytes, out));
  }
}

Hash plain_sha256(ByteSpan bytes) {
  Hash out{};
  unsigned size = 0;
  EXPECT_EQ(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size, EVP_sha256(), nullptr), 1);
  return out;
}

TEST(ChunkHasher, EqualsAPlainTree) {
  ChunkHasher hasher;
  const Bytes content = noise(kChunkBytes);
  for (const std::size_t size : {0U, 1U, 511U, 512U, kLeafBytes - 1, kLeafBytes, kLeafBytes + 1, 5 * kLeafBytes + 512,
                                 kChunkBytes - 512, kChunkBytes - 1, kChunkBytes}) {
    Bytes leaves;
    for (std::size_t at = 0; at < size; at += kLeafBytes) {
      const Hash leaf = plain_sha256(ByteSpan(content).subspan(at, std::min<std::size_t>(kLeafBytes, size - at)));
      leaves.insert(leaves.end(), leaf.begin(), leaf.end());
    }
    EXPECT_EQ(hasher.hash(ByteSpan(content).first(size)), plain_sha256(leaves)) << size;
  }
}

TEST(KeySlots, PasswordsOpenOrAreDenied) {
  SeededRandom random(1);
  PartHeader header;
  header.set_id.fill(std::byte{8});
  SecretKey key{};
  key.fill(std::byte{0x5A});
  header.slots[3] = *wrap_key(key, "gr\xC3\xBCn", header.set_id, random);
  EXPECT_EQ(*unwrap_key(header, "gr\xC3\xBCn", "x"), key);
  for (const char* wrong : {"", "gr", "Gr\xC3\xBCn", "gr\xC3\xBCn "})
    EXPECT_EQ(unwrap_key(header, wrong, "x").error().code, ErrorCode::denied) << wrong;
  PartHeader moved = header;  // a slot of another image
  moved.set_id[0] = std::byte{9};
  EXPECT_EQ(unwrap_key(moved, "gr\xC3\xBCn", "x").error().code, ErrorCode::denied);
  for (const std::size_t at : {std::size_t{0}, std::size_t{31}}) {
    PartHeader bad = header;
    bad.slots[3].wrapped_key[at] ^= std::byte{1};
    EXPECT_EQ(unwrap_key(bad, "gr\xC3\xBCn", "x").error().code, ErrorCode::denied);
  }
  EXPECT_EQ(unwrap_key(PartHeader{}, "x", "x").error().code, ErrorCode::denied);
}

// What a delta that did not even begin was to be based on must not be what the next frame is decoded with.
TEST(Decompressor, WhatADeltaBuildsOnIsForgottenWithIt) {
  const Bytes base = noise(100'000);
  Bytes changed = base, encoded(200'000), out(base.size());
  changed[5000] ^= std::byte{1};
  const std::size_t length = Compressor(1).compress_delta(changed, base, encoded);
  ASSERT_GT(length, 0U);
  const ByteSpan delta = ByteSpan(encoded).first(length);
  for (const std::size_t cut : {0U, 2U, 5U}) {
    Decompressor decompressor;
    EXPECT_FALSE(decompressor.decompress_beginning(Codec::delta, delta.first(cut), MutableByteSpan(out).first(1000), base));
    EXPECT_FALSE(decompressor.decompress(Codec::zstd, delta, out)) << cut;
    EXPECT_TRUE(decompressor.decompress_beginning(Codec::delta, delta, MutableByteSpan(out).first(10'000), base));
    EXPECT_TRUE(std::ranges::equal(ByteSpan(out).first(10'000), ByteSpan(changed).first(10'000)));
    EXPECT_FALSE(decompressor.decompress(Codec::zstd, delta, out)) << cut;
  }
}

}  // namespace
}  // namespace tintype
