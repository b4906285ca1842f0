// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/partition_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "store/partition_files.h"
#include "store/writers/file_name.h"

namespace tintype {
namespace {

constexpr std::size_t kNumberBytes = 6;  // ".99999"
constexpr std::size_t kAsideBytes = 1;   // "~", of what stands aside while NTFS replaces it

class FileInTree final : public ReadFile {
 public:
  FileInTree(std::shared_ptr<PartitionFiles> files, std::shared_ptr<FileTree> tree, std::unique_ptr<FileContent> content, std::string words)
      : files_(std::move(files)), tree_(std::move(tree)), content_(std::move(content)), words_(std::move(words)) {}

  std::uint64_t size() const override { return content_->size_bytes(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (!fits(offset, out.size(), size())) {
      Error error = make_error(ErrorCode::corrupt, fmt::format("{} is shorter than it should be", printable(words_)));
      error.offset_bytes = offset;
      return fail(std::move(error));
    }
    const std::lock_guard lock(files_->mutex());  // a tree serves one thread at a time
    Result<void> done = content_->read(offset, out);
    if (!done) return fail(std::move(done).error().within(printable(words_)));
    return done;
  }
  void will_need(std::uint64_t, std::uint64_t) override {}

 private:
  std::shared_ptr<PartitionFiles> files_;
  std::shared_ptr<FileTree> tree_;  // outlives the content
  std::unique_ptr<FileContent> content_;
  std::string words_;
};

class FileInWriter final : public AppendFile {
 public:
  FileInWriter(std::shared_ptr<PartitionFiles> files, TreeWriter::FileId id, std::uint64_t size, std::string words)
      : files_(std::move(files)), id_(id), size_(size), words_(std::move(words)) {
    files_->file_opened();
  }
  ~FileInWriter() override {
    const std::lock_guard lock(files_->mutex());
    files_->file_closed(id_);
  }

  Result<void> append(std::span<const ByteSpan> pieces) override {
    const std::lock_guard lock(files_->mutex());
    TreeWriter* writer = TRY(files_->writer());
    for (const ByteSpan piece : pieces) {
      if (piece.empty()) continue;
      std::size_t written = 0;
      Result<void> done = writer->append(id_, piece, written);
      size_ += written;
      if (!done) return failed(*writer, std::move(done).error());
    }
    return {};
  }
  std::uint64_t size() const override { return size_; }
  Result<void> sync() override {
    const std::lock_guard lock(files_->mutex());
    return files_->sync();
  }

 private:
  std::unexpected<Error> failed(const TreeWriter& writer, Error error) const {
    if (writer.broken()) error.what += fmt::format("; the file system on {} was left as it is and must be checked (e2fsck -f, fsck.fat -a, chkdsk /f) before anything is written there again", printable(files_->words()));
    return fail(std::move(error).within(printable(words_)));
  }

  std::shared_ptr<PartitionFiles> files_;
  TreeWriter::FileId id_;
  std::uint64_t size_;
  std::string words_;
};

class PartitionPlace final : public Place {
 public:
  PartitionPlace(std::shared_ptr<PartitionFiles> files, std::string path, std::string words)
      : files_(std::move(files)), path_(std::move(path)), words_(std::move(words)) {}
  ~PartitionPlace() override {
    const std::lock_guard lock(files_->mutex());
    (void)files_->sync();
  }

  std::string describe(const std::string& name) const override {
    return name.empty() ? words_ : words_.ends_with('/') ? words_ + name : words_ + "/" + name;
  }

  bool same_name(const std::string& a, const std::string& b) override {
    if (a == b) return true;
    const std::lock_guard lock(files_->mutex());
    const Result<std::shared_ptr<FileTree>> tree = files_->tree();
    return tree && (*tree)->same_name(a, b);
  }

  Result<std::unique_ptr<ReadFile>> open(const std::string& name) override {
    const std::lock_guard lock(files_->mutex());
    std::shared_ptr<FileTree> tree = TRY(files_->tree());
    const std::optional<FileNode> node = TRY(find(*tree, name));
    if (!node) return fail(os_error(ENOENT, fmt::format("cannot open {}", printable(describe(name)))));
    if (node->kind != NodeKind::file) return fail(ErrorCode::usage, fmt::format("{} is a {}", printable(describe(name)), to_string(node->kind)));
    auto content = TRY(tree->open(*node));
    return std::make_unique<FileInTree>(files_, std::move(tree), std::move(content), describe(name));
  }

  Result<bool> exists(const std::string& name) override {
    const std::lock_guard lock(files_->mutex());
    const std::shared_ptr<FileTree> tree = TRY(files_->tree());
    const std::optional<FileNode> node = TRY(find(*tree, name));
    return node.has_value();
  }

