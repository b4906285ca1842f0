// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/extract_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"
#include "job/link_target.h"

namespace tintype {
namespace {

constexpr std::size_t kMostProblems = 1000;
constexpr std::uint32_t kReadOnlyAttribute = 1;

// Whether the last of `folders` is among these.
bool lies_in(std::span<const FileNode> parents, const std::vector<FileNode>& folders) {
  return parents.size() >= folders.size() &&
         std::ranges::equal(parents.first(folders.size()), folders, [](const FileNode& a, const FileNode& b) { return a.id == b.id && a.name == b.name; });
}

// What makes going on pointless.
bool ends_everything(const Error& error) {
  return error.code == ErrorCode::cancelled || (error.code == ErrorCode::no_space && (error.os_error == ENOSPC || error.os_error == EDQUOT));
}

}  // namespace

ExtractWriter::ExtractWriter(const ExtractRequest& request, JobContext& context, ExtractReport& report)
    : request_(request),
      context_(context),
      report_(report),
      meter_(context.events, "extract", request.expected_bytes),
      copier_(*request.partition, context.cancel, [this](std::uint64_t bytes) { meter_.advance(bytes); }) {
  if (request.expected_bytes == 0) meter_.no_total();
  if (request.target != nullptr)
    chain_.emplace(*request.target, [this](const FileNode& node) { return facts_of(node); },
                   [this](const Error& error) { problem(Severity::warning, error.message()); });
}

void ExtractWriter::problem(Severity severity, std::string text) {
  if (++report_.problem_count > kMostProblems) return;
  context_.events.message({severity, text});
  report_.problems.push_back(std::move(text));
}

Result<bool> ExtractWriter::visit(const FoundNode& found) {
  if (request_.target == nullptr) return make_or_tell(found, nullptr);
  batch_.add(found);
  if (batch_.full()) TRY(make_visited());
  return found.node.kind == NodeKind::folder;
}

Result<void> ExtractWriter::make_visited() {
  TRY(batch_.load(*request_.tree, *request_.partition, [this](const ExtractBatch::Item& item) { return is_wanted(item); }, context_.cancel));
  for (ExtractBatch::Item& item : batch_.take()) {
    TRY(context_.cancel.check());
    const FoundNode found = item.found();
    if (given_up_ && lies_in(found.parents, *given_up_)) continue;
    if (TRY(make_or_tell(found, std::move(item.content))) || item.node.kind != NodeKind::folder) continue;
    given_up_.emplace(item.parents->begin(), item.parents->end()).push_back(item.node);
  }
  return {};
}

Result<bool> ExtractWriter::make_or_tell(const FoundNode& found, std::unique_ptr<FileContent> content) {
  Result<void> made = make(found, std::move(content));
  if (made) return true;
  if (ends_everything(made.error())) return fail(made.error());
  const bool left_alone = made.error().code == ErrorCode::exists && request_.on_existing == ExtractRequest::OnExisting::refuse;
  if (left_alone) ++report_.existing;
  else ++report_.failed;
  problem(Severity::error, made.error().message());
  return false;
}

Result<void> ExtractWriter::make(const FoundNode& found, std::unique_ptr<FileContent> content) {
  const std::string path = found.path();
  meter_.object(path);
  switch (found.node.kind) {
    case NodeKind::folder: return make_folder(found);
    case NodeKind::file:
    case NodeKind::symlink:
    case NodeKind::reparse_point: break;
    case NodeKind::device:
    case NodeKind::fifo:
    case NodeKind::socket: pass_over(path, fmt::format("is a {}", to_string(found.node.kind))); return {};
  }
  if (request_.target == nullptr) {
    found.node.kind == NodeKind::file ? ++report_.files : ++report_.symlinks;
    if (found.node.kind == NodeKind::file) report_.bytes += found.node.size_bytes;
    context_.events.info(fmt::format("{} ({})", printable(path), found.node.kind == NodeKind::file ? format_size(found.node.size_bytes) : to_string(found.node.kind)));
    return {};
  }
  OutFolder* folder = TRY(chain_->enter(found.parents));
  if (TRY(taken(*folder, found.node.name, path))) return {};
  return found.node.kind == NodeKind::file ? make_file(found, *folder, std::move(content)) : make_symlink(found, *folder);
}

Result<void> ExtractWriter::make_folder(const FoundNode& found) {
  if (request_.target == nullptr) {
    if (!found.parents.empty()) ++report_.folders;
    return {};
  }
  std::vector<FileNode> whole(found.parents.begin(), found.parents.end());
  whole.push_back(found.node);
  Result<OutFolder*> made = chain_->enter(whole);
  if (!made) return fail(made.error());
  return found.parents.empty() ? Result<void>() : write_streams(found, nullptr);
}

// Whether something has the name, and is to stay. Error{exists} if that is a failure.
Result<bool> ExtractWriter::taken(OutFolder& folder, const std::string& name, const std::string& path) {
  if (request_.on_existing == ExtractRequest::OnExisting::replace || !TRY(folder.has(name))) return false;
  if (request_.on_existing == ExtractRequest::OnExisting::refuse)
    return fail(ErrorCode::exists, fmt::format("{} is in the target already", printable(path)), "--overwrite replaces it, --skip-existing says that it may stay");
  ++report_.existing;
  return true;
}

OutFacts ExtractWriter::facts_of(const FileNode& node) const {
  OutFacts facts;
  facts.modified = node.modified;
  facts.accessed = node.accessed;
  if (node.mode) facts.mode = *node.mode & (request_.special_bits ? 07777U : 0777U);
  facts.read_only = !node.mode && node.kind == NodeKind::file && (node.dos_attributes & kReadOnlyAttribute) != 0;
  if (request_.owner) {
    facts.owner = node.owner;
    facts.group = node.group;
  }
  return facts;
}

void ExtractWriter::pass_over(const std::string& path, std::string why) {
  ++report_.passed_over;
  problem(Severity::warning, fmt::format("{} {}; it is passed over", printable(path), why));
}

// False: all of it is left out of the image, and saying so is all that can be done.
Result<bool> ExtractWriter::data_is_there(const std::vector<Extent>& extents, const std::string& path, LostRanges::Lost& lost) {
  lost = TRY(request_.lost.of(extents));
  if (lost.not_saved_bytes == 0 || lost.not_saved_bytes < lost.looked_at_bytes) return true;
  ++report_.not_saved;
  problem(Severity::warning, fmt::format("the data of {} is not in the image; no file is made", printable(path)));
  return false;
}

void ExtractWriter::tell_incomplete(const std::string& path, std::uint64_t lost_bytes, const std::optional<Error>& error) {
  ++report_.incomplete;
  report_.lost_bytes += lost_bytes;
  const std::string why = error ? error->message() : "the image does not hold them";
  problem(Severity::error, fmt::format("{} is incomplete: zeros stand for {} of it ({})", printable(path), format_size(lost_bytes), why));
}

Result<void> ExtractWriter::make_file(const FoundNode& found, OutFolder& folder, std::unique_ptr<FileContent> content) {
  const FileNode& node = found.node;
  const std::string path = found.path();
  if (node.encrypted) {
    pass_over(path, "is encrypted by the file system itself and can only be read by the system that wrote it");
    return {};
  }
  if (node.links > 1 && TRY(make_hard_link(found, folder))) return {};
  const bool read_already = content != nullptr;
  if (!read_already) content = TRY(request_.tree->open(node));
  std::vector<Extent> extents;
  if (content->size_bytes() != 0) extents = TRY(content->extents());
  LostRanges::Lost lost;
  if (!TRY(data_is_there(extents, path, lost))) return {};
  const std::unique_ptr<OutFile> file = TRY(folder.create(node.name, node.mode.has_value()));
  const CopiedContent copied = TRY(copier_.copy(*content, *file, read_already ? std::vector<Extent>() : extents));
  TRY(write_streams(found, file.get()));
  const OutIdentity identity = TRY(file->publish(content->size_bytes(), facts_of(node), existing()));
  ++report_.files;
  report_.bytes += content->size_bytes();
  if (node.links > 1) remember(found, identity);
  if (const std::uint64_t bytes = lost.total() + copied.unread_bytes; bytes != 0) tell_incomplete(path, bytes, copied.first_error);
  return {};
}

void ExtractWriter::remember(const FoundNode& found, const OutIdentity& identity) {
  Earlier earlier{{}, found.node.name, identity, found.node.links - 1};
  for (const FileNode& parent : found.parents.subspan(1)) earlier.folders.push_back(parent.name);
  earlier_.insert_or_assign(found.node.id, std::move(earlier));
}

// Looks without making the folders on the way.
bool ExtractWriter::is_wanted(const ExtractBatch::Item& item) {
  if (item.node.links > 1 && earlier_.contains(item.node.id)) return false;
  if (request_.on_existing == ExtractRequest::OnExisting::replace) return true;
  OutFolder* folder = request_.target;
  if (item.parents != looked_into_) {
    looked_into_ = item.parents;
    there_.reset();
    for (auto parent = item.parents->begin() + 1; folder != nullptr && parent < item.parents->end(); ++parent) {
      Result<std::unique_ptr<OutFolder>> next = folder->enter(parent->name);
      there_ = next ? std::move(*next) : nullptr;
      folder = there_.get();
    }
  } else if (item.parents->size() > 1) {
    folder = there_.get();
  }
  const Result<bool> there = folder != nullptr ? folder->has(item.node.name) : Result<bool>(false);
  return !there || !*there;
}

// False: it has no other name here yet, or cannot have two.
Result<bool> ExtractWriter::make_hard_link(const FoundNode& found, OutFolder& folder) {
  const auto known = earlier_.find(found.node.id);
  if (known == earlier_.end()) return false;
  Earlier& earlier = known->second;
  std::unique_ptr<OutFolder> entered;
  OutFolder* from = request_.target;
  for (const std::string& name : earlier.folders) {
    Result<std::unique_ptr<OutFolder>> next = from->enter(name);
    if (!next) return false;
    entered = std::move(next).take();
    from = entered.get();
  }
  const Result<void> made = folder.make_hard_link(found.node.name, *from, earlier.name, earlier.identity, existing());
  if (!made) return made.error().code == ErrorCode::exists ? Result<bool>(fail(made.error())) : Result<bool>(false);
  ++report_.hard_links;
  if (--earlier.names_left == 0) earlier_.erase(known);
  return true;
}

Result<void> ExtractWriter::make_symlink(const FoundNode& found, OutFolder& folder) {
  const std::string path = found.path();
  const std::optional<std::string> there = TRY(request_.tree->link_target(found.node));
  if (!there) {
    pass_over(path, fmt::format("is a reparse point of kind 0x{:08X}, not a link", found.node.reparse_tag));
    return {};
  }
  const std::optional<std::string> target = TRY(portable_target(*request_.tree, found.parents, *there));
  if (!target) {
    pass_over(path, fmt::format("is a link to {}, which is not on this partition", printable(*there)));
    return {};
  }
  TRY(folder.make_symlink(found.node.name, *target, facts_of(found.node), existing()));
  ++report_.symlinks;
  return {};
}

Result<void> ExtractWriter::write_streams(const FoundNode& found, OutFile* attributes_of) {
  if (request_.streams == ExtractRequest::Streams::none) return {};
  for (const NamedStream& stream : TRY(request_.tree->streams(found.node))) {
    const Result<void> written = write_stream(found, stream, attributes_of);
    if (written) continue;
    if (ends_everything(written.error())) return written;
    ++report_.failed;
    problem(Severity::error, fmt::format("the stream {}:{}: {}", printable(found.path()), printable(stream.name), written.error().message()));
  }
  return {};
}

Result<void> ExtractWriter::write_stream(const FoundNode& found, const NamedStream& stream, OutFile* attributes_of) {
  const std::unique_ptr<FileContent> content = TRY(request_.tree->open(found.node, stream.name));
  std::vector<Extent> extents;
  if (content->size_bytes() != 0) extents = TRY(content->extents());
  const std::string path = found.path() + ":" + stream.name;
  LostRanges::Lost lost;
  if (!TRY(data_is_there(extents, path, lost))) return {};
  std::uint64_t unread = 0;
  std::optional<Error> why;
  const bool attribute = request_.streams == ExtractRequest::Streams::attributes && attributes_of != nullptr;
  if (!attribute || !TRY(stream_as_attribute(*content, stream, *attributes_of))) {
    const std::string name = found.node.name + ":" + stream.name;
    OutFolder* folder = TRY(chain_->enter(found.parents));
    if (TRY(taken(*folder, name, path))) return {};
    const std::unique_ptr<OutFile> file = TRY(folder->create(name, found.node.mode.has_value()));
    const CopiedContent copied = TRY(copier_.copy(*content, *file, extents));
    OutFacts facts = facts_of(found.node);
    facts.read_only = false;
    TRY(file->publish(content->size_bytes(), facts, existing()));
    unread = copied.unread_bytes;
    why = copied.first_error;
  }
  ++report_.streams;
  report_.bytes += content->size_bytes();
  if (lost.total() + unread != 0) tell_incomplete(path, lost.total() + unread, why);
  return {};
}

Result<bool> ExtractWriter::stream_as_attribute(FileContent& content, const NamedStream& stream, OutFile& file) {
  constexpr std::uint64_t kMostAttributeBytes = 65536;
  if (content.size_bytes() > kMostAttributeBytes || stream.name.find('\0') != std::string::npos) return false;
  Bytes value(static_cast<std::size_t>(content.size_bytes()));
  TRY(content.read(0, value));
  const Result<void> set = file.set_attribute(stream.name, value);
  return set.has_value();
}

Result<void> ExtractWriter::finish() {
  if (chain_) {
    chain_->leave_all();
    report_.folders = chain_->made();
  }
  if (report_.problem_count > kMostProblems)
    context_.events.message({Severity::error, fmt::format("and {} more problems", report_.problem_count - kMostProblems)});
  meter_.finish();
  return request_.target != nullptr ? request_.target->sync() : Result<void>();
}

}  // namespace tintype
