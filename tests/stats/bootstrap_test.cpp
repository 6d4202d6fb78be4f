#include "valence/stats/bootstrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"

namespace valence::stats {
namespace {

const std::vector<double> kData{3.1, 1.2, 4.7, 1.9, 5.3, 9.2, 2.6, 6.5, 3.8, 5.1, 2.2, 4.4, 3.3, 7.0, 1.5, 2.9};

WeightedEstimator mean_of(std::vector<double> data) {
  return [data = std::move(data)](std::span<const double> w) { return std::vector{weighted_mean(data, w)}; };
}

/// 0, 1, …, 1000: the p-quantile is 1000·p.
std::vector<double> ladder() {
  std::vector<double> x(1001);
  std::iota(x.begin(), x.end(), 0.0);
  return x;
}

TEST(IntervalEnds, PercentileTakesTheQuantiles) {
  const auto ends = interval_ends(IntervalMethod::kPercentile, 500.0, ladder(), {}, 30, 0.95);
  EXPECT_NEAR(ends.low, 25.0, 1e-9);
  EXPECT_NEAR(ends.high, 975.0, 1e-9);
}

// n = 30: t = 2.04523, times √(30/29) = 2.08019; Φ(−2.08019) = 0.018754.
TEST(IntervalEnds, ExpandedPercentileWidensThemToTheLevelOfT) {
  const auto ends = interval_ends(IntervalMethod::kExpandedPercentile, 500.0, ladder(), {}, 30, 0.95);
  EXPECT_NEAR(ends.low, 18.754, 1e-3);
  EXPECT_NEAR(ends.high, 1000.0 - 18.754, 1e-3);
}

// Without acceleration the ends lie at Φ(2·z0 ∓ 1.95996); z0 = Φ⁻¹(0.6) = 0.253347 → Φ(−1.45327), Φ(2.46666).
TEST(IntervalEnds, BcaFollowsTheBias) {
  const std::array symmetric{-1.0, 0.0, 1.0};
  const auto ends = interval_ends(IntervalMethod::kBca, 600.1, ladder(), symmetric, 30, 0.95);
  EXPECT_NEAR(ends.low, 73.07, 0.5);
  EXPECT_NEAR(ends.high, 993.18, 0.2);
}

TEST(IntervalEnds, BcaLeansTowardsTheLongTail) {
  const std::array skewed{-3.0, 1.0, 1.0, 1.0};  // leaving out one value lowers the estimate much: a long right tail
  const auto ends = interval_ends(IntervalMethod::kBca, 500.0, ladder(), skewed, 30, 0.95);
  EXPECT_GT(ends.low, 25.0);
  EXPECT_GT(ends.high, 975.0);
}

TEST(IntervalEnds, JackknifeTOfAMeanIsStudents) {
  const auto replicates = replicate(mean_of(kData), kData.size(), {}, 10, 0).value();
  const auto ours = intervals(replicates, "dialogue", IntervalMethod::kJackknifeT).front();
  const auto student = student_mean(kData, "dialogue");
  EXPECT_NEAR(ours.low, student.low, 1e-12);
  EXPECT_NEAR(ours.high, student.high, 1e-12);
  EXPECT_EQ(ours.method, "jackknife t");
}

TEST(IntervalEnds, BootstrapErrorOfAMeanConvergesToStudents) {
  const auto replicates = replicate(mean_of(kData), kData.size(), {}, 20000, 0).value();
  const auto ours = intervals(replicates, "dialogue", IntervalMethod::kBootstrapError).front();
  const auto student = student_mean(kData, "dialogue");
  EXPECT_NEAR(ours.high - ours.low, student.high - student.low, 0.03);
}

TEST(IntervalEnds, ClustersCountAsOneEach) {
  const std::vector<double> data{1, 1, 1, 4, 4, 4, 6, 6, 6, 9, 9, 9};
  const std::array<std::size_t, 12> clusters{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3};
  const auto replicates = replicate(mean_of(data), 12, clusters, 10, 0).value();
  const auto ours = intervals(replicates, "scenario", IntervalMethod::kJackknifeT).front();
  const auto student = student_mean(std::array{1.0, 4.0, 6.0, 9.0}, "rule");  // 3 degrees of freedom
  EXPECT_NEAR(ours.low, student.low, 1e-12);
  EXPECT_NEAR(ours.high, student.high, 1e-12);
  EXPECT_EQ(ours.count, 12u);
  EXPECT_EQ(ours.method, "jackknife t (4 clusters)");
}

TEST(DefaultMethod, IsTOnTheBootstrapErrorForFewDraws) {
  EXPECT_EQ(default_interval_method(14), IntervalMethod::kBootstrapError);
  EXPECT_EQ(default_interval_method(15), IntervalMethod::kExpandedPercentile);
}

TEST(Intervals, NameTheirMethodUnitAndCount) {
  const auto many = intervals(replicate(mean_of(kData), 16, {}, 200, 0).value(), "dialogue").front();
  EXPECT_EQ(many.method, "expanded percentile bootstrap (200 replicates)");
  EXPECT_EQ(many.unit, "dialogue");
  EXPECT_EQ(many.count, 16u);
  EXPECT_EQ(many.level, 0.95);
  const std::array<std::size_t, 16> clusters{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2};
  const auto few = intervals(replicate(mean_of(kData), 16, clusters, 200, 0).value(), "scenario").front();
  EXPECT_EQ(few.method, "Student t on the bootstrap error (200 replicates, 3 clusters)");
}

TEST(Intervals, ASingleAdministrationHasNone) {
  const auto estimate = intervals(replicate(mean_of({22.9}), 1, {}, 200, 0).value(), "dialogue").front();
  EXPECT_DOUBLE_EQ(estimate.value, 22.9);
  EXPECT_FALSE(estimate.has_interval());
  EXPECT_EQ(estimate.count, 1u);
  EXPECT_EQ(estimate.method, "single administration");
}

TEST(Intervals, OneClusterHasNone) {
  const std::array<std::size_t, 3> clusters{4, 4, 4};
  const auto estimate = intervals(replicate(mean_of({1, 2, 3}), 3, clusters, 200, 0).value(), "scenario").front();
  EXPECT_FALSE(estimate.has_interval());
  EXPECT_EQ(estimate.method, "one cluster of 3: no interval");
}

/// A mean that is undefined unless one of the first `needed` units was drawn.
WeightedEstimator mean_needing(std::size_t needed) {
  return [needed](std::span<const double> w) {
    const double drawn = std::accumulate(w.begin(), w.begin() + static_cast<std::ptrdiff_t>(needed), 0.0);
    return std::vector{drawn > 0.0 ? weighted_mean(kData, w) : std::numeric_limits<double>::quiet_NaN()};
  };
}

TEST(Intervals, CountReplicatesThatAreUndefined) {
  const auto replicates = replicate(mean_needing(4), 16, {}, 1000, 0).value();
  const auto column = replicates.column(0);
  const auto undefined = std::count_if(column.begin(), column.end(), [](double x) { return std::isnan(x); });
  ASSERT_GT(undefined, 0);  // (12/16)^16 = 1.0 %
  const auto estimate = intervals(replicates, "dialogue").front();
  EXPECT_TRUE(estimate.has_interval());
  EXPECT_EQ(estimate.method, fmt::format("expanded percentile bootstrap (1000 replicates, {} undefined)", undefined));
}

TEST(Intervals, RefuseWhenTooManyReplicatesAreUndefined) {
  const auto replicates = replicate(mean_needing(1), 16, {}, 1000, 0).value();
  const auto column = replicates.column(0);
  const auto undefined = std::count_if(column.begin(), column.end(), [](double x) { return std::isnan(x); });
  const auto estimate = intervals(replicates, "dialogue").front();
  EXPECT_FALSE(estimate.has_interval());
  EXPECT_EQ(estimate.method, fmt::format("no interval: undefined in {} of 1000 replicates", undefined));
  EXPECT_NEAR(static_cast<double>(undefined) / 1000.0, std::pow(15.0 / 16.0, 16.0), 0.05);
}

TEST(Intervals, AnUndefinedEstimateHasNone) {
  const auto nothing = [](std::span<const double>) { return std::vector{std::nan("")}; };
  const auto estimate = intervals(replicate(nothing, 16, {}, 100, 0).value(), "dialogue").front();
  EXPECT_FALSE(estimate.has_interval());
  EXPECT_EQ(estimate.method, "undefined");
}

TEST(Intervals, ASubjectWithoutSpreadHasAnIntervalOfNoWidth) {
  const auto replicates = replicate(mean_of(std::vector(16, 45.0)), 16, {}, 100, 0).value();
  const auto estimate = intervals(replicates, "dialogue").front();
  EXPECT_DOUBLE_EQ(estimate.low, 45.0);
  EXPECT_DOUBLE_EQ(estimate.high, 45.0);
}

}  // namespace
}  // namespace valence::stats
