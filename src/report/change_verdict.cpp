#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/report/study_report.h"
#include "wording.h"

namespace valence {
namespace {

/// The first distance is the one that a sentence is made of: angle_distance of a ring, L1 of scores, or what was asked
/// for.
std::string moved_sentence(const MeasuredChange& change, const Json& gap) {
  const auto number = [](const Json& json, const char* key) {
    return json[key].is_number() ? json[key].get<double>() : kUndefined;
  };
  Estimate difference;
  difference.value = number(gap, "value");
  difference.low = number(gap, "low");
  difference.high = number(gap, "high");
  const auto label = gap["label"].get<std::string>();
  const auto figures =
      fmt::format("{}: {} before, {} after, change {}", label, significant(number(gap["first"], "value")),
                  significant(number(gap["second"], "value")), figure_text(difference));
  const auto& nearer = gap["nearer"];
  if (nearer.is_null())
    return fmt::format("Whether {} is nearer to {} than before cannot be told ({}).", change.after.profile.subject,
                       change.target->label, figures);
  const bool after = nearer.get<RunId>() == change.after.record.id;
  return fmt::format("{} is {} {} than before ({}).", change.after.profile.subject,
                     after ? "nearer to" : "farther from", change.target->label, figures);
}

/// Without a target: the first headline figure, and whether its change can be told from none.
std::string changed_sentence(const MeasuredChange& change) {
  const auto first = std::find_if(change.differences.begin(), change.differences.end(),
                                  [](const auto& d) { return d.estimand.headline; });
  if (first == change.differences.end()) return fmt::format("{}: no figure could be compared.", change.name);
  const auto& e = first->estimate;
  const bool told = e.has_interval() && (e.low > 0.0 || e.high < 0.0);
  const auto how = !told ? "cannot be told from no change" : e.value > 0.0 ? "rose" : "fell";
  return fmt::format("{}: {} {} (change {}).", change.after.profile.subject, row_label(first->estimand), how,
                     figure_text(e));
}

std::string gate_reason(const ReportRun& run) {
  return run.profile.validity.assessed ? run.profile.validity.reason() : run.profile.validity.note;
}

}  // namespace

std::string change_verdict(const MeasuredChange& change) {
  for (const auto* run : {&change.before, &change.after}) {
    if (!report::failed_gate(*run)) continue;
    return fmt::format(
        "Not interpretable: what {} answered does not show its values ({}), so nothing is said about a change.",
        run->profile.subject, gate_reason(*run));
  }
  if (!change.target) return changed_sentence(change);
  const auto json = parse_json(change.gap, change.name);
  if (!json || (*json)["gaps"].empty())
    return fmt::format("{}: no distance from {} could be computed.", change.name, change.target->label);
  return moved_sentence(change, (*json)["gaps"].front());
}

}  // namespace valence
