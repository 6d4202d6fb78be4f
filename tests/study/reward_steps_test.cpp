// Reward models as steps: trained once, named by the alignment that optimises what they like.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/llama_tiny.h"
#include "support/environment.h"
#include "support/fake_trainer.h"
#include "support/scratch.h"
#include "valence/align/file_training.h"
#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/study/run.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using Steps = std::vector<std::string>;

constexpr std::string_view kSubject = R"(
id = "three"
title = "Three steps"
[subject.base]
model = "{folder}/tiny.gguf"
compute = "as_is"
threads = 1
)";

constexpr std::string_view kLiked = R"(
[align.liked]
method = "reward"
subject = "base"
settings = { data = "{folder}/pairs.jsonl", steps = 2 }
)";

constexpr std::string_view kTuned = R"(
[align.tuned]
method = "rlhf"
subject = "base"
[align.tuned.settings]
reward = "liked"
prompts = "{folder}/prompts.jsonl"
watched_prompts = 4
prompts_per_round = 4
samples = 3
rounds = 1
max_tokens = 8
)";

class StudyRewards : public ::testing::Test {
 protected:
  StudyRewards() {
    test::write_tiny({}, scratch_ / "tiny.gguf");
    testing::put_fake_trainer(scratch_ / "trainer");
    testing::put_file(scratch_ / "pairs.jsonl", R"({"prompt": "a?", "chosen": "yes", "rejected": "no"})"
                                                "\n");
    std::string prompts;
    for (int i = 0; i < 40; ++i) prompts += to_text(Json{{"prompt", fmt::format("question {}?", i)}}) + "\n";
    testing::put_file(scratch_ / "prompts.jsonl", prompts);
  }

  Study study(std::string_view steps) const {
    const auto text = replace_all(std::string(kSubject) + std::string(steps), "{folder}", scratch_.path().string());
    auto read = parse_study(text, "three.toml");
    EXPECT_TRUE(read) << (read ? "" : read.error().message);
    return std::move(*read);
  }

  Result<StudyPlan> run(const Study& study) {
    ran_.clear();
    return run_study(study, *store_,
                     {.stop = {}, .folder = scratch_.path(), .started = [this](const PlannedStep& step, auto, auto) {
                        ran_.push_back(step.step->full_name());
                      }});
  }

  PlannedStep planned(const Study& study, const std::string& name) const {
    const auto plan = plan_study(study, store_.get()).value();
    return *std::ranges::find_if(plan.steps, [&](const auto& step) { return step.step->full_name() == name; });
  }

  testing::Scratch scratch_;
  test::ScratchCache cache_;
  testing::Environment trainer_{"VALENCE_TRAIN", (scratch_ / "trainer").string()};
  std::unique_ptr<Store> store_ = Store::open(scratch_ / "v.db").value();
  Steps ran_;
};

TEST_F(StudyRewards, AreTrainedOnceAndAgainWhenTheirCheckpointIsGone) {
  const auto trial = study(kLiked);
  const auto first = run(trial);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(ran_, Steps{"align.liked"});
  ASSERT_TRUE(run(trial));
  EXPECT_TRUE(ran_.empty());
  const auto step = planned(trial, "align.liked");
  const auto folder = reward_model_of(*store_, step.run.value()).value();
  EXPECT_EQ(folder, scratch_ / "three" / "align.liked" / step.hash.substr(0, 12));
  std::filesystem::remove(folder / "checkpoint.bin");
  const auto gone = reward_model_of(*store_, step.run.value());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().message, fmt::format("the reward model that run {} left is gone: {} holds no checkpoint.bin; "
                                              "train it anew",
                                              step.run.value(), folder.string()));
  ASSERT_TRUE(run(trial));
  EXPECT_EQ(ran_, Steps{"align.liked"});
  EXPECT_EQ(testing::content_of(folder / "checkpoint.bin"), "state");
}

// The script in the trainer's place rates nothing, so the alignment ends where the reward model is asked.
TEST_F(StudyRewards, AreAskedByTheAlignmentThatNamesThem) {
  const auto trial = study(std::string(kLiked) + std::string(kTuned));
  const auto plan = run(trial);
  ASSERT_FALSE(plan);
  EXPECT_EQ(ran_, (Steps{"align.liked", "align.tuned"}));
  const auto folder = "three/align.liked/" + planned(trial, "align.liked").hash.substr(0, 12);
  EXPECT_THAT(plan.error().message, HasSubstr("align.tuned: "));
  EXPECT_THAT(plan.error().message, HasSubstr(folder + " did not rate the answers"));
  EXPECT_TRUE(planned(trial, "align.liked").run) << "what was done stays done";
}

TEST_F(StudyRewards, OtherDataMakeAnotherRewardModelAndAnotherAlignmentToIt) {
  const auto trial = study(std::string(kLiked) + std::string(kTuned));
  const auto liked = planned(trial, "align.liked").hash, tuned = planned(trial, "align.tuned").hash;
  testing::put_file(scratch_ / "pairs.jsonl", R"({"prompt": "a?", "chosen": "no", "rejected": "yes"})"
                                              "\n");
  EXPECT_NE(planned(trial, "align.liked").hash, liked);
  EXPECT_NE(planned(trial, "align.tuned").hash, tuned);
}

TEST_F(StudyRewards, TheirNamesDoNotCount) {
  const auto text = std::string(kLiked) + std::string(kTuned);
  const auto trial = study(text), renamed = study(replace_all(text, "liked", "preferred"));
  EXPECT_EQ(planned(renamed, "align.tuned").hash, planned(trial, "align.tuned").hash);
}

#ifdef VALENCE_TRAINER
TEST_F(StudyRewards, TheThreeStepsOfRlhfAreOneStudy) {
  const testing::Environment trainer("VALENCE_TRAIN", VALENCE_TRAINER), waiting("OMP_WAIT_POLICY", "passive");
  testing::put_file(scratch_ / "talk.jsonl", R"({"prompt": "a?", "completion": "yes"})"
                                             "\n");
  constexpr std::string_view kTold = R"(
[align.told]
method = "sft"
subject = "base"
settings = { data = "{folder}/talk.jsonl", steps = 2 }
)";
  const auto after_told = replace_all(std::string(kLiked) + std::string(kTuned), "\"base\"", "\"told\"");
  const auto trial = study(std::string(kTold) + after_told);
  const auto plan = run(trial);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(ran_, (Steps{"align.told", "align.liked", "align.tuned"}));
  const auto tuned = load_aligned(*store_, planned(trial, "align.tuned").run.value()).value();
  EXPECT_EQ(tuned.subject.model.adapters.size(), 2U) << "what it was told, and what was liked";
  const auto record = parse_json(tuned.record, "record").value();
  EXPECT_TRUE(record["monitor"][0]["proxy"]["value"].is_number());
  EXPECT_EQ(store_->answers(tuned.run)->rows.front().condition, "round 1");
  ASSERT_TRUE(run(trial));
  EXPECT_TRUE(ran_.empty());
}
#endif

}  // namespace
}  // namespace valence
