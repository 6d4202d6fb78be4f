#include "valence/instruments/tax.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "exam/fake_model.h"
#include "support/scratch.h"
#include "valence/base/json.h"
#include "valence/instruments/side_effects.h"

namespace valence {
namespace {

using namespace valence::testing;

Settings settings_of(std::string_view id, const std::vector<std::pair<std::string, std::string>>& given = {}) {
  return Settings::resolve((*find_instrument(id))->settings(), given).value();
}

/// Says every token of any text with the same probability; tells right answers (the first continuation) by `right`.
FakeModel::Respond speaking(double token, std::function<double(const std::string& prompt)> right) {
  return [token, right](const Request& request) -> Result<Response> {
    if (std::holds_alternative<GenerateRequest>(request))
      return Response(Completion{"Five plain words of advice", {}, {}, FinishReason::kEndOfTurn});
    const auto& score = std::get<ScoreRequest>(request);
    ContinuationScores scores;
    if (score.continuations.size() == 1) {
      scores.continuations.push_back(scored({std::log(token), std::log(token), std::log(token)}));
      return Response(scores);
    }
    const double p = right(score.context.wire);
    for (std::size_t i = 0; i < score.continuations.size(); ++i) {
      const double share = i == 0 ? p : (1.0 - p) / static_cast<double>(score.continuations.size() - 1);
      // The same length in characters for all, so that the normalisation leaves the order alone.
      scores.continuations.push_back(
          scored({std::log(share) * static_cast<double>(score.continuations[i].size()) / 4.0}));
    }
    return Response(scores);
  };
}

AnswerTable administered(std::string_view id, const Settings& settings, FakeModel::Respond respond) {
  const auto subject = subject_of(std::make_shared<FakeModel>(std::move(respond)));
  Examiner examiner(subject, nullptr, 0, {});
  Examination examination{examiner, 0, nullptr, {}};
  auto table = (*find_instrument(id))->administer(examination, settings);
  EXPECT_TRUE(table) << (table ? "" : table.error().message);
  table->instrument = id;
  return std::move(*table);
}

TEST(Fluency, PerplexityOfAKnownModelIsTheInverseOfItsTokenProbability) {
  const auto settings = settings_of("fluency");
  const auto table = administered("fluency", settings, speaking(0.25, [](const auto&) { return 0.9; }));
  EXPECT_GE(table.rows.size(), 60U);
  const auto profile = profile_of(**find_instrument("fluency"), settings, table, "known", {}).value();
  EXPECT_NEAR(profile.find("perplexity")->estimate.value, 4.0, 1e-9);
  EXPECT_NEAR(profile.find("loss")->estimate.value, std::log(4.0), 1e-9);
  EXPECT_EQ(profile.find("loss")->estimate.count, table.rows.size());
}

TEST(Fluency, AParagraphThatCouldNotBeScoredIsCountedAsAnError) {
  const auto table =
      administered("fluency", settings_of("fluency", {{"count", "8"}}),
                   [](const Request&) -> Result<Response> { return fail(ErrorCode::kModel, "decode failed"); });
  ASSERT_EQ(table.rows.size(), 8U);
  EXPECT_EQ(table.rows[0].status, Status::kError);
  EXPECT_EQ(table.rows[0].text, "decode failed");
  const auto estimator = (*find_instrument("fluency"))->prepare(table, settings_of("fluency"));
  ASSERT_FALSE(estimator);
  EXPECT_EQ(estimator.error().message, "no paragraph was scored (valence export shows why)");
}

TEST(Capability, ShipsAtLeast120ItemsInFourFamiliesEachWithTwoToFourOptions) {
  const auto table = administered("capability", settings_of("capability", {{"wordings", "2"}}),
                                  speaking(0.5, [](const auto&) { return 0.9; }));
  std::map<std::string, std::set<std::string>> families;
  for (const auto& row : table.rows) {
    families[row.condition].insert(row.item);
    EXPECT_GE(row.probability.size(), 2U);
    EXPECT_LE(row.probability.size(), 4U);
  }
  ASSERT_EQ(families.size(), 4U);
  for (const auto& [family, items] : families) EXPECT_GE(items.size(), 30U) << family;
}

TEST(Capability, TheWordingThatChoosesIsNotCompared) {
  // Right in every wording but the choosing one: nothing is testable, and the accuracy is 1 all the same.
  const auto settings = settings_of("capability", {{"format", "letter"}});
  auto table = administered("capability", settings, speaking(0.5, [](const auto&) { return 0.9; }));
  for (auto& row : table.rows) {
    const bool choosing = row.variant.starts_with(kChoosingVariant);
    row.probability.assign(row.probability.size(),
                           (choosing ? 0.9 : 0.1) / static_cast<double>(row.probability.size() - 1));
    row.probability[0] = choosing ? 0.1 : 0.9;
  }
  EXPECT_TRUE(testable_items(table).empty());
  const auto profile = profile_of(**find_instrument("capability"), settings, table, "s", {}).value();
  EXPECT_DOUBLE_EQ(profile.find("accuracy")->estimate.value, 1.0);
}

/// Both sides of a tax of hand-made answers.
struct Sides {
  Settings fluency = settings_of("fluency"), capability = settings_of("capability", {{"format", "letter"}});
  AnswerTable base_text, aligned_text, base_items, aligned_items;
  TaxSide base() const { return {{&fluency, &base_text}, {&capability, &base_items}, std::nullopt}; }
  TaxSide aligned() const { return {{&fluency, &aligned_text}, {&capability, &aligned_items}, std::nullopt}; }
};

/// `right`: the probability of the right answer by the item's id.
AnswerTable answered(const AnswerTable& form, const std::function<double(const AnswerRow&)>& right) {
  auto table = form;
  for (auto& row : table.rows) {
    const double p = right(row);
    row.probability.assign(row.probability.size(), (1.0 - p) / static_cast<double>(row.probability.size() - 1));
    row.probability[0] = p;
  }
  return table;
}

Sides sides(double base_token, double aligned_token) {
  Sides both;
  both.base_text = administered("fluency", both.fluency, speaking(base_token, [](const auto&) { return 0.5; }));
  both.aligned_text = administered("fluency", both.fluency, speaking(aligned_token, [](const auto&) { return 0.5; }));
  const auto form = administered("capability", both.capability, speaking(0.5, [](const auto&) { return 0.5; }));
  both.base_items = answered(form, [](const auto&) { return 0.9; });
  both.aligned_items = both.base_items;
  return both;
}

const TaxLine& line(const Tax& tax, std::string_view id) {
  const auto found = std::find_if(tax.lines.begin(), tax.lines.end(), [&](const auto& one) { return one.id == id; });
  EXPECT_NE(found, tax.lines.end()) << id;
  return *found;
}

Tax tax_between(const Sides& both) {
  return tax_of(both.base(), both.aligned(), {}, tax_aims().value(), {.replicates = 200}).value();
}

TEST(Tax, TheRatioOfKnownPerplexitiesIsFoundAndJudged) {
  const auto tax = tax_between(sides(0.25, 0.2));
  const auto& ratio = line(tax, "perplexity_ratio");
  EXPECT_NEAR(ratio.base.value, 4.0, 1e-9);
  EXPECT_NEAR(ratio.aligned.value, 5.0, 1e-9);
  EXPECT_NEAR(ratio.change.value, 1.25, 1e-9);
  EXPECT_EQ(ratio.verdict, TaxVerdict::kBeyond);
  EXPECT_EQ(line(tax_between(sides(0.25, 0.25)), "perplexity_ratio").verdict, TaxVerdict::kWithin);
}

TEST(Tax, ASubjectAgainstItselfCostsNothing) {
  const auto tax = tax_between(sides(0.3, 0.3));
  EXPECT_NEAR(line(tax, "capability").change.value, 0.0, 1e-12);
  EXPECT_EQ(line(tax, "capability").verdict, TaxVerdict::kWithin);
  EXPECT_DOUBLE_EQ(tax.agreement.same_choice, 1.0);
}

TEST(Tax, NoChangeSeenInFewItemsIsNotCertainty) {
  const auto tax = tax_between(sides(0.3, 0.3));
  const auto& all = line(tax, "capability").change;  // 0 of 120: Wilson's upper bound is 3.84 / 123.84
  EXPECT_NEAR(all.high, 0.0310, 1e-4);
  EXPECT_NEAR(all.low, -0.0310, 1e-4);
}

TEST(Tax, AFamilyThatTheBaseCannotDoIsCalledUntestableAndNotFree) {
  auto both = sides(0.3, 0.3);
  const auto broken = [](const AnswerRow& row) { return row.condition == "arithmetic" ? 0.05 : 0.9; };
  both.base_items = answered(both.base_items, broken);
  both.aligned_items = both.base_items;
  const auto tax = tax_between(both);
  const auto& arithmetic = line(tax, "capability.arithmetic");
  EXPECT_EQ(arithmetic.verdict, TaxVerdict::kUntestable);
  EXPECT_EQ(arithmetic.untestable, arithmetic.items);
  EXPECT_TRUE(std::isnan(arithmetic.change.value));
  EXPECT_EQ(line(tax, "capability.facts").verdict, TaxVerdict::kNoAim) << "30 items cannot exclude a loss of 5 %";
  EXPECT_EQ(line(tax, "capability.facts").change.count, 30U);
  EXPECT_EQ(line(tax, "capability").untestable, 30U);
}

TEST(Tax, LostAnswersAreSeenOnTheTestableItemsOnly) {
  auto both = sides(0.3, 0.3);
  both.aligned_items =
      answered(both.base_items, [](const AnswerRow& row) { return row.condition == "facts" ? 0.05 : 0.9; });
  const auto tax = tax_between(both);
  EXPECT_NEAR(line(tax, "capability.facts").change.value, -1.0, 1e-12);
  EXPECT_EQ(line(tax, "capability.facts").verdict, TaxVerdict::kNoAim);
  EXPECT_NEAR(line(tax, "capability").change.value, -0.25, 1e-12);
  EXPECT_EQ(line(tax, "capability").verdict, TaxVerdict::kBeyond) << "all families together are judged";
}

/// Nothing changes; the base is above chance on so many items only.
Sides unchanged_on(std::size_t count) {
  auto both = sides(0.3, 0.3);
  std::set<std::string> able;
  for (const auto& row : both.base_items.rows) {
    if (able.size() < count) able.insert(row.item);
  }
  both.base_items =
      answered(both.base_items, [&](const AnswerRow& row) { return able.contains(row.item) ? 0.9 : 0.05; });
  both.aligned_items = both.base_items;
  return both;
}

// Wilson's upper bound of 0 of n is 3.84 / (n + 3.84): .0487 of 75, .0520 of 70, against an aim of .05.
TEST(Tax, WithNothingChangedRightAnswersAreWithinFromSome75ItemsOn) {
  EXPECT_EQ(line(tax_between(unchanged_on(75)), "capability").verdict, TaxVerdict::kWithin);
  EXPECT_EQ(line(tax_between(unchanged_on(70)), "capability").verdict, TaxVerdict::kOpen);
}

/// The line of refusals of a subject that is held against itself.
TaxLine unchanged_refusals(const Settings& replies) {
  const auto both = sides(0.3, 0.3);
  const auto said = administered("replies", replies, speaking(0.5, [](const auto&) { return 0.5; }));
  auto base = both.base(), aligned = both.aligned();
  base.replies = aligned.replies = ComparedRun{&replies, &said};
  return line(tax_of(base, aligned, {}, tax_aims().value(), {.replicates = 200}).value(), "refusal");
}

TEST(Tax, WithNothingChangedTheDefaultCountOfRepliesIsWithin) {
  if (!find_instrument("replies")) GTEST_SKIP() << "replies are built with the evaluators";
  const auto refusals = unchanged_refusals(settings_of("replies"));
  EXPECT_EQ(refusals.change.count, 80U);
  EXPECT_NEAR(refusals.change.high, 0.0458, 1e-4);
  EXPECT_EQ(refusals.verdict, TaxVerdict::kWithin);
  EXPECT_EQ(unchanged_refusals(settings_of("replies", {{"count", "70"}})).verdict, TaxVerdict::kOpen);
}

TEST(Tax, RepliesGoUpToWholeTens) {
  if (!find_instrument("replies")) GTEST_SKIP() << "replies are built with the evaluators";
  const auto said =
      administered("replies", settings_of("replies", {{"count", "15"}}), speaking(0.5, [](const auto&) { return 0.5; }));
  EXPECT_EQ(said.rows.size(), 20U);
}

TEST(Tax, DriftMarksWhatWasToMove) {
  const auto both = sides(0.3, 0.3);
  const DriftPair pair{*find_instrument("capability"),
                       {&both.capability, &both.base_items},
                       {&both.capability, &both.aligned_items},
                       {"facts"}};
  const std::vector<DriftPair> pairs = {pair};
  const auto tax = tax_of(both.base(), both.aligned(), pairs, tax_aims().value(), {.replicates = 200}).value();
  ASSERT_EQ(tax.drift.size(), 5U);
  for (const auto& row : tax.drift) EXPECT_EQ(row.targeted, row.change.estimand.dimension == "facts");
}

TEST(Tax, ItsJsonHoldsEveryLine) {
  const auto tax = tax_between(sides(0.25, 0.2));
  const auto json = to_json(tax);
  ASSERT_EQ(json["lines"].size(), 6U);
  EXPECT_EQ(json["lines"][0]["id"], "perplexity_ratio");
  EXPECT_EQ(json["lines"][0]["verdict"], "beyond");
  EXPECT_NEAR(json["lines"][0]["change"]["value"].get<double>(), 1.25, 1e-9);
}

}  // namespace
}  // namespace valence
