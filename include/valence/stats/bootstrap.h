#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "valence/stats/estimate.h"
#include "valence/stats/resample.h"

namespace valence::stats {

/// How replicates become an interval. n = draws (units, or clusters), t = Student's quantile on n − 1 degrees.
enum class IntervalMethod {
  kPercentile,          ///< quantiles of the replicates (Efron 1979)
  kExpandedPercentile,  ///< quantiles at Φ(∓t·√(n/(n−1))): percentiles widened to the t's level (Hesterberg 2015, §5)
  kBca,                 ///< bias-corrected and accelerated percentiles (Efron 1987)
  kBootstrapError,      ///< estimate ± t·√(n/(n−1))·(standard deviation of the replicates)
  kJackknifeT,          ///< estimate ± t·(jackknife standard error); for smooth estimands only
};

std::string_view to_string(IntervalMethod method);  ///< in words: "expanded percentile bootstrap"

/// Below so many draws Student's t is used: percentiles run out of replicates to widen into.
inline constexpr std::size_t kFewDraws = 15;

/// The method of every printed interval: the expanded percentile; below kFewDraws Student's t on the bootstrap error.
///
/// Chosen by simulation (tests/stats/coverage_test.cpp prints these figures): 2,000 sets of 30 dialogues (seeds
/// 0–1999), answers to the six slider items drawn from Dirichlets, estimand the angle of expected payoffs. Coverage of
/// nominal 95 % intervals, whose standard error is 0.5 points, and mean width:
///
///   mean answer; concentration       percentile    expanded      BCa           t, bootstrap  t, jackknife
///   uniform; 9                       93.7 % 2.91°  95.0 % 3.08°  93.4 % 2.91°  95.3 % 3.12°  95.6 % 3.12°
///   0.8 altruist + 0.2 uniform; 9    93.6 % 1.62°  94.6 % 1.71°  93.6 % 1.63°  94.8 % 1.74°  95.1 % 1.74°
///   0.6 competitor + 0.4 uniform; 3  92.7 % 3.72°  93.8 % 3.94°  92.6 % 3.75°  94.1 % 4.00°  94.4 % 4.00°
///
/// Percentile and BCa intervals miss 93.5 % on some responder; the other three stay within 93.5–96.5 % on all. Of these
/// the expanded percentile is the narrowest, stays inside the estimand's range, follows its skewness, needs no
/// smoothness (a median, a share of categories) and reads replicates only, so stored profiles can be compared; t covers
/// a little better, at 1–2 % more width. With few draws the choice is forced: with 5 dialogues expanded percentiles
/// cover 91.0 % and with 4 clusters 87.7 %, t 95.0 % and 95.8 %. With 10 dialogues they stand on the very edge
/// (93.5 %), hence 15.
/// No method cures extreme skewness: at 0.9 prosocial with concentration 0.5, where most dialogues give one answer with
/// certainty and a few wildly another, all cover 91–93 % at 30 dialogues. Use more dialogues there.
IntervalMethod default_interval_method(std::size_t draws);

/// An estimand that is NaN in more than this share of replicates gets no interval.
inline constexpr double kMaxUndefinedShare = 0.05;

/// One Estimate per estimand. `unit`: the random unit, singular.
///
/// - One unit: no interval, method "single administration". One cluster: no interval, and the method says so.
/// - Replicates in which an estimand is undefined (NaN) are left out for that estimand and counted in the method's
///   words; above kMaxUndefinedShare, or when the estimate itself is undefined, there is no interval.
std::vector<Estimate> intervals(const Replicates& replicates, std::string_view unit, IntervalMethod method,
                                double level = 0.95);
/// By default_interval_method.
std::vector<Estimate> intervals(const Replicates& replicates, std::string_view unit, double level = 0.95);

/// The two ends for one estimand. `jackknife` is read by kBca and kJackknifeT only and may be empty otherwise.
/// NaN ends where the method has too little to go on (fewer than two replicates or draws).
struct Ends {
  double low, high;
};
Ends interval_ends(IntervalMethod method, double point, std::span<const double> replicates,
                   std::span<const double> jackknife, std::size_t draws, double level);

}  // namespace valence::stats
