// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <map>

#include "layout/layout.h"

namespace tintype {

// The work area of one read_layout: reads sectors, remembers those that are tables, collects problems. Private to
// the room; one thread.
class TableReader {
 public:
  TableReader(Drive& drive, Layout& layout) : drive_(drive), layout_(layout) {}

  Layout& layout() { return layout_; }
  // Whole sectors; Error{out_of_bounds} if they leave the drive. The caller caps the count.
  Result<Bytes> read(std::uint64_t sector, std::uint64_t count) const;
  void keep(std::uint64_t sector, const Bytes& bytes);
  // Adds one sentence, up to a cap that hostile tables cannot pass.
  void problem(std::string sentence);
  // Moves what was kept into the layout, ascending and merged.
  void finish();

 private:
  Drive& drive_;
  Layout& layout_;
  std::map<std::uint64_t, Bytes> kept_;  // one sector each
};

}  // namespace tintype
