#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/features.h"
#include "valence/evaluate/labelled.h"
#include "valence/stats/estimate.h"

namespace valence {

/// A response with what people said of its values and of its safety.
struct SafetyRow {
  PromptedText text;
  std::vector<double> e;  ///< per dimension, in [−1, 1]: labels, or means of several people's
  bool safe = false;
  std::string genre;     ///< of the prompt; empty = none
  std::string language;  ///< as the file declares it ("en"); empty = it does not
  std::string place;     ///< "file:line", for messages
};

struct SafetyData {
  DimensionNames names;
  std::vector<SafetyRow> rows;
};

/// JSONL, one object per line: `prompt` and `response` (or `dialogue`), `value_types` or `values` (object: dimension →
/// number in [−1, 1], absent = 0), `safe` (true or false), optional `genre` and `language`; docs/formats.md. Fails with
/// kUsage, file and line.
Result<SafetyData> read_safety_data(const std::filesystem::path& path, const DimensionNames& names);
Result<SafetyData> parse_safety_data(std::string_view text, std::string_view name, const DimensionNames& names);

struct CompletenessOptions {
  std::size_t folds = 5;        ///< by prompt
  std::size_t inner_folds = 3;  ///< by prompt, for penalties and for the values as the embedding predicts them
  std::size_t fewest = 40;      ///< rows of a genre that is shown by itself, at least a quarter of them of either kind
  std::size_t replicates = 2000;
  std::uint64_t seed = 1;
};

/// Held-out log loss in nats per response, and what an embedding takes off it.
struct CompletenessFigure {
  std::string genre;  ///< empty: all
  std::size_t rows = 0, prompts = 0, unsafe = 0;
  Estimate chance;    ///< log loss of the genres' rates alone
  Estimate labels;    ///< … of labelled values
  Estimate denoised;  ///< … of labelled values and of what the embedding says about them
  Estimate gain;      ///< of the embedding over labelled values: noise in the labels is part of it
  Estimate beyond;    ///< of the embedding over labelled values with their noise allowed for: what ten values lack
};

struct CompletenessReport {
  std::vector<CompletenessFigure> figures;  ///< all first, then by genre
  std::size_t folds_with_embedding = 0;     ///< folds in which the embedding was used at all beyond the values
  std::size_t folds = 0;
  std::vector<double>
      explained;  ///< per dimension, share of the labels' variance that the embedding predicts, held out
};

/// Are the values enough to tell safe responses from unsafe ones? Everything is cross-validated by prompt:
///
///   labels    logit P(safe) = genre + w·E
///   denoised  the same with Ê beside E: the values as ridge regression on the embedding predicts them, from other
///   prompts.
///             If E is measured with error that has nothing to do with safety, and safety depends on the true values
///             alone, then the embedding can help by knowing the true values better than the labels do; to first order
///             Ê carries all of that (regression calibration; Carroll et al. 2006, ch. 4), so it is no sign of anything
///             missing
///   gain      log loss of `labels` − that of labels + embedding
///   beyond    log loss of `denoised` − that of denoised + embedding
///
/// The embedding enters as a correction to the fitted logit, its penalty chosen within the training folds from a grid
/// whose last entry is "not at all". Intervals resample prompts; they hold the fitted models fixed. Fails with
/// kWrongCount on fewer prompts than folds, when either kind has fewer than 20 rows, or when the embedding has not one
/// row per response.
Result<CompletenessReport> completeness(const SafetyData& data, const FeatureMatrix& embedding,
                                        const CompletenessOptions& options);

}  // namespace valence
