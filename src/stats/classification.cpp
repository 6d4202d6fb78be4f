#include "valence/stats/classification.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace valence::stats {
namespace {

double ratio_or_nan(double part, double whole) {
  return whole > 0.0 ? part / whole : std::numeric_limits<double>::quiet_NaN();
}

double case_weight(std::span<const double> weights, std::size_t i) { return weights.empty() ? 1.0 : weights[i]; }

}  // namespace

Confusion& Confusion::operator+=(const Confusion& other) {
  assert(classes == other.classes);
  std::transform(counts.begin(), counts.end(), other.counts.begin(), counts.begin(), std::plus<>());
  return *this;
}

double Confusion::total() const { return std::accumulate(counts.begin(), counts.end(), 0.0); }

Confusion confusion(std::span<const std::size_t> truth, std::span<const std::size_t> predicted, std::size_t classes,
                    std::span<const double> weights) {
  assert(truth.size() == predicted.size());
  assert(weights.empty() || weights.size() == truth.size());
  Confusion counted(classes);
  for (std::size_t i = 0; i < truth.size(); ++i) counted.add(truth[i], predicted[i], case_weight(weights, i));
  return counted;
}

ClassFigures class_figures(const Confusion& confusion, std::size_t which) {
  double predicted = 0.0, support = 0.0;
  for (std::size_t other = 0; other < confusion.classes; ++other) {
    predicted += confusion.at(other, which);
    support += confusion.at(which, other);
  }
  const double hits = confusion.at(which, which);
  return {ratio_or_nan(hits, predicted), ratio_or_nan(hits, support), ratio_or_nan(2.0 * hits, predicted + support),
          support};
}

double accuracy(const Confusion& confusion) {
  double hits = 0.0;
  for (std::size_t c = 0; c < confusion.classes; ++c) hits += confusion.at(c, c);
  return ratio_or_nan(hits, confusion.total());
}

double macro_f1(const Confusion& confusion) {
  double sum = 0.0, defined = 0.0;
  for (std::size_t c = 0; c < confusion.classes; ++c) {
    const double f1 = class_figures(confusion, c).f1;
    if (std::isnan(f1)) continue;
    sum += f1;
    defined += 1.0;
  }
  return ratio_or_nan(sum, defined);
}

RankedScores rank_scores(std::span<const double> scores) {
  RankedScores ranked;
  ranked.order.resize(scores.size());
  std::iota(ranked.order.begin(), ranked.order.end(), std::size_t{0});
  std::stable_sort(ranked.order.begin(), ranked.order.end(), [&](auto a, auto b) { return scores[a] < scores[b]; });
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (i == 0 || scores[ranked.order[i - 1]] < scores[ranked.order[i]]) ranked.tie_starts.push_back(i);
  }
  ranked.tie_starts.push_back(scores.size());
  return ranked;
}

double auroc(const RankedScores& ranked, std::span<const std::size_t> truth, std::size_t which,
             std::span<const double> weights) {
  assert(truth.size() == ranked.order.size());
  double wins = 0.0, rest_below = 0.0, positives = 0.0;
  for (std::size_t tie = 0; tie + 1 < ranked.tie_starts.size(); ++tie) {
    double here = 0.0, rest_here = 0.0;
    for (auto place = ranked.tie_starts[tie]; place < ranked.tie_starts[tie + 1]; ++place) {
      const auto i = ranked.order[place];
      (truth[i] == which ? here : rest_here) += case_weight(weights, i);
    }
    wins += here * (rest_below + 0.5 * rest_here);
    rest_below += rest_here;
    positives += here;
  }
  return ratio_or_nan(wins, positives * rest_below);
}

double auroc(std::span<const double> scores, std::span<const std::size_t> truth, std::size_t which) {
  return auroc(rank_scores(scores), truth, which);
}

double sign_accuracy(std::span<const double> truth, std::span<const double> estimate, std::span<const double> weights) {
  assert(truth.size() == estimate.size());
  double right = 0.0, signed_cases = 0.0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (truth[i] == 0.0) continue;
    signed_cases += case_weight(weights, i);
    if (truth[i] * estimate[i] > 0.0) right += case_weight(weights, i);
  }
  return ratio_or_nan(right, signed_cases);
}

double mean_absolute_error(std::span<const double> truth, std::span<const double> estimate,
                           std::span<const double> weights) {
  assert(truth.size() == estimate.size());
  double error = 0.0, cases = 0.0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    error += case_weight(weights, i) * std::abs(estimate[i] - truth[i]);
    cases += case_weight(weights, i);
  }
  return ratio_or_nan(error, cases);
}

}  // namespace valence::stats
