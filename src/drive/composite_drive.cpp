// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/composite_drive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "drive/read_only_drive.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxPieces = 4096;

class CompositeDrive final : public ReadOnlyDrive {
 public:
  // `pieces`: sorted by place, disjoint, each inside its drive.
  CompositeDrive(DriveInfo info, std::vector<CompositePiece> pieces) : info_(std::move(info)), pieces_(std::move(pieces)) {
    info_.read_only = true;
  }

  const DriveInfo& info() const override { return info_; }

  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    TRY(check_range(offset, out.size()));
    while (!out.empty()) {
      const Found found = at(offset);
      const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), found.end - offset));
      if (found.piece == nullptr) {
        std::memset(out.data(), 0, length);
      } else {
        Result<void> done = found.piece->drive->read(inside(*found.piece, offset), out.first(length));
        if (!done) return fail(placed(std::move(done).error(), *found.piece));
      }
      out = out.subspan(length);
      offset += length;
    }
    return {};
  }

  Result<BlockStatus> status(std::uint64_t offset, std::uint64_t length) override {
    TRY(check_range(offset, length));
    const Found found = at(offset);
    const std::uint64_t most = std::min(length, found.end - offset);
    if (found.piece == nullptr) return BlockStatus{{offset, most}, BlockState::not_saved};
    Result<BlockStatus> status = found.piece->drive->status(inside(*found.piece, offset), most);
    if (!status) return fail(placed(std::move(status).error(), *found.piece));
    status->extent.start = offset;
    return status;
  }

  void will_need(std::uint64_t offset, std::uint64_t length) override {
    if (length == 0 || !fits(offset, length, size_bytes())) return;
    const Found found = at(offset);
    if (found.piece != nullptr) found.piece->drive->will_need(inside(*found.piece, offset), std::min(length, found.end - offset));
  }
  void drop_cache() override {
    for (const CompositePiece& piece : pieces_) piece.drive->drop_cache();
  }

 private:
  struct Found {
    const CompositePiece* piece;  // null: nothing is there
    std::uint64_t end;            // where that ends
  };

  Found at(std::uint64_t offset) const {
    const auto next = std::ranges::upper_bound(pieces_, offset, {}, [](const CompositePiece& piece) { return piece.place.start; });
    if (next != pieces_.begin() && std::prev(next)->place.end() > offset) return {&*std::prev(next), std::prev(next)->place.end()};
    return {nullptr, next == pieces_.end() ? size_bytes() : next->place.start};
  }
  static std::uint64_t inside(const CompositePiece& piece, std::uint64_t offset) { return piece.offset + (offset - piece.place.start); }
  static Error placed(Error error, const CompositePiece& piece) {
    if (error.offset_bytes && *error.offset_bytes >= piece.offset) *error.offset_bytes += piece.place.start - piece.offset;
    return error;
  }
  DriveInfo info_;
  std::vector<CompositePiece> pieces_;
};

}  // namespace

Result<std::shared_ptr<Drive>> make_composite(DriveInfo info, std::vector<CompositePiece> pieces) {
  if (pieces.size() > kMaxPieces) return fail(ErrorCode::usage, fmt::format("{} would have more than {} pieces", info.path, kMaxPieces));
  ExtentSet covered;
  std::vector<CompositePiece> disjoint;
  for (const CompositePiece& piece : pieces) {
    if (!fits(piece.place.start, piece.place.length, info.size_bytes))
      return fail(ErrorCode::out_of_bounds, fmt::format("a piece at byte {} of {} leaves it", piece.place.start, info.path));
    const std::uint64_t size = piece.drive->size_bytes();
    const std::uint64_t there = piece.offset >= size ? 0 : std::min(piece.place.length, size - piece.offset);
    if (there == 0) continue;
    ExtentSet own({{piece.place.start, there}});
    for (const Extent& taken : covered.items()) own.remove(taken);
    for (const Extent& extent : own.items())
      disjoint.push_back({extent, piece.drive, piece.offset + (extent.start - piece.place.start)});
    covered.add({piece.place.start, there});
  }
  std::ranges::sort(disjoint, {}, [](const CompositePiece& piece) { return piece.place.start; });
  return std::make_shared<CompositeDrive>(std::move(info), std::move(disjoint));
}

std::shared_ptr<Drive> drive_of(ByteSpan bytes) {
  auto drive = make_memory_drive(bytes.size());
  std::ignore = drive->write(0, bytes);  // memory does not fail inside its size
  return drive;
}

}  // namespace tintype
