#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "circle.h"
#include "forest.h"
#include "panels.h"
#include "ring.h"
#include "svg.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence::report {
namespace {

using EntryGroup = std::vector<const ProfileEntry*>;

constexpr std::size_t kMostRows = 24;

/// The picture's rows: estimands by id over all runs, in the order wanted.
std::vector<ForestRow> forest_rows(const std::vector<const ReportRun*>& runs, const EntryGroup& wanted) {
  std::vector<ForestRow> rows;
  for (const auto* entry : wanted) {
    ForestRow row{row_label(entry->estimand), entry->estimand.condition, {}, entry->uniform};
    for (std::size_t series = 0; series < runs.size(); ++series) {
      if (const auto* found = runs[series]->profile.find(entry->estimand.id)) row.points.push_back({series, found->estimate, found->systematic});
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Headings of groups are wanted where several conditions have several rows each; else the label says it all.
void drop_idle_groups(std::vector<ForestRow>& rows) {
  std::size_t changes = 1;
  for (std::size_t i = 1; i < rows.size(); ++i) changes += rows[i].group != rows[i - 1].group ? 1 : 0;
  if (changes > 1 && changes < rows.size()) return;
  for (auto& row : rows) row.group.clear();
}

bool same_axis(const Estimand& a, const Estimand& b) { return a.low == b.low && a.high == b.high && a.unit == b.unit; }

/// Headline entries that share an axis, cut at a readable number.
std::vector<EntryGroup> axis_groups(const std::vector<const ReportRun*>& runs) {
  std::vector<EntryGroup> groups;
  for (const auto* run : runs) {
    for (const auto& entry : run->profile.entries) {
      const auto& estimand = entry.estimand;
      if (!estimand.headline || !std::isfinite(estimand.low) || !std::isfinite(estimand.high)) continue;
      const auto holds = [&](const EntryGroup& group) { return std::any_of(group.begin(), group.end(), [&](const auto* other) { return other->estimand.id == estimand.id; }); };
      if (std::any_of(groups.begin(), groups.end(), holds)) continue;
      const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return same_axis(group.front()->estimand, estimand) && group.size() < kMostRows; });
      if (found == groups.end()) groups.push_back({&entry}); else found->push_back(&entry);
    }
  }
  return groups;
}

std::size_t headline_count(const Profile& profile) {
  std::size_t most = 0;
  for (const auto& entry : profile.entries) most = std::max(most, entry.estimand.headline ? entry.estimate.count : 0);
  return most;
}

std::string forest_caption(const std::vector<const ReportRun*>& runs, std::string_view order) {
  const auto& card = runs.front()->instrument->card();
  std::string counts;
  for (const auto* run : runs) {
    counts += fmt::format("{}{}: {}, {}", counts.empty() ? "" : "; ", run->profile.subject, counted(headline_count(run->profile), card.random_unit),
                          counted(run->profile.statuses.total(), "answer"));
  }
  const bool read = std::any_of(runs.begin(), runs.end(), [](const auto* run) {
    return std::any_of(run->profile.entries.begin(), run->profile.entries.end(), [](const auto& entry) { return entry.systematic > 0.0; });
  });
  return fmt::format("Mark: estimate; bar: 95 % interval over {}s{}.{} {}. {}", card.random_unit,
                     read ? "; thin line: with the error of the evaluator on responders that it never saw" : "", order, counts, card.limits);
}

std::string forest_description(const Forest& forest) {
  std::string text;
  for (const auto& row : forest.rows) {
    for (const auto& point : row.points) text += fmt::format("{}, {}: {}. ", row.label, forest.series[point.series], figure_text(point.estimate));
  }
  return text;
}

/// Scores around 0 are drawn on the smallest round axis that holds them; others on all that is possible.
void fit_axis(Forest& forest) {
  if (forest.low != -forest.high) return;
  double most = 0.0;
  for (const auto& row : forest.rows) {
    for (const auto& point : row.points) {
      for (const double x : {point.estimate.value, point.estimate.low, point.estimate.high}) most = std::isfinite(x) ? std::max(most, std::abs(x)) : most;
    }
  }
  forest.high = round_bound(most, forest.high);
  forest.low = -forest.high;
}

std::string forest_of(const std::vector<const ReportRun*>& runs, const EntryGroup& group, std::string_view order, Ids& ids) {
  const auto& first = group.front()->estimand;
  Forest forest{ids.next("forest"), runs.front()->instrument->card().title, "", {}, forest_rows(runs, group), first.low, first.high,
                first.unit, ""};
  for (const auto* run : runs) forest.series.push_back(series_name(*run));
  if (std::any_of(forest.rows.begin(), forest.rows.end(), [](const auto& row) { return std::isfinite(row.reference); })) {
    forest.reference_label = "uniform responder (answers at random)";
  }
  fit_axis(forest);
  drop_idle_groups(forest.rows);
  forest.description = forest_description(forest);
  return figure(draw_forest(forest), forest_caption(runs, order));
}

/// Sorted by the first interpretable run's estimates, the reading that a circle does not give; what failed the gate is
/// never ranked, so without such a run theory's order stays. Returns the sentence that says which order it is.
std::string sort_group(EntryGroup& group, const std::vector<const ReportRun*>& runs) {
  const auto by = std::find_if(runs.begin(), runs.end(), [](const auto* run) { return !failed_gate(*run); });
  if (by == runs.end()) return " Rows are in the order of the theory: what is not interpretable is not ranked.";
  const auto value = [&](const ProfileEntry* entry) {
    const auto* found = (*by)->profile.find(entry->estimand.id);
    return found && std::isfinite(found->estimate.value) ? found->estimate.value : -std::numeric_limits<double>::infinity();
  };
  std::stable_sort(group.begin(), group.end(), [&](const auto* a, const auto* b) { return value(a) > value(b); });
  return fmt::format(" Rows are sorted by the estimates of {}.", (*by)->profile.subject);
}

Result<std::string> ring_figure(const std::vector<const ReportRun*>& runs, Ids& ids) {
  VALENCE_TRY(const auto ring, draw_ring(runs, ids.next("ring")));
  const auto induced = [](const ProfileEntry& entry) { return !entry.estimand.condition.empty(); };
  const bool letters = std::any_of(runs.begin(), runs.end(), [&](const auto* run) { return std::ranges::any_of(run->profile.entries, induced); });
  return figure(ring, fmt::format("The self–other plane of the slider measure. {}Every mark stands on a track of its own, with its 95 % interval as an arc: how far from "
                                  "the centre it is says nothing. Arrowheads outside the rim: the most extreme angles that real answers can reach, the target of each "
                                  "value. Small rings on the rim: the ideal types. Dashed: a subject that answers at random.",
                                  letters ? "Letters name the value that the subject was asked to adopt (A altruistic, P prosocial, I individualistic, C "
                                            "competitive; – none). "
                                          : ""));
}

Result<std::string> circle_figure(const std::vector<const ReportRun*>& runs, Ids& ids) {
  VALENCE_TRY(const auto circle, draw_circle(runs, ids.next("circle")));
  return figure(circle, "Neighbours on the circle are compatible, opposite values conflict. A mark further out: the value matters more; bar: 95 % interval. "
                        "Conformity and tradition share a wedge, tradition outside. The circle shows the theory; read figures off the sorted rows.");
}

}  // namespace

Result<std::string> pictures(const std::vector<const ReportRun*>& runs, Ids& ids) {
  std::string html = "<div class=\"pictures\">\n";
  VALENCE_TRY(const bool circle, stands_on_circle(runs));
  if (runs.front()->profile.space == "svo_ring") {
    VALENCE_TRY(const auto ring, ring_figure(runs, ids));
    html += ring;
  }
  if (circle) {
    VALENCE_TRY(const auto figure, circle_figure(runs, ids));
    html += figure;
  }
  for (auto group : axis_groups(runs)) {
    const auto order = circle ? sort_group(group, runs) : std::string();
    html += forest_of(runs, group, order, ids);
  }
  return html + "</div>\n";
}

}  // namespace valence::report
