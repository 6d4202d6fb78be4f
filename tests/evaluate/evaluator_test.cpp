#include "valence/evaluate/evaluator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "toy.h"
#include "valence/evaluate/evidence.h"

namespace valence {
namespace {

using testing::toy_data;

EvaluatorRecipe quick_recipe() {
  EvaluatorRecipe recipe;
  recipe.parts.front().head.l2 = 0.1;
  return recipe;
}

Evaluator trained(const LabelledData& data, const EvaluatorRecipe& recipe) {
  return train_evaluator(data, text_feature_families().value(), recipe, *silent_progress()).value();
}

TEST(Evaluator, LearnsFromWords) {
  const auto evaluator = trained(toy_data(200), quick_recipe());
  const auto fresh = toy_data(100, 2);
  const auto labels = decide(evaluator.evaluate(texts_of(fresh.rows)).value(), evaluator.thresholds());
  const auto truth = labels_of(fresh.rows);
  std::size_t right = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) right += labels[i] == truth[i] ? 1 : 0;
  EXPECT_GT(right, 190u);
}

TEST(Evaluator, RemembersWhatItWasFittedOn) {
  const auto data = toy_data(60);
  const auto evaluator = trained(data, quick_recipe());
  EXPECT_EQ(evaluator.space(), "toy");
  EXPECT_EQ(evaluator.provenance().rows, 60u);
  EXPECT_EQ(evaluator.provenance().prompts, 30u);
  EXPECT_TRUE(std::is_sorted(evaluator.provenance().fitted_on.begin(), evaluator.provenance().fitted_on.end()));
  EXPECT_EQ(evaluator.provenance().fitted_on.size(), 60u);
  EXPECT_EQ(evaluator.provenance().responders.front(), (std::pair<std::string, std::size_t>{"a", 20}));
}

TEST(Evaluator, ChoosesThePenaltyWithinTheTrainingRows) {
  auto recipe = quick_recipe();
  recipe.parts.front().l2_grid = {1000.0, 0.1};
  EXPECT_EQ(fits_of(recipe), 7u);
  EXPECT_EQ(trained(toy_data(120), recipe).recipe().parts.front().head.l2, 0.1);
}

TEST(Evaluator, SharpnessIsChosenByTheSoftErrorAndMovesNoOrder) {
  const auto data = toy_data(120);
  auto recipe = quick_recipe();
  const auto plain = trained(data, recipe);
  recipe.sharpness_grid = {0.2, 1.0, 3.0};
  const auto sharp = trained(data, recipe);
  EXPECT_EQ(sharp.recipe().sharpness, 3.0) << "words tell the toy's values with certainty";
  const auto texts = texts_of(toy_data(20, 2).rows);
  const auto soft = plain.evaluate(texts).value(), sharper = sharp.evaluate(texts).value();
  for (std::size_t row = 0; row < soft.rows; ++row) {
    const auto p = soft.at(row, 0), q = sharper.at(row, 0);
    EXPECT_NEAR(q[0] / q[1], std::pow(p[0] / p[1], 3.0), 1e-9 * (1.0 + q[0] / q[1]));
  }
}

/// One feature, the length; keeps which texts it was fitted on.
class SpyFamily : public FeatureFamily {
 public:
  explicit SpyFamily(std::vector<std::set<std::string>>& fits) : fits_(fits) {}
  std::string id() const override { return "spy"; }
  std::string help() const override { return "the length"; }
  Result<std::unique_ptr<FeatureMap>> fit(std::span<const PromptedText> texts) const override {
    std::set<std::string> seen;
    for (const auto& text : texts) seen.insert(response_id(text));
    fits_.push_back(seen);
    return embedding_family({"spy", "", "spy", 1,
                             [](std::span<const PromptedText> some) -> Result<std::vector<float>> {
                               std::vector<float> values;
                               for (const auto& text : some) values.push_back(static_cast<float>(text.response.size()));
                               return values;
                             }})
        ->fit(texts);
  }
  Result<std::unique_ptr<FeatureMap>> restore(const Json&) const override {
    return fail(ErrorCode::kUnsupported, "none");
  }

