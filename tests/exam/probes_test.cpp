#include "valence/exam/probes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "fake_model.h"
#include "knowing_subject.h"

namespace valence::testing {
namespace {

std::vector<ProbeQuestion> made(std::size_t options, std::uint64_t seed = 1) {
  return probe_questions({.options = options}, seed).value();
}

TEST(ProbeQuestions, AreAHundredItemsHalfOfThemInTwoWordingsAndSixOverall) {
  const auto probes = made(4);
  std::map<std::string, std::set<std::string>> wordings;  // by item
  std::set<std::string> items, all;
  for (const auto& probe : probes) {
    wordings[probe.item].insert(probe.wording);
    items.insert(probe.options.front());
    all.insert(probe.wording);
  }
  EXPECT_EQ(wordings.size(), 100U);
  EXPECT_EQ(items.size(), 100U);  // the right answers differ
  EXPECT_EQ(all.size(), 6U);
  // 25 blocks of four items; of each six, the first round in two wordings, the second in one.
  EXPECT_EQ(std::ranges::count_if(wordings, [](const auto& entry) { return entry.second.size() == 2; }), 4 * 13);
  EXPECT_EQ(probes.size(), 152U);
}

TEST(ProbeQuestions, PutTheRightAnswerEverywhereEquallyOften) {
  for (std::size_t options = 2; options <= 9; ++options) {
    std::vector<std::size_t> places(options, 0);
    const auto probes = made(options);
    for (const auto& probe : probes) ++places[probe.place.front()];
    const auto [low, high] = std::ranges::minmax(places);
    EXPECT_LE(high - low, 2U) << options;
    for (std::size_t i = 0; i + 1 < probes.size(); ++i) {
      EXPECT_TRUE(probes[i].item != probes[i + 1].item || probes[i].place[0] != probes[i + 1].place[0]);
    }
  }
}

TEST(ProbeQuestions, ShowDistinctOptionsOfDifferentCategories) {
  for (const auto& probe : made(9)) {
    const std::set<std::string> options(probe.options.begin(), probe.options.end());
    auto places = probe.place;
    std::ranges::sort(places);
    EXPECT_EQ(options.size(), 9U);
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(places[i], i);
    EXPECT_NE(probe.letter_form.find("{options}"), std::string::npos);
    EXPECT_EQ(probe.letter_form.find("{category}"), std::string::npos);
    EXPECT_EQ(probe.text_form.find('{'), std::string::npos);
    for (const auto& option : probe.options) EXPECT_NE(probe.text_form.find(option), std::string::npos);
  }
}

TEST(ProbeQuestions, FollowTheSeed) {
  EXPECT_EQ(made(4, 1)[7].options, made(4, 1)[7].options);
  EXPECT_NE(made(4, 1)[7].options, made(4, 2)[7].options);
}

TEST(ProbeQuestions, AreNeverFewerThanAHundred) {
  EXPECT_EQ(probe_questions({.items = 99}, 1).error().message, "the validity gate puts 100 to 162 probe items, not 99");
  EXPECT_EQ(probe_questions({.options = 10}, 1).error().message, "probe questions have 2 to 9 options, not 10");
}

std::vector<AnswerRow> rows_of(const ProbeForm& form, double pull, std::uint64_t seed = 5) {
  const auto subject = subject_of(knowing_subject(form, pull, seed));
  Examiner examiner(subject, nullptr, 0, {.seed = seed});
  return put_probes(examiner, form).value();
}

TEST(PutProbes, RowsHaveTheRightAnswerFirstAndWhereItStood) {
  const auto rows = rows_of({.options = 4}, 1.0);  // always the first place
  std::size_t agreement = 0;
  for (const auto& row : rows) {
    agreement += row.condition == kAgreementCondition ? 1 : 0;
    ASSERT_EQ(row.status, Status::kScored);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(row.probability[i] > 0.5, row.place[i] == 0);
    EXPECT_EQ(row.route, row.condition == kAgreementCondition ? Route::kSampled : Route::kExact);
  }
  EXPECT_EQ(agreement, ProbeForm{}.agreement);
  EXPECT_EQ(rows.size(), 152U + ProbeForm{}.agreement);
  EXPECT_EQ(rows.front().layout, fmt::format("right answer at {}, A–D", rows.front().place.front() + 1));
}

TEST(PutProbes, AModelThatCannotGenerateIsNotSampled) {
  auto model = std::make_shared<FakeModel>(constant(std::vector<double>(9, 0.1)));
  model->change_card().can.generates = false;
  const auto subject = subject_of(model);
  Examiner examiner(subject, nullptr, 0, {});
  const auto rows = put_probes(examiner, {}).value();
  EXPECT_EQ(rows.size(), 152U);
}

TEST(PutProbes, AModelThatCannotScoreIsSampledOnly) {
  auto model = std::make_shared<FakeModel>(saying("A"));
  model->change_card().can.scores = false;
  const auto subject = subject_of(model);
  Examiner examiner(subject, nullptr, 0, {});
  const auto rows = put_probes(examiner, {}).value();
  EXPECT_EQ(rows.size(), 152U);
  for (const auto& row : rows) EXPECT_EQ(row.route, Route::kSampled);
}

TEST(PutProbes, TextFormatPutsThemAsText) {
  const auto rows = rows_of({.options = 3, .format = AnswerFormat::kText}, 1.0);
  EXPECT_EQ(rows.front().format, AnswerFormat::kText);
  EXPECT_EQ(rows.front().layout, fmt::format("right answer at {}, text", rows.front().place.front() + 1));
  for (const auto& row : rows) {
    if (row.condition != kProbeCondition) continue;  // the reply in words knows better
    const auto first = static_cast<std::size_t>(std::ranges::find(row.place, 0U) - row.place.begin());
    EXPECT_GT(row.probability.at(first), 0.99);
  }
}

TEST(PutProbes, AKnowingSubjectIsRight) {
  EXPECT_NEAR(probe_accuracy(rows_of({.options = 4}, 0.0)), 1.0, 1e-9);
  EXPECT_NEAR(probe_accuracy(rows_of({.options = 4, .format = AnswerFormat::kText}, 0.0)), 1.0, 1e-7);
}

TEST(ProbeAccuracy, IsTheMeanProbabilityOfTheRightAnswer) {
  AnswerRow right, wrong, failed, sampled;
  right.probability = {1.0, 0.0};
  wrong.probability = {0.25, 0.75};
  failed.status = Status::kError;
  sampled.condition = kAgreementCondition;
  sampled.probability = {0.0, 1.0};
  EXPECT_NEAR(probe_accuracy({right, wrong}), 0.625, 1e-12);
  EXPECT_NEAR(probe_accuracy({right, failed, sampled}), 0.5, 1e-12);
  EXPECT_TRUE(std::isnan(probe_accuracy({})));
}

}  // namespace
}  // namespace valence::testing
