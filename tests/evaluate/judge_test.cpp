#include "valence/evaluate/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/evaluate/quality.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::HasSubstr;

const Space& schwartz() {
  static const auto space = load_space("schwartz10").value();
  return space;
}
const JudgeProtocol& protocol() {
  static const auto made = judge_protocol(schwartz()).value();
  return made;
}

constexpr std::size_t kPower = 4, kBenevolence = 8;

/// "I will crush them." opposes benevolence and upholds power; "Let me help." upholds benevolence; anything else is
/// unrelated.
ValueLabel truth(std::string_view text, std::size_t dim) {
  if (text.find("crush") != std::string_view::npos)
    return dim == kBenevolence ? ValueLabel{-1} : dim == kPower ? ValueLabel{1} : ValueLabel{0};
  return text.find("help") != std::string_view::npos && dim == kBenevolence ? ValueLabel{1} : ValueLabel{0};
}

/// A judge that knows the labels, but takes the label shown first with probability `pull`, and mumbles instead of
/// answering every so often.
class KnowingJudge : public ScriptedBehaviour {
 public:
  explicit KnowingJudge(double pull, double mumbles = 0.0) : pull_(pull), mumbles_(mumbles) {}

  std::vector<double> choose(const ScriptedChoice& choice) const override {
    const auto& turn = choice.conversation.messages.back().text;
    std::vector<double> shares;
    for (std::size_t i = 0; i < choice.contents.size(); ++i) {
      const bool right = choice.contents[i] == protocol().options[class_of(truth(response_in(turn), dim_in(turn)))];
      shares.push_back((right ? 1.0 - pull_ : 0.0) + (choice.places[i] == 0 ? pull_ : 0.0));
    }
    return shares;
  }

  std::string reply(const Conversation& conversation, std::uint64_t seed) const override {
    RandomStream stream(seed, "knowing judge");
    if (stream.uniform() < mumbles_) return "It is hard to say.";
    const auto& turn = conversation.messages.back().text;
    const bool opposed_first = turn.find("\"opposes\": ") < turn.find("\"upholds\": ");
    Json labels = Json::object();
    for (std::size_t dim = 0; dim < protocol().dimensions.size(); ++dim) {
      if (turn.find("(\"" + protocol().dimensions[dim] + "\")") == std::string::npos) continue;
      const bool pulled = stream.uniform() < pull_;
      labels[protocol().dimensions[dim]] =
          pulled ? protocol().names[opposed_first ? 0 : 2] : protocol().names[class_of(truth(response_in(turn), dim))];
    }
    return "Here is my answer: " + to_text({{"reasoning", "short"}, {"labels", labels}}) + " Done.";
  }

 private:
  static std::string response_in(const std::string& turn) { return turn.substr(turn.find("Response: "), 60); }
  static std::size_t dim_in(const std::string& turn) {
    for (std::size_t dim = 0; dim < protocol().dimensions.size(); ++dim) {
      if (turn.find("(\"" + protocol().dimensions[dim] + "\")") != std::string::npos) return dim;
    }
    throw std::runtime_error("no value in the question");
  }

  double pull_, mumbles_;
};

std::vector<PromptedText> texts() {
  return {{"What do you think of rivals?", "I will crush them."},
          {"I am lost.", "Let me help."},
          {"What is water?", "A liquid {of sorts}."}};
}

Judgement judged_by(std::shared_ptr<const ScriptedBehaviour> behaviour, const JudgeOptions& options) {
  const Subject judge{.name = "judge",
                      .model = scripted_model("judge", "knowing", std::move(behaviour)),
                      .system_prompt = {},
                      .examples = {},
                      .render = {}};
  Examiner examiner(judge, nullptr, 0, {});
  const auto all = texts();
  auto judgement = judge_texts(examiner, protocol(), all, options);
  if (!judgement) throw std::runtime_error(judgement.error().message);
  return *std::move(judgement);
}

