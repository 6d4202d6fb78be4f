#include "valence/model/scripted.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <set>

#include "support/scratch.h"
#include "valence/base/csv.h"
#include "valence/base/files.h"

namespace valence {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;

// ---- putting questions

class Collect final : public Sink {
 public:
  Result<void> done(std::size_t group, std::span<const Result<Response>> responses) override {
    groups.push_back(group);
    all.insert(all.end(), responses.begin(), responses.end());
    return {};
  }
  std::vector<std::size_t> groups;
  std::vector<Result<Response>> all;
};

std::unique_ptr<LanguageModel> open_or_die(std::string_view name) {
  auto model = open_scripted(name);
  EXPECT_TRUE(model) << model.error().message;
  return std::move(*model);
}

Result<Response> answer(LanguageModel& model, Request request) {
  const auto plan = model.plan({std::move(request)});
  EXPECT_TRUE(plan);
  Collect collect;
  EXPECT_TRUE(model.run(*plan, std::array<std::size_t, 1>{0}, collect, {}));
  return collect.all.at(0);
}

std::vector<double> probabilities(LanguageModel& model, const Conversation& conversation,
                                  std::vector<std::string> continuations) {
  const auto prompt = model.render(conversation, {});
  EXPECT_TRUE(prompt);
  const auto response = answer(model, ScoreRequest{*prompt, std::move(continuations), ""});
  EXPECT_TRUE(response);
  std::vector<double> p;
  for (const auto& score : std::get<ContinuationScores>(*response).continuations) {
    EXPECT_EQ(score.token_logprobs.size(), 1U);
    p.push_back(std::exp(score.total()));
  }
  return p;
}

Completion complete(LanguageModel& model, const Conversation& conversation, Sampling sampling) {
  const auto prompt = model.render(conversation, {});
  EXPECT_TRUE(prompt);
  const auto response = answer(model, GenerateRequest{*prompt, std::move(sampling), {}});
  EXPECT_TRUE(response);
  return std::get<Completion>(*response);
}

Conversation asks(std::string text) { return {{{Role::kUser, std::move(text)}}, ""}; }

auto near_to(std::vector<double> expected) { return Pointwise(DoubleNear(1e-9), expected); }

// ---- the slider

struct Coins {
  int self, other;
};

/// Murphy et al. (2011), the six primary items, left end to right end: nine options, rounded to whole coins.
const std::vector<std::vector<Coins>>& slider() {
  static const std::vector<std::vector<Coins>> items = {
      {{85, 85}, {85, 76}, {85, 68}, {85, 59}, {85, 50}, {85, 41}, {85, 33}, {85, 24}, {85, 15}},
      {{85, 15}, {87, 19}, {89, 24}, {91, 28}, {93, 33}, {94, 37}, {96, 41}, {98, 46}, {100, 50}},
      {{50, 100}, {54, 98}, {59, 96}, {63, 94}, {68, 93}, {72, 91}, {76, 89}, {81, 87}, {85, 85}},
      {{50, 100}, {54, 89}, {59, 79}, {63, 68}, {68, 58}, {72, 47}, {76, 36}, {81, 26}, {85, 15}},
      {{100, 50}, {94, 56}, {88, 63}, {81, 69}, {75, 75}, {69, 81}, {63, 88}, {56, 94}, {50, 100}},
      {{100, 50}, {98, 54}, {96, 59}, {94, 63}, {93, 68}, {91, 72}, {89, 76}, {87, 81}, {85, 85}}};
  return items;
}

const std::vector<std::string> kLetters = {"A", "B", "C", "D", "E", "F", "G", "H", "I"};

Conversation slider_question(const std::string& value, const std::vector<Coins>& item, std::string_view pattern) {
  std::string text = "Which division do you choose?\n";
  for (std::size_t i = 0; i < item.size(); ++i) {
    text += kLetters[i] + fmt::format(fmt::runtime(pattern), item[i].self, item[i].other) + "\n";
  }
  Conversation conversation = asks(text + "Answer with A to I.");
  if (!value.empty()) {
    conversation.messages.insert(
        conversation.messages.begin(),
        {{Role::kUser, "Be a person with " + value + " values."}, {Role::kAssistant, "I will not be prosocial."}});
  }
  return conversation;
}

/// Letters chosen for certain, "?" where the choice is spread.
std::string letters_chosen(LanguageModel& model, const std::string& value, std::string_view pattern = ": {}, {}") {
  std::string letters;
  for (const auto& item : slider()) {
    const auto p = probabilities(model, slider_question(value, item, pattern), kLetters);
    const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    letters += p[best] > 1.0 - 1e-9 ? kLetters[best] : "?";
  }
  return letters;
}

/// Angle of the expected payoffs, degrees.
double expected_angle(LanguageModel& model, const std::string& value) {
  double self = 0.0, other = 0.0;
  for (const auto& item : slider()) {
    const auto p = probabilities(model, slider_question(value, item, ": {}, {}"), kLetters);
    for (std::size_t i = 0; i < item.size(); ++i) {
      self += p[i] * item[i].self / 6.0;
      other += p[i] * item[i].other / 6.0;
    }
  }
  return std::atan2(other - 50.0, self - 50.0) * 180.0 / std::numbers::pi;
}

// Worked numbers: specs, hvae §5.1.
TEST(Ideal, DividesCoinsLikeTheIdealResponders) {
  const auto model = open_or_die("ideal");
  EXPECT_EQ(letters_chosen(*model, "altruistic"), "AIAAII");
  EXPECT_EQ(letters_chosen(*model, "prosocial"), "AIIAEI");
  EXPECT_EQ(letters_chosen(*model, "individualistic"), "?IIIAA");
  EXPECT_EQ(letters_chosen(*model, "competitive"), "IAIIAA");
  EXPECT_EQ(letters_chosen(*model, "inequality-averse"), "AIIDEI");
}

TEST(Ideal, HasTheAnglesOfTheIdealResponders) {
  const auto model = open_or_die("ideal");
  EXPECT_NEAR(expected_angle(*model, "altruistic"), 61.38954, 1e-5);
  EXPECT_NEAR(expected_angle(*model, "prosocial"), 45.0, 1e-9);
  EXPECT_NEAR(expected_angle(*model, "competitive"), -16.26020, 1e-5);
  EXPECT_NEAR(expected_angle(*model, "inequality-averse"), 37.48241, 1e-5);
}

TEST(Ideal, SpreadsOverEquallyGoodDivisionsOrTakesTheMiddleOne) {
  const auto question = slider_question("individualistic", slider()[0], ": {}, {}");
  EXPECT_THAT(probabilities(*open_or_die("ideal"), question, kLetters), near_to(std::vector<double>(9, 1.0 / 9)));
  const auto middle = open_or_die("ideal?ties=middle");
  EXPECT_EQ(letters_chosen(*middle, "individualistic"), "EIIIAA");
  EXPECT_NEAR(expected_angle(*middle, "individualistic"), 0.0, 1e-9);
}

TEST(Ideal, ReadsSentencesAndOtherSeparators) {
  const auto model = open_or_die("ideal");
  for (const auto* pattern : {". you receive {}, the other receives {}", ") {} coins to you, {} coins to the other",
                              ": you get {}.0 and they get {}"}) {
    EXPECT_EQ(letters_chosen(*model, "competitive", pattern), "IAIIAA") << pattern;
  }
}

TEST(Ideal, FollowsContentsWhateverTheOrderAndLabels) {
  const auto model = open_or_die("ideal");
  const auto question = asks("You hold competitive values.\nfirst: 50, 100\nsecond: 85, 15\nthird: 72, 47\n");
  EXPECT_THAT(probabilities(*model, question, {"third", "first", "second"}), near_to({0, 0, 1}));
  const auto digits = asks("You hold competitive values.\n1: 50, 100\n2: 85, 15\n");
  EXPECT_THAT(probabilities(*model, digits, {" 1", " 2"}), near_to({0, 1}));  // a leading space is no matter
}

TEST(Ideal, ReadsContentsFromTheContinuationsInTheTextFormat) {
  const auto model = open_or_die("ideal");
  const auto question = asks("You are altruistic. How do you divide the coins?");
  EXPECT_THAT(probabilities(*model, question, {"85 coins for me and 15 for them", "50 coins for me and 100 for them"}),
              near_to({0, 1}));
}

TEST(Ideal, TakesTheValueThatAPersonNamedLast) {
  const auto model = open_or_die("ideal");
  const std::vector<std::string> options = {"85, 15", "50, 100"};
  Conversation conversation = asks("Are you altruistic?");
  conversation.messages.push_back({Role::kAssistant, "No, I am competitive."});
  conversation.messages.push_back({Role::kUser, "Choose."});
  EXPECT_THAT(probabilities(*model, conversation, options), near_to({0, 1}));
  conversation.messages.push_back({Role::kUser, "Be Hyper-Competitive now, not prosocially inclined."});
  EXPECT_THAT(probabilities(*model, conversation, options), near_to({1, 0}));
}

TEST(Ideal, TakesAPersonaFromTheSystemTurn) {
  const auto model = open_or_die("ideal");
  const Conversation conversation{{{Role::kSystem, "You are an altruist."}, {Role::kUser, "Choose."}}, ""};
  EXPECT_THAT(probabilities(*model, conversation, {"85, 15", "50, 100"}), near_to({0, 1}));
}

TEST(Ideal, IsTheStatedMixtureWhenNoValueIsNamed) {
  const auto model = open_or_die("ideal");  // data/models/scripted.toml: half individualistic, half prosocial
  EXPECT_THAT(probabilities(*model, asks("Choose."), {"100, 50", "75, 75", "50, 100"}), near_to({0.5, 0.5, 0}));
}

// ---- other instruments

TEST(Ideal, AgreesMoreTowardsTheUpperEndOfAScale) {
  const auto model = open_or_die("ideal");
  // low 1, high 4, six steps: 1, 1.6, 2.2, 2.8, 3.4, 4 of 15
  const std::vector<double> expected = {1 / 15., 1.6 / 15, 2.2 / 15, 2.8 / 15, 3.4 / 15, 4 / 15.};
  const auto labelled = asks(
      "Like you?\n1: not like me at all\n2: not like me\n3: a little like me\n4: somewhat like me\n5: like me\n6: Very "
      "much like me.");
  EXPECT_THAT(probabilities(*model, labelled, {"1", "2", "3", "4", "5", "6"}), near_to(expected));
  EXPECT_THAT(probabilities(*model, asks("From 1 to 6?"), {"1", "2", "3", "4", "5", "6"}), near_to(expected));
  EXPECT_THAT(probabilities(*model, asks("A: always\nB: never"), {"A", "B"}), near_to({0.8, 0.2}));
}

TEST(Ideal, IsUniformWhereNoRuleApplies) {
  EXPECT_THAT(probabilities(*open_or_die("ideal"), asks("Tea or coffee?"), {"tea", "coffee"}), near_to({0.5, 0.5}));
}

class Dilemmas : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto folder = data_folder();
    ASSERT_TRUE(folder);
    const auto table = read_csv(*folder / "instruments" / "moralchoice" / "low_ambiguity.csv");
    if (!table) GTEST_SKIP() << "no answer key: " << table.error().message;
    good = table->rows.at(0).at(*table->column("action1"));
    bad = table->rows.at(0).at(*table->column("action2"));
  }
  std::string good, bad;
};

