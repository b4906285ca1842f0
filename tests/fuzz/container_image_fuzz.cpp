// SPDX-License-Identifier: GPL-3.0-or-later
// A whole small image through opening, validating, planning and restoring. The input is four lengths and a mode (u16 each) and the
// contents of catalog, directory, page and chunk; frames, checksums and hashes around them are made right, and the places that
// lead from one to the next too where the content lets that be done, so that the fuzzer gets to the end of the chain.
// Mode 1: encrypted; 2: in two parts, the chunk in the first; 4: a changes-only image beside the sound one that it builds on, to whose
// page and chunk the places that name an earlier image are led. What is left of the image is salvaged too. container_seeds.cpp
// makes inputs out of real images.
#include <argon2.h>
#include <openssl/evp.h>

#include <cstdlib>

#include "image/frame.h"
#include "image/part_names.h"
#include "image/reader.h"
#include "job/restore.h"
#include "job/salvage.h"
#include "job/validate.h"
#include "support/memory_place.h"

namespace {
using namespace tintype;

constexpr std::uint64_t kMostDriveBytes = 4U << 20;
constexpr std::size_t kPieces = 4;
constexpr std::size_t kHeadBytes = 2 * (kPieces + 1);
constexpr std::uint16_t kEncrypted = 1, kSplit = 2, kChanges = 4;
const std::string kPassword = "fuzz";

class NoEvents final : public Events {
  void stage(const std::string&, std::uint64_t) override {}
  void progress(const Progress&) override {}
  void message(const Message&) override {}
  Answer ask(const Question&) override { return Answer::abort; }
};

// A slot for the password that costs next to nothing to open; the writer's own takes 64 MiB.
const PartHeader& encrypted_header() {
  static const PartHeader header = [] {
    PartHeader made;
    made.encrypted = made.password_needed = true;
    KeySlot& slot = made.slots[0];
    slot.used = true;
    slot.passes = slot.lanes = 1;
    slot.memory_kib = 8;
    SecretKey key{};
    if (argon2id_hash_raw(1, 8, 1, kPassword.data(), kPassword.size(), slot.salt.data(), slot.salt.size(), key.data(), key.size()) != 0)
      std::abort();
    const auto bytes = [](auto& array) { return reinterpret_cast<unsigned char*>(array.data()); };
    EVP_CIPHER_CTX* c = EVP_CIPHER_CTX_new();
    int n = 0;
    const SetId set{};
    const SecretKey data_key{};
    const bool done = EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), nullptr, bytes(key), bytes(slot.nonce)) == 1 &&
                      EVP_EncryptUpdate(c, nullptr, &n, reinterpret_cast<const unsigned char*>(set.data()), 16) == 1 &&
                      EVP_EncryptUpdate(c, bytes(slot.wrapped_key), &n, reinterpret_cast<const unsigned char*>(data_key.data()), 32) == 1 &&
                      EVP_EncryptFinal_ex(c, bytes(slot.wrapped_key), &n) == 1 &&
                      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, bytes(slot.tag)) == 1;
    EVP_CIPHER_CTX_free(c);
    if (!done) std::abort();
    return made;
  }();
  return header;
}

class Builder {
 public:
  Builder(std::uint16_t mode, SetId set)
      : header_((mode & kEncrypted) != 0 ? encrypted_header() : PartHeader{}),
        sealer_(*FrameSealer::create((mode & kEncrypted) != 0 ? std::optional<WritingKey>(WritingKey{}) : std::nullopt, 1)) {
    header_.set_id = set;
    begin_part();
  }

  void begin_part() {
    header_.part = static_cast<std::uint32_t>(parts_.size());
    const auto head = header_.encode();
    parts_.emplace_back(head.begin(), head.end());
  }

  FramePlace add(FrameType type, FrameAddress address, ByteSpan content) {
    Bytes buffer(frame_room(content.size()));
    return append(*sealer_.seal(type, address, counter_++, content, buffer));
  }

  FramePlace add_delta(FrameAddress address, ByteSpan content, ByteSpan base) {
    Bytes buffer(frame_room(content.size()));
    const ByteSpan frame = *sealer_.seal_delta(address, counter_++, content, base, buffer.size(), buffer);
    return frame.empty() ? add(FrameType::chunk, address, content) : append(frame);
  }

  Hash finish(ByteSpan catalog) {
    Trailer trailer;
    trailer.set_id = header_.set_id;
    trailer.parts = static_cast<std::uint32_t>(parts_.size());
    const std::size_t at = parts_.back().size();
    trailer.catalog = add(FrameType::catalog, {}, catalog);
    trailer.catalog_hash = sha256(ByteSpan(parts_.back()).subspan(at));
    trailer.part_bytes = parts_.back().size() + kTrailerBytes;
    const auto end = trailer.encode();
    parts_.back().insert(parts_.back().end(), end.begin(), end.end());
    return trailer.catalog_hash;
  }

  const std::vector<Bytes>& parts() const { return parts_; }

