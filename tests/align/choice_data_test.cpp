#include "valence/align/choice_data.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "model/llama_tiny.h"
#include "support/scratch.h"
#include "valence/base/json.h"
#include "valence/model/scripted.h"
#include "valence/values/opinions.h"

namespace valence {
namespace {

class ChoiceLessonsOf : public ::testing::Test {
 protected:
  ChoiceLessonsOf() {
    test::write_tiny({}, folder_ / "tiny.gguf");
    student_.name = "tiny";
    student_.model = test::open_tiny(folder_ / "tiny.gguf");
  }

  Result<ChoiceData> learn(const std::string& instrument, std::vector<std::pair<std::string, std::string>> given,
                           const std::string& teacher, const ChoiceLessons& lessons = {}) const {
    const auto* found = *find_instrument(instrument);
    const auto settings = Settings::resolve(found->settings(), given);
    EXPECT_TRUE(settings) << settings.error().message;
    return choice_data(*found, *settings, student_, {*open_scripted(teacher), ""}, lessons, 1, nullptr);
  }

  std::string text_of(std::span<const TokenId> tokens) const {
    std::string text;
    const auto views = student_.model->view({{tokens.begin(), tokens.end()}, ""});
    for (const auto& token : *views) text += token.text;
    return text;
  }

  test::ScratchFolder folder_;
  Subject student_;
};

TEST_F(ChoiceLessonsOf, EveryQuestionHoldsBothOrdersAndTheTeachersAnswer) {
  const auto data = learn("moralchoice", {{"set", "low"}, {"scenarios", "5"}, {"forms", "standard"}}, "ideal");
  ASSERT_TRUE(data) << data.error().message;
  ASSERT_EQ(data->examples.size(), 5U);
  EXPECT_EQ(data->layouts, 10U);
  EXPECT_EQ(data->other_format, 5U);  // the text forms
  for (const auto& example : data->examples) {
    ASSERT_EQ(example.paths.size(), 4U);
    // The preferred action gets the probability, under A in one order and under B in the other.
    std::vector<std::string> right;
    for (const auto& path : example.paths) {
      EXPECT_NEAR(path.value, path.value > 0.5 ? 1.0 : 0.0, 1e-9);
      if (path.value > 0.5) right.push_back(text_of(std::span(path.tokens).subspan(path.learned_from)));
    }
    EXPECT_EQ(right, (std::vector<std::string>{"A", "B"}));
    EXPECT_EQ(example.paths[0].group, 0U);
    EXPECT_EQ(example.paths[3].group, 1U);
  }
}

TEST_F(ChoiceLessonsOf, TheStudentLearnsWhatItWouldBeAsked) {
  const auto data = learn("moralchoice", {{"set", "low"}, {"scenarios", "1"}, {"forms", "standard"}}, "ideal");
  ASSERT_TRUE(data) << data.error().message;
  const auto& path = data->examples[0].paths[0];
  const auto text = text_of(path.tokens);
  EXPECT_TRUE(text.starts_with("User: ")) << text;  // the plain template of a model without one
  EXPECT_NE(text.find("\nA: "), std::string::npos);
  EXPECT_TRUE(text.ends_with("Assistant:A") || text.ends_with("Assistant: A")) << text;
}

TEST_F(ChoiceLessonsOf, TextFormsAreLearnedWhenAskedFor) {
  const auto data = learn("moralchoice", {{"set", "low"}, {"scenarios", "3"}, {"forms", "standard"}}, "ideal",
                          {.letters = false, .texts = true});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->layouts, 3U);
  EXPECT_GT(data->examples[0].paths[0].learned(), 5U);
}

TEST_F(ChoiceLessonsOf, TheHalvesOfASplitShareNoScenario) {
  const auto training = learn(
      "moralchoice",
      {{"set", "low"}, {"forms", "standard"}, {"scenario_part", "training"}, {"wording_part", "training"}}, "ideal");
  ASSERT_TRUE(training) << training.error().message;
  EXPECT_EQ(training->examples.size(), 345U);
  for (const auto& example : training->examples)
    EXPECT_EQ(example.id.find("letter-4"), std::string::npos) << example.id;
}

TEST_F(ChoiceLessonsOf, AnyInstrumentWithOptionsWillDo) {
  const auto data = learn("svo", {}, "ideal");
  ASSERT_TRUE(data) << data.error().message;
  for (const auto& example : data->examples) {
    double sum = 0;
    for (const auto& path : example.paths) sum += path.group == 0 ? path.value : 0.0;
    EXPECT_NEAR(sum, 1.0, 1e-9) << example.id;
  }
}

// Put are "Is it warm?", in three rotations, and "Is it late?", in two; the target has the first, and "Is it cold?".
TEST_F(ChoiceLessonsOf, APopulationsSharesAreLearnedWhereverAnOptionStands) {
  OpinionTarget survey{"survey", "a survey", "some", false, {"made up", "none", ""}, {}};
  survey.questions = {{"Is it warm?", {"yes", "no", "perhaps"}, {0.2, 0.3, 0.5}, 0.0},
                      {"Is it late?", {"yes", "no"}, {0.5, 0.5}, 0.0}};
  auto people = survey;
  people.questions = {{"Is it warm?", {"yes", "no", "perhaps"}, {0.6, 0.3, 0.1}, 0.0},
                      {"Is it cold?", {"yes", "no"}, {0.9, 0.1}, 0.0}};
  const auto file = (folder_ / "survey.json").string();
  testing::put_file(file, to_text(to_json(survey)));
  const auto* opinions = *find_instrument("opinions");
  const std::vector<std::pair<std::string, std::string>> given = {
      {"questions", file}, {"orders", "rotations"}, {"wordings", "1"}};
  const auto settings = Settings::resolve(opinions->settings(), given).value();
  const auto teacher = target_teacher(*opinions, settings, as_target(people));
  ASSERT_TRUE(teacher) << teacher.error().message;
  const auto data = choice_data(*opinions, settings, student_, *teacher, {}, 1, nullptr);
  ASSERT_TRUE(data) << data.error().message;
  ASSERT_EQ(data->examples.size(), 1U);
  EXPECT_EQ(data->layouts, 3U);
  EXPECT_EQ(data->unscored, 2U);
  EXPECT_EQ(data->not_in_target(), std::vector{survey.questions[1].id()});
  EXPECT_EQ(data->not_put(), std::vector{people.questions[1].id()});
  const std::map<std::string, double> share = {{"yes", 0.6}, {"no", 0.3}, {"perhaps", 0.1}};
  std::map<std::string, std::set<std::string>> labels;  // under which each option was learned
  for (const auto& path : data->examples[0].paths) {
    const auto text = text_of(path.tokens), label = text_of(std::span(path.tokens).subspan(path.learned_from));
    const auto line = text.find("\n" + label + ": ");
    ASSERT_NE(line, std::string::npos) << text;
    const auto start = line + label.size() + 3;
    const auto option = text.substr(start, text.find('\n', start) - start);
    ASSERT_TRUE(share.contains(option)) << option;
    EXPECT_NEAR(path.value, share.at(option), 1e-12) << text;
    labels[option].insert(label);
  }
  EXPECT_EQ(labels.size(), 3U);
  for (const auto& [option, under] : labels) EXPECT_EQ(under.size(), 3U) << option;
}

TEST(ChoiceDataOfSeveral, HoldsWhatAnyAdministrationPut) {
  ChoiceData data;
  ChoiceData first, second;
  first.put = {"asked twice", "a"};
  second.put = {"asked twice", "b", "unknown"};
  first.answered = second.answered = {"asked twice", "a", "b", "c"};
  merge(data, first);
  EXPECT_EQ(data.not_put(), (std::vector<std::string>{"b", "c"}));
  merge(data, second);
  EXPECT_EQ(data.not_put(), std::vector<std::string>{"c"});
  EXPECT_EQ(data.not_in_target(), std::vector<std::string>{"unknown"});
}

TEST_F(ChoiceLessonsOf, DrawnAnswersAreRefused) {
  const auto data = learn("moralchoice", {{"protocol", "paper"}, {"set", "low"}, {"scenarios", "2"}}, "ideal");
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(data.error().message.find("its answers are drawn, not scored"), std::string::npos) << data.error().message;
}

TEST_F(ChoiceLessonsOf, WhatIsTooLongIsCountedAndNothingLeftIsAnError) {
  const auto data =
      learn("moralchoice", {{"set", "low"}, {"scenarios", "2"}, {"forms", "standard"}}, "ideal", {.longest = 20});
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().message,
            "moralchoice: there is nothing to learn from: 2 layouts are of another format, 0 without a distribution, 4 "
            "too long. "
            "Choose another format or teacher");
}

TEST_F(ChoiceLessonsOf, AScriptedStudentHasNothingToTrain) {
  student_.model = *open_scripted("random");
  const auto data = learn("moralchoice", {{"set", "low"}, {"scenarios", "2"}, {"forms", "standard"}}, "ideal");
  ASSERT_FALSE(data);
  EXPECT_NE(data.error().message.find("it has no tokens to go on with"), std::string::npos) << data.error().message;
}

}  // namespace
}  // namespace valence
