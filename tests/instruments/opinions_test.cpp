#include "valence/instruments/opinions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "support/scratch.h"
#include "valence/base/json.h"
#include "valence/exam/examiner.h"
#include "valence/instruments/answer_key.h"
#include "valence/instruments/content_test.h"
#include "valence/model/scripted.h"
#include "valence/stats/distribution.h"
#include "valence/values/distribution_gap.h"

namespace valence {
namespace {

using ::testing::HasSubstr;

const ProfileOptions kOptions{.replicates = 300, .seed = 3};

/// Twelve questions about colours; `tilt` moves people's answers from the first option to the last.
OpinionTarget colours(double tilt, bool ordered = true) {
  OpinionTarget target;
  target.id = "colours";
  target.label = "people of colours";
  target.group = "people";
  target.ordered = ordered;
  target.provenance = {"made up for this test", "Apache-2.0", ""};
  for (int i = 0; i < 12; ++i) {
    const double last = 0.1 + 0.05 * i + tilt;
    target.questions.push_back({fmt::format("How do you like colour {}?", i), {"not at all", "a little", "very much"}, {0.9 - last, 0.1, last}, 0.0});
  }
  return target;
}

/// Answers with the share that each option has in a target, whatever the order, the wording and the format.
class Respondent final : public ScriptedBehaviour {
 public:
  explicit Respondent(OpinionTarget target) : target_(std::move(target)) {}
  std::vector<double> choose(const ScriptedChoice& choice) const override {
    const auto& text = choice.conversation.messages.back().text;
    std::vector<double> shares(choice.contents.size(), 1.0 / static_cast<double>(choice.contents.size()));
    for (const auto& question : target_.questions) {
      if (text.find(question.question) == std::string::npos) continue;
      for (std::size_t i = 0; i < choice.contents.size(); ++i) {
        const auto at = std::ranges::find(question.options, choice.contents[i]);
        if (at != question.options.end()) shares[i] = question.share[static_cast<std::size_t>(at - question.options.begin())];
      }
    }
    return shares;
  }
  std::string reply(const Conversation&, std::uint64_t) const override { return "Well."; }

 private:
  OpinionTarget target_;
};

class OpinionsTest : public ::testing::Test {
 protected:
  void SetUp() override { testing::put_file(scratch_ / "colours.json", to_text(to_json(colours(0.0)))); }

  Settings settings(std::vector<std::pair<std::string, std::string>> given = {}) {
    given.emplace_back("questions", (scratch_ / "colours.json").string());
    return Settings::resolve(instrument_->settings(), given).value();
  }
  AnswerTable ask(std::shared_ptr<LanguageModel> model, const Settings& how, bool gate = false) {
    Subject subject;
    subject.model = std::move(model);
    Examiner examiner(subject, nullptr, 0, {.seed = 5});
    Examination examination{examiner, 5};
    examination.gate = gate;
    auto table = instrument_->administer(examination, how);
    EXPECT_TRUE(table) << table.error().message;
    return *std::move(table);
  }
  AnswerTable respondent(double tilt, std::vector<std::pair<std::string, std::string>> given = {}) {
    return ask(scripted_model("respondent", fmt::format("respondent {}", tilt), std::make_shared<Respondent>(colours(tilt))), settings(std::move(given)));
  }
  static const GapFigure& figure(const TargetGap& gap, std::string_view id) {
    return *std::ranges::find(gap.figures, id, [](const auto& f) { return std::string_view(f.estimand.id); });
  }