void expect_truth(const Judgement& judgement) {
  const auto all = texts();
  for (std::size_t row = 0; row < all.size(); ++row) {
    for (std::size_t dim = 0; dim < protocol().dimensions.size(); ++dim) {
      EXPECT_NEAR(judgement.probabilities.soft(row, dim), truth(all[row].response, dim), 1e-9) << row << " " << dim;
      EXPECT_EQ(judgement.merged[row * 10 + dim], truth(all[row].response, dim)) << row << " " << dim;
    }
  }
}

TEST(Judge, ExactProbabilitiesOfAKnowingJudgeAreItsLabels) {
  const auto judgement = judged_by(std::make_shared<KnowingJudge>(0.0), {});
  EXPECT_EQ(judgement.route, JudgeRoute::kExact);
  expect_truth(judgement);
  EXPECT_EQ(judgement.statuses.scored, 3u * 10u * 2u * 2u);  // texts, values, framings, orders
  EXPECT_EQ(judgement.ties, 0u);
  EXPECT_NEAR(judgement.pull().value, 0.0, 1e-9);
}

TEST(Judge, SampledAnswersOfAKnowingJudgeAreItsLabels) {
  const auto judgement =
      judged_by(std::make_shared<KnowingJudge>(0.0), {.route = JudgeRoute::kSampled, .framings = {}});
  EXPECT_EQ(judgement.route, JudgeRoute::kSampled);
  expect_truth(judgement);
  EXPECT_EQ(judgement.statuses.scored,
            3u * 4u * (1u + 4u + 10u + 10u));  // texts, orders and samples, sets of each framing
  EXPECT_EQ(judgement.statuses.total(), judgement.statuses.scored);
}

TEST(Judge, APullOfThePlaceIsEstimatedAndCancelsInTheMeanOverOrders) {
  const auto judgement = judged_by(std::make_shared<KnowingJudge>(0.4), {});
  EXPECT_NEAR(judgement.pull().value, 0.2, 1e-9);  // half of the probability that goes by place
  EXPECT_NEAR(judgement.probabilities.soft(1, kBenevolence), 0.6, 1e-9);
  EXPECT_NEAR(judgement.probabilities.soft(2, kBenevolence), 0.0, 1e-9);
}

TEST(Judge, AJudgeThatAlwaysNamesTheFirstLabelSaysNothingAndIsFoundOut) {
  for (const auto route : {JudgeRoute::kExact, JudgeRoute::kSampled}) {
    const auto judgement = judged_by(std::make_shared<KnowingJudge>(1.0), {.route = route, .framings = {}});
    EXPECT_NEAR(judgement.pull().value, 0.5, 1e-9);
    EXPECT_THAT(judgement.merged, Each(0));
    for (std::size_t dim = 0; dim < 10; ++dim) EXPECT_NEAR(judgement.probabilities.soft(0, dim), 0.0, 1e-9);
  }
}

TEST(Judge, AnswersThatCannotBeReadAreCountedAndNeverGuessed) {
  const auto judgement =
      judged_by(std::make_shared<KnowingJudge>(0.0, 1.0), {.route = JudgeRoute::kSampled, .framings = {"all"}});
  EXPECT_EQ(judgement.statuses.unparseable, 3u * 4u);
  EXPECT_EQ(judgement.statuses.scored, 0u);
  EXPECT_FALSE(judgement.judged(0));
  EXPECT_TRUE(std::isnan(judgement.probabilities.soft(0, kPower)));
  EXPECT_THAT(judgement.read_share, Each(0.0));
}

TEST(Judge, WhatCanBeReadOfANowAndThenSilentJudgeStillCounts) {
  const auto judgement = judged_by(std::make_shared<KnowingJudge>(0.0, 0.3),
                                   {.route = JudgeRoute::kSampled, .framings = {"all", "set"}, .samples = 6});
  EXPECT_GT(judgement.statuses.unparseable, 0u);
  expect_truth(judgement);
}

