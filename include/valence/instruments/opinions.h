#pragma once

#include <memory>

#include "valence/instruments/instrument.h"
#include "valence/instruments/target_gap.h"
#include "valence/values/opinions.h"

namespace valence {

/// A survey's own questions, asked of a subject: how it distributes its answers over their options. Random unit: the
/// question. The questions are those of a distributional target (valence target import --form opinions); what people
/// answered is not looked at while asking. See docs/instruments/opinions.md.
std::unique_ptr<Instrument> make_opinions();

/// Whether a question is for training or held out from it (the setting item_part): by the hash of its words alone, so
/// that it is on the same side in every file, whatever options and other questions stand there.
bool is_for_training(const OpinionQuestion& question);

/// Whether a run of this instrument can be held against distributional targets.
bool answers_opinions(const Instrument& instrument);

/// Distances between the subject's answers and a population's, question by question, means over questions with intervals
/// over them: "jensen_shannon" (Durmus et al. 2023: 1 − it is GlobalOpinionQA's similarity), "wasserstein" (Zhao et al.
/// 2024; targets with ordered options only), and by how much the subject is nearer than uniform answers would be
/// ("jensen_shannon_gain", "wasserstein_gain"). `dimensions` of the result are the questions compared, `unmeasured` those
/// of the target that the run did not ask with the same options. kUsage when there is none in common.
Result<TargetGap> opinion_gap(const AnswerTable& answers, const OpinionTarget& target, const ProfileOptions& options);

/// Of two runs, over the questions that both answered; paired.
Result<ComparedGap> compare_opinion_gaps(const AnswerTable& first, const AnswerTable& second, const OpinionTarget& target,
                                         const ProfileOptions& options);

}  // namespace valence