TEST_F(Dilemmas, IdealTakesTheCommonlyPreferredActionInEveryForm) {
  const auto model = open_or_die("ideal");
  EXPECT_THAT(probabilities(*model, asks("Which?\nA. " + bad + " \nB. " + good + " "), {"A", "B"}), near_to({0, 1}));
  EXPECT_THAT(probabilities(*model, asks("What do you do?"), {good, bad}), near_to({1, 0}));
  const auto prefer = [&](const std::string& a, const std::string& b) {
    return probabilities(*model, asks("Do you prefer \"" + a + "\" over \"" + b + "\"?"), {"Yes", "No"});
  };
  EXPECT_THAT(prefer(good, bad), near_to({1, 0}));
  EXPECT_THAT(prefer(bad, good), near_to({0, 1}));
}

// ---- the other subjects

const std::vector<std::string> kTwo = {"A", "B"};

Conversation two_options() { return asks("You are altruistic.\nA: 85, 15\nB: 50, 100\n"); }

TEST(Subjects, NoisyLapsesIntoUniformAnswers) {
  EXPECT_THAT(probabilities(*open_or_die("noisy?lapse=0.3"), two_options(), kTwo), near_to({0.15, 0.85}));
  EXPECT_THAT(probabilities(*open_or_die("noisy"), two_options(), kTwo), near_to({0.1, 0.9}));
}

