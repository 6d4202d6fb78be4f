#include "gap_show.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "show.h"
#include "valence/base/node.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/values/gap_measures.h"
#include "valence/values/space_map.h"

namespace valence {
namespace {

const GapFigure* find(const TargetGap& gap, std::string_view id) {
  const auto found =
      std::find_if(gap.figures.begin(), gap.figures.end(), [&](const GapFigure& f) { return f.estimand.id == id; });
  return found == gap.figures.end() ? nullptr : &*found;
}

/// A perfect masked reward can mean that nothing was touched.
std::string coverage_line(const ReportRun& run, const TargetGap& gap) {
  const auto* reward = find(gap, "fulcra_reward");
  const auto* coverage = find(gap, "fulcra_coverage");
  if (reward == nullptr || coverage == nullptr) return "";
  const auto share = figure_text(coverage->estimate);
  if (coverage->estimate.value == 0.0) {
    return fmt::format("  run {}: the masked reward is perfect because nothing that the target cares about is touched "
                       "(share {}): this is evasion, not alignment\n", run.record.id, share);
  }
  return fmt::format("  run {}: the masked reward looked at {} of the target; what is not touched costs nothing there\n",
                     run.record.id, share);
}

std::string scope_line(const TargetGap& gap, const std::string& unit) {
  constexpr std::size_t kNamed = 12;
  const bool of_questions = gap.convention == "distributions";
  auto text = fmt::format("\n  convention: {}; {} compared: {}; random unit: {}\n", gap.convention,
                          of_questions ? "questions" : "dimensions", gap.dimensions.size(), unit);
  if (gap.unmeasured.size() > kNamed) {
    text += fmt::format("  left out of every distance, since the run has no answer to them: {} questions\n", gap.unmeasured.size());
  } else if (!gap.unmeasured.empty()) {
    text += fmt::format("  left out of every distance, since the run has no figure for it: {}\n", join(gap.unmeasured, ", "));
  }
  return text;
}

std::string reason_of(const Validity& validity) { return validity.assessed ? validity.reason() : validity.note; }

std::string standing_line(const ReportRun& run, const Terminal& terminal) {
  const auto& validity = run.profile.validity;
  if (validity.interpretable()) return "";
  return fmt::format("  run {} is {} ({}): this gap says nothing about values and ranks nobody\n", run.record.id,
                     styled("NOT INTERPRETABLE", Style::kBad, terminal), reason_of(validity));
}

std::string name_of(const ReportRun& run) { return fmt::format("run {} ({})", run.record.id, run.record.subject); }

std::string nearer_text(const ReportRun& first, const ReportRun& second, const GapDifference& gap) {
  const int side = nearer_run(first, second, gap);
  return side == 0 ? "" : fmt::format("run {}", side == 1 ? first.record.id : second.record.id);
}

}  // namespace

std::string reading_note(const ReportRun& run) {
  const auto& entries = run.profile.entries;
  const bool read = std::any_of(entries.begin(), entries.end(), [](const auto& entry) { return entry.systematic > 0.0; });
  return read ? fmt::format("  run {} was read by an evaluator: its own error (± in the profile) is not in these intervals\n", run.record.id) : "";
}

std::string map_help() {
  return "map the target first: centre, from_1_6, to_1_6, or a map of spaces (docs/targets.md)";
}

std::string distance_help() {
  std::vector<std::string> ids;
  for (const auto& measure : gap_measures()) ids.emplace_back(measure.id);
  return fmt::format("only this distance (repeatable): {}; for angles angle_distance, value_rationality", join(ids, ", "));
}

std::string gap_text(const ReportRun& run, const Target& target, const TargetGap& gap, const Terminal& terminal) {
  const auto title = fmt::format("Gap of {} to {}: {}", name_of(run), target.id, target.label);
  TextTable table({{"", Align::kLeft}, {"estimate", Align::kRight}, {"95 % interval", Align::kLeft}, {"n", Align::kRight},
                   {"at best", Align::kRight}, {"cannot tell", Align::kLeft}});
  for (const auto& figure : gap.figures) {
    const auto& [estimand, estimate, agreement, noise, blind] = figure;
    table.add({estimand.label, significant(estimate.value) + (estimand.unit.empty() ? "" : " " + estimand.unit),
               interval_text(estimate), std::to_string(estimate.count),
               significant(agreement ? estimand.high : estimand.low), std::string(blind)});
  }
  return fmt::format("{}\n\n{}", styled(title, Style::kBold, terminal), table.text()) +
         scope_line(gap, run.instrument->card().random_unit) + coverage_line(run, gap) + reading_note(run) + standing_line(run, terminal);
}

std::string compared_gap_text(const ReportRun& first, const ReportRun& second, const Target& target,
                              const ComparedGap& gaps, const Terminal& terminal) {
  const auto title = fmt::format("Gap to {} ({}): {} minus {}", target.id, target.label, name_of(second), name_of(first));
  TextTable table({{"", Align::kLeft}, {fmt::format("run {}", first.record.id), Align::kRight},
                   {fmt::format("run {}", second.record.id), Align::kRight}, {"difference", Align::kRight},
                   {"95 % interval", Align::kLeft}, {"p", Align::kRight}, {"p (Holm)", Align::kRight}, {"cut by", Align::kLeft},
                   {"nearer", Align::kLeft}});
  for (std::size_t i = 0; i < gaps.differences.size(); ++i) {
    const auto& d = gaps.differences[i].difference;
    const auto& a = gaps.first.figures[i].estimate;
    const auto& b = gaps.second.figures[i].estimate;
    table.add({d.estimand.label, significant(a.value), significant(b.value), significant(d.estimate.value),
               interval_text(d.estimate), significant(d.p, 2), significant(d.p_holm, 2), percent_text(gaps.differences[i].cut),
               nearer_text(first, second, gaps.differences[i])});
  }
  const auto& unit = first.instrument->card().random_unit;
  const bool paired = gaps.differences.empty() || gaps.differences.front().difference.paired;
  return fmt::format("{}\n\n{}{}", styled(title, Style::kBold, terminal), table.text(), scope_line(gaps.first, unit)) +
         fmt::format("  {} over {}s; p corrected for {} distances (Holm)\n", paired ? "paired" : "unpaired", unit,
                     gaps.differences.size()) +
         coverage_line(first, gaps.first) + coverage_line(second, gaps.second) + standing_line(first, terminal) +
         standing_line(second, terminal);
}

}  // namespace valence
