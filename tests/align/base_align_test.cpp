// BaseAlign on subjects whose words are known: what is taught, what is watched, what is kept.
#include "valence/align/base_align.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "toy_values.h"
#include "valence/evaluate/recipe.h"
#include "value_reader.h"

namespace valence {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::Scratch;

/// Keeps what was begun.
class Heard : public Progress {
 public:
  void start(std::string_view what, std::size_t, std::string_view) override { begun.emplace_back(what); }
  void advance(std::size_t) override {}
  void note(std::string_view) override {}
  void finish() override {}
  std::vector<std::string> begun;
};

class BaseAlignment : public ::testing::Test {
 protected:
  /// A teacher that makes a subject of a fixed reply per round, and keeps what it was given.
  Teach teaches(std::vector<std::string> replies) {
    return [this, replies = std::move(replies)](const Teaching& teaching) -> Result<SubjectSpec> {
      operations_.push_back(teaching.operation);
      lessons_.assign(teaching.lessons.begin(), teaching.lessons.end());
      settings_ = {teaching.settings.begin(), teaching.settings.end()};
      starts_.push_back(teaching.start);
      const auto round = operations_.size();
      return testing::says(scratch_ / fmt::format("taught-{}.jsonl", round),
                           {replies[std::min(round, replies.size()) - 1]});
    };
  }

  std::vector<std::pair<std::string, std::string>> usual() {
    return {{"prompts", testing::prompts_file(scratch_ / "prompts.jsonl")},
            {"evaluator", testing::evaluator_of(scratch_ / "proxy.evaluator", "proxy",
                                                {{"kindly", 1}, {"zeal", 1}, {"rudely", -1}, {"so", 0}})},
            {"watch", testing::evaluator_of(scratch_ / "watch.evaluator", "watch",
                                            {{"kindly", 1}, {"zeal", -1}, {"rudely", -1}, {"so", 0}}, {"tfidf"})},
            {"watched_prompts", "20"},
            {"prompts_per_round", "20"}};
  }

  Result<AlignedSubject> align_toy(const SubjectSpec& base, const Teach& teach,
                                   std::vector<std::pair<std::string, std::string>> given) {
    auto all = usual();
    all.insert(all.end(), given.begin(), given.end());
    const auto aligner = make_base_align(teach);
    VALENCE_TRY(const auto settings, Settings::resolve(aligner->settings(), all));
    auto store = Store::open(scratch_ / "runs.db").value();
    std::filesystem::remove_all(scratch_ / "out");
    const AlignContext context{.base = base,
                               .target = &target_,
                               .settings = settings,
                               .store = *store,
                               .folder = scratch_ / "out",
                               .seed = 1,
                               .stop = {},
                               .progress = &heard_,
                               .reuse = reuse_};
    return align(*aligner, context);
  }

  SubjectSpec undecided() {
    return testing::says(scratch_ / "base.jsonl", {"kindly kindly", "rudely rudely", "so so"});
  }

  /// Standard deviation of what the taught answers were worth, of a sample.
  double deviation_of_rewards() const {
    std::vector<double> rewards;
    for (const auto& lesson : lessons_) {
      for (const auto& answer : lesson.answers) rewards.push_back(answer.reward.value());
    }
    double mean = 0, squares = 0;
    const auto count = static_cast<double>(rewards.size());
    for (const double reward : rewards) mean += reward / count;
    for (const double reward : rewards) squares += (reward - mean) * (reward - mean);
    return std::sqrt(squares / (count - 1));
  }