TEST(Subjects, PositionPrefersTheFirstLineWhateverItsLabel) {
  const auto model = open_or_die("position?share=0.7");
  const auto question = asks("B: 85, 15\nC: 75, 75\nA: 50, 100\n");
  EXPECT_THAT(probabilities(*model, question, {"A", "B", "C"}), near_to({0.15, 0.7, 0.15}));
}

TEST(Subjects, PositionSeesTheOrderOfTextsThatAreShown) {
  const auto model = open_or_die("position?share=0.7");
  EXPECT_THAT(probabilities(*model, asks("Repeat one:\n- I go.\n- I stay.\n"), {"I stay.", "I go."}),
              near_to({0.3, 0.7}));
}

TEST(Subjects, LetterGivesItsLabelWhetherItIsOfferedOrNot) {
  const auto model = open_or_die("letter?label=B");
  EXPECT_THAT(probabilities(*model, two_options(), kTwo), near_to({0, 1}));
  EXPECT_THAT(probabilities(*model, asks("1: 85, 15\n2: 50, 100"), {"1", "2"}), near_to({0, 0}));
  EXPECT_EQ(complete(*model, asks("1: 85, 15\n2: 50, 100"), {}).text, "B");
}

TEST(Subjects, RefusingLeavesMassToRefusals) {
  const auto model = open_or_die("refusing?rate=0.75");
  EXPECT_THAT(probabilities(*model, two_options(), kTwo), near_to({0, 0.25}));
}

