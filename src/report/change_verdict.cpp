#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "change_panel.h"
#include "filed.h"
#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/report/study_report.h"
#include "wording.h"

namespace valence {
namespace {

using report::counted;
using report::estimate_of;
using report::figure_with_unit;
using report::number_at;

/// The figure alone, without its interval: "22.4°".
std::string value_with_unit(const Json& estimate, std::string_view unit) {
  Estimate alone;
  alone.value = number_at(estimate, "value");
  return figure_with_unit(alone, unit);
}

/// The first distance is the one that a sentence is made of: angle_distance of a ring, L1 of scores, or what was asked
/// for.
std::string moved_sentence(const MeasuredChange& change, const Json& gap) {
  const auto label = gap["label"].get<std::string>();
  const auto unit = gap.value("figure_unit", std::string());  // steps of older versions filed none
  const auto figures =
      fmt::format("{}: {} before, {} after, change {}", label, value_with_unit(gap["first"], unit),
                  value_with_unit(gap["second"], unit), figure_with_unit(estimate_of(gap), unit));
  const auto& nearer = gap["nearer"];
  if (nearer.is_null())
    return fmt::format("Whether {} is nearer to {} than before cannot be told ({}).", change.after.profile.subject,
                       change.target->label, figures);
  const bool after = nearer.get<RunId>() == change.after.record.id;
  return fmt::format("{} is {} {} than before ({}).", change.after.profile.subject,
                     after ? "nearer to" : "farther from", change.target->label, figures);
}

std::string change_text(const Difference& difference) {
  return fmt::format("change {}", figure_with_unit(difference.estimate, difference.estimand.unit));
}

/// "Benevolence rose (change 0.2 [0.1, 0.3])", for a change that is told from none.
std::string direction_text(const Difference& difference) {
  return fmt::format("{} {} ({})", row_label(difference.estimand), difference.estimate.value > 0.0 ? "rose" : "fell",
                     change_text(difference));
}

/// Its interval leaves 0 out and, where several figures were looked at, its p stays below .05 after correction for all
/// that were compared.
bool is_told(const Difference& difference, std::size_t of) {
  constexpr double kClaimLevel = 0.05;
  const auto& e = difference.estimate;
  const bool beyond = e.has_interval() && (e.low > 0.0 || e.high < 0.0);
  return beyond && (of == 1 || difference.p_holm < kClaimLevel);
}

/// The headline figures that both runs define.
std::vector<Difference> headline_changes(const MeasuredChange& change) {
  std::vector<Difference> changes;
  std::ranges::copy_if(change.differences, std::back_inserter(changes),
                       [](const auto& d) { return d.estimand.headline && std::isfinite(d.estimate.value); });
  return changes;
}

std::string nothing_told(const std::vector<Difference>& changes) {
  if (changes.size() == 1)
    return fmt::format("{} cannot be told from no change ({})", row_label(changes.front().estimand),
                       change_text(changes.front()));
  const auto largest = std::ranges::max_element(changes, {}, [](const auto& d) { return std::abs(d.estimate.value); });
  return fmt::format("none of {} figures can be told from no change (the largest: {}, {})", changes.size(),
                     row_label(largest->estimand), change_text(*largest));
}

/// Without a target: which headline figures changed.
std::string changed_sentence(const MeasuredChange& change) {
  const auto changes = headline_changes(change);
  if (changes.empty()) return fmt::format("{}: no figure could be compared.", change.name);
  std::vector<std::string> told;
  for (const auto& difference : changes) {
    if (is_told(difference, changes.size())) told.push_back(direction_text(difference));
  }
  const auto& subject = change.after.profile.subject;
  if (told.empty()) return fmt::format("{}: {}.", subject, nothing_told(changes));
  const auto others = changes.size() - told.size();
  constexpr std::size_t kNamed = 4;
  if (told.size() > kNamed) {
    const auto more = told.size() - kNamed;
    told.resize(kNamed);
    told.push_back(counted(more, "more figure") + " changed");
  }
  return fmt::format(
      "{}: {}{}.", subject, join(told, "; "),
      others == 0 ? "" : fmt::format("; {} cannot be told from no change", counted(others, "other figure")));
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

std::string headline(const StudyReport& report, const MeasuredChange& change) {
  const auto verdict = change_verdict(change);
  return report.changes.size() < 2 ? verdict : fmt::format("{}: {}", change.name, verdict);
}

std::string alignment_verdict(const ReportedAlignment& alignment) {
  const auto record = parse_json(alignment.record, alignment.name);
  if (!record || !record->contains("pair_accuracy")) return "";
  const auto& accuracy = (*record)["pair_accuracy"];
  const auto share = [&](const char* key) { return figure_text(estimate_of(accuracy[key])); };
  return fmt::format(
      "The reward that {} taught finds the better answer in {} of {} held-out pairs; against the rule \"{}\" the "
      "difference is {}.{}",
      alignment.method, share("reward"), with_thousands(accuracy["pairs"].get<std::size_t>()),
      accuracy["length_rule"].get<std::string>(), share("difference"), report::trained_on_text(accuracy));
}

}  // namespace valence
