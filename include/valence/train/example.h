#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/model/language_model.h"
#include "valence/train/data.h"

namespace valence {

/// Tokens from the beginning of a conversation to the end of one answer, and which of them a loss looks at.
struct AnswerPath {
  std::vector<TokenId> tokens;
  std::size_t learned_from =
      0;                  ///< tokens from here to the end are learned; at least 1, since the first follows nothing
  std::size_t group = 0;  ///< paths of one question (in one layout) have the same
  double value = 1.0;     ///< probability that the option should have, label, score, or reward
  /// Of an answer that was drawn to be learned from: the sampler's log-probability of every learned token (nats, full
  /// distribution at temperature 1), else empty.
  std::vector<double> sampler_logprobs = {};
  bool ended = true;  ///< of itself; false: cut at the longest length allowed

  std::size_t learned() const { return tokens.size() - learned_from; }
};

/// What one step of an objective is made of: a conversation's answers, a pair, a ranking, all layouts of a question.
/// Its paths share prefixes, which are computed once.
struct TrainingExample {
  std::string id;
  std::vector<AnswerPath> paths;

  std::size_t longest() const;
};

/// A record through the model's own template. Prompt tokens are not learned, the answer's and the token that ends its
/// turn are (an option's end is not: it is scored as an examination scores it). Every assistant turn of a conversation
/// that is learned is a path of its own.
Result<TrainingExample> render_record(const LanguageModel& model, const TrainingRecord& record,
                                      const RenderOptions& options);

/// Rendered examples and what was left out, which is told and never silent. An example per record; per answer of a
/// labelled one, whose second path (in group 1) puts another prompt's answer to this one's prompt: the first answer of
/// the next record whose prompt differs, from the end on from the beginning. kUsage when all prompts are the same.
struct RenderedData {
  std::vector<TrainingExample> examples;
  std::vector<std::string> too_long;  ///< "file:line" of records with a path above the limit
};
Result<RenderedData> render_data(const LanguageModel& model, std::span<const TrainingRecord> records,
                                 const RenderOptions& options, std::size_t longest);

/// Examples as JSON Lines: what valence-train reads (docs/formats.md, "Training examples").
std::string to_jsonl(std::span<const TrainingExample> examples);
Result<std::vector<TrainingExample>> read_examples(const std::filesystem::path& path);
Result<std::vector<TrainingExample>> parse_examples(std::string_view text, std::string_view name);

}  // namespace valence
