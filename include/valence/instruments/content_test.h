#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "valence/base/json.h"
#include "valence/exam/validity.h"
#include "valence/instruments/answer_key.h"
#include "valence/instruments/measure.h"
#include "valence/stats/estimate.h"

namespace valence {

/// How often a run gives a target's answers, on some questions, against what answering by place alone would reach.
struct ContentScore {
  std::string against;        ///< empty: on all; else a rival direction: on those where it would answer otherwise
  Estimate accuracy;          ///< over the random unit, within [0, 1]
  double chance = 0.0;        ///< what the best answer that ignores the question reaches on the same layouts
  std::size_t questions = 0;  ///< items behind it
  std::map<std::string, double> by_unit;  ///< accuracy of each random unit, for differences

  /// Above chance by the whole interval.
  bool shown() const;
};

/// Whether answers follow a target by their content (docs/studies.md, "The content test").
///
/// Where the target's answers are options (divisions of coins), accuracy is the probability on them, over all layouts;
/// items that leave the target indifferent are left out; chance is the largest share of layouts in which one fixed
/// place would have been right, at least what uniform answers reach. Rivals are the space's other directions: a mixture
/// of one of them and noise is right on many questions, but not on those where the two part.
///
/// Where they are steps of a scale, accuracy is the share of pairs of items of different means that the answers order
/// as the target does, ties half; chance is one half, and there are no rivals.
struct ContentTest {
  std::vector<ContentScore> scores;  ///< on all questions first, then one per rival that parts from the target anywhere
  double position = 0.0;             ///< total variation of the places answered from uniform; NaN without layouts
  Estimate letter_mass;              ///< probability on the labels offered; no value without letters
  bool interpretable = false;        ///< the run's validity gate
  std::string gate;                  ///< why not; empty where it passed
  std::string rule;                  ///< the key's

  /// Every score is shown and the gate passed: what may be said to follow content.
  bool passed() const;
  /// What stands against it, in words; empty where it passed.
  std::string objection() const;
};

/// kUsage for a distributional target: a population's shares make no option the right one. A subject that always gave
/// people's most common answer would pass better than one that answers as they do; a gap tells the two apart.
Result<void> require_right_answers(const Target& target);

/// A run held against a target: pure. Errors as require_right_answers and Instrument::answer_key; kUsage when no answer
/// is one that the target gives.
Result<ContentTest> content_test(const Instrument& instrument, const ComparedRun& run, const Target& target,
                                 const Validity& validity);

/// Difference of the accuracy on all questions, paired over the units of both; nothing below two of them.
std::optional<Estimate> accuracy_gain(const ContentTest& before, const ContentTest& after);

Json to_json(const ContentTest& test);

}  // namespace valence
