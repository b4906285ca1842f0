// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/extract_batch.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace tintype {
namespace {

constexpr std::uint64_t kSmall = 1U << 20;
constexpr std::size_t kAhead = 16;  // files whose data the drive is told of before they are read

bool is_small(const FileNode& node) { return node.kind == NodeKind::file && node.size_bytes != 0 && node.size_bytes <= kSmall && !node.encrypted; }

// A content that was read as a whole.
class LoadedContent final : public FileContent {
 public:
  LoadedContent(std::unique_ptr<FileContent> file, std::vector<Extent> extents, Bytes bytes)
      : file_(std::move(file)), extents_(std::move(extents)), bytes_(std::move(bytes)) {}
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (!fits(offset, out.size(), bytes_.size())) return file_->read(offset, out);  // says what is wrong
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }
  Result<std::vector<Extent>> extents() override { return extents_; }
  Result<std::optional<Extent>> next_data(std::uint64_t offset) override { return file_->next_data(offset); }

 private:
  std::unique_ptr<FileContent> file_;
  std::vector<Extent> extents_;
  Bytes bytes_;
};

struct Opened {
  ExtractBatch::Item* item;
  std::unique_ptr<FileContent> content;
  std::vector<Extent> extents;
};

}  // namespace

void ExtractBatch::add(const FoundNode& found) {
  const auto same = [&] {
    const auto& last = *items_.back().parents;
    return std::ranges::equal(last, found.parents, [](const FileNode& a, const FileNode& b) { return a.id == b.id && a.name == b.name; });
  };
  auto parents = !items_.empty() && same() ? items_.back().parents : std::make_shared<const std::vector<FileNode>>(found.parents.begin(), found.parents.end());
  items_.push_back({std::move(parents), found.node, found.asked_for, found.by_name, nullptr});
  if (is_small(found.node)) bytes_ += found.node.size_bytes;
}

Result<void> ExtractBatch::load(FileTree& tree, Drive& partition, const std::function<bool(const Item& item)>& wanted, const CancelToken& cancel) {
  std::vector<Item*> small;
  std::unordered_set<std::uint64_t> linked;
  for (Item& item : items_) {
    if (is_small(item.node) && wanted(item) && (item.node.links < 2 || linked.insert(item.node.id).second)) small.push_back(&item);
  }
  // Where files are described lies in the order of their numbers.
  std::ranges::sort(small, {}, [](const Item* item) { return item->node.id; });
  std::vector<Opened> files;
  for (Item* item : small) {
    TRY(cancel.check());
    Result<std::unique_ptr<FileContent>> content = tree.open(item->node);
    if (!content || (*content)->size_bytes() != item->node.size_bytes) continue;
    Result<std::vector<Extent>> extents = (*content)->extents();
    if (!extents) continue;
    if (extents->empty()) item->content = std::move(*content);  // it lies in what was just read
    else files.push_back({item, std::move(*content), std::move(*extents)});
  }
  std::ranges::sort(files, {}, [](const Opened& file) { return file.extents.front().start; });
  std::size_t told = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    TRY(cancel.check());
    for (; told < std::min(files.size(), i + kAhead); ++told)
      for (const Extent& extent : files[told].extents) partition.will_need(extent.start, extent.length);
    Bytes bytes(static_cast<std::size_t>(files[i].item->node.size_bytes));
    if (files[i].content->read(0, bytes))
      files[i].item->content = std::make_unique<LoadedContent>(std::move(files[i].content), std::move(files[i].extents), std::move(bytes));
  }
  return {};
}

std::vector<ExtractBatch::Item> ExtractBatch::take() {
  bytes_ = 0;
  return std::exchange(items_, {});
}

}  // namespace tintype
