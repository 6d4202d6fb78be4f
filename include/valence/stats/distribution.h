#pragma once

#include <span>
#include <vector>

#include "valence/base/result.h"

namespace valence::stats {

// Distributions are non-negative and sum to 1; two that are compared have the same length (asserted).

/// Shannon entropy in nats; 0 log 0 = 0.
double entropy(std::span<const double> p);
/// Half the L1 distance, in [0, 1].
double total_variation(std::span<const double> p, std::span<const double> q);
/// Square root of the Jensen–Shannon divergence to base 2, in [0, 1] (Endres and Schindelin 2003: a metric).
double jensen_shannon_distance(std::span<const double> p, std::span<const double> q);
/// 1/n, n times.
std::vector<double> uniform_distribution(std::size_t n);
/// Weights divided by their sum. Fails with kInvalid on a negative or non-finite weight and when all are zero.
Result<std::vector<double>> normalise(std::span<const double> weights);

/// log Σ exp(x), without overflow; −infinity for nothing.
double log_sum_exp(std::span<const double> x);
/// Probabilities of log-weights: exp(x − log_sum_exp(x)).
std::vector<double> softmax(std::span<const double> x);
/// log(1 + exp(x)) and log(1 / (1 + exp(−x))), exact in both tails.
double softplus(double x);
double log_sigmoid(double x);

/// Sum by halves: the error grows with log n instead of n (Higham 1993).
double pairwise_sum(std::span<const double> x);
double mean(std::span<const double> x);  ///< NaN for nothing
/// Unbiased sample variance (n − 1); NaN below two values.
double variance(std::span<const double> x);

/// Σ w·x / Σ w; NaN when the weights sum to 0. A value of weight 0 is not looked at, so it may be NaN.
double weighted_mean(std::span<const double> x, std::span<const double> weights);
/// Σ w·(x − mean)² / Σ w: the plug-in variance, the same functional under bootstrap counts as under ones.
double weighted_variance(std::span<const double> x, std::span<const double> weights);

/// Sample quantile, linear between order statistics (type 7 of Hyndman and Fan 1996). `p` in [0, 1]; NaN for nothing.
double quantile(std::span<const double> x, double p);
/// The same on values that are in increasing order already.
double quantile_of_sorted(std::span<const double> sorted, double p);

}  // namespace valence::stats
