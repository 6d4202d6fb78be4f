#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/exam/subject_file.h"
#include "valence/instruments/prompt_set.h"
#include "valence/store/store.h"
#include "valence/train/example.h"

namespace valence {

/// An answer as it was drawn: its tokens are what is learned, so a cut answer is not taught to end where it was cut.
struct LessonAnswer {
  std::string text;
  std::vector<TokenId> tokens;  ///< with the token that ends the turn where it came
  std::optional<double> reward = {};  ///< of an answer that is learned from by what it was worth
  std::vector<double> logprobs = {};  ///< then: of each token, by the sampler
  bool ended = true;                  ///< false: cut
};

/// What a subject is taught about one prompt: to give the only answer, the first rather than the second, or, where
/// answers have rewards, each of them the more the better it did.
struct Lesson {
  OpenPrompt prompt;
  std::vector<LessonAnswer> answers;
};

/// Lessons as JSON Lines that people read and `valence align sft|dpo` takes: `prompt` with `completion`, or with
/// `chosen` and `rejected`, or `completions` and `scores`; prompts as messages.
std::string to_jsonl(std::span<const Lesson> lessons);

/// Lessons as paths of tokens after the subject's own rendering of the prompt. kUnsupported for a model without tokens.
Result<std::vector<TrainingExample>> lesson_examples(const Subject& subject, std::span<const Lesson> lessons);

struct Teaching {
  std::string operation;                                      ///< "sft", "dpo", "grpo", …: valence/train/operations.h
  std::vector<std::pair<std::string, std::string>> settings;  ///< of the operation, the rest as usual
  const SubjectSpec& subject;  ///< who is taught, on top of the adapters that it has, or from what `start` left
  std::span<const Lesson> lessons;
  std::filesystem::path folder;
  std::uint64_t seed = 0;
  Store& store;
  std::stop_token stop;
  std::filesystem::path start = {};  ///< folder of an earlier teaching of the same subject that is gone on from
};

/// Teaches and gives the subject that came of it.
using Teach = std::function<Result<SubjectSpec>(const Teaching&)>;

/// By valence-train: the subject gets one adapter more. Whatever is taught again with the same weights, lessons, settings and
/// seed goes on where it was, or is given back when it was done. Errors as run_training.
Teach teach_by_training();

}  // namespace valence
