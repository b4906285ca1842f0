// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <unordered_map>

#include "job/copy_content.h"
#include "job/extract.h"
#include "job/extract_batch.h"
#include "job/out_chain.h"
#include "job/progress.h"
#include "job/tree_walk.h"

namespace tintype {

// Makes one node after the other in the target, and counts. Private to run_extract().
class ExtractWriter {
 public:
  ExtractWriter(const ExtractRequest& request, JobContext& context, ExtractReport& report);

  // True: what lies in this folder can be written too. Errors are those that end everything. Nodes are made some time later, in order.
  Result<bool> visit(const FoundNode& found);
  // Makes what was visited and is not made yet.
  Result<void> make_visited();
  // A sentence about something that went wrong, for the report and as a message.
  void problem(Severity severity, std::string text);
  // Leaves the open folders and makes everything durable.
  Result<void> finish();

 private:
  // Error: what keeps a node from being made. `content`: of a file that was read already, else null.
  Result<void> make(const FoundNode& found, std::unique_ptr<FileContent> content);
  // False: it was not made, and what lies in it need not be tried.
  Result<bool> make_or_tell(const FoundNode& found, std::unique_ptr<FileContent> content);
  Result<void> make_file(const FoundNode& found, OutFolder& folder, std::unique_ptr<FileContent> content);
  Result<void> make_symlink(const FoundNode& found, OutFolder& folder);
  Result<void> make_folder(const FoundNode& found);
  Result<bool> make_hard_link(const FoundNode& found, OutFolder& folder);
  Result<void> write_streams(const FoundNode& found, OutFile* attributes_of);
  Result<void> write_stream(const FoundNode& found, const NamedStream& stream, OutFile* attributes_of);
  Result<bool> stream_as_attribute(FileContent& content, const NamedStream& stream, OutFile& file);
  Result<bool> taken(OutFolder& folder, const std::string& name, const std::string& path);
  Result<bool> data_is_there(const std::vector<Extent>& extents, const std::string& path, LostRanges::Lost& lost);
  void tell_incomplete(const std::string& path, std::uint64_t lost_bytes, const std::optional<Error>& error);
  void pass_over(const std::string& path, std::string why);
  OutFacts facts_of(const FileNode& node) const;
  Existing existing() const { return request_.on_existing == ExtractRequest::OnExisting::replace ? Existing::replace : Existing::keep; }

  // A file that has further names, and where its first one is.
  struct Earlier {
    std::vector<std::string> folders;
    std::string name;
    OutIdentity identity;
    std::uint32_t names_left = 0;
  };
  void remember(const FoundNode& found, const OutIdentity& identity);
  // Whether a file will be read at all: no name of it is there yet, neither made by us nor by somebody else to whom it is left.
  bool is_wanted(const ExtractBatch::Item& item);

  const ExtractRequest& request_;
  JobContext& context_;
  ExtractReport& report_;
  ProgressMeter meter_;
  std::optional<OutChain> chain_;
  ContentCopier copier_;
  std::unordered_map<std::uint64_t, Earlier> earlier_;
  ExtractBatch batch_;
  std::shared_ptr<const std::vector<FileNode>> looked_into_;  // the folder that is_wanted() saw last
  std::unique_ptr<OutFolder> there_;                          // it in the target; null: it is not there, or is the outermost
  std::optional<std::vector<FileNode>> given_up_;  // the folder that could not be made, with those above it
};

}  // namespace tintype
