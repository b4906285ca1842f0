// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "image/parity_file.h"
#include "image/parity_writer.h"
#include "image/part_writer.h"
#include "job/context.h"

namespace tintype {

// Gives the encoded stripes in their order, before they are written; an Error ends the writing.
using StripeInspector = std::function<Result<void>(const EncodedStripes&)>;

// Reads a set and writes its recovery file under `name`, flushed but not renamed; on failure it is removed. Memory does not
// grow with the set.
Result<void> write_parity(Place& place, const std::string& name, const ParityHead& head, PartRow& row, JobContext& context,
                          const ParityWriter::Append& append, const StripeInspector& inspect = {});

// For a backup: writes the recovery file of its parts while they have their temporary names. `bytes` becomes its size; a
// file larger than the place takes is left out with a warning. What is referred to must outlive the use.
AddParity parity_adder(Place& place, const std::string& image, std::uint32_t share_percent, MakeRoom make_room, JobContext& context,
                       std::uint64_t& bytes);

// Which bytes of which file are damaged or missing.
struct LostRange {
  std::string file;
  Extent bytes;
};

struct ParityReport {
  std::string path;                        // of the recovery file
  bool data_checked = false;               // the parts were read too
  std::uint32_t limit = 0;                 // damaged blocks that a stripe stands
  std::uint64_t damaged_blocks = 0;        // of the parts
  std::uint64_t damaged_parity_blocks = 0;
  std::uint64_t unknown_blocks = 0;        // of both: their table is lost
  std::uint64_t damaged_records = 0;       // heads and table pages of the recovery file
  std::uint32_t worst = 0;                 // damaged blocks in the stripe that has the most, of those that have lost data
  std::uint64_t hopeless_stripes = 0;      // have lost more than can be rebuilt
  std::vector<bool> damaged_parts;         // need to be written anew; also those that are longer than they should be
  std::vector<LostRange> lost;             // of the parts, at most 1000
  bool wrong_length = false;               // of the recovery file
  // Data that is known to be damaged; blocks whose sums are lost are not counted.
  bool parts_sound() const { return std::ranges::find(damaged_parts, true) == damaged_parts.end(); }
  bool file_sound() const {
    return damaged_parity_blocks == 0 && unknown_blocks == 0 && damaged_records == 0 && !wrong_length;
  }
  bool repairable() const { return hopeless_stripes == 0; }
};

// The name under which a part of the set is found: the final or the temporary one, whichever has its header; else the one that
// is there.
std::string found_part_name(Place& place, const std::string& image, const SetId& set_id, std::uint32_t part);
// The parts of an image, by these names.
PartRow parts_beside(std::shared_ptr<Place> place, const std::string& image, const ParityHead& head);

// Checks the recovery file, and with `data` every block of the parts against it. Damage is a finding, not an Error.
Result<ParityReport> check_parity(const ParityFile& parity, PartRow& row, Place& place, const std::string& image, bool data,
                                  JobContext& context);

// The recovery file that belongs to an image.
struct FoundParity {
  enum class State { none, of_another_image, unreadable, there } state = State::none;
  std::shared_ptr<ParityFile> file;  // state there
  std::string name;                  // in the place; empty for none
  std::string why;                   // otherwise: one sentence, empty for none
};
// Errors are only those of the place. Finishes a cut-off publish first if nobody is writing.
Result<FoundParity> find_parity(Place& place, const std::string& image);

}  // namespace tintype