  Result<std::vector<std::string>> list() override {
    const std::lock_guard lock(files_->mutex());
    const std::shared_ptr<FileTree> tree = TRY(files_->tree());
    const FileNode folder = TRY(find_node(*tree, path_));
    std::vector<std::string> names;
    TRY(tree->list(folder, [&](const FileNode& node) {
      if (node.kind == NodeKind::file) names.push_back(node.name);
      return true;
    }));
    return names;
  }

  Result<std::unique_ptr<AppendFile>> create(const std::string& name) override {
    const std::lock_guard lock(files_->mutex());
    // The numbers of later parts stand before ".partial".
    const bool may_get_number = name.ends_with(".partial") && !(name.size() > 9 && name[name.size() - 9] >= '0' && name[name.size() - 9] <= '9');
    const FsType type = TRY(files_->tree())->type();
    TRY(check_file_name(type, name, (type == FsType::ntfs ? kAsideBytes : 0) + (may_get_number ? kNumberBytes : 0)));
    TreeWriter* writer = TRY(files_->writer());
    const TreeWriter::FolderId folder = TRY(writer->folder(path_));
    TRY(writer->remove(folder, name));
    const TreeWriter::FileId id = TRY(writer->create(folder, name));
    return std::make_unique<FileInWriter>(files_, id, 0, describe(name));
  }

  Result<std::unique_ptr<AppendFile>> reopen(const std::string& name, std::uint64_t size) override {
    const std::lock_guard lock(files_->mutex());
    TreeWriter* writer = TRY(files_->writer());
    const TreeWriter::FolderId folder = TRY(writer->folder(path_));
    const TreeWriter::FileId id = TRY(writer->reopen(folder, name, size));
    return std::make_unique<FileInWriter>(files_, id, size, describe(name));
  }

  // Whoever writes has the whole drive to himself.
  Result<std::unique_ptr<PlaceLock>> lock(const std::string& name) override {
    if (!TRY(exists(name))) return fail(os_error(ENOENT, fmt::format("cannot open {}", printable(describe(name)))));
    return std::unique_ptr<PlaceLock>();
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(files_->mutex());
    TreeWriter* writer = TRY(files_->writer());
    return writer->rename(TRY(writer->folder(path_)), from, to);
  }

  Result<void> remove(const std::string& name) override {
    const std::lock_guard lock(files_->mutex());
    const std::shared_ptr<FileTree> tree = TRY(files_->tree());
    const std::optional<FileNode> there = TRY(find(*tree, name));
    if (!there) return {};
    TreeWriter* writer = TRY(files_->writer());
    return writer->remove(TRY(writer->folder(path_)), name);
  }

  Result<void> sync() override {
    const std::lock_guard lock(files_->mutex());
    return files_->sync();
  }

  Result<std::uint64_t> free_bytes() override {
    const std::lock_guard lock(files_->mutex());
    return files_->free_bytes();
  }
  std::optional<std::uint64_t> max_file_bytes() override { return files_->max_file_bytes(); }

 private:
  Result<std::optional<FileNode>> find(FileTree& tree, const std::string& name) {
    return find_in(tree, TRY(find_node(tree, path_)), name);
  }

  std::shared_ptr<PartitionFiles> files_;
  std::string path_;  // with '/'
  std::string words_;
};

Result<void> make_folders(PartitionFiles& files, const std::string& path) {
  const FsType type = TRY(files.tree())->type();
  const std::vector<std::string> names = names_in_path(path);
  for (const std::string& name : names) TRY(check_file_name(type, name));
  TreeWriter* writer = TRY(files.writer());
  std::string done;
  for (const std::string& part : names) {
    const std::string next = done + "/" + part;
    const Result<TreeWriter::FolderId> there = writer->folder(next);
    if (!there && there.error().code != ErrorCode::not_found) return fail(there.error());
    if (!there) {
      const TreeWriter::FolderId in = TRY(writer->folder(done));
      TRY(writer->make_folder(in, part));
    }
    done = next;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Place>> open_partition_place(std::shared_ptr<PartitionFiles> files, const std::string& folder, std::string words, bool make) {
  std::string path = folder;
  std::ranges::replace(path, '\\', '/');
  {
    const std::lock_guard lock(files->mutex());
    std::shared_ptr<FileTree> tree = TRY(files->tree());
    Result<FileNode> node = find_node(*tree, path);
    if (!node && node.error().code == ErrorCode::not_found && make) {
      TRY(make_folders(*files, path));
      tree = TRY(files->tree());
      node = find_node(*tree, path);
    }
    if (!node) return fail(std::move(node).error().with_hint(node.error().code == ErrorCode::not_found ? "create it, or use --make-dir" : ""));
    if (node->kind != NodeKind::folder) return fail(ErrorCode::usage, fmt::format("{} is a {}, not a folder", printable(words), to_string(node->kind)));
  }
  return std::make_unique<PartitionPlace>(std::move(files), std::move(path), std::move(words));
}

}  // namespace tintype
