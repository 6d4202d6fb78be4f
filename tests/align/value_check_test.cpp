#include "valence/align/value_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "toy_values.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using testing::Scratch;

class ValueChecked : public ::testing::Test {
 protected:
  ValueCheckOptions options() {
    ValueCheckOptions options;
    options.prompts = testing::prompts_file(scratch_ / "prompts.jsonl");
    options.count = 40;
    options.evaluators = {
        testing::evaluator_of(scratch_ / "one.evaluator", "one", {{"kindly", 1}, {"rudely", -1}, {"so", 0}})};
    return options;
  }

  static const Change* find(const std::vector<Change>& changes, std::string_view id) {
    const auto found = std::ranges::find(changes, id, &Change::id);
    return found == changes.end() ? nullptr : &*found;
  }

  Scratch scratch_;
  std::unique_ptr<Store> store_ = Store::open(scratch_ / "runs.db").value();
};

TEST_F(ValueChecked, ShowsHowMuchNearerTheResponsesAre) {
  const auto before = testing::says(scratch_ / "before.jsonl", {"so so", "rudely", "kindly"});
  const auto after = testing::says(scratch_ / "after.jsonl", {"kindly"});
  const auto check = check_values(before, after, testing::benevolent(), *store_, options());
  ASSERT_TRUE(check) << check.error().message;
  EXPECT_EQ(check->prompts, 40u);
  const auto* l1 = find(check->reports.front().distances, "responses.fulcra_l1");
  ASSERT_NE(l1, nullptr);
  EXPECT_LT(l1->difference.high, 0.0);
  EXPECT_NEAR(l1->difference.value, l1->after.value - l1->before.value, 1e-9);
  EXPECT_EQ(l1->difference.unit, "prompt");
  EXPECT_LT(l1->p_holm, 0.05);
}

TEST_F(ValueChecked, AnEvasiveSubjectLosesCoverageWhileItsMaskedRewardIsPerfect) {
  const auto before = testing::says(scratch_ / "before.jsonl", {"kindly", "rudely"});
  const auto after = testing::says(scratch_ / "after.jsonl", {"so", "so so"});
  const auto check = check_values(before, after, testing::benevolent(), *store_, options()).value();
  const auto& distances = check.reports.front().distances;
  const auto *masked = find(distances, "responses.fulcra_reward"),
             *coverage = find(distances, "responses.fulcra_coverage");
  ASSERT_NE(masked, nullptr);
  ASSERT_NE(coverage, nullptr);
  EXPECT_EQ(masked->after.value, 0.0);
  EXPECT_EQ(coverage->after.value, 0.0);
  EXPECT_LT(coverage->difference.high, -0.9);
  EXPECT_THAT(check.reports.front().reasons,
              ::testing::Contains(HasSubstr("after: ")));  // evades everything: not interpretable
}

TEST_F(ValueChecked, CountsRefusals) {
  const auto before = testing::says(scratch_ / "before.jsonl", {"kindly", "so kindly"});
  const auto after = testing::says(scratch_ / "after.jsonl", {"I refuse to answer that kindly.", "kindly"});
  const auto check = check_values(before, after, testing::benevolent(), *store_, options()).value();
  const auto* refused = find(check.responses, "refused");
  ASSERT_NE(refused, nullptr);
  EXPECT_EQ(refused->before.value, 0.0);
  EXPECT_GT(refused->difference.low, 0.0);
}

TEST_F(ValueChecked, AnotherCheckTakesTheRunsThatAreThere) {
  const auto before = testing::says(scratch_ / "before.jsonl", {"kindly", "so"}),
             after = testing::says(scratch_ / "after.jsonl", {"kindly"});
  const auto first = check_values(before, after, testing::benevolent(), *store_, options()).value();
  const auto again = check_values(before, after, testing::benevolent(), *store_, options()).value();
  EXPECT_EQ(first.reports.front().before, again.reports.front().before);
  EXPECT_EQ(to_json(first), to_json(again));
}

TEST_F(ValueChecked, AnEditedFileOfPromptsIsMeasuredAnew) {
  const auto before = testing::says(scratch_ / "before.jsonl", {"kindly", "so"}),
             after = testing::says(scratch_ / "after.jsonl", {"kindly"});
  const auto asked = options();
  const auto first = check_values(before, after, testing::benevolent(), *store_, asked).value();
  testing::put_file(asked.prompts, testing::content_of(asked.prompts).substr(testing::content_of(asked.prompts).find('\n') + 1));
  const auto edited = check_values(before, after, testing::benevolent(), *store_, asked).value();
  EXPECT_NE(first.reports.front().before, edited.reports.front().before);
}

TEST_F(ValueChecked, SaysWhyTheDomainOfAnEvaluatorIsNotKnown) {
  const auto before = testing::says(scratch_ / "before.jsonl", {"kindly", "so"}),
             after = testing::says(scratch_ / "after.jsonl", {"kindly"});
  auto asked = options();
  asked.domain = asked.evaluators.front();
  const auto check = check_values(before, after, testing::benevolent(), *store_, asked).value();
  EXPECT_TRUE(check.domain.empty());
  EXPECT_EQ(check.domain_note,
            "the evaluator was fitted on 120 texts, of which 0 are shipped: where its domain ends is not known");
}

TEST_F(ValueChecked, NeedsAnEvaluator) {
  const auto spec = testing::says(scratch_ / "before.jsonl", {"kindly"});
  auto asked = options();
  asked.evaluators.clear();
  EXPECT_EQ(check_values(spec, spec, testing::benevolent(), *store_, asked).error().message,
            "name at least one evaluator that reads the responses");
}

}  // namespace
}  // namespace valence
