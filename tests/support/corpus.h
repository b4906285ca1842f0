// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/scratch.h"

namespace tintype::test {

// One real image of the collection that lies beside the source tree, as MANIFEST.tsv describes it.
struct CorpusEntry {
  std::string path;  // relative to the folder, with ".xz"
  std::string type;  // "raw:fat16", "raw:mbr[ntfs]", "vhdx:swap" …
  std::string special;
  std::uint64_t unpacked_bytes = 0;
  std::map<std::string, std::string> facts;  // "fs.cluster" → "4096"

  std::optional<std::string> fact(const std::string& key) const;
  std::optional<std::uint64_t> number(const std::string& key) const;  // decimal or 0x; empty if missing or not a number
};

// $TINTYPE_CORPUS, else "shared/corpus" beside the source tree or one of the folders above it. Empty: tests skip and say so.
std::optional<std::filesystem::path> corpus_folder();
// The whole manifest in its order, or what has a type that begins with `type_prefix` ("raw:fat"). Empty without a corpus.
std::vector<CorpusEntry> corpus_entries(const std::string& type_prefix = {});
// The image unpacked into a sparse scratch file, for outside tools.
Result<ScratchFile> unpack(const CorpusEntry& entry);
// The image in a memory drive (a private copy; the scratch file is gone when this returns).
Result<std::shared_ptr<Drive>> load_corpus(const CorpusEntry& entry, std::uint32_t sector_bytes = 512);

// `blkid -o export` text back to bytes: "\ " → " ", "M-PM-^]" → 0xD0 0x9D.
std::string unescape_blkid(const std::string& text);

}  // namespace tintype::test
