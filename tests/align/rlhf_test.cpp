// Alignment to reward models: what they are shown, how their rewards become one, what is taught.
#include "valence/align/rlhf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/llama_tiny.h"
#include "toy_values.h"
#include "valence/train/job.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using testing::Scratch;

class Rlhf : public ::testing::Test {
 protected:
  Rlhf() { test::write_tiny({}, scratch_ / "tiny.gguf"); }

  /// A reward model's folder; what it likes is its name's first letter.
  std::string reward_model(const std::string& name, const std::string& operation = "reward") const {
    TrainingJob job;
    job.operation = operation;
    job.settings =
        Settings::resolve((*find_operation(operation))->settings, std::vector<std::pair<std::string, std::string>>{})
            .value();
    job.model = scratch_ / "tiny.gguf";
    job.output = scratch_ / name;
    testing::put_file(scratch_ / name / "job.json", to_text(job));
    return (scratch_ / name).string();
  }

  /// How often the letter occurs in the answer; the vocabulary is bytes.
  Rate counts_letters() {
    return [this](const std::filesystem::path& model, std::span<const TrainingExample> answers,
                  const std::filesystem::path&, const TrainingControl&) -> Result<std::vector<std::vector<double>>> {
      std::vector<std::vector<double>> rewards;
      for (const auto& example : answers) {
        auto& rated = rewards.emplace_back();
        for (const auto& path : example.paths) {
          const auto begin = path.tokens.begin() + static_cast<std::ptrdiff_t>(path.learned_from);
          rated.push_back(static_cast<double>(std::count(begin, path.tokens.end(), model.filename().string()[0])));
          last_token_ = path.tokens.back();
        }
      }
      return rewards;
    };
  }

  Result<AlignedSubject> align_toy(std::vector<std::pair<std::string, std::string>> given) {
    given.insert(given.end(), {{"prompts", testing::prompts_file(scratch_ / "prompts.jsonl")},
                               {"watched_prompts", "10"},
                               {"prompts_per_round", "10"},
                               {"rounds", "1"}});
    const auto teach = [this](const Teaching& teaching) -> Result<SubjectSpec> {
      lessons_.assign(teaching.lessons.begin(), teaching.lessons.end());
      operation_ = teaching.operation;
      return testing::says(scratch_ / "taught.jsonl", {"kk"});
    };
    const auto aligner = make_rlhf(teach, counts_letters());
    VALENCE_TRY(const auto settings, Settings::resolve(aligner->settings(), given));
    auto store = Store::open(scratch_ / "runs.db").value();
    const auto base = testing::says(scratch_ / "base.jsonl", {"k", "kkr", "rrr", "so"});
    std::filesystem::remove_all(scratch_ / "out");
    const AlignContext context{
        .base = base, .settings = settings, .store = *store, .folder = scratch_ / "out", .seed = 1, .stop = {}};
    return align(*aligner, context);
  }

  std::map<std::string, double> rewards() const {
    std::map<std::string, double> rewards;
    for (const auto& lesson : lessons_) {
      for (const auto& answer : lesson.answers) rewards[answer.text] = *answer.reward;
    }
    return rewards;
  }

  Scratch scratch_;
  std::vector<Lesson> lessons_;
  std::string operation_;
  TokenId last_token_ = 0;
};

TEST_F(Rlhf, TeachesResponsesWithTheRewardsOfTheModel) {
  const auto aligned = align_toy({{"reward", reward_model("kind")}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  EXPECT_EQ(operation_, "grpo");
  EXPECT_EQ(rewards(), (std::map<std::string, double>{{"k", 1}, {"kkr", 2}, {"rrr", 0}, {"so", 0}}));
  EXPECT_GE(last_token_, 256) << "the end of the turn, which the reward is read at";
  const auto record = nlohmann::json::parse(aligned->record);
  EXPECT_EQ(record["monitor"][1]["proxy"]["value"], 2.0);
  EXPECT_TRUE(record["monitor"][1]["held_out"]["value"].is_null());
  EXPECT_TRUE(record["turn"].is_null());
}

TEST_F(Rlhf, AnEnsembleIsItsMeanItsWorstOrPenalisedForDisagreeing) {
  const auto both = reward_model("kind") + "," + reward_model("rude");
  ASSERT_TRUE(align_toy({{"reward", both}}));
  EXPECT_EQ(rewards().at("kkr"), 1.5);
  ASSERT_TRUE(align_toy({{"reward", both}, {"ensemble", "worst"}}));
  EXPECT_EQ(rewards().at("kkr"), 1.0);
  EXPECT_EQ(rewards().at("rrr"), 0.0);
  ASSERT_TRUE(align_toy({{"reward", both}, {"ensemble", "uncertainty"}, {"uncertainty_weight", "2"}}));
  EXPECT_EQ(rewards().at("kkr"), 1.5 - 2 * .25);
  EXPECT_EQ(rewards().at("rrr"), 1.5 - 2 * 2.25);
}

TEST_F(Rlhf, AnotherModelMayWatch) {
  const auto aligned = align_toy({{"reward", reward_model("kind")}, {"watch", reward_model("rude")}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  EXPECT_EQ(nlohmann::json::parse(aligned->record)["monitor"][1]["held_out"]["value"], 0.0);
}

TEST_F(Rlhf, NeedsARewardModel) {
  EXPECT_EQ(align_toy({}).error().message,
            "alignment to a reward model needs one: --reward FOLDER, made with valence align reward --data PAIRS");
  EXPECT_THAT(align_toy({{"reward", reward_model("sft", "sft")}}).error().message,
              HasSubstr("holds an adapter of sft, not a reward model; make one with valence align reward"));
  EXPECT_EQ(align_toy({{"reward", (scratch_ / "nothing").string()}}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace valence
