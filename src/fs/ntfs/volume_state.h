// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>

#include "fs/filesystem.h"
#include "fs/ntfs/mft.h"

namespace tintype::ntfs {

struct VolumeFacts {
  FsState state = FsState::clean;
  std::string label;  // UTF-8
};

// Label and state from $Volume, $LogFile and hiberfil.sys of the root. What cannot be read about the journal
// or hiberfil.sys counts as unclean; an unreadable $Volume or root is an Error.
Result<VolumeFacts> read_volume_facts(Mft& mft);

// True if the journal was closed: empty, without clients, or marked clean. Sources: ntfs-3g's logfile.h and logfile.c.
bool journal_is_clean(Mft& mft);

}  // namespace tintype::ntfs