  testing::Scratch scratch_;
  const Instrument* instrument_ = find_instrument("opinions").value();
};

TEST_F(OpinionsTest, ARespondentOfThePopulationIsAtNoDistance) {
  for (const std::string format : {"letter", "text"}) {
    const auto answers = respondent(0.0, {{"format", format}, {"normalisation", "none"}});
    const auto gap = opinion_gap(answers, colours(0.0), kOptions);
    ASSERT_TRUE(gap) << gap.error().message;
    EXPECT_EQ(gap->convention, "distributions");
    EXPECT_EQ(gap->dimensions.size(), 12U);
    EXPECT_NEAR(figure(*gap, "jensen_shannon").estimate.value, 0.0, 1e-6) << format;
    EXPECT_NEAR(figure(*gap, "wasserstein").estimate.value, 0.0, 1e-9) << format;
    EXPECT_GT(figure(*gap, "jensen_shannon_gain").estimate.low, 0.0);
  }
}

TEST_F(OpinionsTest, DistancesAreTheMeansOverQuestions) {
  const auto gap = opinion_gap(respondent(0.2), colours(0.0), kOptions);
  ASSERT_TRUE(gap) << gap.error().message;
  EXPECT_NEAR(figure(*gap, "wasserstein").estimate.value, 0.2, 1e-9) << "a fifth of the answers moved from one end to the other";
  double sum = 0.0;
  const auto theirs = colours(0.2), ours = colours(0.0);
  for (std::size_t i = 0; i < 12; ++i) sum += stats::jensen_shannon_distance(theirs.questions[i].share, ours.questions[i].share);
  EXPECT_NEAR(figure(*gap, "jensen_shannon").estimate.value, sum / 12, 1e-9);
  EXPECT_EQ(figure(*gap, "jensen_shannon").estimate.count, 12U);
  EXPECT_EQ(figure(*gap, "jensen_shannon").estimate.unit, "question");
}

TEST_F(OpinionsTest, UnorderedOptionsHaveNoWasserstein) {
  const auto gap = opinion_gap(respondent(0.2), colours(0.0, false), kOptions);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->figures.size(), 2U);
}

TEST_F(OpinionsTest, TwoRunsAreComparedQuestionByQuestion) {
  const auto gaps = compare_opinion_gaps(respondent(0.2), respondent(0.1), colours(0.0), kOptions);
  ASSERT_TRUE(gaps) << gaps.error().message;
  const auto found = std::ranges::find(gaps->differences, std::string("wasserstein"), [](const auto& d) { return d.difference.estimand.id; });
  EXPECT_NEAR(found->difference.estimate.value, -0.1, 1e-9);
  EXPECT_NEAR(found->cut.value, 0.5, 1e-9);
  EXPECT_TRUE(found->difference.paired);
}

TEST_F(OpinionsTest, ASubjectThatAnswersByPositionIsNotInterpretable) {
  const auto thresholds = gate_thresholds().value();
  const auto by_place = ask(open_scripted("position").value(), settings(), true);
  const auto gap = opinion_gap(by_place, colours(0.0), kOptions);
  ASSERT_TRUE(gap) << gap.error().message;
  EXPECT_GT(figure(*gap, "jensen_shannon").estimate.low, 0.1) << "half of its answers at each end, whatever people say";
  const auto validity = instrument_->assess(by_place, settings(), thresholds);
  EXPECT_FALSE(validity.interpretable());
  EXPECT_THAT(validity.reason(), HasSubstr("pull of the place"));
}

TEST_F(OpinionsTest, QuestionsThatWereNotAskedAreCountedAndNoneIsAnError) {
  const auto some = respondent(0.0, {{"count", "4"}});
  const auto gap = opinion_gap(some, colours(0.0), kOptions);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->dimensions.size(), 4U);
  EXPECT_EQ(gap->unmeasured.size(), 8U);
  auto others = colours(0.0);
  for (auto& question : others.questions) question.options.back() = "extremely";
  const auto none = opinion_gap(some, others, kOptions);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUsage);
  EXPECT_THAT(none.error().message, HasSubstr("none of its 12 questions was asked with the same options"));
}

TEST_F(OpinionsTest, TheProfileTellsSpreadAndSteadiness) {
  const auto table = respondent(0.0);
  const auto estimator = instrument_->prepare(table, settings());
  ASSERT_TRUE(estimator) << estimator.error().message;
  const auto values = (*estimator)->estimate(std::vector<double>(12, 1.0));
  EXPECT_NEAR(values[1], 1.0, 1e-6) << "the same whatever the wording";
  EXPECT_GT(values[0], 0.5);
  EXPECT_LT(values[0], 1.0);
  EXPECT_EQ(table.rows.size(), 12U * 5U * 2U);
}

// The last option of question i has .1 + .05·i, the middle one .1 and the first what is left (colours).
TEST_F(OpinionsTest, APopulationsSharesAreTheAnswersToLearn) {
  const auto people = colours(0.0);
  auto turned = people;
  std::ranges::reverse(turned.questions);
  for (const auto& listed : {people, turned}) {
    for (const std::string orders : {"both", "rotations"}) {
      const auto key = instrument_->answer_key(as_target(listed), settings({{"orders", orders}}));
      ASSERT_TRUE(key) << key.error().message;
      EXPECT_EQ(key->rule, "each question's answers as people distributed them (colours)");
      ASSERT_EQ(key->answers.size(), 12U);
      for (std::size_t i = 0; i < 12; ++i) {
        const double last = 0.1 + 0.05 * static_cast<double>(i);
        const auto& answer = key->answers.at({"", people.questions[i].id()});
        ASSERT_EQ(answer.size(), 3U);
        EXPECT_NEAR(answer[0], 0.9 - last, 1e-12);
        EXPECT_NEAR(answer[1], 0.1, 1e-12);
        EXPECT_NEAR(answer[2], last, 1e-12);
      }
    }
  }
}

