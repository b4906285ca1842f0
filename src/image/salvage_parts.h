// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/cancel.h"
#include "image/frame_scan.h"

namespace tintype {

struct SalvagePart {
  std::uint32_t number = 0;
  std::string name;
  std::optional<PartHeader> header;  // if it is sound
};

// A frame in one of the parts of a set.
struct PartFrame {
  std::size_t part = 0;  // index of SalvageParts::list()
  FoundFrame frame;
};

// Frames by what they say they hold, the last ones found of each address. What a hostile file can make it remember is bounded.
class FrameMap {
 public:
  using Key = std::tuple<FrameType, std::uint32_t, std::uint64_t>;  // type, area number, number
  void add(FrameType type, FrameAddress address, const PartFrame& frame);
  // In the order in which they were found; null if there is none.
  const std::vector<PartFrame>* find(FrameType type, FrameAddress address) const;
  const std::map<Key, std::vector<PartFrame>>& all() const { return frames_; }

 private:
  std::map<Key, std::vector<PartFrame>> frames_;
  std::size_t count_ = 0;
};

// What is left of the files of one image set. Frames are read from where the index says they are, or from where they turned up.
// One thread.
class SalvageParts {
 public:
  // The set is that of the first part, else that of most parts, if none is asked for. Error{not_found} if no part is there.
  static Result<std::unique_ptr<SalvageParts>> find(std::shared_ptr<Place> place, std::string image, std::optional<SetId> set = {});

  const std::vector<SalvagePart>& list() const { return parts_; }
  Result<std::shared_ptr<ReadFile>> file(std::size_t part);
  // Whether the set's frames are encrypted; nothing if no header is left to say.
  std::optional<bool> encrypted() const;
  bool is_ours(const FrameHeader& header) const { return header.encrypted == encrypted().value_or(header.encrypted); }
  // Files that were passed over, parts that are missing. One sentence each.
  const std::vector<std::string>& notes() const { return notes_; }
  // That the set had more parts than those that are left.
  void expect(std::uint32_t parts);

  // All of these check the frame; false or nothing if it is not sound or not the one that was asked for.
  bool read(const FramePlace& place, FrameType type, FrameAddress address, FrameOpener& opener, ByteSpan base, Bytes& content);
  bool read(const PartFrame& frame, FrameOpener& opener, ByteSpan base, Bytes& content);
  // The same frame elsewhere in the set, as bytes before it were lost or put in: by its address and length. The first call goes
  // through all parts.
  std::optional<PartFrame> moved(const FramePlace& place, FrameType type, FrameAddress address, FrameOpener& opener, const CancelToken& cancel);

  // Every frame of the set, in the order of the files, until cancelled. `first`: of its file.
  using Visit = std::function<void(FrameScanner& scanner, const PartFrame& frame, bool first)>;
  void each_frame(const CancelToken& cancel, const Visit& visit);

 private:
  SalvageParts(std::shared_ptr<Place> place, std::string image) : place_(std::move(place)), image_(std::move(image)) {}
  Result<void> find_files(std::optional<SetId> set);
  std::optional<SetId> choose_set(const std::vector<SalvagePart>& candidates) const;

  std::shared_ptr<Place> place_;
  std::string image_;
  std::vector<SalvagePart> parts_;
  std::vector<std::string> notes_;
  std::size_t file_part_ = ~std::size_t{0};  // the part opened last
  std::shared_ptr<ReadFile> file_;
  std::optional<FrameMap> moved_;
};

}  // namespace tintype
