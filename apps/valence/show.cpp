#include "show.h"

#include <cmath>

#include "valence/base/table.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::size_t kBarWidth = 32;

std::string bar_of(const ProfileEntry& entry, const Terminal& terminal) {
  const auto& [estimand, estimate, uniform, replicates] = entry;
  if (!std::isfinite(estimand.low) || !std::isfinite(estimand.high) || !std::isfinite(estimate.value)) return "";
  const bool interval = estimate.has_interval();
  return draw({.low = interval ? estimate.low : estimate.value, .value = estimate.value,
               .high = interval ? estimate.high : estimate.value, .axis_low = estimand.low, .axis_high = estimand.high,
               .reference = uniform}, kBarWidth, !terminal.unicode);
}

std::string status_text(const StatusCounts& counts) {
  if (counts.scored == counts.total()) return fmt::format("{} answers, all scored", with_thousands(counts.total()));
  return fmt::format("{} answers: {} scored, {} refused, {} unparseable, {} errors", with_thousands(counts.total()),
                     counts.scored, counts.refused, counts.unparseable, counts.error);
}

std::string verdict_line(const Validity& validity, const Terminal& terminal) {
  if (!validity.assessed) return fmt::format("  validity: not assessed ({})\n", validity.note);
  if (validity.interpretable()) return fmt::format("  validity: {}\n", styled("passed every check", Style::kGood, terminal));
  return fmt::format("  {}: {}\n", styled("NOT INTERPRETABLE", Style::kBad, terminal), validity.reason());
}

std::string advice_lines(const Validity& validity) {
  std::string text;
  for (const auto& check : validity.checks) {
    if (!check.passed && !check.advice.empty()) text += fmt::format("  try: {}\n", check.advice);
  }
  return text;
}

}  // namespace

std::string profile_text(const Profile& profile, const Instrument& instrument, const Terminal& terminal, bool all) {
  TextTable table({{"", Align::kLeft}, {"estimate", Align::kRight}, {"95 % interval", Align::kLeft},
                   {"n", Align::kRight}, {"uniform", Align::kRight}, {"", Align::kLeft}});
  for (const auto& entry : profile.entries) {
    if (!all && !entry.estimand.headline) continue;
    const auto unit = entry.estimand.unit.empty() ? "" : " " + entry.estimand.unit;
    table.add({row_label(entry.estimand), significant(entry.estimate.value) + unit, interval_text(entry.estimate),
               std::to_string(entry.estimate.count), significant(entry.uniform), bar_of(entry, terminal)});
  }
  std::string text = fmt::format("{}\n\n", styled(fmt::format("{} of {}", instrument.card().title, profile.subject),
                                                  Style::kBold, terminal));
  text += table.text();
  text += fmt::format("\n  {}; random unit: {}\n", status_text(profile.statuses), instrument.card().random_unit);
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