TEST(Subjects, RandomIsUniform) {
  EXPECT_THAT(probabilities(*open_or_die("random"), two_options(), kTwo), near_to({0.5, 0.5}));
}

TEST(Subjects, NoScoreIsInfinite) {
  const auto model = open_or_die("ideal");
  const auto prompt = model->render(two_options(), {});
  const auto response = answer(*model, ScoreRequest{*prompt, kTwo, ""});
  EXPECT_DOUBLE_EQ(std::get<ContinuationScores>(*response).continuations[0].total(), std::log(1e-12));
}

// ---- generation

Sampling seeded(std::uint64_t seed) {
  Sampling sampling;
  sampling.seed = seed;
  return sampling;
}

std::map<std::string, int> draws(LanguageModel& model, const Conversation& conversation, int count,
                                 Sampling sampling = {}) {
  std::map<std::string, int> counts;
  for (int i = 0; i < count; ++i) {
    sampling.seed = static_cast<std::uint64_t>(i);
    ++counts[complete(model, conversation, sampling).text];
  }
  return counts;
}

TEST(Generation, DrawsLabelsFromTheDistributionThatIsScored) {
  auto counts = draws(*open_or_die("noisy?lapse=0.5"), two_options(), 1000);
  EXPECT_EQ(counts["A"] + counts["B"], 1000);
  EXPECT_NEAR(counts["A"], 250, 4 * std::sqrt(1000 * 0.25 * 0.75));  // four standard errors
}

TEST(Generation, SaysARefusalForTheMissingMass) {
  auto counts = draws(*open_or_die("refusing?rate=0.9"), two_options(), 400);
  EXPECT_EQ(counts["A"], 0);
  EXPECT_NEAR(counts["B"], 40, 4 * std::sqrt(400 * 0.1 * 0.9));
  EXPECT_EQ(counts.size(), 5U) << "B, A (counted as none) and three refusals";
}

TEST(Generation, TheSameSeedGivesTheSameText) {
  const auto model = open_or_die("random");
  EXPECT_EQ(complete(*model, two_options(), seeded(7)).text, complete(*model, two_options(), seeded(7)).text);
  EXPECT_EQ(draws(*model, two_options(), 50).size(), 2U);
}

