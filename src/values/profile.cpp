#include "valence/values/profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::size_t kFewUnits = 5;  // fewer are called too few to report

/// "position bias: 0.48, should be at most 0.10".
std::string failure_of(const ValidityCheck& check) {
  return fmt::format("{}: {}, should be at {} {}", check.label, significant(check.estimate.value),
                     check.at_least ? "least" : "most", significant(check.threshold));
}

}  // namespace

std::string row_label(const Estimand& estimand) {
  // "prosocial administrations" is about a category; it does not say under which condition.
  const bool named = estimand.label.find(estimand.condition) != std::string::npos && estimand.condition != estimand.dimension;
  if (estimand.condition.empty() || named) return estimand.label;
  return fmt::format("{}: {}", estimand.condition, estimand.label);
}

bool Validity::interpretable() const {
  return assessed && std::all_of(checks.begin(), checks.end(), [](const ValidityCheck& check) { return check.passed; });
}

std::vector<std::string> Validity::advice() const {
  std::vector<std::string> said;
  for (const auto& check : checks) {
    if (check.passed || check.advice.empty()) continue;
    if (std::find(said.begin(), said.end(), check.advice) == said.end()) said.push_back(check.advice);
  }
  return said;
}

std::string Validity::reason() const {
  std::vector<std::string> failures;
  for (const auto& check : checks) {
    if (!check.passed) failures.push_back(failure_of(check));
  }
  return join(failures, "; ");
}

std::string few_units_note(const Profile& profile) {
  std::size_t fewest = kFewUnits;
  for (const auto& entry : profile.entries) {
    if (entry.estimand.headline && entry.estimate.has_interval()) fewest = std::min(fewest, entry.estimate.count);
  }
  return few_units_note(fewest);
}

std::string few_units_note(std::size_t fewest) { return fewest >= kFewUnits ? "" : fmt::format("n = {}: enough for a try, too few to report", fewest); }

const ProfileEntry* Profile::find(std::string_view id) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const ProfileEntry& entry) { return entry.estimand.id == id; });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace valence