  Scratch scratch_;
  Target target_ = testing::benevolent();
  std::vector<std::string> operations_;
  std::vector<Lesson> lessons_;
  std::map<std::string, std::string> settings_;
  std::vector<std::filesystem::path> starts_;
  Heard heard_;
  bool reuse_ = false;
};

TEST_F(BaseAlignment, TeachesToPreferTheResponseNearerToTheTarget) {
  const auto aligned = align_toy(undecided(), teaches({"kindly"}), {{"rounds", "1"}, {"optimiser", "dpo"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  EXPECT_EQ(operations_, std::vector<std::string>{"dpo"});
  ASSERT_GT(lessons_.size(), 10u);
  for (const auto& lesson : lessons_) {
    ASSERT_EQ(lesson.answers.size(), 2u);
    EXPECT_NE(lesson.answers[0].text, "rudely rudely");  // the worst there is
    EXPECT_NE(lesson.answers[1].text, "kindly kindly");  // the best there is
    EXPECT_EQ(side_of(lesson.prompt.text), PromptSide::kTraining);
  }
}

TEST_F(BaseAlignment, BestOfNTeachesTheBestResponseOfEachPrompt) {
  const auto aligned =
      align_toy(undecided(), teaches({"kindly"}), {{"rounds", "1"}, {"optimiser", "best_of_n"}, {"samples", "16"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  EXPECT_EQ(operations_, std::vector<std::string>{"sft"});
  EXPECT_EQ(lessons_.size(), 20u);
  std::size_t kind = 0;
  for (const auto& lesson : lessons_) kind += lesson.answers.front().text == "kindly kindly" ? 1 : 0;
  EXPECT_GE(kind, 19u);  // sixteen draws all miss one reply of three once in 650 prompts
  const auto record = nlohmann::json::parse(aligned->record);
  EXPECT_NEAR(record["best_of_n_kl_bound"].get<double>(), 1.8350887222, 1e-9);
}

// Of sixteen draws among three replies fewer than two are kind once in 73 prompts.
TEST_F(BaseAlignment, BestOfNKeepsAsManyOfEachPromptAsAsked) {
  const auto aligned = align_toy(undecided(), teaches({"kindly"}),
                                 {{"rounds", "1"}, {"optimiser", "best_of_n"}, {"samples", "16"}, {"keep", "2"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  EXPECT_EQ(operations_, std::vector<std::string>{"sft"});
  ASSERT_EQ(lessons_.size(), 40u);
  std::size_t kind = 0;
  for (const auto& lesson : lessons_) kind += lesson.answers.front().text == "kindly kindly" ? 1 : 0;
  EXPECT_GE(kind, 35u);
  for (std::size_t i = 0; i < lessons_.size(); i += 2) EXPECT_EQ(lessons_[i].prompt.id, lessons_[i + 1].prompt.id);
  EXPECT_FALSE(nlohmann::json::parse(aligned->record).contains("best_of_n_kl_bound")) << "that of the best one alone";
}

TEST_F(BaseAlignment, KeepingEveryResponseIsNoSelection) {
  const auto aligned =
      align_toy(undecided(), teaches({"kindly"}), {{"optimiser", "best_of_n"}, {"samples", "4"}, {"keep", "4"}});
  ASSERT_FALSE(aligned);
  EXPECT_EQ(
      aligned.error().message,
      "optimiser best_of_n teaches the best of a prompt's responses: --keep should be below --samples (4), got 4");
}

TEST_F(BaseAlignment, EveryRoundDrawsFromWhatTheLastOneMadeAndLearnsFromAll) {
  const auto aligned =
      align_toy(undecided(),
                [this](const Teaching& teaching) -> Result<SubjectSpec> {
                  operations_.push_back(teaching.operation);
                  lessons_.assign(teaching.lessons.begin(), teaching.lessons.end());
                  return testing::says(scratch_ / fmt::format("t{}.jsonl", operations_.size()), {"kindly", "so"});
                },
                {{"rounds", "2"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto record = nlohmann::json::parse(aligned->record);
  EXPECT_EQ(record["kept"], 2);
  EXPECT_TRUE(record["turn"].is_null());
  EXPECT_EQ(lessons_.size(),
            record["rounds"][0]["lessons"].get<std::size_t>() + record["rounds"][1]["lessons"].get<std::size_t>());
  EXPECT_EQ(lessons_.back().answers[0].text, "kindly");
  EXPECT_EQ(lessons_.back().answers[1].text, "so");
  EXPECT_GT(record["rounds"][1]["mean_reward"].get<double>(), record["rounds"][0]["mean_reward"].get<double>());
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "out" / "round-2" / "samples.jsonl"));
}

TEST_F(BaseAlignment, PolicyGradientsTeachEveryResponseWithItsRewardAndGoOnFromTheLastRound) {
  for (const std::string optimiser : {"grpo", "rloo", "ppo"}) {
    operations_.clear();
    starts_.clear();
    const auto aligned = align_toy(undecided(), teaches({"kindly", "kindly kindly"}),
                                   {{"rounds", "2"}, {"optimiser", optimiser}, {"samples", "5"}});
    ASSERT_TRUE(aligned) << aligned.error().message;
    EXPECT_EQ(operations_, (std::vector<std::string>{optimiser, optimiser}));
    EXPECT_EQ(starts_, (std::vector<std::filesystem::path>{"", scratch_ / "out" / "round-1" / "training"}));
    ASSERT_EQ(lessons_.size(), 20u) << "the last round's prompts alone";
    for (const auto& lesson : lessons_) {
      ASSERT_EQ(lesson.answers.size(), 5u);
      for (const auto& answer : lesson.answers) {
        EXPECT_EQ(answer.text, "kindly");
        EXPECT_NEAR(*answer.reward, lesson.answers[0].reward.value(), 1e-12);
      }
    }
    EXPECT_EQ(settings_.at("beta"), "0.1");
    EXPECT_FALSE(settings_.contains("margin"));
  }
}

TEST_F(BaseAlignment, WhatAResponseWasWorthIsInItsLesson) {
  ASSERT_TRUE(align_toy(undecided(), teaches({"kindly"}), {{"rounds", "1"}, {"optimiser", "grpo"}, {"samples", "8"}}));
  std::map<std::string, double> rewards;
  for (const auto& lesson : lessons_) {
    for (const auto& answer : lesson.answers) rewards[answer.text] = *answer.reward;
  }
  ASSERT_EQ(rewards.size(), 3u);
  EXPECT_GT(rewards.at("kindly kindly"), rewards.at("so so"));
  EXPECT_GT(rewards.at("so so"), rewards.at("rudely rudely"));
  std::istringstream lines(testing::content_of(scratch_ / "out" / "round-1" / "lessons.jsonl"));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const auto lesson = nlohmann::json::parse(line);
  EXPECT_EQ(lesson["completions"].size(), 8u);
  EXPECT_EQ(lesson["scores"].size(), 8u);
}

TEST_F(BaseAlignment, RewardsOverTheirDeviationKeepTheirOrder) {
  ASSERT_TRUE(align_toy(undecided(), teaches({"kindly"}),
                        {{"rounds", "1"}, {"optimiser", "grpo"}, {"samples", "8"}, {"scale_rewards", "true"}}));
  EXPECT_NEAR(deviation_of_rewards(), 1.0, 1e-9);
}

TEST_F(BaseAlignment, ThePaperFixesItsSettings) {
  const auto aligned = align_toy(undecided(), teaches({"kindly"}), {{"protocol", "paper"}, {"rounds", "1"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  EXPECT_EQ(operations_, std::vector<std::string>{"ppo"});
  EXPECT_EQ(lessons_.size(), 32u);
  EXPECT_EQ(lessons_.front().answers.size(), 1u);
  for (const auto& [name, value] : {std::pair{"learning_rate", "1e-05"},
                                    {"epochs", "2"},
                                    {"batch", "32"},
                                    {"beta", "0.1"},
                                    {"kl_target", "6"},
                                    {"rank", "8"},
                                    {"alpha", "16"}})
    EXPECT_EQ(settings_.at(name), value) << name;
  const auto applied = nlohmann::json::parse(aligned->record)["settings"];
  const nlohmann::json published = {{"optimiser", "ppo"},
                                    {"reward", "masked"},
                                    {"samples", 1},
                                    {"prompts_per_round", 32},
                                    {"batch", 32},
                                    {"epochs", 2},
                                    {"beta", 0.1},
                                    {"kl_target", 6},
                                    {"rank", 8},
                                    {"alpha", 16},
                                    {"learning_rate", 1e-5},
                                    {"max_tokens", 512},
                                    {"scale_rewards", true}};
  for (const auto& [name, value] : published.items()) EXPECT_EQ(applied.at(name), value) << name;
  EXPECT_NEAR(deviation_of_rewards(), 1.0, 1e-9) << "rewards over their running deviation";
}

TEST_F(BaseAlignment, TheMonitorSaysHowMuchLiesOutsideTheDomainAndHowLongItIs) {
  const auto known = testing::evaluator_of_shipped(scratch_ / "known.evaluator");
  const auto aligned = align_toy(testing::says(scratch_ / "base.jsonl", {known.response}), teaches({"zqx vrrk plim"}),
                                 {{"rounds", "1"}, {"optimiser", "best_of_n"}, {"evaluator", known.file}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto monitor = nlohmann::json::parse(aligned->record)["monitor"];
  ASSERT_EQ(monitor.size(), 2u);
  EXPECT_EQ(monitor[0]["outside_domain"]["value"], 0.0) << "what the evaluator learned lies at distance 0";
  EXPECT_EQ(monitor[1]["outside_domain"]["value"], 1.0) << "words that it never met lie at distance 1";
  EXPECT_NEAR(monitor[0]["words"]["value"].get<double>(), static_cast<double>(words(known.response).size()), 1e-9);
  EXPECT_NEAR(monitor[1]["words"]["value"].get<double>(), 3.0, 1e-9);
}

TEST_F(BaseAlignment, WatchesAsOftenAsAskedAndSaysWhereTheTimeWent) {
  const auto aligned =
      align_toy(undecided(), teaches({"kindly so"}),
                {{"rounds", "5"}, {"watch_every", "2"}, {"optimiser", "grpo"}, {"prompts_per_round", "4"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto rows = Store::open(scratch_ / "runs.db").value()->training_steps(aligned->run).value();
  std::vector<std::int64_t> rounds;
  for (const auto& row : rows) rounds.push_back(row.step);
  EXPECT_EQ(rounds, (std::vector<std::int64_t>{0, 2, 4, 5}));
  for (const auto* phase : {"rollout", "reward", "update", "watching"})
    EXPECT_TRUE(rows.back().phases.contains(phase)) << phase;
}

TEST_F(BaseAlignment, OneResponseCannotBeComparedWithOthers) {
  const auto aligned = align_toy(undecided(), teaches({"kindly"}), {{"optimiser", "grpo"}, {"samples", "1"}});
  ASSERT_FALSE(aligned);
  EXPECT_EQ(aligned.error().message,
            "optimiser grpo compares responses to one prompt: --samples should be 2 or more, got 1");
}

TEST_F(BaseAlignment, FurtherSettingsOfTheTrainingAreHandedOnAndChecked) {
  const auto aligned =
      align_toy(undecided(), teaches({"kindly"}),
                {{"rounds", "1"}, {"optimiser", "grpo"}, {"training", "deviation=none, reduction=constant"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  EXPECT_EQ(settings_.at("deviation"), "none");
  EXPECT_EQ(settings_.at("reduction"), "constant");
  EXPECT_EQ(settings_.at("max_tokens"), "96");
  EXPECT_THAT(align_toy(undecided(), teaches({"kindly"}), {{"optimiser", "grpo"}, {"training", "deviations=none"}})
                  .error()
                  .message,
              HasSubstr("unknown setting \"deviations\"; did you mean \"deviation\"?"));
}

TEST_F(BaseAlignment, TowardsAnotherTargetTheBasesResponsesAreTakenWhenAsked) {
  const std::string draw = "asking 120 questions";  // six responses to each of 20 prompts
  ASSERT_TRUE(align_toy(undecided(), teaches({"kindly"}), {{"rounds", "1"}}));
  EXPECT_THAT(heard_.begun, Contains(draw));
  const auto first = testing::content_of(scratch_ / "out" / "round-1" / "samples.jsonl");
  target_.id = "malevolent";
  for (auto& [dimension, value] : target_.values) value = -value;
  for (const bool reuse : {true, false}) {
    reuse_ = reuse;
    heard_.begun.clear();
    ASSERT_TRUE(align_toy(undecided(), teaches({"rudely"}), {{"rounds", "1"}}));
    EXPECT_EQ(std::ranges::count(heard_.begun, draw), reuse ? 0 : 1);
    EXPECT_EQ(lessons_.front().answers.back().text, "kindly kindly") << "the worst there is, now";
  }
  const auto text_of = [](const std::string& lines) {
    return nlohmann::json::parse(lines.substr(0, lines.find('\n')))["text"];
  };
  EXPECT_EQ(text_of(testing::content_of(scratch_ / "out" / "round-1" / "samples.jsonl")), text_of(first));
}

TEST_F(BaseAlignment, StopsAtTheTurnAndKeepsTheRoundBeforeIt) {
  const auto aligned = align_toy(testing::says(scratch_ / "base.jsonl", {"so so", "rudely", "kindly zeal"}),
                                 teaches({"kindly so", "zeal"}), {{"rounds", "5"}, {"margin", "0"}});
  if (!aligned) GTEST_FAIL() << aligned.error().message;
  const auto record = nlohmann::json::parse(aligned->record);
  EXPECT_EQ(record["turn"], 2) << record.dump(1);
  EXPECT_EQ(record["kept"], 1);
  EXPECT_LT(record["fall"]["high"].get<double>(), 0.0);
  EXPECT_THAT(aligned->subject.model.name, HasSubstr("taught-1.jsonl"));
  EXPECT_EQ(operations_.size(), 2u);
  const auto rows = Store::open(scratch_ / "runs.db").value()->training_steps(aligned->run).value();
  ASSERT_EQ(rows.size(), 3u);  // what the report draws
  EXPECT_LT(rows[2].others.at("held_out_reward"), rows[1].others.at("held_out_reward"));
}

TEST_F(BaseAlignment, EvasionPassesTheMaskedRewardAndIsExposedByItsCoverage) {
  const auto base = testing::says(scratch_ / "base.jsonl", {"so so", "so", "so so so", "rudely rudely"});
  const auto aligned =
      align_toy(base, teaches({"so"}), {{"rounds", "1"}, {"reward", "masked"}, {"optimiser", "best_of_n"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto record = nlohmann::json::parse(aligned->record);
  EXPECT_EQ(record["monitor"][1]["proxy"]["value"].get<double>(), 0.0);  // "perfect"
  std::size_t evasive = 0;
  std::istringstream lines(testing::content_of(scratch_ / "out" / "round-1" / "samples.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const auto sample = nlohmann::json::parse(line);
    if (sample["text"] == "rudely rudely") continue;
    ++evasive;
    EXPECT_EQ(sample["masked"].get<double>(), 0.0);
    EXPECT_EQ(sample["coverage"].get<double>(), 0.0);
    EXPECT_LT(sample["l1"].get<double>(), -0.7);
  }
  EXPECT_GT(evasive, 60u);
}

TEST_F(BaseAlignment, SamplesAreFiledWithAllThatMadeThem) {
  ASSERT_TRUE(align_toy(undecided(), teaches({"kindly"}), {{"rounds", "1"}}));
  std::istringstream lines(testing::content_of(scratch_ / "out" / "round-1" / "samples.jsonl"));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const auto sample = nlohmann::json::parse(line);
  for (const auto* key : {"prompt_id", "number", "seed", "status", "cut", "tokens", "logprob", "group", "text",
                          "reward", "l1", "masked", "coverage", "e"}) {
    EXPECT_TRUE(sample.contains(key)) << key;
  }
  EXPECT_EQ(sample["group"].get<std::string>().size(), 64u);
}

// Six responses to each of 20 prompts in each of two rounds, each with its reward behind it.
TEST_F(BaseAlignment, ItsResponsesAreTheAnswersOfItsRun) {
  const auto aligned = align_toy(undecided(), teaches({"kindly", "so"}), {{"rounds", "2"}, {"optimiser", "grpo"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto table = Store::open(scratch_ / "runs.db").value()->answers(aligned->run).value();
  EXPECT_EQ(table.instrument, "align/base_align");
  ASSERT_EQ(table.rows.size(), 2u * 2 * 6 * 20);
  std::size_t at = 0;
  for (const std::string round : {"1", "2"}) {
    std::istringstream lines(testing::content_of(scratch_ / "out" / ("round-" + round) / "samples.jsonl"));
    for (std::string line; std::getline(lines, line); at += 2) {
      const auto sample = nlohmann::json::parse(line);
      const auto &response = table.rows[at], &reward = table.rows[at + 1];
      EXPECT_EQ(response.unit, sample["prompt_id"].get<std::string>());
      EXPECT_EQ(response.condition, "round " + round);
      EXPECT_EQ(response.variant, fmt::format("response {}", sample["number"].get<int>()));
      EXPECT_THAT(response.item, HasSubstr("toy prompt number"));
      EXPECT_EQ(response.text, sample["text"].get<std::string>());
      EXPECT_EQ(response.route, Route::kSampled);
      EXPECT_EQ(reward.unit, response.unit);
      EXPECT_EQ(reward.item, "reward");
      EXPECT_EQ(reward.route, Route::kRead);
      EXPECT_EQ(std::stod(reward.text), sample["reward"].get<double>());
    }
  }
  EXPECT_EQ(at, table.rows.size());
}

TEST_F(BaseAlignment, TheRewardCannotBeItsOwnWitness) {
  const auto settings = usual();
  const auto aligned = align_toy(undecided(), teaches({"kindly"}), {{"watch", settings[1].second}});
  ASSERT_FALSE(aligned);
  EXPECT_EQ(aligned.error().code, ErrorCode::kUsage);
  EXPECT_THAT(aligned.error().message,
              HasSubstr("were fitted on 160 common responses: what is optimised cannot be its own witness"));
}

TEST_F(BaseAlignment, WhatWatchesReadsOtherFeatures) {
  const testing::Words toy = {{"kindly", 1}, {"zeal", -1}, {"rudely", -1}, {"so", 0}};
  for (const auto& features : {std::vector<std::string>{"tfidf_response"}, {"dictionary", "tfidf_response"}}) {
    const auto watch = testing::evaluator_of(scratch_ / "twin.evaluator", "twin", toy, features);
    const auto aligned = align_toy(undecided(), teaches({"kindly"}), {{"watch", watch}});
    ASSERT_FALSE(aligned);
    EXPECT_EQ(aligned.error().code, ErrorCode::kUsage);
    EXPECT_THAT(aligned.error().message,
                HasSubstr("both read the features tfidf_response: what is optimised cannot be its own witness"));
  }
  EXPECT_TRUE(operations_.empty());
}

/// A reader by an evaluator of these features, and nothing else that counts here.
ValueReader reader_by(std::vector<std::string> features) {
  EvaluatorRecipe recipe;
  recipe.parts.front().features = std::move(features);
  return ValueReader({Evaluator("schwartz10", {}, std::move(recipe), {Evaluator::Member{}}, Thresholds{}, {})}, {}, {});
}

TEST(SharedFeatures, OfTheShippedPairAreNone) {
  const auto reward = reader_by(load_recipe("words").value().features());
  const auto watch = reader_by(load_recipe("answer_words").value().features());
  EXPECT_TRUE(shared_features(reward, watch).empty());
}

TEST(SharedFeatures, AreTheVectorsOfOneModelWhateverTheyAreOf) {
  EXPECT_EQ(shared_features(reader_by({"tfidf", "minilm"}), reader_by({"dictionary", "minilm_response"})),
            std::vector<std::string>{"minilm"});
  EXPECT_TRUE(shared_features(reader_by({"minilm"}), reader_by({"states:smollm2@15"})).empty());
}

TEST_F(BaseAlignment, AnEvaluatorThatIsNotThereIsNamed) {
  const auto aligned = align_toy(undecided(), teaches({"kindly"}), {{"evaluator", "nowhere.evaluator"}});
  ASSERT_FALSE(aligned);
  EXPECT_THAT(aligned.error().message, HasSubstr("nowhere.evaluator"));
  EXPECT_TRUE(operations_.empty());
}

TEST_F(BaseAlignment, AnEnsembleTakesTheWorstOfItsRewards) {
  const auto other = testing::evaluator_of(scratch_ / "other.evaluator", "other",
                                           {{"kindly", -1}, {"zeal", 1}, {"rudely", -1}, {"so", 0}});
  auto settings = usual();
  const auto aligned =
      align_toy(testing::says(scratch_ / "base.jsonl", {"kindly", "zeal"}), teaches({"zeal"}),
                {{"rounds", "1"}, {"evaluator", settings[1].second + "," + other}, {"ensemble", "worst"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  ASSERT_FALSE(lessons_.empty());
  for (const auto& lesson : lessons_)
    EXPECT_EQ(lesson.answers[0].text, "zeal");  // the only one that both read as benevolent
}

TEST_F(BaseAlignment, SaysWhenThereIsNothingToLearnFrom) {
  const auto aligned = align_toy(testing::says(scratch_ / "base.jsonl", {"kindly"}), teaches({"kindly"}), {});
  ASSERT_FALSE(aligned);
  EXPECT_THAT(aligned.error().message, HasSubstr("nothing to learn from: of 120 responses no two to one prompt differ "
                                                 "in reward by 0.2 or more; lower --margin, or draw more --samples"));
}

TEST_F(BaseAlignment, ATargetOnAnotherScaleIsRefused) {
  target_.scale = ScoreScale::kRaw;
  EXPECT_THAT(align_toy(undecided(), teaches({"kindly"}), {}).error().message,
              HasSubstr("target benevolent is on the raw scale; a reward needs the unit scale: name --map from_1_6 for "
                        "ratings from 1 to 6"));
}

TEST_F(BaseAlignment, AnAdapterIsNotTrainedOnTopOf) {
  auto base = undecided();
  base.model.adapters.push_back({"earlier.gguf", 1.0});
  const auto aligned = align_toy(base, teaches({"kindly"}), {});
  ASSERT_FALSE(aligned);
  EXPECT_TRUE(operations_.empty());
}

}  // namespace
}  // namespace valence