 private:
  FramePlace append(ByteSpan frame) {
    Bytes& file = parts_.back();
    const FramePlace place{0, header_.part, file.size(), static_cast<std::uint32_t>(frame.size())};
    file.insert(file.end(), frame.begin(), frame.end());
    return place;
  }

  PartHeader header_;
  FrameSealer sealer_;
  std::uint64_t counter_ = 0;
  std::vector<Bytes> parts_;
};

// The first chunk of an area.
Bytes chunk_of(const Area& area, ByteSpan piece) {
  Bytes content(piece.begin(), piece.end());
  content.resize(static_cast<std::size_t>(chunk_extent(area.size_bytes, 0).length));
  return content;
}

// A sound image of the first region of an area, zero but for its first chunk, for others to build on.
struct Base {
  Bytes file;
  Hash catalog_hash{};
  FramePlace chunk;
  PageRef page;
};
const SetId kBaseSet{std::byte{1}};

// Its first record is made right.
void add_directories(Builder& b, Area& area, const PageRef& ref, ByteSpan directory_bytes) {
  const std::uint64_t regions = region_count(area.size_bytes);
  area.directories.clear();
  for (std::uint64_t group = 0; group * kRegionsPerDirectory < std::min<std::uint64_t>(regions, 4 * kRegionsPerDirectory); ++group) {
    Bytes records(directory_bytes.begin(), directory_bytes.end());
    records.resize(64 * static_cast<std::size_t>(std::min<std::uint64_t>(kRegionsPerDirectory, regions - group * kRegionsPerDirectory)));
    if (group == 0 && !records.empty()) {
      const Bytes first = encode_directory(std::span(&ref, 1));
      std::copy(first.begin(), first.end(), records.begin());
    }
    area.directories.push_back({b.add(FrameType::directory, {area.number, group}, records), sha256(records)});
  }
}

Base build_base(std::uint16_t mode, Catalog catalog, ByteSpan chunk_bytes) {
  Base base;
  Builder b(mode, kBaseSet);
  Area& area = catalog.areas.front();
  const Bytes content = chunk_of(area, chunk_bytes);
  const Extent region = region_extent(area.size_bytes, 0);
  base.chunk = b.add(FrameType::chunk, {area.number, 0}, content);
  Page page;
  page.used.push_back(region);
  page.entries.resize(static_cast<std::size_t>(div_round_up(region.length, kChunkBytes)));
  for (ChunkEntry& entry : page.entries) entry.kind = ChunkEntry::Kind::zero;
  page.entries[0].kind = ChunkEntry::Kind::stored;
  page.entries[0].place = base.chunk;
  page.entries[0].hash = ChunkHasher().hash(content);
  const Bytes encoded = page.encode(region);
  base.page = {true, b.add(FrameType::page, {area.number, 0}, encoded), region.length, sha256(encoded)};
  add_directories(b, area, base.page, {});
  catalog.links.clear();
  catalog.part_bytes.clear();
  base.catalog_hash = b.finish(catalog.encode());
  base.file = b.parts().front();
  return base;
}

// The first entry of a page is led to a chunk: its own, that of the base, or a delta that changes every thousandth byte of that; what
// the delta takes from another chunk it takes from that of the base too.
void add_chunk(Builder& b, const Area& area, ChunkEntry& entry, Bytes content, const Base* base) {
  const FrameAddress address{area.number, 0};
  if (base != nullptr && entry.kind == ChunkEntry::Kind::delta && !content.empty()) {
    FramePlace there = base->chunk;
    there.link = 1;
    const Bytes before = content;
    Bytes state = entry.bases.empty() ? Bytes(content.size()) : content;
    if (!entry.bases.empty()) entry.bases.front() = there;
    if (!entry.moved.empty()) {
      entry.moved.front().chunk = 0;
      entry.moved.front().frames.front() = there;
      (void)lay_over(entry.moved.front(), before, state);
    }
    for (std::size_t at = 0; at < content.size(); at += 1000) content[at] ^= std::byte{1};
    entry.place = b.add_delta(address, content, state);
  } else if (base != nullptr && entry.place.link != 0) {
    const std::uint32_t link = entry.place.link;
    entry.place = base->chunk;
    entry.place.link = link;
  } else {
    entry.place = b.add(FrameType::chunk, address, content);
  }
  entry.hash = ChunkHasher().hash(content);
}

// The index of the first area, as far as the contents make sense; its catalog's reference to it is put right.
void add_area(Builder& b, Area& area, bool split, const std::array<ByteSpan, kPieces>& pieces, const Base* base) {
  const auto [catalog_bytes, directory_bytes, page_bytes, chunk_bytes] = pieces;
  const Extent region = region_extent(area.size_bytes, 0);
  auto page = Page::decode(page_bytes, region);
  const bool sound = page && !page->entries.empty();
  ChunkEntry stray;
  add_chunk(b, area, sound ? page->entries[0] : stray, chunk_of(area, chunk_bytes), base);
  if (split) b.begin_part();
  const Bytes page_content = sound ? page->encode(region) : Bytes(page_bytes.begin(), page_bytes.end());
  PageRef ref{true, b.add(FrameType::page, {area.number, 0}, page_content), 0, sha256(page_content)};
  if (const std::uint32_t link = directory_bytes.size() >= 4 ? le32(directory_bytes, 0) : 0; base != nullptr && link != 0) {
    ref = base->page;
    ref.place.link = link;
  }
  add_directories(b, area, ref, directory_bytes);
}

