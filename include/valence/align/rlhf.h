#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "valence/align/aligner.h"
#include "valence/align/lessons.h"
#include "valence/align/training.h"

namespace valence {

/// Rates answers: folder of a reward model, answers, where to put what is made (valence/align/training.h).
using Rate = std::function<Result<std::vector<std::vector<double>>>(
    const std::filesystem::path&, std::span<const TrainingExample>, const std::filesystem::path&,
    const TrainingControl&)>;

/// Alignment to a reward model (RLHF; Ouyang et al. 2022): draws responses, has trained reward models rate them, and
/// raises what they like, in rounds as BaseAlign does. Several reward models are an ensemble; others may watch. kUsage
/// for one that watches and is one of the rewards or learned from some of their prompts, kMismatch when a folder's
/// examples are not what its model learned from. See docs/rlhf.md.
std::unique_ptr<Aligner> make_rlhf(Teach teach = teach_by_training(), Rate rate = rate_answers);

}  // namespace valence
