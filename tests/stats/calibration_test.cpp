#include "valence/stats/calibration.h"

#include <gtest/gtest.h>

#include <array>

namespace valence::stats {
namespace {

constexpr std::array kProbability{0.1, 0.2, 0.6, 0.9, 1.0};
constexpr std::array kHappened{0.0, 1.0, 1.0, 1.0, 0.0};

// Two halves: promised .15 and .8333, observed 1/2 and 2/3.
TEST(Reliability, EqualWidthBinsByHand) {
  const auto curve = reliability_curve(kProbability, kHappened, 2).value();
  ASSERT_EQ(curve.size(), 2u);
  EXPECT_EQ(curve[0].high, 0.5);
  EXPECT_DOUBLE_EQ(curve[0].mean_probability, 0.15);
  EXPECT_DOUBLE_EQ(curve[0].observed.value, 0.5);
  EXPECT_EQ(curve[1].observed.count, 3u);  // a probability of 1 belongs to the last bin
  EXPECT_DOUBLE_EQ(expected_calibration_error(curve), 2.0 / 5.0 * 0.35 + 3.0 / 5.0 * (2.5 / 3.0 - 2.0 / 3.0));
}

TEST(Reliability, BinsHaveIntervalsAndEmptyBinsAreLeftOut) {
  const auto curve = reliability_curve(kProbability, kHappened, 10).value();
  ASSERT_EQ(curve.size(), 4u);
  EXPECT_EQ(curve[0].low, 0.1);
  EXPECT_EQ(curve[0].observed.method, "Wilson");
  EXPECT_LT(curve[3].observed.low, 0.5);
  EXPECT_GT(curve[3].observed.high, 0.5);
}

TEST(Reliability, EqualCountKeepsTiesTogether) {
  const auto curve =
      reliability_curve(std::array{0.2, 0.2, 0.2, 0.7}, std::array{0.0, 0.0, 1.0, 1.0}, 2, Binning::kEqualCount)
          .value();
  ASSERT_EQ(curve.size(), 2u);
  EXPECT_EQ(curve[0].observed.count, 3u);
  EXPECT_EQ(curve[1].low, 0.7);
}

TEST(Reliability, APerfectPromiseHasNoError) {
  const auto curve = reliability_curve(std::array{0.5, 0.5, 1.0}, std::array{0.0, 1.0, 1.0}, 10).value();
  EXPECT_DOUBLE_EQ(expected_calibration_error(curve), 0.0);
}

TEST(Reliability, RefusesWhatIsNoProbability) {
  EXPECT_EQ(reliability_curve(std::array{1.5}, std::array{1.0}, 2).error().message,
            "case 0 has probability 1.5, expected one in [0, 1]");
  EXPECT_EQ(reliability_curve(std::array{0.5}, std::array{0.5}, 2).error().message,
            "case 0 has outcome 0.5, expected 0 or 1");
  EXPECT_EQ(reliability_curve(std::array{0.5}, std::array{1.0}, 0).error().message,
            "a reliability curve needs one outcome per probability, a case and a bin; got 1 probabilities, 1 outcomes "
            "and 0 bins");
}

}  // namespace
}  // namespace valence::stats
