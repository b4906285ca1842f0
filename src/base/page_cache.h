// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <cstdint>

namespace tintype {

// How a file or drive uses the system's cache of file contents. The default leaves everything to the system.
struct CacheUse {
  // False: pages that this program brought in by reading are dropped behind it. Those that were there before it came stay.
  bool keep_read = true;
  // False: writing out starts early, and pages are dropped once they are written.
  bool keep_written = true;
  bool read_again = false;    // what is written goes out early, but stays: it is read again soon
  // Not 0: about so many bytes may wait to be written; then the writer waits.
  std::uint64_t dirty_bytes = 0;
  // On a removable drive everything is made durable every few MiB, so that little is lost when it is pulled, and the time
  // left is that of the drive, not of the memory.
  bool flush_removable = false;
};

}  // namespace tintype
