// SPDX-License-Identifier: GPL-3.0-or-later
#include "job/extract.h"

#include "job/extract_writer.h"

namespace tintype {

Result<ExtractReport> run_extract(const ExtractRequest& request, JobContext& context) {
  std::vector<PathPattern> patterns;
  for (const std::string& path : request.paths) patterns.push_back(TRY(parse_path_pattern(path, *request.tree)));
  ExtractReport report;
  ExtractWriter writer(request, context, report);
  TreeWalk walk(*request.tree, std::move(patterns), context.cancel, request.partition.get());
  Result<void> walked = walk.run([&](const FoundNode& found) { return writer.visit(found); },
                                       [&](const std::string&, const Error& error) {
                                         ++report.failed;
                                         writer.problem(Severity::error, error.message());
                                       });
  if (walked) walked = writer.make_visited();
  if (walked) {
    report.unmatched = walk.unmatched();
    for (const Error& error : report.unmatched) writer.problem(Severity::error, error.message());
  }
  // Also after a failure: what is there should have its permissions and be safe.
  const Result<void> finished = writer.finish();
  TRY(walked);
  TRY(finished);
  return report;
}

}  // namespace tintype
