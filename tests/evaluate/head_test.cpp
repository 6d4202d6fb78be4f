#include "valence/evaluate/head.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>

#include "valence/base/random.h"

namespace valence {
namespace {

constexpr std::array kKinds{HeadKind::kRidge, HeadKind::kLogistic, HeadKind::kOrdinal, HeadKind::kMlp};

/// Two features per row; dimension 0 follows the first (below −½: −1, above ½: +1), dimension 1 is never opposed.
struct Sample {
  FeatureMatrix features;
  std::vector<ValueLabel> labels;
  std::vector<std::size_t> prompts;
};

Sample sample(std::size_t rows, std::uint64_t seed) {
  RandomStream stream(seed, "sample");
  std::vector<float> values;
  Sample data;
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = 2.0 * stream.uniform() - 1.0, y = 2.0 * stream.uniform() - 1.0;
    values.insert(values.end(), {static_cast<float>(x), static_cast<float>(y)});
    data.labels.push_back(static_cast<ValueLabel>(x < -0.5 ? -1 : x > 0.5 ? 1 : 0));
    data.labels.push_back(static_cast<ValueLabel>(y > 0.0 ? 1 : 0));
    data.prompts.push_back(i / 2);
  }
  data.features = dense_features(rows, 2, values).value();
  return data;
}

HeadOptions options_for(HeadKind kind) {
  HeadOptions options;
  options.kind = kind;
  options.l2 = 0.1;
  options.hidden = 16;
  options.members = 2;
  options.batch = 16;
  options.learning_rate = 0.01;
  options.dropout = 0.0;
  return options;
}

Head fitted(const Sample& data, const HeadOptions& options) {
  return fit_head(data.features, data.labels, 2, data.prompts, options).value();
}

double share_right(const Head& head, const Sample& data, std::size_t dim) {
  const auto probabilities = predict(head, data.features).value();
  double right = 0.0;
  for (std::size_t row = 0; row < data.features.rows; ++row) {
    const auto p = probabilities.at(row, dim);
    const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    right += best == class_of(data.labels[row * 2 + dim]) ? 1.0 : 0.0;
  }
  return right / static_cast<double>(data.features.rows);
}

class EveryHead : public ::testing::TestWithParam<HeadKind> {};

TEST_P(EveryHead, FindsWhatIsThere) {
  const auto head = fitted(sample(300, 1), options_for(GetParam()));
  const auto fresh = sample(300, 2);
  EXPECT_GT(share_right(head, fresh, 0), 0.85) << to_string(GetParam());
  EXPECT_GT(share_right(head, fresh, 1), 0.92) << to_string(GetParam());
}

TEST_P(EveryHead, ProbabilitiesAreProbabilitiesAndAnAbsentClassStaysPossible) {
  const auto data = sample(100, 1);
  const auto probabilities = predict(fitted(data, options_for(GetParam())), data.features).value();
  double never_seen = 0.0;
  for (std::size_t row = 0; row < data.features.rows; ++row) {
    for (std::size_t d = 0; d < 2; ++d) {
      const auto p = probabilities.at(row, d);
      EXPECT_NEAR(p[0] + p[1] + p[2], 1.0, 1e-9);
      EXPECT_GT(p[0], 0.0);
    }
    never_seen += probabilities.at(row, 1)[0];
    EXPECT_NEAR(probabilities.soft(row, 0), probabilities.at(row, 0)[2] - probabilities.at(row, 0)[0], 1e-15);
  }
  EXPECT_LT(never_seen, 1.0);  // "opposed", over 100 rows in none of which it occurs
}

TEST_P(EveryHead, GivesTheSameBitsAgain) {
  const auto data = sample(60, 1);
  const auto options = options_for(GetParam());
  EXPECT_EQ(fitted(data, options).members[0].layers[0].weights, fitted(data, options).members[0].layers[0].weights);
}

TEST_P(EveryHead, SparseAndDenseFeaturesAreTheSame) {
  auto data = sample(60, 1);
  const auto dense = predict(fitted(data, options_for(GetParam())), data.features).value();
  data.features.columns = 40;  // of which 38 are empty: now sparse
  ASSERT_FALSE(data.features.is_dense());
  if (GetParam() == HeadKind::kMlp) return;  // the added weights are drawn, so the fit is another one
  const auto sparse = predict(fitted(data, options_for(GetParam())), data.features).value();
  for (std::size_t i = 0; i < dense.values.size(); ++i) EXPECT_NEAR(sparse.values[i], dense.values[i], 2e-3);
}

INSTANTIATE_TEST_SUITE_P(Heads, EveryHead, ::testing::ValuesIn(kKinds),
                         [](const auto& kind) { return std::string(to_string(kind.param)); });

// At the optimum the penalty balances the data: Σ (p − y)·x + l2·w = 0 for every weight.
TEST(Logistic, StandsAtItsOptimum) {
  const auto data = sample(80, 3);
  const auto options = options_for(HeadKind::kLogistic);
  const auto head = fitted(data, options);
  const auto probabilities = predict(head, data.features).value();
  const auto& layer = head.members[0].layers[0];
  for (std::size_t feature = 0; feature < 2; ++feature) {
    double gradient = options.l2 * static_cast<double>(layer.weights[feature * 4 + 1]);  // dimension 0, upheld
    double size = 0.0;
    for (std::size_t row = 0; row < 80; ++row) {
      const double x = static_cast<double>(data.features.value[row * 2 + feature]);
      gradient += x * (probabilities.at(row, 0)[2] - (data.labels[row * 2] == 1 ? 1.0 : 0.0));
      size += std::abs(x);
    }
    EXPECT_LT(std::abs(gradient), 1e-3 * size);
  }
}

TEST(Ordinal, CutsAreInOrderAndTheScoreRisesWithTheLabel) {
  const auto head = fitted(sample(200, 4), options_for(HeadKind::kOrdinal));
  EXPECT_LT(head.low_cut[0], head.high_cut[0]);
  EXPECT_GT(head.members[0].layers[0].weights[0], 0.0F);  // first feature, dimension 0
}

// One feature x = ±1 with labels ±1, two rows each, penalty 2, the intercept's feature 10: w = Σxy/(Σx² + 2) = 4/6.
TEST(Ridge, HasTheClosedForm) {
  const auto features = dense_features(4, 1, std::array{1.0F, 1.0F, -1.0F, -1.0F}).value();
  HeadOptions options = options_for(HeadKind::kRidge);
  options.l2 = 2.0;
  const auto head =
      fit_head(features, std::array<ValueLabel, 4>{1, 1, -1, -1}, 1, std::array<std::size_t, 4>{0, 1, 2, 3}, options)
          .value();
  EXPECT_NEAR(head.members[0].layers[0].weights[0], 4.0 / 6.0, 1e-6);
  EXPECT_NEAR(head.members[0].layers[0].bias[0], 0.0, 1e-6);
}

// A prompt that alone carries a feature tells nothing about it when it is left out: its copies must not vouch for each
// other. Were rows left out one by one, the repeated row would look perfectly predictable and the slope be steep.
TEST(Ridge, LinkIsFittedOnScoresWithoutTheSamePrompt) {
  RandomStream stream(1, "noise");
  std::vector<float> values;
  std::vector<ValueLabel> labels;
  std::vector<std::size_t> by_prompt, alone;
  for (std::size_t prompt = 0; prompt < 40; ++prompt) {
    const auto label = static_cast<ValueLabel>(static_cast<int>(stream.below(3)) - 1);  // nothing to be learnt
    for (int copy = 0; copy < 4; ++copy) {
      for (std::size_t c = 0; c < 40; ++c) values.push_back(c == prompt ? 1.0F : 0.0F);
      labels.push_back(label);
      by_prompt.push_back(prompt);
      alone.push_back(alone.size());
    }
  }
  const auto features = dense_features(160, 40, values).value();
  const auto honest = fit_head(features, labels, 1, by_prompt, options_for(HeadKind::kRidge)).value();
  const auto flattered = fit_head(features, labels, 1, alone, options_for(HeadKind::kRidge)).value();
  EXPECT_GT(flattered.slope[0], 2.0 * honest.slope[0]);
}

TEST(Mlp, MembersDifferAndAreAveraged) {
  const auto data = sample(60, 1);
  auto options = options_for(HeadKind::kMlp);
  const auto both = fitted(data, options);
  ASSERT_EQ(both.members.size(), 2u);
  EXPECT_NE(both.members[0].layers[0].weights, both.members[1].layers[0].weights);
  auto first = both, second = both;
  first.members.pop_back();
  second.members.erase(second.members.begin());
  const double mean =
      (predict(first, data.features).value().values[0] + predict(second, data.features).value().values[0]) / 2.0;
  EXPECT_NEAR(predict(both, data.features).value().values[0], mean, 1e-12);
}

TEST(FitHead, SaysWhatDoesNotFit) {
  const auto data = sample(4, 1);
  EXPECT_EQ(fit_head(data.features, data.labels, 3, data.prompts, {}).error().message,
            "4 rows of 2 features and 3 dimensions need 12 labels and 4 prompts; got 8 and 4");
  EXPECT_EQ(fit_head(data.features, data.labels, 2, std::vector<std::size_t>(4, 0), {}).error().message,
            "a head needs responses to at least 2 prompts to be fitted on");
  HeadOptions options;
  options.l2 = 0.0;
  EXPECT_EQ(fit_head(data.features, data.labels, 2, data.prompts, options).error().code, ErrorCode::kInvalid);
  const auto head = fitted(data, options_for(HeadKind::kLogistic));
  EXPECT_EQ(predict(head, dense_features(1, 1, std::array{1.0F}).value()).error().message,
            "the head was fitted on 2 features, these texts have 1");
  EXPECT_EQ(head_kind("svm").error().message,
            "unknown head \"svm\"; it should be one of ridge, logistic, ordinal, mlp");
}

}  // namespace
}  // namespace valence
