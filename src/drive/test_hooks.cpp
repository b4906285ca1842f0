// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/test_hooks.h"

#include <cstdlib>

#include "drive/faulty_drive.h"

namespace tintype {

#ifdef TINTYPE_TEST_HOOKS
Result<std::shared_ptr<Drive>> with_test_faults(std::shared_ptr<Drive> drive) {
  const char* text = std::getenv("TINTYPE_TEST_FAULTS");
  if (text == nullptr) return drive;
  auto all = TRY(parse_faults(text));
  for (NamedFaults& faults : all)
    if (drive->info().path.find(faults.path_part) != std::string::npos)
      drive = make_faulty_drive(std::move(drive), std::move(faults.plan));
  return drive;
}
#else
Result<std::shared_ptr<Drive>> with_test_faults(std::shared_ptr<Drive> drive) { return drive; }
#endif

}  // namespace tintype
