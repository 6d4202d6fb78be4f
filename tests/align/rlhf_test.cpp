// Alignment to reward models: what they are shown, how their rewards become one, what is taught.
#include "valence/align/rlhf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "model/llama_tiny.h"
#include "toy_values.h"
#include "valence/train/data.h"
#include "valence/train/job.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using testing::Scratch;

constexpr const char* kChatMl =
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

class Rlhf : public ::testing::Test {
 protected:
  Rlhf() {
    test::write_tiny({}, scratch_ / "tiny.gguf");
    test::TinyModel other;
    other.chat_template = kChatMl;
    test::write_tiny(other, scratch_ / "chat.gguf");
  }

  /// A reward model's folder. What it likes is its name's first letter; it learned from pairs to `prompts`, or to one
  /// of its own.
  std::string reward_model(const std::string& name, const std::vector<std::string>& prompts = {},
                           const std::string& model = "tiny.gguf", const std::string& operation = "reward") const {
    const auto examples = pairs_to(prompts.empty() ? std::vector{"What of " + name + "?"} : prompts, model);
    TrainingJob job;
    job.operation = operation;
    job.settings =
        Settings::resolve((*find_operation(operation))->settings, std::vector<std::pair<std::string, std::string>>{})
            .value();
    job.model = scratch_ / model;
    job.examples_sha256 = sha256(examples);
    job.output = scratch_ / name;
    testing::put_file(scratch_ / name / "job.json", to_text(job));
    testing::put_file(scratch_ / name / "examples.jsonl", examples);
    return (scratch_ / name).string();
  }

  std::string pairs_to(const std::vector<std::string>& prompts, const std::string& model) const {
    const auto tokens = test::open_tiny(scratch_ / model);
    std::vector<TrainingExample> examples;
    for (const auto& prompt : prompts) {
      const TrainingRecord pair{{"pairs", 0, 0}, RecordKind::kPreference, {{Role::kUser, prompt}}, {"yes", "no"}, {}};
      examples.push_back(render_record(*tokens, pair, {}).value());
    }
    return to_jsonl(examples);
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

TEST_F(Rlhf, AModelThatGivesTheRewardCannotWatchIt) {
  const auto kind = reward_model("kind");
  const auto aligned = align_toy({{"reward", reward_model("rude") + "," + kind}, {"watch", kind}});
  ASSERT_FALSE(aligned);
  EXPECT_EQ(aligned.error().code, ErrorCode::kUsage);
  EXPECT_EQ(
      aligned.error().message,
      fmt::format("the reward model {0} cannot watch {0}: they are one model, and what is optimised cannot be its "
                  "own witness. Train another on other prompts (valence align reward), or leave --watch out",
                  kind));
  EXPECT_TRUE(lessons_.empty());
  std::filesystem::copy(kind, scratch_ / "copy", std::filesystem::copy_options::recursive);
  EXPECT_THAT(align_toy({{"reward", kind}, {"watch", (scratch_ / "copy").string()}}).error().message,
              HasSubstr("copy cannot watch"));
}

TEST_F(Rlhf, AModelOfTheSamePromptsCannotWatch) {
  const auto kind = reward_model("kind", {"One?", "Two?", "Three?"});
  const auto rude = reward_model("rude", {"two", "Four?", "three?"});
  const auto aligned = align_toy({{"reward", reward_model("other") + "," + kind}, {"watch", rude}});
  ASSERT_FALSE(aligned);
  EXPECT_EQ(aligned.error().code, ErrorCode::kUsage);
  EXPECT_EQ(
      aligned.error().message,
      fmt::format("the reward model {} cannot watch {}: of the 3 prompts that it learned from, 2 taught the other "
                  "too, and what is optimised cannot be its own witness. Train another on other prompts (valence "
                  "align reward), or leave --watch out",
                  rude, kind));
}

TEST_F(Rlhf, APromptIsTheSameInAnotherModelsTemplate) {
  const auto kind = reward_model("kind", {"One?", "Two?"});
  EXPECT_THAT(
      align_toy({{"reward", kind}, {"watch", reward_model("rude", {"Two?", "Three?"}, "chat.gguf")}}).error().message,
      HasSubstr("of the 2 prompts that it learned from, 1 taught the other too"));
  EXPECT_TRUE(align_toy({{"reward", kind}, {"watch", reward_model("real", {"Three?", "Four?"}, "chat.gguf")}}));
}

TEST_F(Rlhf, ExamplesThatAreNotTheModelsOwnShowNothing) {
  const auto kind = reward_model("kind"), rude = reward_model("rude");
  testing::put_file(scratch_ / "rude" / "examples.jsonl", pairs_to({"Another?"}, "tiny.gguf"));
  const auto aligned = align_toy({{"reward", kind}, {"watch", rude}});
  ASSERT_FALSE(aligned);
  EXPECT_EQ(aligned.error().code, ErrorCode::kMismatch);
  EXPECT_THAT(aligned.error().message, HasSubstr("examples.jsonl is not what the reward model beside it learned from"));
}

TEST_F(Rlhf, NeedsARewardModel) {
  EXPECT_EQ(align_toy({}).error().message,
            "alignment to a reward model needs one: --reward FOLDER, made with valence align reward --data PAIRS");
  EXPECT_THAT(align_toy({{"reward", reward_model("sft", {}, "tiny.gguf", "sft")}}).error().message,
              HasSubstr("holds an adapter of sft, not a reward model; make one with valence align reward"));
  EXPECT_EQ(align_toy({{"reward", (scratch_ / "nothing").string()}}).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace valence
