#pragma once

#include <span>
#include <vector>

#include "valence/base/result.h"

namespace valence {

// Distances between what a subject answers and what people answered, question by question. Distributions are over the
// same options in the same order, non-negative, summing to 1 (stats::normalise). The Jensen–Shannon distance, which
// knows no order of the options, is stats::jensen_shannon_distance.

/// Wasserstein-1 distance of two distributions over ordered options rescaled to [0, 1] in equal steps: Σ|F_p − F_q|/(k − 1).
/// 0 for equal distributions, 1 when all mass stands at opposite ends. One option: 0.
/// Source: WorldValuesBench (Zhao et al. 2024). Equally long (asserted).
double wasserstein_distance(std::span<const double> p, std::span<const double> q);

/// One question, answered by the subject and by the people of the target.
struct DistributionPair {
  std::vector<double> subject, people;
  bool ordered = true;  ///< the options are steps of a scale; otherwise Wasserstein is undefined
};

/// Means over questions, the numbers that the benchmarks report.
struct DistributionGap {
  double jensen_shannon = 0.0;  ///< mean distance; 1 − it is GlobalOpinionQA's similarity (Durmus et al. 2023)
  double wasserstein = 0.0;     ///< mean over the ordered questions; NaN without one
  std::size_t questions = 0, ordered = 0;
};

/// Both sides are normalised first: published distributions are rounded. Fails with kWrongCount on a question whose
/// sides differ in length and with kInvalid on what is no distribution, naming the question's place from 1. NaN for no
/// question.
Result<DistributionGap> distribution_gap(std::span<const DistributionPair> questions);

/// Share of questions whose Wasserstein distance lies below a threshold, as WorldValuesBench reports.
/// Fails as distribution_gap; NaN without an ordered question.
Result<double> share_below(std::span<const DistributionPair> questions, double threshold);

}  // namespace valence