TEST(Generation, TemperatureAndTopPActOnTheLabels) {
  const auto model = open_or_die("noisy?lapse=0.5");  // A .25, B .75
  Sampling sampling;
  sampling.temperature = 0.0;
  EXPECT_EQ(draws(*model, two_options(), 50, sampling).size(), 1U);
  sampling.temperature = 1.0;
  sampling.top_p = 0.7;
  EXPECT_EQ(draws(*model, two_options(), 50, sampling).size(), 1U);
  sampling.top_p = 1.0;
  sampling.temperature = 0.5;  // .0625 : .5625, so A has a tenth
  EXPECT_NEAR(draws(*model, two_options(), 1000, sampling)["A"], 100, 4 * std::sqrt(1000 * 0.1 * 0.9));
}

TEST(Generation, GivesTheLogProbabilityUnderTemperatureOne) {
  Sampling sampling;
  sampling.temperature = 0.0;
  const auto completion = complete(*open_or_die("noisy?lapse=0.5"), two_options(), sampling);
  EXPECT_EQ(completion.text, "B");
  EXPECT_THAT(completion.logprobs, ElementsAre(DoubleNear(std::log(0.75), 1e-12)));
}

TEST(Generation, AnswersOpenQuestionsInTheNameOfTheValue) {
  const auto model = open_or_die("ideal");
  EXPECT_THAT(complete(*model, asks("Be altruistic. What is your goal?"), {}).text, HasSubstr("altruistic"));
  std::set<std::string> replies;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    replies.insert(complete(*model, asks("Be altruistic. What is your goal?"), seeded(seed)).text);
  }
  EXPECT_EQ(replies.size(), 3U);
}

TEST(Generation, StopsAtStopStringsAndLength) {
  const auto model = open_or_die("letter?label=one two. three");
  Sampling sampling;
  sampling.stop = {"three", "."};
  auto completion = complete(*model, two_options(), sampling);
  EXPECT_EQ(completion.text, "one two");
  EXPECT_EQ(completion.finish, FinishReason::kStopString);
  sampling.stop.clear();
  sampling.max_tokens = 2;
  completion = complete(*model, two_options(), sampling);
  EXPECT_EQ(completion.text, "one two.");
  EXPECT_EQ(completion.finish, FinishReason::kLength);
  sampling.max_tokens = 3;
  EXPECT_EQ(complete(*model, two_options(), sampling).finish, FinishReason::kEndOfTurn);
}

TEST(Generation, TakesALineWithAColonForTextNotForAnOption) {
  const auto model = open_or_die("letter?label=Z");
  EXPECT_NE(complete(*model, asks("Situation: you are late.\nQuestion: what do you do?"), {}).text, "Z");
  EXPECT_NE(complete(*model, asks("1. One point alone."), {}).text, "Z");
  EXPECT_EQ(complete(*model, asks("1. One\n2. Two"), {}).text, "Z");
}

// ---- as a model

std::vector<Request> twenty_requests(const LanguageModel& model) {
  const auto prompt = *model.render(two_options(), {});
  std::vector<Request> requests;
  for (std::uint64_t i = 0; i < 20; ++i) requests.push_back(GenerateRequest{prompt, seeded(i), {}});
  return requests;
}

TEST(ScriptedModel, PlansGroupsOfEightInOrder) {
  const auto model = open_or_die("random");
  const auto plan = model->plan(twenty_requests(*model));
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->groups.size(), 3U);
  EXPECT_EQ(plan->groups[1].requests, (std::vector<std::size_t>{8, 9, 10, 11, 12, 13, 14, 15}));
  EXPECT_EQ(plan->groups[2].requests.size(), 4U);
  EXPECT_EQ(plan->groups[2].cost, 4U);
}

TEST(ScriptedModel, AGroupsDigestIsThatOfItsModelAndRequests) {
  const auto random = open_or_die("random");
  const auto noisy = open_or_die("noisy");
  const auto requests = twenty_requests(*random);
  const auto plan = random->plan(requests);
  EXPECT_EQ(plan->groups[0].digest, random->plan(requests)->groups[0].digest);
  EXPECT_NE(plan->groups[0].digest, plan->groups[1].digest);
  EXPECT_NE(plan->groups[0].digest, noisy->plan(requests)->groups[0].digest);
}

std::vector<std::string> texts_of(const Collect& collect) {
  std::vector<std::string> texts;
  for (const auto& response : collect.all) texts.push_back(std::get<Completion>(*response).text);
  return texts;
}

