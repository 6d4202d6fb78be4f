#include "valence/instruments/say_do.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "valence/base/text.h"
#include "valence/stats/correlation.h"
#include "valence/stats/distribution.h"
#include "valence/stats/reliability.h"
#include "valence/values/space.h"

namespace valence {
namespace {

constexpr std::size_t kPermutations = 9999;

/// One side, made ready to be reweighted.
struct Side {
  std::unique_ptr<Estimator> estimator;
  std::map<std::string, std::size_t> place;  // dimension → estimand

  std::vector<double> figures(std::span<const double> weights, const std::vector<std::string>& dimensions) const {
    const auto all = estimator->estimate(weights);
    std::vector<double> values;
    for (const auto& dimension : dimensions) values.push_back(all[place.at(dimension)]);
    return values;
  }
  std::vector<double> figures(const std::vector<std::string>& dimensions) const {
    return figures(std::vector<double>(estimator->units().size(), 1.0), dimensions);
  }
};

Result<Side> side_of(const Instrument& instrument, const ComparedRun& run, std::string_view convention, std::string_view what) {
  Side side;
  VALENCE_TRY(side.estimator, instrument.prepare(*run.answers, *run.settings));
  const auto& estimands = side.estimator->estimands();
  for (std::size_t i = 0; i < estimands.size(); ++i) {
    if (estimands[i].condition == convention && !estimands[i].dimension.empty()) side.place.emplace(estimands[i].dimension, i);
  }
  if (!side.place.empty()) return side;
  return fail(ErrorCode::kUsage, "{} has no {} scores per value, so it cannot stand for what a subject {}: first a run of questionnaire, then one of fulcra",
              instrument.card().id, convention, what);
}

Result<std::string> common_space(const Instrument& a, const ComparedRun& says, const Instrument& b, const ComparedRun& does) {
  VALENCE_TRY(const auto first, a.space(*says.settings));
  VALENCE_TRY(const auto second, b.space(*does.settings));
  if (first == second) return first;
  return fail(ErrorCode::kUsage, "one run lives in {}, the other in {}: what is said and what is done must be of the same values", first, second);
}

struct Common {
  std::vector<std::string> dimensions, left_out;
};

Result<Common> common_dimensions(const Space& space, const Side& says, const Side& does) {
  Common common;
  for (const auto& dimension : space.dimensions) {
    const std::vector<std::string> one = {dimension.id};
    const bool both = says.place.contains(dimension.id) && does.place.contains(dimension.id) && std::isfinite(says.figures(one)[0]) &&
                      std::isfinite(does.figures(one)[0]);
    (both ? common.dimensions : common.left_out).push_back(dimension.id);
  }
  if (common.dimensions.size() >= kFewestSayDo) return common;
  return fail(ErrorCode::kUsage, "only {} values are defined in both runs, and an order needs {}; undefined: {}. Put more prompts to the subject, or lower --fewest",
              common.dimensions.size(), kFewestSayDo, join(common.left_out, ", "));
}

std::vector<double> ipsatised(std::vector<double> values) {
  const double mean = stats::mean(values);
  for (auto& value : values) value -= mean;
  return values;
}

/// 1 for the highest.
std::vector<double> ranks_from_top(std::vector<double> values) {
  for (auto& value : values) value = -value;
  return stats::mid_ranks(values);
}

std::vector<SayDoRow> rows_of(const std::vector<std::string>& dimensions, const std::vector<double>& says, const std::vector<double>& does) {
  const auto a = ipsatised(says), b = ipsatised(does), rank_a = ranks_from_top(says), rank_b = ranks_from_top(does);
  std::vector<SayDoRow> rows;
  for (std::size_t i = 0; i < dimensions.size(); ++i) rows.push_back({dimensions[i], a[i], b[i], rank_a[i], rank_b[i]});
  std::stable_sort(rows.begin(), rows.end(), [](const auto& x, const auto& y) { return x.says_rank < y.says_rank; });
  return rows;
}

stats::ResampledProfile resampled(const Side& side, const std::vector<std::string>& dimensions) {
  return {[&](std::span<const double> weights) { return side.figures(weights, dimensions); }, side.estimator->units().size(),
          stats::cluster_ids(side.estimator->clusters())};
}

}  // namespace

Result<SayDo> say_do(const Instrument& says_by, const ComparedRun& says, const Instrument& does_by, const ComparedRun& does,
                     const ProfileOptions& options) {
  VALENCE_TRY(const auto said, side_of(says_by, says, "centred", "says of itself"));
  VALENCE_TRY(const auto done, side_of(does_by, does, "unit", "does"));
  VALENCE_TRY(const auto id, common_space(says_by, says, does_by, does));
  VALENCE_TRY(const auto space, load_space(id));
  VALENCE_TRY(const auto common, common_dimensions(space, said, done));
  const auto& dimensions = common.dimensions;
  const auto says_figures = said.figures(dimensions), does_figures = done.figures(dimensions);
  const auto unit = fmt::format("{} and {}", says_by.card().random_unit, does_by.card().random_unit);
  VALENCE_TRY(const auto agreement, stats::correlate_profiles(resampled(said, dimensions), resampled(done, dimensions), kFewestSayDo, unit,
                                                              options.replicates, options.seed));
  SayDo result;
  result.rows = rows_of(dimensions, says_figures, does_figures);
  result.left_out = common.left_out;
  result.spearman = agreement.spearman;
  result.disattenuated = agreement.disattenuated;
  result.says_reliability = agreement.first_reliability;
  result.does_reliability = agreement.second_reliability;
  result.p = stats::spearman_permutation_p(says_figures, does_figures, kPermutations, options.seed);
  return result;
}

}  // namespace valence
