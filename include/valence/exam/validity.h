#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "valence/base/result.h"
#include "valence/exam/examiner.h"
#include "valence/store/answers.h"
#include "valence/values/profile.h"

namespace valence {

/// How the gate's own questions must look to resemble the instrument's.
struct ProbeForm {
  std::size_t options = 2;
  AnswerFormat format = AnswerFormat::kLetter;
  LabelSet labels = LabelSet::kLetters;
  Normalisation normalisation = Normalisation::kCharacter;
  std::size_t items = 100;     ///< at least 100
  std::size_t agreement = 30;  ///< of these, how many are also answered in sampled text
};

/// Thresholds of data/exam/gate.toml, set on simulated subjects (bench/gate; docs/statistics.md).
struct GateThresholds {
  double captured_mass, position_bias, content_sensitivity, wording_consistency, text_agreement, refusal_rate,
      uniform_distance, evasion, transport, item_spread;
  std::vector<std::pair<std::string, std::string>> advice;  ///< by check: what to try when it fails
  std::vector<std::pair<std::string, std::string>> before_by_letter;  ///< what to try before that, where answers were by letter
};
Result<GateThresholds> gate_thresholds();

/// Puts probe questions with a right answer (items, members and wordings in data/exam/probes.toml; orders balanced, five
/// wordings or more), in the form given. The rows are never scored by the instrument.
///
/// Rows: item and variant (the wording) as asked, probability in the item's order with the right answer first, place
/// where each option stood, condition kProbeCondition. Of `agreement` questions a second row, of sampled text at
/// temperature 1, has condition kAgreementCondition; there are none when the model cannot generate, or cannot score
/// (then the probes themselves are sampled).
Result<std::vector<AnswerRow>> put_probes(Examiner& examiner, const ProbeForm& form);

/// Mean probability that the probes put on the right answer (chance is 1/options): what decides between letter and text
/// as the headline format. A probe that was not scored counts as 0. NaN without probes.
double probe_accuracy(const std::vector<AnswerRow>& probes);

/// The gate: pure. A check passes by its point estimate; its interval shows how sure that is.
///
///  captured_mass        mean over the exact letter rows; left out when there are none
///  position_bias        stats::position_bias of the probes (bootstrap over blocks of probes, as below)
///  content_sensitivity  (p − 1/k) / (1 − 1/k), p the probability on the right of k options, mean over blocks
///  wording_consistency  (a − 1/k) / (1 − 1/k), a the share of an item's pairs of wordings with the same most probable
///                       option (ties broken evenly), mean over blocks
///  text_agreement       total variation between a probe's exact distribution and its sampled shares, less what the
///                       number of draws alone would give; 1 where no draw could be read. Passes, and says so in its
///                       label, when the model could not be asked in both ways
///  refusal_rate         refused, unparseable and failed share of `rows` (of their draws where sampled; Wilson)
///  uniform_distance     total variation from uniform of each question's answer averaged over its layouts, less what
///                       the number of draws alone would give, mean over units
///
/// Not assessed without probes: given answers and reference figures.
Validity assess(const AnswerTable& table, const GateThresholds& thresholds);

}  // namespace valence