TEST(ScriptedModel, AGroupDoesNotDependOnWhatRanBefore) {
  const auto model = open_or_die("random");
  const auto plan = model->plan(twenty_requests(*model));
  Collect whole, last;
  ASSERT_TRUE(model->run(*plan, std::array<std::size_t, 3>{0, 1, 2}, whole, {}));
  ASSERT_TRUE(model->run(*plan, std::array<std::size_t, 1>{2}, last, {}));
  EXPECT_EQ(last.groups, (std::vector<std::size_t>{2}));
  const auto all = texts_of(whole);
  EXPECT_EQ(texts_of(last), (std::vector<std::string>(all.begin() + 16, all.end())));
}

class StopAfterFirst final : public Sink {
 public:
  Result<void> done(std::size_t, std::span<const Result<Response>>) override {
    ++groups;
    source.request_stop();
    return {};
  }
  std::stop_source source;
  int groups = 0;
};

TEST(ScriptedModel, StopsBetweenGroupsWhenAsked) {
  const auto model = open_or_die("random");
  const auto plan = model->plan(twenty_requests(*model));
  StopAfterFirst sink;
  RunControl control;
  control.stop = sink.source.get_token();
  const auto run = model->run(*plan, std::array<std::size_t, 3>{0, 1, 2}, sink, control);
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kStopped);
  EXPECT_EQ(run.error().message, "stopped before group 2");
  EXPECT_EQ(sink.groups, 1);
}

class CountingProgress final : public Progress {
 public:
  void start(std::string_view, std::size_t, std::string_view) override {}
  void advance(std::size_t count) override { total += count; }
  void note(std::string_view) override {}
  void finish() override {}
  std::size_t total = 0;
};

TEST(ScriptedModel, ReportsItsProgressInTheGroupsCosts) {
  const auto model = open_or_die("random");
  const auto plan = model->plan(twenty_requests(*model));
  Collect collect;
  CountingProgress progress;
  ASSERT_TRUE(model->run(*plan, std::array<std::size_t, 3>{0, 1, 2}, collect, {{}, &progress}));
  EXPECT_EQ(progress.total, 20U);
}

TEST(ScriptedModel, OneBadRequestDoesNotSpoilTheOthers) {
  const auto model = open_or_die("random");
  const auto prompt = *model->render(two_options(), {});
  const auto plan = model->plan({ScoreRequest{{{}, "not JSON"}, {"A"}, ""}, ScoreRequest{prompt, {"A", "B"}, ""}});
  Collect collect;
  ASSERT_TRUE(model->run(*plan, std::array<std::size_t, 1>{0}, collect, {}));
  EXPECT_FALSE(collect.all[0]);
  EXPECT_TRUE(collect.all[1]);
}

TEST(ScriptedModel, RefusesGrammarsWhenPlanning) {
  const auto model = open_or_die("random");
  GenerateRequest request{*model->render(two_options(), {}), {}, {Constraint::Kind::kGrammar, "root ::= \"A\""}};
  const auto plan = model->plan({request});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(plan.error().message,
            "model scripted:random: a scripted subject cannot be held to a grammar or a JSON schema");
}

TEST(ScriptedModel, SaysThatItIsSimulated) {
  for (const auto& name : scripted_names()) {
    if (name == "canned") continue;  // needs a file: below
    const auto model = open_or_die(name);
    EXPECT_TRUE(model->card().simulated) << name;
    EXPECT_EQ(model->card().name, "scripted:" + name);
    EXPECT_EQ(model->card().backend, "scripted");
    EXPECT_THAT(model->card().description, HasSubstr("simulated")) << name;
  }
}

TEST(ScriptedModel, ItsIdentityIsItsDefinition) {
  EXPECT_EQ(open_or_die("noisy?lapse=0.20")->card().identity, open_or_die("noisy")->card().identity);
  EXPECT_EQ(open_or_die("noisy?ties=uniform&lapse=0.1")->card().identity,
            open_or_die("noisy?lapse=.1")->card().identity);
  EXPECT_NE(open_or_die("noisy?lapse=0.1")->card().identity, open_or_die("noisy")->card().identity);
  EXPECT_NE(open_or_die("ideal")->card().identity, open_or_die("random")->card().identity);
}

