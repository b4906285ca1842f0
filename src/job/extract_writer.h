// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <unordered_map>

#include "job/copy_content.h"
#include "job/extract.h"
#include "job/out_chain.h"
#include "job/progress.h"
#include "job/tree_walk.h"

namespace tintype {

// Makes one node after the other in the target, and counts. Private to run_extract().
class ExtractWriter {
 public:
  ExtractWriter(const ExtractRequest& request, JobContext& context, ExtractReport& report);

  // True: what lies in this folder can be written too. Errors are those that end everything.
  Result<bool> visit(const FoundNode& found);
  // A sentence about something that went wrong, for the report and as a message.
  void problem(Severity severity, std::string text);
  // Leaves the open folders and makes everything durable.
  Result<void> finish();

 private:
  // What became of a node, or the error that keeps it from being made.
  Result<void> make(const FoundNode& found);
  Result<void> make_file(const FoundNode& found, OutFolder& folder);
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

  const ExtractRequest& request_;
  JobContext& context_;
  ExtractReport& report_;
  ProgressMeter meter_;
  std::optional<OutChain> chain_;
  ContentCopier copier_;
  std::unordered_map<std::uint64_t, Earlier> earlier_;
};

}  // namespace tintype
