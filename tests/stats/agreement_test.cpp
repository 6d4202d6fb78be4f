#include "valence/stats/agreement.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

namespace valence::stats {
namespace {

constexpr double kSkipped = std::numeric_limits<double>::quiet_NaN();

// Krippendorff (2011), example C: four observers, twelve units, missing data.
const std::vector<std::vector<double>> kFourObservers{
    {1, 2, 3, 3, 2, 1, 4, 1, 2, kSkipped, kSkipped, kSkipped},
    {1, 2, 3, 3, 2, 2, 4, 1, 2, 5, kSkipped, 3},
    {kSkipped, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, kSkipped},
    {1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, kSkipped}};

TEST(KrippendorffAlpha, FourObserversWithMissingDataAsPublished) {
  EXPECT_NEAR(krippendorff_alpha(kFourObservers, CodeScale::kNominal).value(), 0.743, 5e-4);
  EXPECT_NEAR(krippendorff_alpha(kFourObservers, CodeScale::kOrdinal).value(), 0.815, 5e-4);
  EXPECT_NEAR(krippendorff_alpha(kFourObservers, CodeScale::kInterval).value(), 0.849, 5e-4);
}

// Example A: binary, two observers, ten units: 1 − 19·4/(14·6).
TEST(KrippendorffAlpha, BinaryDataAsPublished) {
  const std::vector<std::vector<double>> ratings{{0, 1, 0, 0, 0, 0, 0, 0, 1, 0}, {1, 1, 1, 0, 0, 1, 0, 0, 0, 0}};
  EXPECT_NEAR(krippendorff_alpha(ratings, CodeScale::kNominal).value(), 1.0 - 76.0 / 84.0, 1e-12);
}

TEST(KrippendorffAlpha, PerfectAgreementIsOne) {
  EXPECT_DOUBLE_EQ(krippendorff_alpha({{1, 2, 3}, {1, 2, 3}}, CodeScale::kInterval).value(), 1.0);
}

TEST(KrippendorffAlpha, SaysWhyThereIsNone) {
  EXPECT_EQ(krippendorff_alpha({{1, 2}}, CodeScale::kNominal).error().message,
            "agreement needs at least 2 raters, got 1");
  EXPECT_EQ(krippendorff_alpha({{1, 2}, {1}}, CodeScale::kNominal).error().message,
            "every rater needs an entry per unit (NaN where skipped): rater 0 has 2, rater 1 has 1");
  EXPECT_EQ(krippendorff_alpha({{1, kSkipped}, {kSkipped, 2}}, CodeScale::kNominal).error().message,
            "no unit was rated by two raters; nothing can be compared");
  EXPECT_EQ(krippendorff_alpha({{2, 2}, {2, 2}}, CodeScale::kNominal).error().message,
            "all 4 ratings are the same; without variation alpha is undefined");
}

// 20 both yes, 5 first only, 10 second only, 15 neither: observed 0.7, by chance 0.5.
TEST(CohenKappa, ByHand) {
  std::vector<std::size_t> first, second;
  const auto add = [&](std::size_t a, std::size_t b, std::size_t times) {
    first.insert(first.end(), times, a);
    second.insert(second.end(), times, b);
  };
  add(1, 1, 20);
  add(1, 0, 5);
  add(0, 1, 10);
  add(0, 0, 15);
  EXPECT_NEAR(cohen_kappa(first, second).value(), 0.4, 1e-12);
}

TEST(CohenKappa, SaysWhyThereIsNone) {
  const std::array<std::size_t, 2> same{1, 1};
  EXPECT_EQ(cohen_kappa(same, same).error().message,
            "both raters gave the same code throughout; chance alone would always agree");
  EXPECT_EQ(cohen_kappa(same, {}).error().message, "kappa needs two equally long, non-empty series, got 2 and 0");
}

}  // namespace
}  // namespace valence::stats
