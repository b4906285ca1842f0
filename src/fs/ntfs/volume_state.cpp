// SPDX-License-Identifier: GPL-3.0-or-later
#include "fs/ntfs/volume_state.h"

#include <algorithm>

#include "base/text.h"
#include "fs/ntfs/root_index.h"

namespace tintype::ntfs {
namespace {

constexpr std::uint16_t kVolumeDirty = 0x0001;
constexpr std::uint16_t kCheckUnderway = 0x4000;
constexpr std::uint16_t kNoClient = 0xffff;
constexpr std::uint16_t kRestartClean = 0x0002;
constexpr std::uint64_t kHibernationHeaderBytes = 4096;

struct RestartPage {
  std::uint64_t lsn = 0;
  std::uint32_t page_bytes = 0;
  bool clean = false;
};

// A restart page at the beginning of `page`, empty if there is no sane one. Only the first 512 bytes matter: what is
// read here lies before the first two bytes that the fixups replace.
std::optional<RestartPage> parse_restart_page(ByteSpan page) {
  const std::string_view magic = as_text(page.first(4));
  if (magic != "RSTR" && magic != "CHKD") return std::nullopt;
  RestartPage out;
  out.page_bytes = le32(page, 16);
  const std::size_t area = le16(page, 24);
  if (area % 8 != 0 || area < 30 || area + 48 > page.size() - 2) return std::nullopt;
  const std::uint16_t in_use = le16(page, area + 12);
  const std::uint16_t flags = le16(page, area + 14);
  out.lsn = magic == "CHKD" ? le64(page, 8) : le64(page, area);
  // Version 2 means that metadata may live in the journal only: it is turned back to 1.1 by a full shutdown.
  const bool old_version = le16(page, 28) == 1;
  out.clean = old_version && (in_use == kNoClient || (flags & kRestartClean));
  return out;
}

bool says_hibernated(Mft& mft, const DirectoryEntry& entry) {
  const auto file = mft.load_file(entry.file.record, entry.file.sequence);
  if (!file) return true;
  const Stream* data = file->find(kData);
  if (!data || data->data_bytes < kHibernationHeaderBytes) return true;
  Bytes header(4);
  if (!mft.read(*data, 0, header)) return true;
  const std::string_view magic = as_text(header);
  return magic == "hibr" || magic == "HIBR";
}

}  // namespace

bool journal_is_clean(Mft& mft) {
  const auto file = mft.load_file(kLogFileRecord);
  if (!file) return false;
  const Stream* data = file->find(kData);
  if (!data || data->data_bytes < 3 * 4096) return false;
  std::optional<RestartPage> newest;
  bool empty = true;
  Bytes page(512);
  // The first page is at 0, the second one page behind it, and the page size is only known from a sane one.
  for (std::uint64_t at = 0; at <= 65536 && at + page.size() <= data->data_bytes; at = at == 0 ? 512 : at * 2) {
    if (!mft.read(*data, at, page)) return false;
    if (as_text(ByteSpan(page).first(4)) == "RCRD") return newest && newest->clean;
    empty = empty && std::ranges::all_of(page, [](std::byte b) { return b == std::byte{0xff}; });
    const std::optional<RestartPage> found = parse_restart_page(page);
    if (!found || (at != 0 && found->page_bytes != at)) continue;
    if (!newest || found->lsn > newest->lsn) newest = found;
  }
  return newest ? newest->clean : empty;
}

Result<VolumeFacts> read_volume_facts(Mft& mft) {
  VolumeFacts facts;
  const File volume = TRY(mft.load_file(kVolumeRecord));
  if (const Stream* name = volume.find(kVolumeName); name && name->resident)
    facts.label = utf8_from_utf16le(name->value);
  const Stream* information = volume.find(kVolumeInformation);
  if (!information || !information->resident || information->value.size() < 12)
    return fail(ErrorCode::corrupt, "$Volume lacks its flags");
  if (le16(information->value, 10) & (kVolumeDirty | kCheckUnderway)) facts.state = FsState::dirty;
  if (!journal_is_clean(mft)) facts.state = FsState::dirty;

  const File root = TRY(mft.load_file(kRootRecord));
  for (const DirectoryEntry& entry : TRY(find_names(mft, root, {"hiberfil.sys"})))
    if (says_hibernated(mft, entry)) facts.state = FsState::hibernated;
  return facts;
}

}  // namespace tintype::ntfs
