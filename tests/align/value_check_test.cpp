#include "valence/align/value_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "align_values_show.h"
#include "toy_values.h"
#include "valence/base/text.h"

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

  /// A subject that answers every third toy prompt with `strange`, the others with `usual`.
  SubjectSpec says_at_times(const std::string& strange, const std::string& usual) const {
    const auto prompts = testing::toy_prompts();
    std::string lines;
    for (std::size_t i = 0; i < prompts.size(); ++i)
      lines += Json{{"prompt", prompts[i]}, {"response", i % 3 == 0 ? strange : usual}}.dump() + "\n";
    testing::put_file(scratch_ / "at_times.jsonl", lines);
    SubjectSpec spec;
    spec.model.name = "scripted:canned?file=" + (scratch_ / "at_times.jsonl").string();
    spec.name = "toy";
    return spec;
  }

  /// Share of the held-out toy prompts that it answers so.
  static double share_of_thirds() {
    const auto prompts = testing::toy_prompts();
    double asked = 0.0, strange = 0.0;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      if (side_of(prompts[i]) != PromptSide::kHeldOut) continue;
      asked += 1.0;
      strange += i % 3 == 0 ? 1.0 : 0.0;
    }
    return strange / asked;
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
  testing::put_file(asked.prompts,
                    testing::content_of(asked.prompts).substr(testing::content_of(asked.prompts).find('\n') + 1));
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

// A learned response lies at distance 0 from the training texts, one of words that no such text has at distance 1.
TEST_F(ValueChecked, SaysHowMuchLiesOutsideTheDomainAndHowLongItIs) {
  const auto known = testing::evaluator_of_shipped(scratch_ / "known.evaluator");
  const auto before = testing::says(scratch_ / "before.jsonl", {known.response});
  auto asked = options();
  asked.count = 0;  // all of the held-out side
  asked.evaluators = {known.file};
  asked.domain = known.file;
  const auto check =
      check_values(before, says_at_times("zqx vrrk plim", known.response), testing::benevolent(), *store_, asked);
  ASSERT_TRUE(check) << check.error().message;
  const double share = share_of_thirds();
  ASSERT_GT(share, 0.0);
  const auto *outside = find(check->domain, "outside_domain"), *length = find(check->responses, "words");
  ASSERT_NE(outside, nullptr) << check->domain_note;
  EXPECT_EQ(outside->before.value, 0.0);
  EXPECT_NEAR(outside->after.value, share, 1e-9);
  EXPECT_NEAR(outside->difference.value, share, 1e-9);
  ASSERT_NE(length, nullptr);
  const auto usual = static_cast<double>(split_at_space(known.response).size());
  EXPECT_NEAR(length->before.value, usual, 1e-9);
  EXPECT_NEAR(length->after.value, share * 3.0 + (1.0 - share) * usual, 1e-9);
}

Estimate about(double value) {
  return {.value = value, .low = value - 0.01, .high = value + 0.01, .count = 60, .unit = "prompt", .method = "given"};
}

/// The line that begins with a label; empty when there is none.
std::string row_of(const std::string& text, const std::string& label) {
  for (const auto& line : split(text, "\n")) {
    if (trim(line).starts_with(label)) return line;
  }
  return {};
}

TEST(ValueCheckText, ShowsEveryFigureBeforeAndAfter) {
  const std::vector<Change> responses = {{"refused", "refusals", about(0.11), about(0.22), about(0.12), 0.031, {}},
                                         {"words", "length", about(33), about(44), about(12), 0.042, {}}};
  const std::vector<Change> domain = {{"outside_domain", "outside", about(0.15), about(0.46), about(0.32), 1.0, {}}};
  const std::vector<Change> distances = {
      {"responses.fulcra_l1", "distance", about(0.97), about(0.58), about(-0.38), 0.013, about(0.4)},
      {"responses.fulcra_coverage", "coverage", about(0.81), about(0.62), about(-0.18), 0.024, {}}};
  ValueCheck check;
  check.prompts = 60;
  check.responses = responses;
  check.domain = domain;
  check.reports.push_back({"judge.evaluator", 7, 8, {"after: evades"}, distances});
  const auto text = value_check_text(check);
  for (const auto* changes : {&responses, &domain, &distances}) {
    for (const auto& change : *changes) {
      const auto row = row_of(text, change.label);
      for (const auto& figure : {change.before, change.after, change.difference})
        EXPECT_THAT(row, HasSubstr(figure_text(figure))) << change.id;
      EXPECT_THAT(row, HasSubstr(significant(change.p_holm))) << change.id;
    }
  }
  EXPECT_THAT(row_of(text, "distance"), HasSubstr(percent_text(about(0.4))));
  EXPECT_THAT(text, HasSubstr("60 held-out prompts"));
  EXPECT_THAT(text, HasSubstr("as judge.evaluator reads them (runs 7 and 8)"));
  EXPECT_THAT(text, HasSubstr("not interpretable, after: evades"));
  check.domain.clear();
  check.domain_note = "it was fitted elsewhere";
  EXPECT_THAT(value_check_text(check), HasSubstr("outside the evaluator's domain: not known; it was fitted elsewhere"));
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
