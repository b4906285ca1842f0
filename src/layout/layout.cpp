// SPDX-License-Identifier: GPL-3.0-or-later
#include "layout/layout.h"

namespace tintype {

const char* to_string(TableKind kind) {
  switch (kind) {
    case TableKind::none: return "none";
    case TableKind::mbr: return "mbr";
    case TableKind::gpt: return "gpt";
    case TableKind::hybrid: return "hybrid";
  }
  return "none";
}

}  // namespace tintype
