// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/corpus.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace tintype::test {
namespace {

std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> out;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(separator, at);
    out.push_back(text.substr(at, end - at));
    if (end == std::string::npos) return out;
    at = end + separator.size();
  }
}

// Columns: path_xz, sha256_xz, size_xz, unpacked_size, unpacked_sha256, type, origin_repo, licence, special, facts …
std::optional<CorpusEntry> parse_line(const std::string& line) {
  const std::vector<std::string> columns = split(line, "\t");
  if (columns.size() < 10 || columns[0] == "path_xz") return std::nullopt;
  CorpusEntry entry;
  entry.path = columns[0];
  entry.unpacked_bytes = parse_number(columns[3]).value_or(0);
  entry.type = columns[5];
  entry.special = columns[8];
  for (const std::string& fact : split(columns[9], "; "))
    if (const std::size_t equals = fact.find('='); equals != std::string::npos)
      entry.facts.emplace(fact.substr(0, equals), fact.substr(equals + 1));
  return entry;
}

}  // namespace

std::optional<std::string> CorpusEntry::fact(const std::string& key) const {
  const auto found = facts.find(key);
  return found == facts.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> CorpusEntry::number(const std::string& key) const {
  const auto text = fact(key);
  return text ? parse_number(*text) : std::nullopt;
}

std::optional<std::filesystem::path> corpus_folder() {
  const auto holds_manifest = [](const std::filesystem::path& folder) {
    std::error_code ignored;
    return std::filesystem::exists(folder / "MANIFEST.tsv", ignored);
  };
  if (const char* named = std::getenv("TINTYPE_CORPUS"); named != nullptr && *named != 0)
    return holds_manifest(named) ? std::optional<std::filesystem::path>(named) : std::nullopt;
  for (std::filesystem::path folder = TINTYPE_SOURCE_DIR; folder.has_relative_path();) {
    folder = folder.parent_path();
    if (holds_manifest(folder / "shared" / "corpus")) return folder / "shared" / "corpus";
  }
  return std::nullopt;
}

std::vector<CorpusEntry> corpus_entries(const std::string& type_prefix) {
  std::vector<CorpusEntry> out;
  const auto folder = corpus_folder();
  if (!folder) return out;
  std::ifstream manifest(*folder / "MANIFEST.tsv");
  for (std::string line; std::getline(manifest, line);)
    if (auto entry = parse_line(line); entry && entry->type.starts_with(type_prefix)) out.push_back(std::move(*entry));
  return out;
}

Result<ScratchFile> unpack(const CorpusEntry& entry) {
  const auto folder = corpus_folder();
  if (!folder) return fail(ErrorCode::not_found, "there is no corpus folder");
  ScratchFile scratch = TRY(ScratchFile::make());
  // xz leaves holes for zeros when its standard output is a regular file.
  const CommandOutcome outcome = run("xz -dc " + shell_word(*folder / entry.path) + " > " + shell_word(scratch.path()));
  if (outcome.status != 0) return fail(ErrorCode::io, "xz cannot unpack " + entry.path + ": " + outcome.output);
  return scratch;
}

Result<std::shared_ptr<Drive>> load_corpus(const CorpusEntry& entry, std::uint32_t sector_bytes) {
  const ScratchFile scratch = TRY(unpack(entry));
  return load_drive(scratch.path(), sector_bytes);
}

std::string unescape_blkid(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  std::string out;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    unsigned high = 0;
    if (plain.compare(i, 2, "M-") == 0 && i + 2 < plain.size()) {
      high = 0x80;
      i += 2;
    }
    unsigned value = static_cast<unsigned char>(plain[i]);
    if (high != 0 && plain[i] == '^' && i + 1 < plain.size()) value = static_cast<unsigned char>(plain[++i]) ^ 0x40U;
    out += static_cast<char>(value | high);
  }
  return out;
}

}  // namespace tintype::test
