// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "job/tree_walk.h"
#include "ui/cli/actions.h"
#include "ui/cli/browse.h"
#include "ui/cli/ls_text.h"

namespace tintype::cli {
namespace {

class LsAction {
 public:
  explicit LsAction(Session& session)
      : session_(session), json_(session.command().flag("json")), recursive_(session.command().flag("recursive")), long_(session.command().flag("long")) {}

  Result<Report> run() {
    const BrowsedSource browsed = TRY(open_browsed_source(session_));
    std::vector<std::string> paths = session_.command().texts("path");
    if (paths.empty() && !browsed.partition) return list_partitions(browsed.source);
    if (paths.empty()) paths.emplace_back("/");
    opened_ = TRY(open_tree(browsed.source, browsed.partition));
    if (const std::string odd = opened_.tree->warning(); !odd.empty()) session_.events().warn(fmt::format("partition {}: {}", opened_.partition_id, odd));
    std::vector<PathPattern> patterns;
    for (const std::string& path : paths) patterns.push_back(TRY(parse_path_pattern(path, *opened_.tree)));
    whole_paths_ = recursive_ || patterns.size() > 1 || patterns.front().has_wildcards();
    return walk(std::move(patterns));
  }

 private:
  Result<Report> list_partitions(const FileSource& source) {
    const bool of_image = source.image != nullptr;
    if (json_)
      for (const PartitionListing& each : source.listing.partitions) put(partition_json(each, source.listing, of_image));
    else
      put(partitions_text(source.listing, of_image));
    Report end;
    if (gone_) end.status = ExitStatus::failed;
    return end;
  }

  Result<Report> walk(std::vector<PathPattern> patterns) {
    TreeWalk walk(*opened_.tree, std::move(patterns), session_.cancel());
    Report end;
    const auto damaged = [&](const std::string&, const Error& error) {
      end.status = ExitStatus::damaged;
      session_.events().message({Severity::error, error.message()});
    };
    const Result<void> walked = walk.run([&](const FoundNode& found) { return visit(found); }, damaged);
    if (gone_) {
      end.status = ExitStatus::failed;  // nobody reads it any more
      return end;
    }
    TRY(walked);
    for (const Error& error : walk.unmatched()) {
      if (end.status == ExitStatus::success) end.status = ExitStatus::failed;
      session_.events().message({Severity::error, error.message()});
    }
    end.facts = {{"partition", opened_.partition_id}, {"entries", entries_}};
    return end;
  }

  Result<bool> visit(const FoundNode& found) {
    if (found.by_name && found.node.kind == NodeKind::folder) return true;
    LsEntry entry{found.node, found.path(), {}, {}};
    if (found.node.kind == NodeKind::symlink || found.node.kind == NodeKind::reparse_point) {
      Result<std::optional<std::string>> target = opened_.tree->link_target(found.node);
      if (target) entry.target = std::move(target).take();
      else session_.events().message({Severity::warning, target.error().message()});
    }
    if (long_) {
      Result<std::vector<NamedStream>> streams = opened_.tree->streams(found.node);
      if (streams) entry.streams = std::move(streams).take();
      else session_.events().message({Severity::warning, streams.error().message()});
    }
    ++entries_;
    put(json_ ? ls_json(entry) : ls_line(entry, whole_paths_ ? entry.path : found.node.name, long_));
    if (gone_) return fail(ErrorCode::cancelled, "nobody reads the list any more");
    return recursive_;
  }

  void put(const std::string& text) { gone_ = gone_ || !session_.screen().out(text); }

  Session& session_;
  const bool json_, recursive_, long_;
  OpenedTree opened_;
  bool whole_paths_ = false;
  bool gone_ = false;
  std::uint64_t entries_ = 0;
};

}  // namespace

Result<Report> run_ls_action(Session& session) { return LsAction(session).run(); }

}  // namespace tintype::cli
