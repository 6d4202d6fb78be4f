#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "valence/base/text.h"
#include "valence/report/report.h"
#include "wording.h"

namespace valence {
namespace {

using Entries = std::vector<const ProfileEntry*>;

Entries headline_entries(const Profile& profile) {
  Entries entries;
  for (const auto& entry : profile.entries) {
    if (entry.estimand.headline && std::isfinite(entry.estimate.value)) entries.push_back(&entry);
  }
  return entries;
}

/// All units alike give an interval of no width, which says nothing about how sure the figure is.
bool can_be_told(const ProfileEntry& entry) {
  constexpr double kRounding = 1e-9;
  return entry.estimate.has_interval() && entry.estimate.high - entry.estimate.low > kRounding && std::isfinite(entry.uniform);
}

bool away_from_uniform(const ProfileEntry& entry) {
  const auto& e = entry.estimate;
  return can_be_told(entry) && (e.low > entry.uniform || e.high < entry.uniform);
}

bool overlap(const Estimate& a, const Estimate& b) { return !a.has_interval() || !b.has_interval() || (a.low <= b.high && b.low <= a.high); }

std::string figure_of(const ProfileEntry& entry) { return report::figure_with_unit(entry.estimate, entry.estimand.unit); }

/// What stands out from a subject without values, and what does not; silent when there are no intervals to tell by.
std::string against_uniform(const Entries& entries) {
  const auto told = std::count_if(entries.begin(), entries.end(), [](const auto* entry) { return can_be_told(*entry); });
  if (told == 0) return "";
  const auto apart = std::count_if(entries.begin(), entries.end(), [](const auto* entry) { return away_from_uniform(*entry); });
  if (told == 1) return fmt::format(" That is {}distinguishable from a subject that answers at random ({}).", apart == 1 ? "" : "not ", significant(entries.front()->uniform));
  if (apart == told) return fmt::format(" All {} figures can be told from a subject that answers at random.", told);
  return fmt::format(" {} of these {} figures can be told from a subject that answers at random.", apart, told);
}

std::pair<const ProfileEntry*, const ProfileEntry*> extremes(const Entries& entries) {
  const auto [low, high] = std::minmax_element(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->estimate.value < b->estimate.value; });
  return {*low, *high};
}

std::string asked(const ProfileEntry& entry) {
  const auto& condition = entry.estimand.condition;
  return condition.empty() || condition == "plain" ? "asked for no value" : "asked to be " + condition;
}

std::string ring_finding(const Entries& entries) {
  if (entries.size() == 1) return fmt::format("{}: {}.{}", row_label(entries.front()->estimand), figure_of(*entries.front()), against_uniform(entries));
  const auto [low, high] = extremes(entries);
  const auto how = overlap(low->estimate, high->estimate) ? "divides coins much the same whatever value it is asked to adopt, as far as these answers can tell"
                                                          : "divides coins differently by the value it is asked to adopt";
  return fmt::format("{}: from {} ({}) to {} ({}).{}", how, figure_of(*low), asked(*low), figure_of(*high), asked(*high), against_uniform(entries));
}

std::string circle_finding(const Entries& entries) {
  const auto [low, high] = extremes(entries);
  const auto hedge = overlap(low->estimate, high->estimate) ? " These two cannot be told apart, so no order of the values is shown." : "";
  return fmt::format("highest {} {}, lowest {} {}.{}{}", row_label(high->estimand), figure_of(*high), row_label(low->estimand), figure_of(*low), hedge,
                     against_uniform(entries));
}

std::string plain_finding(const Entries& entries) {
  return fmt::format("{} {}.{}", row_label(entries.front()->estimand), figure_of(*entries.front()), against_uniform(entries));
}

/// The sentence about the figures.
std::string finding(const ReportRun& run) {
  const auto& profile = run.profile;
  auto own = run.instrument->finding(profile);
  if (!own.empty()) return own;
  const auto entries = headline_entries(profile);
  if (entries.empty()) return "no figure could be computed.";
  if (profile.space == "svo_ring") return ring_finding(entries);
  if (profile.space == "schwartz10" && entries.size() > 1) return circle_finding(entries);
  return plain_finding(entries);
}

}  // namespace

std::string verdict(const ReportRun& run) {
  const auto& profile = run.profile;
  const auto who = run.simulated ? fmt::format("{} (a simulated subject of known truth)", profile.subject) : profile.subject;
  if (!profile.validity.assessed) return fmt::format("{}: {} Validity was not assessed: {}.", who, finding(run), profile.validity.note);
  if (!profile.validity.interpretable()) {
    return fmt::format("Not interpretable: what {} answered does not show its values ({}).", who, profile.validity.reason());
  }
  return fmt::format("{}: {}", who, finding(run));
}

}  // namespace valence
