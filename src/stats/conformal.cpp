#include "valence/stats/conformal.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "valence/stats/intervals.h"

namespace valence::stats {
namespace {

/// Keeps (n + 1)·0.9 = 9.000000000000002 from becoming 10.
constexpr double kCeilSlack = 1e-9;

std::size_t hits_of(const std::vector<std::size_t>& set, std::size_t truth) {
  return static_cast<std::size_t>(std::count(set.begin(), set.end(), truth));
}

}  // namespace

double conformal_quantile(std::vector<double> scores, double coverage) {
  const double rank = std::ceil(static_cast<double>(scores.size() + 1) * coverage - kCeilSlack);
  if (rank > static_cast<double>(scores.size())) return std::numeric_limits<double>::infinity();
  const auto nth = scores.begin() + static_cast<std::ptrdiff_t>(rank) - 1;
  std::nth_element(scores.begin(), nth, scores.end());
  return *nth;
}

Result<ConformalThresholds> conformal_thresholds(std::span<const double> probability,
                                                 std::span<const std::size_t> truth, std::size_t classes,
                                                 double coverage, ConformalCoverage kind) {
  if (probability.size() != truth.size() * classes || truth.empty()) {
    return fail(ErrorCode::kWrongCount,
                "conformal sets need {} probabilities per calibration case; got {} for {} cases", classes,
                probability.size(), truth.size());
  }
  if (!(coverage > 0.0 && coverage < 1.0)) {
    return fail(ErrorCode::kInvalid, "a conformal coverage of {} is outside (0, 1)", coverage);
  }
  std::vector<std::vector<double>> scores(kind == ConformalCoverage::kPerClass ? classes : 1);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    auto& group = scores[kind == ConformalCoverage::kPerClass ? truth[i] : 0];
    group.push_back(1.0 - probability[i * classes + truth[i]]);
  }
  ConformalThresholds thresholds{coverage, {}, {}};
  for (std::size_t c = 0; c < classes; ++c) {
    const auto& group = scores[scores.size() == 1 ? 0 : c];
    thresholds.threshold.push_back(conformal_quantile(group, coverage));
    thresholds.calibration.push_back(group.size());
  }
  return thresholds;
}

std::vector<std::size_t> conformal_set(std::span<const double> probability, const ConformalThresholds& thresholds) {
  std::vector<std::size_t> set;
  for (std::size_t c = 0; c < probability.size(); ++c) {
    if (1.0 - probability[c] <= thresholds.threshold[c]) set.push_back(c);
  }
  return set;
}

ConformalFigures conformal_figures(std::span<const double> probability, std::span<const std::size_t> truth,
                                   const ConformalThresholds& thresholds, double level) {
  const auto classes = thresholds.threshold.size();
  std::vector<std::size_t> cases(classes, 0), hits(classes, 0);
  std::size_t size = 0, singletons = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto set = conformal_set(probability.subspan(i * classes, classes), thresholds);
    ++cases[truth[i]];
    hits[truth[i]] += hits_of(set, truth[i]);
    size += set.size();
    singletons += set.size() == 1 ? 1 : 0;
  }
  ConformalFigures figures;
  std::size_t all_hits = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    figures.by_class.push_back(wilson(static_cast<double>(hits[c]), cases[c], "case", level));
    all_hits += hits[c];
  }
  figures.coverage = wilson(static_cast<double>(all_hits), truth.size(), "case", level);
  const auto n = static_cast<double>(truth.size());
  figures.mean_size = static_cast<double>(size) / n;
  figures.singletons = static_cast<double>(singletons) / n;
  return figures;
}

}  // namespace valence::stats