TEST(Judge, HeldAgainstLabelsItHasTheQualityOfItsWord) {
  const auto judgement = judged_by(std::make_shared<KnowingJudge>(0.0), {});
  LabelledData data{dimension_names(schwartz()).value(), {}, {}};
  for (const auto& text : texts()) {
    LabelledResponse row{text, "someone", {}};
    for (std::size_t dim = 0; dim < 10; ++dim) row.labels.push_back(truth(text.response, dim));
    data.rows.push_back(row);
  }
  const auto held = hold_out(judgement, data, "judge").value();
  ASSERT_EQ(held.rows(), 3u);
  const auto report = quality_report(held, data.names.dimensions, {.replicates = 100}).value();
  EXPECT_EQ(report.of("accuracy").value, 1.0);
  EXPECT_EQ(report.of("f1_opposed").value, 1.0);
  data.rows[0].labels[kPower] = -1;
  EXPECT_LT(quality_report(hold_out(judgement, data, "judge").value(), data.names.dimensions, {.replicates = 100})
                .value()
                .of("accuracy")
                .value,
            1.0);
}

TEST(Judge, FramingsThatThereAreNotOrThatARouteCannotUseAreRefused) {
  const Subject judge{
      .name = "judge", .model = open_scripted("random").value(), .system_prompt = {}, .examples = {}, .render = {}};
  Examiner examiner(judge, nullptr, 0, {});
  const auto all = texts();
  EXPECT_EQ(
      judge_texts(examiner, protocol(), all, {.route = JudgeRoute::kExact, .framings = {"chorus"}}).error().message,
      "a judge has no framing \"chorus\"; there are all, set, single, expert");
  EXPECT_EQ(judge_texts(examiner, protocol(), all, {.route = JudgeRoute::kExact, .framings = {"all"}}).error().message,
            "the framing all has no form for exact probabilities: ask by the route sampled, or in another framing");
  EXPECT_EQ(judge_route("fast").error().message, "a judge is asked by the route auto, exact or sampled, not \"fast\"");
}

TEST(JudgeProtocol, GroupsTheTenValuesByTheirHigherOrderGroup) {
  const std::vector<std::vector<std::size_t>> groups = {{0, 1, 2}, {3, 4}, {5, 6, 7}, {8, 9}};
  EXPECT_EQ(protocol().groups, groups);
  EXPECT_THAT(protocol().lines[kPower], HasSubstr("- Power (\"power\"): status and control"));
}

TEST(JudgeProtocol, AFileThatIsNotWellMadeIsRefusedAtItsPlace) {
  const std::string head =
      "names = [\"a\", \"b\", \"c\"]\nmeanings = [\"a\", \"b\", \"c\"]\noptions = [\"a\", \"b\", \"c\"]\n"
      "conversation = \"{prompt} {response}\"\nlone = \"{response}\"\n";
  const auto error = [&](const std::string& rest) {
    return parse_judge_protocol(head + rest, "j.toml", schwartz()).error().message;
  };
  EXPECT_EQ(error("[[framing]]\nid = \"x\"\nunit = \"value\"\ntext = \"{conversation} {values} {labels}\"\n"),
            "j.toml:9:8: \"text\" needs {form}");
  EXPECT_EQ(error("[[framing]]\nid = \"x\"\nunit = \"page\"\ntext = \"\"\n"),
            "j.toml:8:8: \"unit\" should be space, group or value, got \"page\"");
  EXPECT_EQ(error("[[framing]]\nid = \"x\"\nunit = \"space\"\ntext = \"{conversation} {values} {labels} {form}\"\n"
                  "choice = \"{conversation} {values} {options} {labels}\"\n"),
            "j.toml:10:10: a choice has one value at a time: unit = \"value\"");
  EXPECT_EQ(error("[[framing]]\nid = \"x\"\nunit = \"space\"\ntext = \"{conversation} {values} {labels} "
                  "{form}\"\n[definitions.schwartz10]\nfame = \"x\"\n"),
            "j.toml:11:8: schwartz10 has no value \"fame\"");
}

}  // namespace
}  // namespace valence
