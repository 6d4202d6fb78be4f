#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/exam/examiner.h"
#include "valence/instruments/answer_key.h"
#include "valence/instruments/instrument.h"
#include "valence/train/example.h"

namespace valence {

/// Which of an instrument's questions a choice alignment learns from.
struct ChoiceLessons {
  bool letters = true;         ///< questions whose label is scored
  bool texts = false;          ///< questions whose option's own text is scored
  std::size_t longest = 1024;  ///< tokens; questions with a longer layout are left out, and counted
};

/// What was made of an instrument's questions: an example per question, all its layouts in it.
struct ChoiceData {
  std::vector<TrainingExample> examples;
  std::size_t layouts = 0;       ///< of all examples: what the loss is a mean over
  std::size_t too_long = 0;      ///< layouts left out, all of every question that has a long one
  std::size_t unscored = 0;      ///< layouts to which the teacher gave no distribution, or the target says nothing
  std::size_t other_format = 0;  ///< layouts of a format that is not learned
  /// Where a target teaches, by item: what was put to be learned, and what the target says something about.
  std::set<std::string> put, answered;

  std::vector<std::string> not_in_target() const;  ///< items put that the target says nothing about: left out
  std::vector<std::string> not_put() const;        ///< items of the target that were not put
};

/// Puts another administration's examples behind the first's.
void merge(ChoiceData& data, ChoiceData more);

/// Whose answers are learned.
struct Teacher {
  std::shared_ptr<LanguageModel> model;  ///< scripted subjects too: their truth is known
  std::string system_prompt;             ///< put above the student's own steering; the student never sees it
  /// A target's answers: where given, they are what is learned, and the model only says what stands in histories.
  std::optional<AnswerKey> key = std::nullopt;
};

/// The target as a teacher: its answers to the questions that these settings put (Instrument::answer_key); in dialogues
/// an ideal scripted subject speaks. Errors as answer_key.
Result<Teacher> target_teacher(const Instrument& instrument, const Settings& settings, const Target& target);

/// Administers the instrument with every question rendered for the student and answered by the teacher, so that the
/// student learns exactly the tokens that the same settings would put to it: the generic road from any choice
/// instrument to any target. Histories of adaptive dialogues are the teacher's.
///
/// kUnsupported when the student has no tokens, or when the protocol samples answers instead of scoring them; kUsage
/// when no question is left to learn from.
Result<ChoiceData> choice_data(const Instrument& instrument, const Settings& settings, const Subject& student,
                               const Teacher& teacher, const ChoiceLessons& lessons, std::uint64_t seed,
                               Progress* progress);

}  // namespace valence
