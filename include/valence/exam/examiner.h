#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/exam/question.h"
#include "valence/model/language_model.h"
#include "valence/store/store.h"

namespace valence {

/// A model as examined: weights, adapters and engine options (bound in `model`), steering and rendering.
///
/// Every conversation is the system prompt (with the question's own system turns below it), the examples, the
/// question's history, its last turn and the beginning of the answer.
struct Subject {
  std::string name;                     ///< for people: "smollm2", "smollm2 as a competitive person"
  std::shared_ptr<LanguageModel> model;
  std::string system_prompt;            ///< persona or instruction; empty for none
  std::vector<Message> examples;        ///< in-context examples, put before every conversation
  RenderOptions render;

  /// Everything that makes this subject this subject, for run keys: model identity and facts, steering, rendering.
  Digest digest() const;
};

/// One subject's conversation. Given all its answers so far, says what to ask next: one question, several that do not
/// depend on one another, or none when it is over. Must be a pure function of `history`, so that replay resumes it.
class Dialogue {
 public:
  virtual ~Dialogue() = default;
  virtual std::vector<Question> next(std::span<const Answer> history) = 0;
};

struct ExaminerOptions {
  std::uint64_t seed = 0;
  bool reuse = false;          ///< take groups of other runs in the store too
  std::stop_token stop = {};
  Progress* progress = nullptr;
  std::set<std::string> leave_out = {};  ///< items whose questions are not put: their answers are errors without rows
};

/// The only door between instruments and models: renders, plans, takes stored groups, computes and commits the missing
/// ones, reads answers. Nothing an instrument does needs resume code.
class Examiner {
 public:
  /// `store` may be null: then nothing is kept. The references outlive the examiner.
  Examiner(const Subject& subject, Store* store, RunId run, ExaminerOptions options);
  ~Examiner();

  /// Answers in the order of the questions. Questions that the engine could not answer carry Status::kError and the
  /// reason; so do those longer than the model's context. An error is returned only when nothing can go on: kStopped,
  /// disk full, model gone (all say how many answers are kept), kInvalid or kUsage for a question that is not well made
  /// (before anything is computed), kUnsupported when the model can neither score nor generate as asked.
  /// `noun`: what the progress bar calls a question.
  Result<std::vector<Answer>> ask(std::span<const Question> questions, std::string_view noun = "question");

  /// All dialogues advance together, in waves; returns each one's answers.
  Result<std::vector<std::vector<Answer>>> converse(std::span<const std::unique_ptr<Dialogue>> dialogues);

  /// Log-probabilities of given texts, in the order of the passages; rendered, planned, stored and resumed as questions
  /// are. A passage that the engine could not score carries the reason.
  Result<std::vector<PassageScore>> score(std::span<const Passage> passages);
  /// One that examines another model (a judge) with the same seed, keeping its groups in the same run. `other` outlives it.
  Examiner beside(const Subject& other) const;

  const Subject& subject() const;
  std::uint64_t seed() const;

  struct Statistics {
    std::size_t groups_computed = 0, groups_replayed = 0;
    std::size_t requests = 0;               ///< asked so far, replayed ones too
    std::size_t answered = 0;               ///< of them: answers that the store keeps
    std::string first_prompt;               ///< the first question as rendered, for the record
    std::vector<TokenId> first_tokens;
  };
  const Statistics& statistics() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace valence