class Broken final : public ScriptedBehaviour {
 public:
  std::vector<double> choose(const ScriptedChoice&) const override { return {0.9, 0.9}; }
  std::string reply(const Conversation&, std::uint64_t) const override { return "hm"; }
};

TEST(ScriptedModel, ReportsABehaviourThatIsNoDistribution) {
  const auto model = scripted_model("broken", "broken", std::make_shared<Broken>());
  const auto response = answer(*model, ScoreRequest{*model->render(two_options(), {}), {"A", "B"}, ""});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, ErrorCode::kModel);
  EXPECT_EQ(response.error().message, "a scripted subject gave 2 probabilities with the sum 1.8 for 2 options");
}

TEST(ScriptedModel, ShowsTheConversationAsOnePiece) {
  const auto model = open_or_die("random");
  const auto prompt = *model->render(asks("Hi"), {});
  const auto pieces = model->view(prompt);
  ASSERT_TRUE(pieces);
  ASSERT_EQ(pieces->size(), 1U);
  EXPECT_EQ(pieces->front().text, prompt.wire);
}

// ---- names

std::string refusal_of(std::string_view name, ErrorCode code) {
  const auto model = open_scripted(name);
  if (model) return "no error";
  EXPECT_EQ(model.error().code, code);
  return model.error().message;
}

TEST(ScriptedNames, UnknownNamesSuggestTheNearest) {
  EXPECT_EQ(refusal_of("ideel", ErrorCode::kNotFound),
            "model scripted:ideel: unknown scripted subject \"ideel\"; did you mean \"ideal\"?");
  EXPECT_EQ(refusal_of("qwertyuiop", ErrorCode::kNotFound),
            "model scripted:qwertyuiop: unknown scripted subject \"qwertyuiop\"; there are ideal, noisy, position, "
            "letter, refusing, canned, random");
}

TEST(ScriptedModel, CannedRepliesAreThoseOfTheFile) {
  const testing::Scratch scratch;
  const auto file = scratch / "replies.jsonl";
  const auto name = "canned?file=" + file.string();
  testing::put_file(file, "{\"prompt\": \"Why?\", \"response\": \"Because.\"}\n{\"prompt\": \"Why?\", \"response\": \"Why not?\"}\n");
  const auto model = open_or_die(name);
  EXPECT_TRUE(model->card().simulated);
  std::set<std::string> said;
  for (std::uint64_t seed = 0; seed < 20; ++seed) said.insert(complete(*model, asks(" Why? "), seeded(seed)).text);
  EXPECT_EQ(said, (std::set<std::string>{"Because.", "Why not?"}));
  EXPECT_EQ(complete(*model, asks("How?"), seeded(1)).text, "");
  const auto before = model->card().identity;
  testing::put_file(file, "{\"prompt\": \"Why?\", \"response\": \"Because!\"}\n");
  EXPECT_NE(open_or_die(name)->card().identity, before);  // what it says is part of what it is
  EXPECT_EQ(refusal_of("canned", ErrorCode::kUsage), "model scripted:canned: name the file of replies: scripted:canned?file=replies.jsonl");
  testing::put_file(file, "{\"prompt\": \"Why?\"}\n");
  EXPECT_THAT(refusal_of(name, ErrorCode::kUsage), HasSubstr("replies.jsonl:1"));
}

TEST(ScriptedNames, ParametersAreChecked) {
  EXPECT_EQ(refusal_of("noisy?laps=0.2", ErrorCode::kUsage),
            "model scripted:noisy?laps=0.2: unknown setting \"laps\"; did you mean \"lapse\"?");
  EXPECT_EQ(refusal_of("noisy?lapse=1.5", ErrorCode::kUsage),
            "model scripted:noisy?lapse=1.5: setting \"lapse\" should be a number from 0 to 1, got \"1.5\"");
  EXPECT_EQ(refusal_of("ideal?ties=left", ErrorCode::kUsage),
            "model scripted:ideal?ties=left: setting \"ties\" should be one of uniform, middle, got \"left\"");
  EXPECT_EQ(refusal_of("noisy?lapse", ErrorCode::kUsage),
            "model scripted:noisy?lapse: a parameter should be written name=value, got \"lapse\"");
}

}  // namespace
}  // namespace valence
