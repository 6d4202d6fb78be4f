// Training on files as a method of studies.
#include "valence/align/file_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/scratch.h"
#include "trained.h"
#include "valence/base/json.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using testing::put_file;
using Given = std::vector<std::pair<std::string, std::string>>;

constexpr std::string_view kPairs =
    "{\"prompt\": \"a?\", \"chosen\": \"yes\", \"rejected\": \"no\"}\n"
    "{\"prompt\": \"b?\", \"chosen\": \"yes\", \"rejected\": \"never\"}\n"
    "{\"prompt\": \"c?\", \"chosen\": \"yes\", \"rejected\": \"nothing\"}\n";

class FileTraining : public testing::Trained {
 protected:
  Result<AlignedSubject> align_by(const std::string& method, const Given& given) {
    const auto* aligner = find_aligner(method).value();
    const auto settings = Settings::resolve(aligner->settings(), given).value();
    return align(*aligner, context(settings));
  }

  std::string file(const std::string& name, std::string_view text) {
    put_file(folder_ / name, std::string(text));
    return (folder_ / name).string();
  }
};

#ifdef VALENCE_TRAINER
TEST_F(FileTraining, TheRecordSaysHowOftenTheRewardFindsTheBetterAnswer) {
  const auto pairs = file("pairs.jsonl", kPairs);
  const auto aligned = align_by(
      "dpo",
      {{"data", pairs}, {"held_out", pairs}, {"held_out_count", "2"}, {"steps", "8"}, {"learning_rate", "0.01"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto record = parse_json(aligned->record, "record").value();
  EXPECT_EQ(record["training"]["records"], 3);
  EXPECT_EQ(record["held_out"]["records"], 2);
  const auto& accuracy = record["pair_accuracy"];
  EXPECT_EQ(accuracy["pairs"], 2);
  EXPECT_EQ(accuracy["prompts"], 2);
  EXPECT_EQ(accuracy["prompts_trained_on"], 2);  // one file is both
  EXPECT_EQ(accuracy["reward"]["value"], 1.0);
  EXPECT_EQ(accuracy["reward"]["unit"], "prompt");
  EXPECT_EQ(accuracy["length_rule"], "the shorter answer is better");
  EXPECT_EQ(aligned->subject.model.adapters.size(), 1U);
}
#endif

TEST_F(FileTraining, AFileOfAnotherKindIsRefused) {
  const auto talk = file("talk.jsonl", "{\"prompt\": \"a?\", \"completion\": \"yes\"}\n");
  const auto aligned = align_by("dpo", {{"data", talk}});
  ASSERT_FALSE(aligned);
  EXPECT_EQ(aligned.error().code, ErrorCode::kUsage);
  EXPECT_THAT(aligned.error().message, HasSubstr("dpo learns from preference data, this file holds"));
}

TEST_F(FileTraining, WhatIsLeftOutIsCounted) {
  const auto subject = open_subject(base_).value();
  const auto mixed = file("mixed.jsonl", std::string(kPairs) + "{\"prompt\": \"d?\", \"chosen\": \"yes\"}\n");
  const auto& dpo = **find_operation("dpo");
  EXPECT_THAT(read_training_file(mixed, dpo, subject, {}).error().message, HasSubstr("mixed.jsonl:4:"));
  const auto read = read_training_file(mixed, dpo, subject, {.leave_out_unreadable = true});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->examples.size(), 3U);
  EXPECT_EQ(read->unreadable.size(), 1U);
  EXPECT_EQ(
      read_training_file(mixed, dpo, subject, {.leave_out_unreadable = true, .count = 2, .seed = 3})->examples.size(),
      2U);
  EXPECT_THAT(read_training_file(mixed, dpo, subject, {.longest = 2, .leave_out_unreadable = true}).error().message,
              HasSubstr("all 3 records are longer than 2 tokens (longest)"));
}

TEST_F(FileTraining, OneFileSplitByPromptsLendsNoPromptToBothSides) {
  const auto subject = open_subject(base_).value();
  const auto& dpo = **find_operation("dpo");
  std::string text;
  std::size_t training = 0;
  for (int i = 0; i < 12; ++i) {
    const auto prompt = fmt::format("Question {}?", i);
    training += side_of(prompt) == PromptSide::kTraining ? 1U : 0U;
    text += fmt::format("{{\"prompt\": \"{}\", \"chosen\": \"yes\", \"rejected\": \"no\"}}\n", prompt);
  }
  const auto all = file("all.jsonl", text);
  ASSERT_GT(training, 0U);
  ASSERT_LT(training, 12U);
  const auto learned = read_training_file(all, dpo, subject, {.side = PromptSide::kTraining});
  const auto looked_at = read_training_file(all, dpo, subject, {.side = PromptSide::kHeldOut});
  ASSERT_TRUE(learned && looked_at);
  EXPECT_EQ(learned->examples.size(), training);
  EXPECT_EQ(looked_at->examples.size(), 12U - training);
  const TrainingFileNames one{all, "", true};
  EXPECT_TRUE(one.has_held_out());
  EXPECT_EQ(one.held_out_file(), all);
  EXPECT_FALSE((TrainingFileNames{all, "", false}.has_held_out()));
}

TEST_F(FileTraining, AFileWithNothingOnASideIsNamed) {
  std::string prompt = "a?";
  while (side_of(prompt) != PromptSide::kTraining) prompt += "a?";
  const auto one =
      file("one.jsonl", fmt::format("{{\"prompt\": \"{}\", \"chosen\": \"yes\", \"rejected\": \"no\"}}\n", prompt));
  const auto read =
      read_training_file(one, **find_operation("dpo"), open_subject(base_).value(), {.side = PromptSide::kHeldOut});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kUsage);
  EXPECT_THAT(read.error().message, HasSubstr("one.jsonl: no record is on the held_out side of the split of prompts"));
}

TEST_F(FileTraining, EveryOperationOnFilesIsAMethod) {
  for (const auto& id : file_operations()) {
    const auto* aligner = find_aligner(id).value();
    EXPECT_TRUE(aligner->card().changes_weights) << id;
    EXPECT_FALSE(aligner->card().needs_instrument) << id;
    EXPECT_EQ(aligner->card().rates, id == "reward") << id;
  }
  EXPECT_EQ(align_by("dpo", {}).error().message,
            "dpo: name the file to learn from: settings = { data = \"pairs.jsonl\" }");
}

}  // namespace
}  // namespace valence
