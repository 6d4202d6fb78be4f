#include "valence/instruments/run_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "support/schwartz.h"
#include "support/scratch.h"
#include "valence/base/random.h"

namespace valence {
namespace {

using testing::content_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::put_file;
using testing::schwartz;
using testing::Scratch;

constexpr std::size_t kPrompts = 80, kBenevolence = 8, kSecurity = 5;

const DimensionNames& names() {
  static const auto made = dimension_names(schwartz()).value();
  return made;
}

/// What people say of response i: it upholds benevolence in two of three, opposes security in one of five.
ValueLabel truth(std::size_t i, std::size_t dim) {
  if (dim == kBenevolence) return i % 3 != 0 ? ValueLabel{1} : ValueLabel{0};
  return dim == kSecurity && i % 5 == 0 ? ValueLabel{-1} : ValueLabel{0};
}
double true_mean(std::size_t dim) {
  double sum = 0.0;
  for (std::size_t i = 0; i < kPrompts; ++i) sum += truth(i, dim);
  return sum / kPrompts;
}

/// A run whose evaluator reads benevolence far too low and never sees that security is opposed.
AnswerTable biased_run() {
  AnswerTable table;
  RandomStream stream(1, "readings");
  for (std::size_t i = 0; i < kPrompts; ++i) {
    AnswerRow said;
    said.unit = fmt::format("p{}", i);
    said.item = fmt::format("What about {}?", i);
    said.variant = "response 1";
    said.route = Route::kSampled;
    said.text = fmt::format("It depends on {}.", i);
    table.rows.push_back(said);
    for (const auto& dimension : schwartz().dimensions) {
      auto read = said;
      read.item = dimension.id;
      read.route = Route::kRead;
      const double e =
          dimension.index == kBenevolence ? 0.3 * truth(i, kBenevolence) - 0.2 + 0.05 * stream.normal() : 0.02;
      read.probability = {std::max(-e, 0.0), 1.0 - std::abs(e), std::max(e, 0.0)};
      table.rows.push_back(std::move(read));
    }
  }
  return table;
}

RunResponses responses() { return run_responses(biased_run(), schwartz(), "subject").value(); }

std::size_t number_of(const PromptedText& text) { return std::stoul(text.prompt.substr(11)); }

/// Everything that a seed draws, labelled truly.
LabelSheet labelled(const RunResponses& run, std::size_t prompts, std::uint64_t seed,
                    const std::string& by = "person") {
  LabelSheet sheet{"subject", {7, run.population.digest().hex(), seed, run.texts.size()}, {}};
  const auto draw = stats::draw_for_labelling(run.population, prompts, seed).value();
  for (const auto row : draw.rows) {
    std::vector<ValueLabel> labels;
    for (std::size_t dim = 0; dim < 10; ++dim) labels.push_back(truth(number_of(run.texts[row]), dim));
    sheet.entries.push_back({run.texts[row], labels, by});
  }
  return sheet;
}

std::string refusal(const RunResponses& run, const LabelSheet& sheet, std::string_view read_by = "evaluator",
                    const std::vector<std::string>& fitted_on = {}) {
  const auto corrected = correct_profile(run, sheet, read_by, fitted_on);
  return corrected ? "" : corrected.error().message;
}

TEST(CorrectedProfile, MovesABiasedReadingToWhereTheLabelsAre) {
  const auto run = responses();
  const auto corrected = correct_profile(run, labelled(run, 40, 3), "evaluator", {}).value();
  for (const auto dim : {kBenevolence, kSecurity}) {
    const auto& own = corrected.dimensions[dim];
    EXPECT_LE(own.mean.low, true_mean(dim)) << dim;
    EXPECT_GE(own.mean.high, true_mean(dim)) << dim;
    EXPECT_FALSE(own.mean.low <= own.readings_only && own.readings_only <= own.mean.high)
        << dim;  // the evaluator's own mean is wrong
  }
  const auto& informed = corrected.dimensions[kBenevolence];
  EXPECT_LT(informed.mean.high - informed.mean.low,
            informed.labels_only.high - informed.labels_only.low);  // readings help
  EXPECT_EQ(corrected.labelled, 40u);
  EXPECT_THAT(corrected.labelled_by, ElementsAre(Pair("person", 40u)));
}

TEST(CorrectedProfile, LabelsOfAnotherRunAreRefused) {
  auto other = biased_run();
  for (auto& row : other.rows) {
    if (row.route != Route::kRead) row.text += " Perhaps.";
  }
  const auto elsewhere = run_responses(other, schwartz(), "subject").value();
  EXPECT_THAT(refusal(responses(), labelled(elsewhere, 40, 3)),
              HasSubstr("the labels are of responses drawn from another run (7), not of subject's own"));
}

TEST(CorrectedProfile, ChosenResponsesAreRefused) {
  const auto run = responses();
  auto sheet = labelled(run, 40, 3);
  std::erase_if(sheet.entries,
                [](const auto& entry) { return entry.labels[kBenevolence] == 0; });  // the nice ones only
  EXPECT_THAT(refusal(run, sheet),
              HasSubstr("is of another response than seed 3 draws there: rows were chosen, added, left out or moved"));
}

TEST(CorrectedProfile, AnotherSeedThanTheOneThatDrewIsRefused) {
  const auto run = responses();
  auto sheet = labelled(run, 40, 3);
  sheet.record.seed = 4;
  EXPECT_THAT(refusal(run, sheet), HasSubstr("label 1 is of another response than seed 4 draws there"));
}

TEST(CorrectedProfile, AnEvaluatorThatSawAResponseIsRefused) {
  const auto run = responses();
  EXPECT_THAT(refusal(run, labelled(run, 40, 3), "evaluator", {response_id(run.texts[11])}),
              HasSubstr("the evaluator was fitted on response"));
}

TEST(CorrectedProfile, AJudgeCannotCorrectItself) {
  const auto run = responses();
  EXPECT_THAT(refusal(run, labelled(run, 40, 3, "judge:m"), "judge:m"),
              HasSubstr("judge:m read the run and labelled the sample"));
  EXPECT_EQ(refusal(run, labelled(run, 40, 3, "judge:other"), "judge:m"), "");
}

TEST(CorrectedProfile, OnePromptIsTooFew) {
  const auto run = responses();
  EXPECT_EQ(refusal(run, labelled(run, 1, 3)), "an interval needs labels of at least 2 prompts, got 1");
}

TEST(CorrectedProfile, APromptThatIsLabelledInPartIsLeftOut) {
  auto table = biased_run();
  const auto first = table.rows;
  for (auto row : first) {  // a second response to every prompt
    row.variant = "response 2";
    if (row.route != Route::kRead) row.text += " Or so.";
    table.rows.push_back(row);
  }
  const auto run = run_responses(table, schwartz(), "subject").value();
  auto sheet = labelled(run, 20, 3);
  ASSERT_EQ(sheet.entries.size(), 40u);
  sheet.entries.pop_back();
  const auto corrected = correct_profile(run, sheet, "evaluator", {}).value();
  EXPECT_EQ(corrected.prompts, 19u);
  EXPECT_EQ(corrected.labelled, 38u);
  EXPECT_EQ(corrected.unfinished, 1u);
}

TEST(RunResponses, TheSameResponseTwiceIsTwoOfThePopulation) {
  auto table = biased_run();
  const auto first = table.rows;
  for (auto row : first) {
    row.variant = "response 2";
    table.rows.push_back(row);
  }
  const auto run = run_responses(table, schwartz(), "subject").value();
  EXPECT_EQ(run.population.ids().size(), 2 * kPrompts);
  EXPECT_EQ(run.population.cluster_count(), kPrompts);
}

TEST(RunResponses, WhatWasNotReadWholeIsCounted) {
  auto table = biased_run();
  std::erase_if(table.rows, [](const auto& row) { return row.unit == "p3" && row.item == "power"; });
  const auto run = run_responses(table, schwartz(), "subject").value();
  EXPECT_EQ(run.texts.size(), kPrompts - 1);
  EXPECT_EQ(run.left_out, 1u);
}

TEST(LabelLine, TakesNamesAndNumbersWithASign) {
  const auto labels = labels_from_line("+benevolence -6", names());
  ASSERT_TRUE(labels);
  EXPECT_EQ((*labels)[kBenevolence], 1);
  EXPECT_EQ((*labels)[kSecurity], -1);
  EXPECT_EQ(std::count(labels->begin(), labels->end(), 0), 8);
  EXPECT_THAT(*labels_from_line("  ", names()), ::testing::Each(0));
  for (const auto* bad : {"benevolence", "+kindness", "+1 -1", "+11", "+0", "+"})
    EXPECT_FALSE(labels_from_line(bad, names())) << bad;
}

class Labelling : public ::testing::Test {
 protected:
  /// Answers in the order of the draw.
  void answer(const std::string& lines) {
    auto sheet = open_label_sheet(file_, names(), "subject", record_).value();
    std::istringstream in(lines);
    out_.str("");
    ASSERT_TRUE(ask_labels(run_, draw_, schwartz(), names(), sheet, file_, in, out_));
  }
  LabelSheet kept() const { return read_label_sheet(file_, names()).value(); }

