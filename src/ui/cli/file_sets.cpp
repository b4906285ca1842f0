// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/file_sets.h"

#include "ui/cli/backup_source.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "ui/cli/new_image.h"
#include "ui/cli/password.h"

namespace tintype::cli {
namespace {

std::vector<std::uint32_t> wanted_partitions(const ResolvedDrive& source, Events& events) {
  if (source.layout.kind == TableKind::none) return {};
  if (!source.partitions.empty()) return source.partitions;
  for (const std::string& problem : source.layout.problems)
    events.warn(fmt::format("{}: {}; what lies outside its partitions is not saved", source.drive->info().path, problem));
  std::vector<std::uint32_t> ids;
  for (const Partition& partition : source.layout.partitions)
    if (!partition.extended) ids.push_back(partition.id);
  return ids;
}

// The names of the images, those that are complete and those that are not there.
Error with_balance(Error error, const std::vector<OneOfSeveral>& all, std::size_t complete) {
  std::vector<std::string> made, missing;
  for (std::size_t i = 0; i < all.size(); ++i) (i < complete ? made : missing).push_back(printable(all[i].path));
  error.what += made.empty() ? "; no image was made" : fmt::format("; complete: {}; not made: {}", fmt::join(made, ", "), fmt::join(missing, ", "));
  return error;
}

// Adds what one image reports to the report of all.
class Sum {
 public:
  void add(const Report& one) {
    if (one.status != ExitStatus::success) total_.status = one.status;
    std::ranges::copy(one.summary, std::back_inserter(total_.summary));
    for (const Fact& fact : one.facts) {
      if (fact.name == "image") images_.push_back(std::get<std::string>(fact.value));
      if (fact.name == "set_id") ids_.push_back(std::get<std::string>(fact.value));
      for (std::size_t i = 0; i < kFigures.size(); ++i)
        if (fact.name == kFigures[i]) figures_[i] += std::get<std::uint64_t>(fact.value);
      if (fact.name == "hits") std::ranges::copy(std::get<std::vector<std::string>>(fact.value), std::back_inserter(hits_));
    }
    for (const Rows& table : one.tables)
      if (table.name == "hit_list") std::ranges::copy(table.rows, std::back_inserter(hit_list_));
  }

  Report report() && {
    total_.facts = {{"images", images_}, {"set_ids", ids_}};
    for (std::size_t i = 0; i < kFigures.size(); ++i) total_.facts.push_back({kFigures[i], figures_[i]});
    if (!hits_.empty()) {
      total_.facts.push_back({"hits", hits_});
      total_.tables.push_back({"hit_list", hit_list_});
    }
    return std::move(total_);
  }

 private:
  static constexpr std::array kFigures = {"used_bytes", "image_bytes", "unreadable_bytes", "hit_count"};
  Report total_;
  std::vector<std::string> images_, ids_, hits_;
  std::vector<std::vector<Fact>> hit_list_;
  std::array<std::uint64_t, kFigures.size()> figures_{};
};

}  // namespace

Result<Report> back_up_each_partition(Session& session) {
  std::vector<OneOfSeveral> images;
  {
    const ResolvedDrive source = TRY(resolve_source(session.command().texts("drive")));
    const std::vector<std::uint32_t> partitions = wanted_partitions(source, session.events());
    if (partitions.empty()) return back_up(session);
    for (const std::uint32_t id : partitions) images.push_back({id, TRY(new_image_path(session.command(), source, id))});
  }  // every image opens the drive for itself, and may claim it
  TRY(password_to_write(session));  // asked for once
  Sum sum;
  for (std::size_t i = 0; i < images.size(); ++i) {
    session.events().info(fmt::format("image {} of {}: {}", i + 1, images.size(), images[i].path));
    const Result<Report> one = back_up(session, &images[i]);
    if (!one) return fail(with_balance(one.error(), images, i));
    sum.add(*one);
  }
  return std::move(sum).report();
}

}  // namespace tintype::cli
