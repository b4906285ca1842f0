// SPDX-License-Identifier: GPL-3.0-or-later
#include "plan/source_view.h"

#include <algorithm>

namespace tintype {

SourceView::Held SourceView::held() const {
  Held held;
  for (const Area& area : areas) {
    if (area.kind == AreaKind::drive) held.whole_drive = true;
    if (area.kind == AreaKind::partition) held.partitions.push_back(area.partition);
  }
  const bool all = std::ranges::all_of(layout.partitions, [&](const Partition& partition) {
    return partition.extended || std::ranges::find(held.partitions, partition.id) != held.partitions.end();
  });
  held.whole_drive = held.whole_drive || all;
  return held;
}

SourceView view_of(const Catalog& image) {
  SourceView view;
  view.drive = image.source;
  view.layout = image.layout;
  view.areas = image.areas;
  for (Area& area : view.areas) area.directories.clear();
  return view;
}

}  // namespace tintype
