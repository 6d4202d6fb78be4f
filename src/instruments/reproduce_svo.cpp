#include <algorithm>
#include <cmath>

#include "svo_answers.h"
#include "svo_estimator.h"
#include "svo_lattice.h"
#include "valence/base/csv.h"
#include "valence/base/text.h"
#include "valence/instruments/reproduce.h"
#include "valence/instruments/svo.h"

namespace valence {
namespace {

/// The one text that most computations take.
Result<std::string> argument(const Node& fact) {
  VALENCE_TRY(const auto arguments, fact.at("arguments"));
  return arguments.as_string();
}

/// Two texts, for computations that take more: "AIIAEI prosocial".
Result<std::pair<std::string, std::string>> two_arguments(const Node& fact) {
  VALENCE_TRY(const auto text, argument(fact));
  const auto parts = split(text, " ");
  if (parts.size() != 2) return tl::unexpected(fact.error("\"arguments\" should be two words"));
  return std::pair{parts[0], parts[1]};
}

Result<double> angle_of_letters(const Node& fact) {
  VALENCE_TRY(const auto measure, load_svo_measure());
  VALENCE_TRY(const auto letters, argument(fact));
  VALENCE_TRY(const auto chosen, svo_allocations(measure.primary(), letters));
  return svo_angle(chosen);
}

/// The boundary between two neighbouring ideal responders.
Result<double> midpoint_of_angles(const Node& fact) {
  VALENCE_TRY(const auto words, two_arguments(fact));
  VALENCE_TRY(const auto measure, load_svo_measure());
  VALENCE_TRY(const auto one, svo_allocations(measure.primary(), words.first));
  VALENCE_TRY(const auto other, svo_allocations(measure.primary(), words.second));
  VALENCE_TRY(const auto one_angle, svo_angle(one));
  VALENCE_TRY(const auto other_angle, svo_angle(other));
  return (one_angle + other_angle) / 2.0;
}

std::vector<double> every_angle(const SvoMeasure& measure) { return PayoffLattice(measure.primary()).angles(); }

Result<double> smallest_angle(const Node&) {
  VALENCE_TRY(const auto measure, load_svo_measure());
  return std::ranges::min(every_angle(measure));
}

Result<double> largest_angle(const Node&) {
  VALENCE_TRY(const auto measure, load_svo_measure());
  return std::ranges::max(every_angle(measure));
}

/// How many of the 9^6 answer vectors fall into a category.
Result<double> category_count(const Node& fact) {
  VALENCE_TRY(const auto measure, load_svo_measure());
  VALENCE_TRY(const auto name, argument(fact));
  VALENCE_TRY(const auto category, svo_category_from(name));
  const PayoffLattice lattice(measure.primary());
  const auto counts = lattice.distribution(std::vector<double>(kPrimaryItems * kSliderOptions, 1.0));
  double sum = 0.0;
  for (std::size_t s = 0; s < counts.size(); ++s) {
    if (svo_category(lattice.angles()[s], measure.boundaries) == category) sum += counts[s];
  }
  return sum;
}

Result<double> category_share(const Node& fact) {
  VALENCE_TRY(const auto count, category_count(fact));
  return count / std::pow(kSliderOptions, kPrimaryItems);
}

/// Answers that are the type's with probability one half and uniform otherwise: the angle of their expected payoffs.
Result<double> half_random_angle(const Node& fact) {
  VALENCE_TRY(const auto measure, load_svo_measure());
  VALENCE_TRY(const auto letters, argument(fact));
  VALENCE_TRY(auto table, given_slider_answers(measure, letters, false));
  for (auto& row : table.rows) {
    for (auto& p : row.probability) p = 0.5 * p + 0.5 / kSliderOptions;
  }
  VALENCE_TRY(const auto estimator, slider_estimator(table, {}));
  return estimator->estimate(std::vector{1.0}).front();
}

Result<double> uniform_angle(const Node&) {
  VALENCE_TRY(const auto measure, load_svo_measure());
  VALENCE_TRY(const auto table, given_slider_answers(measure, "AAAAAA", false));
  VALENCE_TRY(const auto estimator, slider_estimator(uniform_responder(table), {}));
  return estimator->estimate(std::vector{1.0}).front();
}

Result<double> ranking_score(const Node& fact) {
  VALENCE_TRY(const auto words, two_arguments(fact));
  VALENCE_TRY(const auto measure, load_svo_measure());
  VALENCE_TRY(const auto chosen, svo_allocations(measure.primary(), words.first));
  VALENCE_TRY(const auto ranking, svo_ranking(measure.primary(), chosen));
  VALENCE_TRY(const auto category, svo_category_from(words.second));
  return ranking.score[static_cast<std::size_t>(category)];
}

Result<double> secondary_index_of(const Node& fact) {
  VALENCE_TRY(const auto measure, load_svo_measure());
  VALENCE_TRY(const auto digits, argument(fact));
  std::vector<std::size_t> options;
  for (const char digit : digits) options.push_back(static_cast<std::size_t>(digit - '0'));
  VALENCE_TRY(const auto index, svo_secondary(measure, options));
  return index.index;
}

/// 1 altruistic … 4 competitive: "57.15 lower".
Result<double> category_number(const Node& fact) {
  VALENCE_TRY(const auto words, two_arguments(fact));
  VALENCE_TRY(const auto measure, load_svo_measure());
  VALENCE_TRY(const auto rule, boundary_rule_from(words.second));
  VALENCE_TRY(const auto degrees, parse_number(words.first, "arguments"));
  return 1.0 + static_cast<double>(svo_category(degrees, measure.boundaries, rule));
}

}  // namespace

const ComputationTable& svo_computations() {
  static const ComputationTable table = {
      {"angle", angle_of_letters},
      {"midpoint", midpoint_of_angles},
      {"smallest_angle", smallest_angle},
      {"largest_angle", largest_angle},
      {"category_count", category_count},
      {"category_share", category_share},
      {"half_random_angle", half_random_angle},
      {"uniform_angle", uniform_angle},
      {"ranking_score", ranking_score},
      {"secondary_index", secondary_index_of},
      {"category_number", category_number},
  };
  return table;
}

}  // namespace valence
