#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/exam/examiner.h"
#include "valence/instruments/prompt_set.h"

namespace valence {

/// A principle that answers are held against.
struct Principle {
  std::string id;
  std::string text;
};

/// Principles, and the words in which a subject is asked to follow them: {principle} in a form is the principle's text.
struct Constitution {
  std::vector<Principle> principles;
  std::string critique, revision;  ///< user turns after the subject's answer
  std::string preference;          ///< to a judge: also {conversation}, {options}, {labels}
  std::string option_line, preference_prefix;

  /// The principle for a prompt in a round: drawn by seed and names alone.
  const Principle& drawn(std::uint64_t seed, std::string_view prompt, std::size_t round) const;
};

/// data/align/constitution.toml, or a file of the same keys. kUsage with file and line on unknown or missing keys,
/// forms without their places, no principles, or two with one id.
Result<Constitution> load_constitution(const std::string& name_or_path = "");

/// A subject's answer to a prompt, held against principles drawn for it and rewritten, round after round.
struct Revision {
  std::size_t prompt = 0;               ///< index into the prompts
  std::vector<std::string> principles;  ///< ids, one per round that was gone through
  std::vector<std::string> critiques;   ///< likewise
  OpenAnswer first, last;               ///< the same where no round was gone through
  Status status = Status::kError;       ///< kScored, or why the dialogue ended early
};

struct RevisionOptions {
  std::size_t rounds = 1;
  int max_tokens = 128;  ///< of an answer or critique
};

/// All dialogues advance together. A dialogue whose answer, critique or rewriting is empty or failed ends there and
/// says so.
Result<std::vector<Revision>> revise(Examiner& examiner, const Constitution& constitution,
                                     std::span<const OpenPrompt> prompts, const RevisionOptions& options);

/// Which of two answers a judge prefers under a principle, both orders averaged.
struct Preference {
  std::size_t pair = 0;
  std::string principle;
  Status status = Status::kError;
  double first = 0.5;        ///< probability that the first answer is the better one
  double first_place = 0.5;  ///< mean probability of whatever stands first: 0.5 for a judge that reads
};

struct AnswerPair {
  OpenPrompt prompt;
  std::string first, second;
};

/// Puts every pair to the judge as a choice of letters in both orders, exact probabilities.
Result<std::vector<Preference>> prefer(Examiner& judge, const Constitution& constitution,
                                       std::span<const AnswerPair> pairs);

}  // namespace valence
