#include <utility>

#include "valence/instruments/measure.h"
#include "valence/stats/bootstrap.h"
#include "valence/stats/intervals.h"
#include "valence/stats/resample.h"

namespace valence {
namespace {

StatusCounts count_statuses(const AnswerTable& table) {
  StatusCounts counts;
  for (const auto& row : table.rows) {
    if (row.route == Route::kRead) continue;
    switch (row.status) {
      case Status::kScored: ++counts.scored; break;
      case Status::kRefused: ++counts.refused; break;
      case Status::kUnparseable: ++counts.unparseable; break;
      case Status::kError: ++counts.error; break;
    }
  }
  return counts;
}

Result<std::vector<double>> uniform_figures(const Instrument& instrument, const Settings& settings, const AnswerTable& table) {
  VALENCE_TRY(const auto estimator, instrument.prepare(uniform_responder(table), settings));
  if (!instrument.card().guessable) return std::vector<double>(estimator->estimands().size(), kUndefined);
  return estimator->estimate(std::vector<double>(estimator->units().size(), 1.0));
}

/// No bootstrap replicate of a share of 0 or 1 differs from it, which is not certainty.
bool is_share_without_spread(const Estimate& estimate, const Estimand& estimand) {
  const bool at_an_end = estimate.value == estimand.low || estimate.value == estimand.high;
  return estimate.has_interval() && estimate.low == estimate.high && at_an_end && estimand.low == 0.0 && estimand.high == 1.0;
}

}  // namespace

Result<stats::Replicates> replicate(const Estimator& estimator, const ProfileOptions& options) {
  const auto clusters = stats::cluster_ids(estimator.clusters());
  return stats::replicate([&](std::span<const double> weights) { return estimator.estimate(weights); },
                          estimator.units().size(), clusters, options.replicates, options.seed);
}

Result<Profile> profile_of(const Instrument& instrument, const Settings& settings, const AnswerTable& table,
                           std::string_view subject, const ProfileOptions& options) {
  VALENCE_TRY(const auto estimator, instrument.prepare(table, settings));
  VALENCE_TRY(const auto replicates, replicate(*estimator, options));
  auto estimates = stats::intervals(replicates, instrument.card().random_unit);
  const auto counts = estimator->unit_counts();
  for (std::size_t i = 0; i < counts.size(); ++i) estimates[i].count = counts[i];
  VALENCE_TRY(const auto uniform, uniform_figures(instrument, settings, table));

  Profile profile;
  profile.instrument = instrument.card().id;
  VALENCE_TRY(profile.space, instrument.space(settings));
  profile.subject = subject;
  profile.statuses = count_statuses(table);
  const auto& estimands = estimator->estimands();
  const auto systematic = estimator->systematic();
  for (std::size_t i = 0; i < estimands.size(); ++i) {
    if (is_share_without_spread(estimates[i], estimands[i])) {
      estimates[i] = stats::wilson(estimates[i].value * static_cast<double>(estimates[i].count), estimates[i].count, instrument.card().random_unit);
    }
    const auto estimate = within(estimates[i], estimands[i].low, estimands[i].high);
    profile.entries.push_back(
        {estimands[i], estimate, uniform[i], replicates.column(i), systematic.empty() ? 0.0 : systematic[i]});
  }
  return profile;
}

Result<UnitValues> unit_values(const Instrument& instrument, const Settings& settings, const AnswerTable& table) {
  VALENCE_TRY(const auto estimator, instrument.prepare(table, settings));
  UnitValues values;
  const auto count = estimator->units().size();
  for (std::size_t unit = 0; unit < count; ++unit) {
    std::vector<double> alone(count, 0.0);
    alone[unit] = 1.0;
    const auto estimates = estimator->estimate(alone);
    for (std::size_t i = 0; i < estimates.size(); ++i) values[estimator->estimands()[i].id].push_back(estimates[i]);
  }
  return values;
}

}  // namespace valence