 private:
  std::vector<std::set<std::string>>& fits_;
};

TEST(Evaluator, FeaturesAreFittedAnewInEveryInnerFold) {
  std::vector<std::set<std::string>> fits;
  auto recipe = quick_recipe();
  recipe.parts.front().features = {"spy"};
  ASSERT_TRUE(train_evaluator(toy_data(60), {std::make_shared<SpyFamily>(fits)}, recipe, *silent_progress()));
  ASSERT_EQ(fits.size(), 4u);  // three inner folds, then all rows
  EXPECT_EQ(fits.back().size(), 60u);
  for (std::size_t f = 0; f < 3; ++f) EXPECT_EQ(fits[f].size(), 40u);
}

/// Words of the response, with a logistic head and with a ridge.
EvaluatorRecipe two_parts() {
  auto recipe = quick_recipe();
  recipe.parts = {EvaluatorPart{{"tfidf_response"}, HeadOptions{.kind = HeadKind::kLogistic, .l2 = 0.1}, {}},
                  EvaluatorPart{{"tfidf_response"}, HeadOptions{.kind = HeadKind::kRidge}, {1000.0, 0.1}}};
  return recipe;
}

TEST(Evaluator, PartsOfAnEnsembleSpeakByTheMeanOfTheirLogProbabilities) {
  const auto data = toy_data(120);
  const auto recipe = two_parts();
  EXPECT_EQ(fits_of(recipe), 2u + 3u * (1u + 2u));
  const auto together = trained(data, recipe);
  ASSERT_EQ(together.members().size(), 2u);
  EXPECT_EQ(together.recipe().parts[1].head.l2, 0.1);  // each part chooses its own penalty
  const auto texts = texts_of(toy_data(10, 2).rows);
  const auto first = together.members()[0].evaluate(texts).value(),
             second = together.members()[1].evaluate(texts).value();
  const auto said = together.evaluate(texts).value();
  for (std::size_t cell = 0; cell < 20; ++cell) {
    std::array<double, 3> product{};
    double sum = 0.0;
    for (std::size_t c = 0; c < 3; ++c) {
      product[c] = std::sqrt(first.values[cell * 3 + c] * second.values[cell * 3 + c]);
      sum += product[c];
    }
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(said.values[cell * 3 + c], product[c] / sum, 1e-9);
  }
}

TEST(Evaluator, NeedsAPart) {
  auto recipe = quick_recipe();
  recipe.parts = {};
  EXPECT_EQ(train_evaluator(toy_data(60), {}, recipe, *silent_progress()).error().message,
            "an evaluator needs a part: features and a head");
}

TEST(EvaluatorRecipe, NamesEveryFamilyOnce) {
  EvaluatorRecipe recipe;
  recipe.parts = {EvaluatorPart{{"a", "b"}, {}, {}}, EvaluatorPart{{"c", "a"}, {}, {}}};
  EXPECT_EQ(recipe.features(), (std::vector<std::string>{"a", "b", "c"}));
}

LabelledData with_more(LabelledData data, std::size_t rows) {
  auto more = toy_data(rows, 9);
  for (auto& row : more.rows) row.text.prompt = "elsewhere, " + row.text.prompt;
  return with_auxiliary(std::move(data), more).value();
}

TEST(Evaluator, AuxiliaryRowsAreLearntFromInEveryFold) {
  std::vector<std::set<std::string>> fits;
  auto recipe = quick_recipe();
  recipe.parts.front().features = {"spy"};
  const auto evaluator =
      train_evaluator(with_more(toy_data(60), 20), {std::make_shared<SpyFamily>(fits)}, recipe, *silent_progress())
          .value();
  ASSERT_EQ(fits.size(), 4u);
  const auto more = std::set<std::string>(fits.back()).size() - 60;
  EXPECT_GT(more, 0u);  // texts that are alike count once
  for (std::size_t f = 0; f < 3; ++f) EXPECT_EQ(fits[f].size(), 40u + more);
  EXPECT_EQ(evaluator.provenance().rows, 60u);
  EXPECT_EQ(evaluator.provenance().auxiliary, 20u);
  EXPECT_EQ(evaluator.provenance().fitted_on.size(), 80u);
}

TEST(Auxiliary, RowsThatShareAPromptAreRefused) {
  const auto refused = with_auxiliary(toy_data(10), toy_data(4, 2));
  EXPECT_EQ(refused.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(refused.error().message,
            "the further labels share a prompt with those that are judged by (\"question 0\"): figures would flatter");
}

TEST(Evaluator, StopsBetweenFits) {
  std::stop_source source;
  source.request_stop();
  const auto stopped = train_evaluator(toy_data(60), text_feature_families().value(), quick_recipe(),
                                       *silent_progress(), source.get_token());
  EXPECT_EQ(stopped.error().message, "stopped while training; nothing was written");
  EXPECT_EQ(stopped.error().code, ErrorCode::kStopped);
}

TEST(Evaluator, NeedsFeatures) {
  auto recipe = quick_recipe();
  recipe.parts.front().features = {};
  EXPECT_EQ(train_evaluator(toy_data(60), {}, recipe, *silent_progress()).error().message,
            "an evaluator needs features; name at least one family");
}

TEST(Evidence, NamesTheSentenceThatCarriesTheValue) {
  const auto evaluator = trained(toy_data(200), quick_recipe());
  const PromptedText text{"question", "Well now maybe so rules. I help."};
  const auto spans = evidence_of(evaluator, text).value();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(text.response.substr(spans[1].first, spans[1].size), "I help.");
  EXPECT_GT(spans[0].contribution[0], 0.3);   // "rules" upholds order
  EXPECT_GT(spans[1].contribution[1], 0.15);  // "help" upholds care
  EXPECT_LT(std::abs(spans[1].contribution[0]), spans[0].contribution[0]);
}

}  // namespace
}  // namespace valence
