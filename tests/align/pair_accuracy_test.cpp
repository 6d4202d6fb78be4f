#include "valence/align/pair_accuracy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace valence {
namespace {

/// A pair to the prompt {prompt}, whose answers have the given lengths.
TrainingExample pair_of(TokenId prompt, std::size_t better, std::size_t worse) {
  const auto path = [&](std::size_t length) {
    std::vector<TokenId> tokens(length + 1, 7);
    tokens[0] = prompt;
    return AnswerPath{tokens, 1, 0, 1.0};
  };
  return {"pair", {path(better), path(worse)}};
}

const std::vector<TrainingExample> kShorterIsBetter = {pair_of(1, 2, 5), pair_of(2, 3, 4), pair_of(3, 6, 4)};

TEST(PairAccuracy, CountsWhatTheRewardFindsAndWhatLengthWould) {
  const std::vector<TrainingExample> held_out = {pair_of(1, 2, 5), pair_of(2, 5, 2), pair_of(3, 4, 4),
                                                 pair_of(4, 1, 3)};
  const auto accuracy = pair_accuracy(kShorterIsBetter, held_out, std::vector{0.5, 0.2, -0.1, 0.0}, 1);
  ASSERT_TRUE(accuracy) << accuracy.error().message;
  EXPECT_NEAR(accuracy->reward.value, 2.5 / 4, 1e-12);  // the tie counts half
  EXPECT_NEAR(accuracy->length.value, 2.5 / 4, 1e-12);
  EXPECT_NEAR(accuracy->difference.value, 0.0, 1e-12);
  EXPECT_FALSE(accuracy->longer);
  EXPECT_EQ(accuracy->pairs, 4U);
  EXPECT_EQ(accuracy->reward.unit, "prompt");
}

// Twenty pairs of five prompts, all pairs of a prompt alike, know no more than five: their interval is as wide.
TEST(PairAccuracy, PairsOfOnePromptAreOneDraw) {
  std::vector<TrainingExample> alone, together;
  std::vector<double> margins, repeated;
  for (TokenId prompt = 0; prompt < 5; ++prompt) {
    const double margin = prompt < 3 ? 1.0 : -1.0;
    alone.push_back(pair_of(prompt, 2, 3));
    margins.push_back(margin);
    for (int i = 0; i < 4; ++i) {
      together.push_back(pair_of(prompt, 2, 3));
      repeated.push_back(margin);
    }
  }
  const auto few = pair_accuracy(kShorterIsBetter, alone, margins, 1).value();
  const auto many = pair_accuracy(kShorterIsBetter, together, repeated, 1).value();
  EXPECT_EQ(many.prompts, 5U);
  EXPECT_NEAR(many.reward.low, few.reward.low, 0.05);
  EXPECT_NEAR(many.reward.high, few.reward.high, 0.05);
}

// Prompts 2 and 3 were trained on, with other answers; two of the pairs are of prompt 2.
TEST(PairAccuracy, HeldOutPromptsThatWereTrainedOnAreCounted) {
  const std::vector<TrainingExample> held_out = {pair_of(2, 9, 1), pair_of(2, 8, 1), pair_of(3, 1, 9),
                                                 pair_of(4, 1, 3)};
  const auto shared = pair_accuracy(kShorterIsBetter, held_out, std::vector{1.0, 1.0, 1.0, 1.0}, 1).value();
  EXPECT_EQ(shared.prompts, 3U);
  EXPECT_EQ(shared.prompts_trained_on, 2U);
  EXPECT_EQ(to_json(shared)["prompts_trained_on"], 2U);
  const std::vector<TrainingExample> apart = {pair_of(5, 2, 5), pair_of(6, 2, 5)};
  const auto none = pair_accuracy(kShorterIsBetter, apart, std::vector{1.0, 1.0}, 1).value();
  EXPECT_EQ(to_json(none)["prompts_trained_on"], 0U);
}

TEST(PairAccuracy, ARewardThatIsAlwaysRightIsNotCertainToBe) {
  const auto accuracy = pair_accuracy(kShorterIsBetter, kShorterIsBetter, std::vector{1.0, 1.0, 1.0}, 1).value();
  EXPECT_EQ(accuracy.reward.value, 1.0);
  EXPECT_NEAR(accuracy.reward.low, 0.4385, 1e-4);  // Wilson, 3 of 3
  EXPECT_EQ(accuracy.reward.high, 1.0);
}

TEST(PairAccuracy, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(pair_accuracy({}, {}, {}, 1).error().message, "there are no held-out pairs to look at");
  EXPECT_EQ(pair_accuracy(kShorterIsBetter, kShorterIsBetter, std::vector{1.0}, 1).error().message,
            "3 held-out pairs have 1 margins");
}

}  // namespace
}  // namespace valence
