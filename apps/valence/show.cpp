#include "show.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "valence/base/table.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::size_t kBarWidth = 32;

std::string bar_of(const ProfileEntry& entry, const Terminal& terminal) {
  const auto& [estimand, estimate] = std::tie(entry.estimand, entry.estimate);
  if (!std::isfinite(estimand.low) || !std::isfinite(estimand.high) || !std::isfinite(estimate.value)) return "";
  const bool interval = estimate.has_interval();
  return draw({.low = interval ? estimate.low : estimate.value, .value = estimate.value,
               .high = interval ? estimate.high : estimate.value, .axis_low = estimand.low, .axis_high = estimand.high,
               .reference = entry.uniform}, kBarWidth, !terminal.unicode);
}

/// With what an evaluator may be off by beside it.
std::string interval_of(const ProfileEntry& entry) {
  const auto interval = interval_text(entry.estimate);
  return entry.systematic > 0.0 ? fmt::format("{} ± {}", interval, significant(entry.systematic)) : interval;
}

std::string status_text(const StatusCounts& counts) {
  if (counts.scored == counts.total()) return fmt::format("{} answers, all scored", with_thousands(counts.total()));
  return fmt::format("{} answers: {} scored, {} refused, {} unparseable, {} errors", with_thousands(counts.total()),
                     counts.scored, counts.refused, counts.unparseable, counts.error);
}

bool is_read(const Profile& profile) {
  return std::any_of(profile.entries.begin(), profile.entries.end(), [](const auto& entry) { return entry.systematic > 0.0; });
}

std::string verdict_line(const Validity& validity, const Terminal& terminal) {
  if (!validity.assessed) return fmt::format("  validity: not assessed ({})\n", validity.note);
  const auto how = validity.note.empty() ? "" : fmt::format(" ({})", validity.note);
  if (validity.interpretable()) return fmt::format("  validity: {}{}\n", styled("passed every check", Style::kGood, terminal), how);
  return fmt::format("  {}: {}{}\n", styled("NOT INTERPRETABLE", Style::kBad, terminal), validity.reason(), how);
}

std::string advice_lines(const Validity& validity) {
  std::string text;
  for (const auto& one : validity.advice()) text += fmt::format("  try: {}\n", one);
  return text;
}

}  // namespace

std::string profile_text(const Profile& profile, const Instrument& instrument, const Terminal& terminal, bool all) {
  TextTable table({{"", Align::kLeft}, {"estimate", Align::kRight}, {"95 % interval", Align::kLeft},
                   {"n", Align::kRight}, {"uniform", Align::kRight}, {"", Align::kLeft}});
  for (const auto& entry : profile.entries) {
    if (!all && !entry.estimand.headline) continue;
    const auto unit = entry.estimand.unit.empty() ? "" : " " + entry.estimand.unit;
    table.add({row_label(entry.estimand), significant(entry.estimate.value) + unit, interval_of(entry),
               std::to_string(entry.estimate.count), significant(entry.uniform), bar_of(entry, terminal)});
  }
  std::string text = fmt::format("{}\n\n", styled(fmt::format("{} of {}", instrument.card().title, profile.subject),
                                                  Style::kBold, terminal));
  text += table.text();
  if (is_read(profile)) text += "\n  ±: error of the evaluator on a responder that it never saw (95 %)";
  text += fmt::format("\n  {}; random unit: {} (n of them)\n", status_text(profile.statuses), instrument.card().random_unit);
  if (const auto few = few_units_note(profile); !few.empty()) text += fmt::format("  {}\n", few);
  return text + verdict_line(profile.validity, terminal) + advice_lines(profile.validity);
}

std::string validity_text(const Validity& validity, const Terminal& terminal) {
  TextTable table({{"check", Align::kLeft}, {"estimate", Align::kRight}, {"threshold", Align::kRight}, {"", Align::kLeft}});
  for (const auto& check : validity.checks) {
    table.add({check.label, figure_text(check.estimate),
               fmt::format("{} {}", check.at_least ? "at least" : "at most", significant(check.threshold)),
               styled(check.passed ? "passed" : "failed", check.passed ? Style::kGood : Style::kBad, terminal)});
  }
  return table.text();
}

}  // namespace valence