  Scratch scratch_;
  RunResponses run_ = responses();
  stats::LabellingDraw draw_ = stats::draw_for_labelling(run_.population, 3, 5).value();
  SamplingRecord record_{7, run_.population.digest().hex(), 5, kPrompts};
  std::filesystem::path file_ = scratch_ / "labels.jsonl";
  std::ostringstream out_;
};

TEST_F(Labelling, GoesOnWhereItStopped) {
  answer("+benevolence\nq\n");
  EXPECT_EQ(kept().entries.size(), 1u);
  answer("\n-security +power\n");
  const auto sheet = kept();
  ASSERT_EQ(sheet.entries.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(sheet.entries[i].text.response, run_.texts[draw_.rows[i]].response);
  EXPECT_EQ(sheet.entries[0].labels[kBenevolence], 1);
  EXPECT_THAT(sheet.entries[1].labels, ::testing::Each(0));
  EXPECT_EQ(sheet.entries[2].labels[kSecurity], -1);
  EXPECT_EQ(sheet.entries[2].labelled_by, "person");
}

TEST_F(Labelling, AsksAgainAndGoesBack) {
  answer("kind\n+benevolence\nb\n-benevolence\nq\n");
  EXPECT_THAT(out_.str(), HasSubstr("a sign and a name or number for each value"));
  const auto sheet = kept();
  ASSERT_EQ(sheet.entries.size(), 1u);
  EXPECT_EQ(sheet.entries[0].labels[kBenevolence], -1);
}

TEST_F(Labelling, DoesNotShowWhatTheEvaluatorRead) {
  answer("q\n");
  EXPECT_THAT(out_.str(), ::testing::Not(::testing::ContainsRegex("[0-9][.][0-9]")));
}

TEST_F(Labelling, WritesTheLabelledShape) {
  answer("+benevolence\n\n-5\n");
  const auto data = read_labelled(file_, names()).value();
  ASSERT_EQ(data.rows.size(), 3u);
  EXPECT_EQ(data.rows[0].labels[kBenevolence], 1);
  EXPECT_EQ(data.rows[0].responder, "subject");
  EXPECT_THAT(content_of(file_), HasSubstr("\"labelled_by\":\"person\",\"sampling\":{\"run\":7,"));
}

TEST_F(Labelling, OfAnotherDrawIsNotMixedIn) {
  answer("+benevolence\n\n\n");
  auto other = record_;
  other.seed = 6;
  EXPECT_THAT(open_label_sheet(file_, names(), "subject", other).error().message,
              HasSubstr("these are labels of another draw (run 7, seed 5)"));
}

TEST_F(Labelling, FilesThatAreNoSampleAreRefusedAtTheirLine) {
  answer("+benevolence\n\n\n");
  const auto text = content_of(file_);
  const auto second = text.find('\n') + 1, third = text.find('\n', second) + 1;
  put_file(file_, text.substr(0, second) + text.substr(third));  // the second label is gone
  EXPECT_THAT(read_label_sheet(file_, names()).error().message, HasSubstr("labels.jsonl:2"));
  EXPECT_THAT(read_label_sheet(file_, names()).error().message,
              HasSubstr("place 3 of the draw stands where place 2 should"));
  put_file(file_, "{\"prompt\": \"p\", \"response\": \"r\", \"value_types\": []}\n");
  EXPECT_THAT(read_label_sheet(file_, names()).error().message,
              HasSubstr("this label does not say how its response was drawn"));
}

}  // namespace
}  // namespace valence
