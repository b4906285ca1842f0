// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tintype {

inline void spend(std::uint64_t& budget, std::uint64_t amount) { budget -= std::min(budget, amount); }

// Tells when a chain comes back to where it was, after at most three rounds (Brent's way: a mark that moves on at powers of two).
class CircleWatch {
 public:
  explicit CircleWatch(std::uint32_t first) : mark_(first) {}
  bool comes_back(std::uint32_t cluster) {
    if (cluster == mark_) return true;
    if (++steps_ == limit_) {
      mark_ = cluster;
      limit_ *= 2;
    }
    return false;
  }

 private:
  std::uint32_t mark_;
  std::uint64_t steps_ = 0, limit_ = 1;
};

// Goes through all folders below `root`, for file systems whose files are known by their folder entry alone (FAT, exFAT). Memory is
// one resting reader a level. Folders that hold themselves, deep nests and shared clusters end: at the circle, at 256 levels, when
// the budget of clusters is spent. `visit(entry, path)` returns the reader of the entry if it is a folder to go into.
// A Reader has next(), rest(), clusters() and first_cluster().
template <class Reader, class Visit>
void walk_folders(Reader root, std::uint64_t& budget, Visit visit) {
  constexpr std::size_t kMaxDepth = 256;
  struct Level {
    Reader reader;
    std::size_t path_bytes;  // of the path above
  };
  std::vector<Level> levels;
  std::string path;
  levels.push_back({std::move(root), 0});
  while (!levels.empty()) {
    Level& level = levels.back();
    const std::uint64_t before = level.reader.clusters();
    const auto entry = level.reader.next();
    spend(budget, level.reader.clusters() - before);
    if (!entry || !*entry || budget == 0) {
      path.resize(level.path_bytes);
      levels.pop_back();
      continue;
    }
    const std::size_t above = path.size();
    path += "/" + (*entry)->name;
    std::optional<Reader> below = visit(**entry, path);
    const bool circle = below && std::any_of(levels.begin(), levels.end(), [&](const Level& each) {
                          return each.reader.first_cluster() == below->first_cluster();
                        });
    if (below && !circle && levels.size() < kMaxDepth) {
      level.reader.rest();
      spend(budget, 1);
      levels.push_back({std::move(*below), above});
    } else {
      path.resize(above);
    }
  }
}

}  // namespace tintype
