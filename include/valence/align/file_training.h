#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "valence/align/aligner.h"
#include "valence/evaluate/prompt_split.h"
#include "valence/exam/examiner.h"
#include "valence/train/example.h"
#include "valence/train/operations.h"

namespace valence {

/// The records of a file of training data, rendered for a model.
struct TrainingFile {
  std::vector<TrainingExample> examples;
  std::vector<std::string> unreadable;  ///< complaints about lines that were left out
  std::vector<std::string> too_long;    ///< "file:line"
};

struct TrainingFileOptions {
  std::size_t longest = 1024;         ///< tokens; longer records are left out
  bool leave_out_unreadable = false;  ///< else the first line that is no record is an error
  std::size_t count = 0;              ///< so many records, drawn by the seed, in the order of the file; 0 = all
  std::uint64_t seed = 0;
  std::optional<PromptSide> side = std::nullopt;  ///< only records that open with a prompt of this side; none = all
};

/// Both files of a training. `split`: of `training` only records of the split's training side, of `held_out` only those
/// of its other side, so that one file may be both; without it both are taken whole, and an empty `held_out` is none.
struct TrainingFileNames {
  std::string training, held_out;
  bool split = false;

  bool has_held_out() const { return split || !held_out.empty(); }
  const std::string& held_out_file() const { return held_out.empty() ? training : held_out; }
  std::optional<PromptSide> side(PromptSide wanted) const { return split ? std::optional(wanted) : std::nullopt; }
};

/// kUsage when the operation does not learn from what the file holds, or nothing is short enough.
Result<TrainingFile> read_training_file(const std::string& file, const Operation& operation, const Subject& model,
                                        const TrainingFileOptions& options);

/// Training on files (`valence align dpo`) as an aligner of its own per operation: sft, dpo, kto, simpo, cpo, orpo,
/// slic, reward, rrhf. Of pairs the record holds how often the reward finds the better answer of the held-out ones
/// (pair_accuracy). What `reward` leaves is a reward model and no subject.
std::unique_ptr<Aligner> make_file_aligner(const std::string& operation);
/// The operations that have one.
const std::vector<std::string>& file_operations();

/// The folder of the reward model that a finished run `align/reward` left, for alignment to it (valence/align/rlhf.h).
/// kUsage for another run, kNotFound when it is gone, otherwise as load_aligned.
Result<std::filesystem::path> reward_model_of(const Store& store, RunId run);

}  // namespace valence
