#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "llama_context.h"
#include "llama_plan.h"
#include "valence/model/request.h"

namespace valence {

/// log softmax of `logits` at each of `tokens`, in nats. The sum of exponentials is taken in blocks of floats that are
/// added in double: within 1e-6 of the exact value.
std::vector<double> log_softmax_at(std::span<const float> logits, std::span<const TokenId> tokens);

/// log of the sum of exponentials, with the precision of `log_softmax_at`.
double log_sum_exp(std::span<const float> logits);

/// Computes units of a layout, one after another, in the layout's order. Spine segments stay in memory between units as
/// long as they are ancestors of what comes next; a unit's numbers do not depend on which units were computed before.
class ScoreExecutor {
 public:
  /// `clear_between`: nothing stays in memory between decodes (reference mode).
  ScoreExecutor(const ScoreLayout& layout, EngineContext& context, std::size_t vocabulary, bool clear_between);

  /// Responses in the order of the unit's scores.
  Result<std::vector<ContinuationScores>> compute(const ScoreUnit& unit, const std::stop_token& stop);

 private:
  Result<void> compute_decode(const TreeGroup& decode, const std::stop_token& stop);
  Result<void> set_spine(std::span<const std::size_t> spine, const std::stop_token& stop);
  Result<void> push(std::size_t segment, const std::stop_token& stop);
  void pop();
  Result<void> decode_together(const TreeGroup& decode, const std::stop_token& stop);
  Result<void> decode_by_depth(const TreeGroup& decode, const std::stop_token& stop);
  void copy_from_spine(std::size_t parent, llama_seq_id target);
  void remove_leaves(const TreeGroup& decode);
  void add_segment(Batch& batch, std::size_t segment, std::span<const llama_seq_id> ids);
  Result<void> run_batch(const Batch& batch, const std::stop_token& stop);
  void reduce(std::span<const std::pair<std::size_t, const float*>> rows);
  llama_seq_id spine_id(std::size_t level) const;

  const ScoreLayout& layout_;
  EngineContext& context_;
  std::size_t vocabulary_;
  bool clear_between_;
  std::vector<std::size_t> spine_;                           ///< segments in memory, from the root downwards
  std::vector<std::pair<std::size_t, std::size_t>> places_;  ///< segment and offset of each token of the batch
  std::vector<std::vector<std::size_t>> reads_of_segment_;
  std::vector<double> values_;                               ///< by read
};

/// The context that a layout needs.
ContextShape shape_for(const ScoreLayout& layout, const TreeLimits& limits);

}  // namespace valence
