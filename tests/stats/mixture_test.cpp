#include "valence/stats/mixture.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "valence/stats/distribution.h"

namespace valence::stats {
namespace {

/// An item whose type always takes option 0, answered `hits` times with it and `misses` times with the others.
MixtureItem pointed_item(std::size_t options, double hits, double misses) {
  MixtureItem item{std::vector<double>(options, misses / static_cast<double>(options - 1)),
                   std::vector<double>(options, 0.0)};
  item.counts[0] = hits;
  item.type[0] = 1.0;
  return item;
}

// With a type on one of K options the fit is explicit: share of hits h = λ + (1 − λ)/K.
TEST(MixtureShare, InvertsTheShareOfHits) {
  const std::vector items{pointed_item(9, 60, 40)};
  EXPECT_NEAR(mixture_share(items), (0.6 - 1.0 / 9.0) / (8.0 / 9.0), 1e-10);
}

TEST(MixtureShare, RecoversTheShareThatMadeTheAnswers) {
  std::vector<MixtureItem> items(6);
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::vector<double> weights(9, 1.0);
    weights[i] = 20.0 + static_cast<double>(i);
    items[i].type = normalise(weights).value();
    for (const double p : items[i].type) items[i].counts.push_back(30.0 * (0.37 * p + 0.63 / 9.0));
  }
  EXPECT_NEAR(mixture_share(items), 0.37, 1e-9);
}

TEST(MixtureShare, IsZeroForUniformAndForOppositeAnswers) {
  EXPECT_NEAR(mixture_share(std::vector{pointed_item(9, 1, 8)}), 0.0, 1e-9);
  EXPECT_EQ(mixture_share(std::vector{pointed_item(9, 0, 8)}), 0.0);
}

TEST(MixtureShare, IsOneForThePureType) { EXPECT_EQ(mixture_share(std::vector{pointed_item(9, 30, 0)}), 1.0); }

TEST(MixtureShare, AnItemThatTheTypeLeavesOpenSaysNothing) {
  const MixtureItem open{{5, 1, 0}, uniform_distribution(3)};
  EXPECT_TRUE(std::isnan(mixture_share(std::vector{open})));
  EXPECT_TRUE(std::isnan(mixture_share(std::vector{pointed_item(9, 0, 0)})));
  const auto telling = pointed_item(9, 60, 40);
  EXPECT_NEAR(mixture_share(std::vector{open, telling}), mixture_share(std::vector{telling}), 1e-10);
}

RC_GTEST_PROP(MixtureShare, NoOtherShareIsLikelier, ()) {
  std::vector<MixtureItem> items;
  for (int i = 0; i < 3; ++i) {
    const auto counts = *rc::gen::container<std::vector<int>>(4, rc::gen::inRange(0, 20));
    auto weights = *rc::gen::container<std::vector<int>>(4, rc::gen::inRange(0, 10));
    weights[0] += 1;
    const std::vector<double> type(weights.begin(), weights.end());
    items.push_back({{counts.begin(), counts.end()}, normalise(type).value()});
  }
  const double best = mixture_share(items);
  RC_PRE(!std::isnan(best));
  const double top = mixture_log_likelihood(items, best);
  for (int step = 0; step <= 100; ++step) RC_ASSERT(mixture_log_likelihood(items, step / 100.0) <= top + 1e-9);
}

TEST(FitMixture, TheIntervalEndsWhereTheLikelihoodHasFallen) {
  const std::vector items{pointed_item(9, 60, 40)};
  const auto fit = fit_mixture(items, 100).value();
  const double top = mixture_log_likelihood(items, fit.value);
  EXPECT_NEAR(2.0 * (top - mixture_log_likelihood(items, fit.low)), 3.841459, 1e-5);
  EXPECT_NEAR(2.0 * (top - mixture_log_likelihood(items, fit.high)), 3.841459, 1e-5);
  EXPECT_LT(fit.low, fit.value);
  EXPECT_GT(fit.high, fit.value);
  EXPECT_EQ(fit.method, "profile likelihood");
  EXPECT_EQ(fit.count, 100u);
}

// ℓ falls by 1.92 where (1/9 + 8/9·λ)^30 does: λ = (9·exp(−1.920729/30) − 1)/8.
TEST(FitMixture, APureTypeHasALowerEndOnly) {
  const auto fit = fit_mixture(std::vector{pointed_item(9, 30, 0)}, 30).value();
  EXPECT_EQ(fit.high, 1.0);
  EXPECT_NEAR(fit.low, (9.0 * std::exp(-1.920729410347062 / 30.0) - 1.0) / 8.0, 1e-9);
}

TEST(FitMixture, SaysWhenTheAnswersCannotTell) {
  const auto fit = fit_mixture(std::vector{MixtureItem{{5, 1}, {0.5, 0.5}}}, 6).value();
  EXPECT_TRUE(std::isnan(fit.value));
  EXPECT_EQ(fit.method, "undefined: the answers cannot tell the type from uniform");
}

TEST(FitMixture, NamesTheItemThatDoesNotFit) {
  const auto good = pointed_item(3, 1, 1);
  EXPECT_EQ(fit_mixture(std::vector{good, MixtureItem{{1, 2}, {1, 0, 0}}}, 5).error().message,
            "item 1: 2 counts for a type of 3 options; both must list every option");
  EXPECT_EQ(fit_mixture(std::vector{MixtureItem{{1, -2}, {1, 0}}}, 5).error().message,
            "item 0: count -2 of option 1 is not a finite number of at least 0");
  EXPECT_EQ(fit_mixture(std::vector{MixtureItem{{1, 2}, {1.5, -0.5}}}, 5).error().message,
            "item 0: the type gives option 1 the probability -0.5");
  EXPECT_EQ(fit_mixture(std::vector{MixtureItem{{1, 2}, {0.5, 0.25}}}, 5).error().message,
            "item 0: the type's probabilities sum to 0.75, not to 1");
}

}  // namespace
}  // namespace valence::stats
