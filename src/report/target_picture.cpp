#include "valence/report/target_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "circle.h"
#include "svg.h"
#include "valence/base/text.h"

namespace valence {
namespace {

/// Ends of the axis: of the convention, or of the numbers where it has none.
std::pair<double, double> range_of(std::span<const Target> targets) {
  if (targets.front().scale == ScoreScale::kUnit) return {-1.0, 1.0};
  double most = 0.0;
  for (const auto& target : targets) {
    for (const auto& [dimension, value] : target.values)
      most = std::isnan(value) ? most : std::max(most, std::abs(value));
    for (const auto& interval : target.intervals)
      most = std::isnan(interval.high) ? most : std::max({most, interval.high, -interval.low});
  }
  if (targets.front().scale == ScoreScale::kRaw) return {0.0, std::ceil(most)};
  return {-std::ceil(most), std::ceil(most)};
}

ProfileEntry entry_of_value(const Target& target, std::size_t place, const Dimension& dimension,
                            std::pair<double, double> range) {
  ProfileEntry entry;
  entry.estimand.id = dimension.id;
  entry.estimand.dimension = dimension.id;
  entry.estimand.label = dimension.label;
  entry.estimand.low = range.first;
  entry.estimand.high = range.second;
  entry.estimand.headline = true;
  entry.estimate.value = target.values[place].second;
  if (target.intervals.empty()) return entry;
  entry.estimate.low = target.intervals[place].low;
  entry.estimate.high = target.intervals[place].high;
  entry.estimate.count = target.intervals[place].count;
  return entry;
}

/// A target drawn as a run is: only its profile is looked at.
ReportRun as_run(const Target& target, const Space& space, std::pair<double, double> range) {
  ReportRun run;
  run.profile.space = target.space;
  run.profile.subject = target.label;
  for (std::size_t place = 0; place < target.values.size(); ++place) {
    run.profile.entries.push_back(entry_of_value(target, place, space.dimensions[place], range));
  }
  return run;
}

}  // namespace

Result<std::string> target_picture(std::span<const Target> targets) {
  const auto& first = targets.front();
  VALENCE_TRY(const auto space, load_space(first.space));
  if (space.kind != SpaceKind::kCircle) {
    return fail(ErrorCode::kUsage, "target {}: pictures are of circles of values, and {} is none", first.id, space.id);
  }
  for (const auto& target : targets) VALENCE_CHECK(check_comparable(first, target));
  const auto range = range_of(targets);
  std::vector<ReportRun> runs;
  for (const auto& target : targets) runs.push_back(as_run(target, space, range));
  std::vector<const ReportRun*> drawn;
  for (const auto& run : runs) drawn.push_back(&run);
  VALENCE_TRY(auto picture, report::draw_circle(drawn, "circle-1"));
  return report::standalone(std::move(picture));
}

}  // namespace valence
