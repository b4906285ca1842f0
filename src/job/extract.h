// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fs/file_tree.h"
#include "job/context.h"
#include "job/lost_ranges.h"
#include "store/out_folder.h"

namespace tintype {

struct ExtractRequest {
  enum class OnExisting { refuse, skip, replace };  // refuse: left alone, but counted as a failure
  enum class Streams { none, files, attributes };   // attributes: user.NAME, or a file where that does not go

  std::shared_ptr<FileTree> tree;
  std::shared_ptr<Drive> partition;  // the one that the tree reads
  LostRanges lost;
  std::vector<std::string> paths;    // as PathPattern takes them
  OutFolder* target = nullptr;       // null: only say what would be written
  OnExisting on_existing = OnExisting::refuse;
  Streams streams = Streams::none;
  bool owner = false;                // needs the right to give files away
  bool special_bits = false;         // set-user-ID, set-group-ID and sticky too
  std::uint64_t expected_bytes = 0;  // of all that is asked for; 0: not known
};

struct ExtractReport {
  std::uint64_t files = 0, folders = 0, symlinks = 0, hard_links = 0, streams = 0;  // made; hard links are counted apart from files
  std::uint64_t bytes = 0;           // of the files and streams, holes included
  std::uint64_t existing = 0;        // not touched because something has the name already, and that was foreseen
  std::uint64_t passed_over = 0;     // devices, sockets, reparse points that are no links, encrypted files
  std::uint64_t not_saved = 0;       // files whose data the image leaves out; not made
  std::uint64_t incomplete = 0;      // made, but with zeros in place of what the image lacks or could not be read
  std::uint64_t lost_bytes = 0;      // of those
  std::uint64_t failed = 0;          // not made (with skip and replace: also for what stands in the way), and folders that could not be read wholly
  std::vector<Error> unmatched;      // paths that are not there
  std::vector<std::string> problems; // sentences, the first thousand
  std::uint64_t problem_count = 0;
  std::uint64_t made() const { return files + folders + symlinks + hard_links; }
};

// Copies files, folders and whole trees out of a file system, each under its full path inside the target: /Users/ann/a.doc becomes
// Users/ann/a.doc there. Contents, holes, times, permissions, links; what a file system does not have is left to the target's. Nothing is
// written outside the target whatever the names and links say. What fails is told as a message and counted, and the rest goes on.
// Errors: usage for a path that makes no sense, cancelled, no_space when the target is full; what was finished until then stays.
Result<ExtractReport> run_extract(const ExtractRequest& request, JobContext& context);

}  // namespace tintype