std::vector<Bytes> build(std::uint16_t mode, const std::array<ByteSpan, kPieces>& pieces, std::optional<Base>& base) {
  Builder b(mode, {});
  b.add(FrameType::prologue, {}, {});
  auto catalog = Catalog::decode(pieces[0], Catalog::Stage::prologue);
  if (!catalog) catalog = Catalog::decode(pieces[0]);
  Bytes last(pieces[0].begin(), pieces[0].end());
  if (catalog && !catalog->areas.empty()) {
    for (Link& link : catalog->links) link.folder.clear();  // no input makes us look into folders of this machine
    if ((mode & kChanges) != 0 && !catalog->links.empty() && catalog->areas.front().size_bytes > 0) {
      base = build_base(mode, *catalog, pieces[3]);
      catalog->links.front().set_id = kBaseSet;
      catalog->links.front().catalog_hash = base->catalog_hash;
    }
    add_area(b, catalog->areas.front(), (mode & kSplit) != 0, pieces, base ? &*base : nullptr);
    catalog->part_bytes.clear();
    for (std::size_t i = 0; i + 1 < b.parts().size(); ++i) catalog->part_bytes.push_back(b.parts()[i].size());
    last = catalog->encode();
  }
  b.finish(last);
  return b.parts();
}

void salvage(const std::shared_ptr<Place>& place, JobContext& context) {
  SalvageRequest request;
  request.place = place;
  request.image = "x";
  request.password = []() -> Result<std::string> { return kPassword; };
  request.create = [](const std::string&, std::uint64_t bytes) -> Result<std::shared_ptr<Drive>> {
    if (bytes > kMostDriveBytes) return fail(ErrorCode::no_space, "too large");
    return make_memory_drive(bytes);
  };
  (void)run_salvage(request, context);
}

void restore(const std::shared_ptr<ImageReader>& image, JobContext& context) {
  const DriveInfo& source = image->catalog().source;
  if (source.size_bytes == 0 || source.size_bytes > kMostDriveBytes) return;
  const auto target = make_memory_drive(source.size_bytes, source.logical_sector_bytes);
  const auto before = read_layout(*target);
  if (!before) return;
  SeededRandom random(1);
  auto plan = plan_restore(image->catalog(), target->info(), *before, {}, {}, random);
  if (!plan) return;
  RestoreRequest request;
  request.image = image;
  request.target = target;
  request.plan = std::move(*plan);
  request.compare_after = true;
  (void)run_restore(request, context);
}

// What is read of the beginning of a chunk is the beginning of what is read of all of it.
void read_beginnings(const std::shared_ptr<ImageReader>& image) {
  ChunkReader reader(image);
  const std::vector<Area>& areas = image->catalog().areas;
  for (std::size_t area = 0; area < areas.size(); ++area) {
    if (areas[area].size_bytes == 0) continue;
    const auto page = image->page(area, 0);
    if (!page || !*page || (*page)->entries.empty()) continue;
    const std::uint64_t length = chunk_extent(areas[area].size_bytes, 0).length;
    Bytes whole, beginning;
    if (!reader.read(area, 0, length, (*page)->entries[0], whole)) continue;
    const auto most = static_cast<std::size_t>(length / 3 + 1);
    if (!reader.read_beginning(area, 0, length, (*page)->entries[0], most, beginning)) std::abort();
    if (!std::ranges::equal(beginning, ByteSpan(whole).first(beginning.size())) || beginning.size() < std::min<std::size_t>(most, whole.size())) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteSpan rest(reinterpret_cast<const std::byte*>(data), size);
  std::array<ByteSpan, kPieces> pieces;
  if (size < kHeadBytes) return 0;
  const ByteSpan head = rest.first(kHeadBytes);
  rest = rest.subspan(kHeadBytes);
  for (std::size_t i = 0; i < kPieces; ++i) {
    pieces[i] = rest.first(std::min<std::size_t>(le16(head, i * 2), rest.size()));
    rest = rest.subspan(pieces[i].size());
  }
  const auto place = std::make_shared<test::MemoryPlace>();
  std::optional<Base> base;
  const std::vector<Bytes> parts = build(le16(head, kPieces * 2), pieces, base);
  if (base) place->put("base.tti", base->file);
  for (std::size_t i = 0; i < parts.size(); ++i) place->put(part_name("x", static_cast<std::uint32_t>(i)), parts[i]);
  const auto image = ImageReader::open(place, "x", []() -> Result<std::string> { return kPassword; });
  if (!image) return 0;
  NoEvents events;
  const CancelToken cancel;
  FixedClock clock{std::chrono::sys_seconds{}};
  SeededRandom random(1);
  JobContext context{events, cancel, clock, random, 1};
  (void)run_validate(*image, context);
  read_beginnings(*image);
  restore(*image, context);
  salvage(place, context);
  return 0;
}
