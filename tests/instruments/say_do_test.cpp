#include "valence/instruments/say_do.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "valence/base/random.h"
#include "valence/instruments/questionnaire.h"
#include "valence/values/space.h"

namespace valence {
namespace {

using ::testing::HasSubstr;

const Instrument& questionnaire() { return **find_instrument("questionnaire"); }
const Instrument& fulcra() { return **find_instrument("fulcra"); }

Settings usual(const Instrument& instrument) {
  return Settings::resolve(instrument.settings(), std::vector<std::pair<std::string, std::string>>{}).value();
}

/// Ten truths, 0.05 to 0.95 in the space's order.
double truth(const std::string& dimension) {
  static const auto space = load_space("schwartz10").value();
  return 0.05 + 0.1 * static_cast<double>(space.find(dimension)->index);
}

/// A self-report over five wordings: an item's answer lies on the scale at the truth of its value, and noise.
AnswerTable self_report(double noise, std::uint64_t seed) {
  const auto pvq = load_questionnaire("pvq40").value();
  RandomStream stream(seed, "says");
  AnswerTable table;
  for (int w = 1; w <= 8; ++w) {
    for (const auto& item : pvq.items) {
      AnswerRow row;
      row.unit = fmt::format("wording-{}", w);
      row.item = item.id;
      row.route = Route::kGiven;
      const double place = std::clamp(5.0 * truth(item.dimension) + noise * stream.normal(), 0.0, 5.0);
      row.probability.assign(6, 0.0);
      const auto below = static_cast<std::size_t>(std::min(place, 4.999));
      row.probability[below] = 1.0 - (place - static_cast<double>(below));
      row.probability[below + 1] = place - static_cast<double>(below);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

/// Sixty responses whose readings are `sign` times the truths, and noise.
AnswerTable behaviour(double sign, double noise, std::uint64_t seed) {
  const auto space = load_space("schwartz10").value();
  RandomStream stream(seed, "does");
  AnswerTable table;
  for (int i = 0; i < 60; ++i) {
    AnswerRow said;
    said.unit = fmt::format("p{}", i);
    said.variant = "response 1";
    said.route = Route::kSampled;
    said.text = "words";
    table.rows.push_back(said);
    for (const auto& dimension : space.dimensions) {
      auto read = said;
      read.item = dimension.id;
      read.route = Route::kRead;
      const double e = std::clamp(sign * (0.35 + 0.6 * truth(dimension.id)) + noise * stream.normal(), -1.0, 1.0);
      read.probability = {e < 0 ? -e : 0.0, 1.0 - std::abs(e), e > 0 ? e : 0.0};
      table.rows.push_back(std::move(read));
    }
  }
  return table;
}

SayDo compared(const AnswerTable& says, const AnswerTable& does) {
  const auto a = usual(questionnaire()), b = usual(fulcra());
  ProfileOptions options;
  options.replicates = 400;
  auto result = say_do(questionnaire(), {&a, &says}, fulcra(), {&b, &does}, options);
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

TEST(SayDo, ASubjectThatDoesWhatItSaysAgreesFully) {
  const auto result = compared(self_report(0.0, 1), behaviour(1.0, 0.0, 1));
  EXPECT_NEAR(result.spearman.value, 1.0, 1e-12);
  EXPECT_NEAR(result.says_reliability, 1.0, 1e-12);
  EXPECT_NEAR(result.disattenuated.value, 1.0, 1e-12);
  EXPECT_LT(result.p, 0.001);
  ASSERT_EQ(result.rows.size(), 10u);
  EXPECT_EQ(result.rows.front().says_rank, 1.0);
  EXPECT_EQ(result.rows.front().does_rank, 1.0);
  double sum = 0.0;
  for (const auto& row : result.rows) sum += row.says;
  EXPECT_NEAR(sum, 0.0, 1e-9);  // each side without its mean
}

TEST(SayDo, ASubjectThatDoesTheOppositeDisagreesFully) {
  EXPECT_NEAR(compared(self_report(0.0, 1), behaviour(-1.0, 0.0, 1)).spearman.value, -1.0, 1e-12);
}

TEST(SayDo, NoiseLowersWhatIsSeenAndTheIntervalKnows) {
  const auto result = compared(self_report(1.5, 2), behaviour(1.0, 0.5, 3));
  EXPECT_LT(result.spearman.value, 1.0);
  EXPECT_LT(result.spearman.low, result.spearman.value);
  EXPECT_GT(result.disattenuated.value, result.spearman.value);
}

TEST(SayDo, RunsInTheWrongOrderAreNamed) {
  const auto says = self_report(0.0, 1), does = behaviour(1.0, 0.0, 1);
  const auto a = usual(questionnaire()), b = usual(fulcra());
  const auto result = say_do(fulcra(), {&b, &does}, questionnaire(), {&a, &says}, {});
  EXPECT_EQ(result.error().code, ErrorCode::kUsage);
  EXPECT_EQ(result.error().message,
            "fulcra has no centred scores per value, so it cannot stand for what a subject says of itself: first a run of questionnaire, then one of fulcra");
}

TEST(SayDo, TooFewDefinedValuesAreRefused) {
  auto does = behaviour(1.0, 0.0, 1);
  for (auto& row : does.rows) {
    const bool kept = row.item == "power" || row.item == "security";
    if (row.route == Route::kRead && !kept) row.probability = {0.0, 1.0, 0.0};  // touched by no response: left blank
  }
  const auto says = self_report(0.0, 1);
  const auto a = usual(questionnaire()), b = usual(fulcra());
  EXPECT_THAT(say_do(questionnaire(), {&a, &says}, fulcra(), {&b, &does}, {}).error().message,
              HasSubstr("only 2 values are defined in both runs, and an order needs 4; undefined: self_direction, stimulation"));
}

}  // namespace
}  // namespace valence
