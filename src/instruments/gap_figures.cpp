#include "gap_figures.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "valence/stats/bootstrap.h"
#include "valence/stats/compare.h"
#include "valence/stats/distribution.h"

namespace valence {
namespace {

double noise_of(const std::vector<double>& replicates, double value) {
  std::vector<double> defined;
  std::copy_if(replicates.begin(), replicates.end(), std::back_inserter(defined), [](double x) { return !std::isnan(x); });
  return stats::mean(defined) - value;
}

constexpr double kRounding = 1e-12;  // a distance below it is none

double cut_of(double first, double second) { return first > kRounding ? 1.0 - second / first : kUndefined; }

std::vector<double> cuts_of(const std::vector<double>& first, const std::vector<double>& second) {
  std::vector<double> cuts;
  std::ranges::transform(first, second, std::back_inserter(cuts), cut_of);
  return cuts;
}

/// Of two runs whose replicates have the same weights.
std::vector<Estimate> cut_estimates(const stats::Replicates& first, const stats::Replicates& second, std::string_view unit) {
  auto cuts = first;
  cuts.point = cuts_of(first.point, second.point);
  cuts.values = cuts_of(first.values, second.values);
  cuts.jackknife = cuts_of(first.jackknife, second.jackknife);
  return stats::intervals(cuts, unit);
}

Result<std::vector<GapDifference>> differences(const EvaluatedGap& a, const EvaluatedGap& b, bool paired, std::string_view unit) {
  VALENCE_TRY(const auto comparisons, paired ? stats::compare_paired(a.replicates, b.replicates, unit)
                                             : stats::compare_independent(a.replicates, b.replicates, unit));
  std::vector<double> p;
  for (const auto& comparison : comparisons) p.push_back(comparison.p);
  const auto corrected = stats::holm(p);
  const auto cuts = paired ? cut_estimates(a.replicates, b.replicates, unit) : std::vector<Estimate>();
  std::vector<GapDifference> all;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const auto& [estimand, agreement, blind] = a.distances[i];
    all.push_back({{estimand, comparisons[i].difference, p[i], corrected[i], paired}, agreement,
                   paired && !agreement ? cuts[i] : Estimate{}});
  }
  return all;
}

}  // namespace

std::vector<GapFigure> figures_of(const std::vector<Distance>& distances, std::size_t count, const stats::Replicates& replicates,
                                  std::string_view unit) {
  auto estimates = stats::intervals(replicates, unit);
  std::vector<GapFigure> figures;
  for (std::size_t i = 0; i < distances.size(); ++i) {
    const auto& [estimand, agreement, blind] = distances[i];
    estimates[i].count = count;
    figures.push_back({estimand, within(estimates[i], estimand.low, estimand.high), agreement,
                       noise_of(replicates.column(i), estimates[i].value), blind});
  }
  return figures;
}

bool same_units(const Estimator& a, const Estimator& b) { return a.units() == b.units() && a.clusters() == b.clusters(); }

Result<ComparedGap> compared_gap(EvaluatedGap first, EvaluatedGap second, bool paired, std::string_view unit) {
  VALENCE_TRY(auto all, differences(first, second, paired, unit));
  return ComparedGap{std::move(first.gap), std::move(second.gap), std::move(all)};
}

}  // namespace valence