TEST_F(OpinionsTest, AQuestionThatIsPutOtherwiseHasNoAnswer) {
  auto people = colours(0.0);
  people.questions[3].options.back() = "extremely";
  const auto key = instrument_->answer_key(as_target(people), settings()).value();
  AnswerRow row;
  row.item = colours(0.0).questions[3].id();
  EXPECT_EQ(key.find(row), nullptr);
  row.item = colours(0.0).questions[4].id();
  EXPECT_NE(key.find(row), nullptr);
}

TEST_F(OpinionsTest, ATargetOfOtherQuestionsIsRefused) {
  auto others = colours(0.0);
  for (auto& question : others.questions) question.options.back() = "extremely";
  const auto key = instrument_->answer_key(as_target(others), settings());
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, ErrorCode::kUsage);
  EXPECT_EQ(
      key.error().message,
      fmt::format(
          "target colours: none of its 12 questions is among the 12 of {} with the same options; name the target's own "
          "file as questions, or one of the same survey",
          (scratch_ / "colours.json").string()));
}

TEST_F(OpinionsTest, ScoresAreNoAnswersToASurvey) {
  const auto key = instrument_->answer_key(load_target("ess11_fr").value(), settings());
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().message,
            "opinions cannot answer for target ess11_fr: scores do not say how people answered a survey's own "
            "questions; take a file of answer distributions (valence target import --form opinions), or another "
            "instrument for scores");
}

TEST_F(OpinionsTest, OtherInstrumentsSayWhoAnswersForAPopulation) {
  for (const auto& [id, who] : {std::pair<std::string, std::string>{"questionnaire", "pvq40"},
                                {"svo", "the slider"},
                                {"moralchoice", "moralchoice"}}) {
    const auto* other = find_instrument(id).value();
    const auto how = Settings::resolve(other->settings(), std::vector<std::pair<std::string, std::string>>{}).value();
    const auto key = other->answer_key(as_target(colours(0.0)), how);
    ASSERT_FALSE(key) << id;
    EXPECT_EQ(
        key.error().message,
        who +
            " cannot answer for target colours, which holds how people answered a survey's own questions: take the "
            "instrument opinions, whose questions are that file's, or a target of scores (valence target list)");
  }
}

TEST_F(OpinionsTest, SharesOfPeopleMakeNoContentTest) {
  const auto answers = respondent(0.0);
  const auto how = settings();
  const auto test = content_test(*instrument_, {&how, &answers}, as_target(colours(0.0)), {});
  ASSERT_FALSE(test);
  EXPECT_THAT(test.error().message, HasSubstr("colours holds shares of people, by which none is right"));
}

// The SHA-256 of "How do you like colour 0?" begins with 8b, which is odd, that of colour 1 with da, which is even.
TEST_F(OpinionsTest, EveryQuestionIsOnOneSideWhateverStandsBesideIt) {
  const auto items = [&](const std::string& part) {
    const auto answers = respondent(0.0, {{"item_part", part}});
    std::set<std::string> ids;
    for (const auto& row : answers.rows) ids.insert(row.item);
    return ids;
  };
  const auto training = items("training"), held_out = items("held_out");
  auto all = training;
  all.insert(held_out.begin(), held_out.end());
  EXPECT_EQ(all.size(), 12U);
  EXPECT_EQ(training.size() + held_out.size(), 12U);
  const auto people = colours(0.0);
  EXPECT_TRUE(held_out.contains(people.questions[0].id()));
  EXPECT_TRUE(training.contains(people.questions[1].id()));
  for (auto question : people.questions) {
    const bool before = is_for_training(question);
    EXPECT_EQ(training.contains(question.id()), before);
    question.options.emplace_back("no idea");
    question.share.push_back(0.0);
    EXPECT_EQ(is_for_training(question), before) << question.question;
  }
}

TEST_F(OpinionsTest, APartWithoutQuestionsIsNamed) {
  auto one = colours(0.0);
  one.questions.resize(1);
  const auto file = (scratch_ / "one.json").string();
  testing::put_file(file, to_text(to_json(one)));
  const auto how = Settings::resolve(instrument_->settings(), std::vector<std::pair<std::string, std::string>>{
                                                                  {"questions", file}, {"item_part", "training"}});
  const auto key = instrument_->answer_key(as_target(one), how.value());
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().message,
            file + ": none of its questions is for training; take item_part = all, or a file of more questions");
}

TEST_F(OpinionsTest, NamesTheFileThatIsMissing) {
  Subject subject;
  subject.model = open_scripted("random").value();
  Examiner examiner(subject, nullptr, 0, {.seed = 5});
  Examination examination{examiner, 5};
  const auto without = instrument_->administer(examination, Settings::resolve(instrument_->settings(), std::vector<std::pair<std::string, std::string>>{}).value());
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, ErrorCode::kUsage);
  EXPECT_THAT(without.error().message, HasSubstr("--questions FILE"));
}

}  // namespace
}  // namespace valence
