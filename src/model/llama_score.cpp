#include "llama_score.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "valence/base/threads.h"

namespace valence {
namespace {

/// e^x for x <= 0, relative error below 2e-7: 2^n times a polynomial in the rest (Cephes' expf). Written so that the
/// compiler can do several at once; below -87 it gives about 1e-38, which no sum notices.
inline float exp_negative(float x) {
  constexpr float kLog2e = 1.44269504088896341F, kHigh = 0.693359375F, kLow = -2.12194440e-4F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  x = x > -87.0F ? x : -87.0F;  // NaN too
  const float whole = (x * kLog2e + kRound) - kRound;
  const float rest = (x - whole * kHigh) - whole * kLow;
  float p = 1.9875691500e-4F;
  p = p * rest + 1.3981999507e-3F;
  p = p * rest + 8.3334519073e-3F;
  p = p * rest + 4.1665795894e-2F;
  p = p * rest + 1.6666665459e-1F;
  p = p * rest + 5.0000001201e-1F;
  p = p * rest * rest + rest + 1.0F;
  const auto scale = std::bit_cast<float>((static_cast<std::int32_t>(whole) + 127) << 23);
  return p * scale;
}

double sum_of_exponentials(std::span<const float> logits, float largest) {
  constexpr std::size_t kLanes = 16, kBlock = 256;
  double sum = 0;
  for (std::size_t begin = 0; begin < logits.size(); begin += kBlock) {
    const auto block = logits.subspan(begin, std::min(kBlock, logits.size() - begin));
    float lanes[kLanes] = {};
    std::size_t i = 0;
    for (; i + kLanes <= block.size(); i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += exp_negative(block[i + lane] - largest);
    }
    for (; i < block.size(); ++i) lanes[0] += exp_negative(block[i] - largest);
    for (const float lane : lanes) sum += static_cast<double>(lane);
  }
  return sum;
}

float largest_of(std::span<const float> logits) {
  float largest = logits.front();
  for (const float logit : logits) largest = logit > largest ? logit : largest;
  return largest;
}

std::vector<llama_seq_id> ids_between(std::size_t first, std::size_t end, std::size_t base) {
  std::vector<llama_seq_id> ids(end - first);
  std::iota(ids.begin(), ids.end(), static_cast<llama_seq_id>(first - base));
  return ids;
}

}  // namespace

double log_sum_exp(std::span<const float> logits) {
  const auto largest = largest_of(logits);
  return static_cast<double>(largest) + std::log(sum_of_exponentials(logits, largest));
}

std::vector<double> log_softmax_at(std::span<const float> logits, std::span<const TokenId> tokens) {
  const auto normaliser = log_sum_exp(logits);
  std::vector<double> values;
  for (const auto token : tokens) {
    values.push_back(static_cast<double>(logits[static_cast<std::size_t>(token)]) - normaliser);
  }
  return values;
}

ContextShape shape_for(const ScoreLayout& layout, const TreeLimits& limits) {
  ContextShape shape;
  shape.micro_batch = limits.body;
  shape.sequences = 1;
  const auto rows_of = [&](std::size_t segment) { return layout.tree.segments[segment].rows.size(); };
  for (const auto& decode : layout.decodes) {
    shape.cells = std::max(shape.cells, layout.cells(decode));
    shape.sequences = std::max(shape.sequences, decode.leaf_end - decode.first_leaf + decode.spine.size());
    std::size_t rows = 0;
    for (const auto segment : decode.body) rows += rows_of(segment);
    for (const auto segment : decode.spine) rows = std::max(rows, rows_of(segment));
    shape.outputs = std::max(shape.outputs, std::min(rows, shape.micro_batch));
  }
  return shape;
}

ScoreExecutor::ScoreExecutor(const ScoreLayout& layout, EngineContext& context, std::size_t vocabulary, bool clear_between)
    : layout_(layout), context_(context), vocabulary_(vocabulary), clear_between_(clear_between),
      reads_of_segment_(layout.tree.segments.size()), values_(layout.reads.size(), std::nan("")) {
  for (std::size_t i = 0; i < layout.reads.size(); ++i) reads_of_segment_[layout.reads[i].segment].push_back(i);
  context_.clear();
}

Result<std::vector<ContinuationScores>> ScoreExecutor::compute(const ScoreUnit& unit, const std::stop_token& stop) {
  for (auto i = unit.first_decode; i < unit.decode_end; ++i) {
    VALENCE_CHECK(compute_decode(layout_.decodes[i], stop));
  }
  std::vector<ContinuationScores> responses;
  for (const auto score : unit.scores) {
    auto& response = responses.emplace_back();
    for (const auto& place : layout_.places[score]) {
      const auto begin = values_.begin() + static_cast<std::ptrdiff_t>(place.first);
      const auto end = begin + static_cast<std::ptrdiff_t>(place.tokens);
      ContinuationScore scored{{begin, end}, std::nullopt};
      if (place.terminator > 0) scored.terminator_logprob = std::accumulate(end, end + static_cast<std::ptrdiff_t>(place.terminator), 0.0);
      const bool finite = std::ranges::all_of(scored.token_logprobs, [](double v) { return std::isfinite(v); });
      if (!finite) {
        return fail(ErrorCode::kModel, "the model gave a log-probability that is not a number; its file may be damaged");
      }
      response.continuations.push_back(std::move(scored));
    }
  }
  return responses;
}

Result<void> ScoreExecutor::compute_decode(const TreeGroup& decode, const std::stop_token& stop) {
  if (clear_between_) {
    context_.clear();
    spine_.clear();
  }
  VALENCE_CHECK(set_spine(decode.spine, stop));
  return context_.branches() ? decode_together(decode, stop) : decode_by_depth(decode, stop);
}

/// Spine sequences take the highest ids, so that leaves always begin at 0.
llama_seq_id ScoreExecutor::spine_id(std::size_t level) const {
  return static_cast<llama_seq_id>(context_.shape().sequences - 1 - level);
}

Result<void> ScoreExecutor::set_spine(std::span<const std::size_t> spine, const std::stop_token& stop) {
  std::size_t common = 0;
  while (common < std::min(spine.size(), spine_.size()) && spine[common] == spine_[common]) ++common;
  while (spine_.size() > common) pop();
  for (; common < spine.size(); ++common) VALENCE_CHECK(push(spine[common], stop));
  return {};
}

Result<void> ScoreExecutor::push(std::size_t segment, const std::stop_token& stop) {
  const auto id = spine_id(spine_.size());
  if (!spine_.empty()) context_.copy(spine_id(spine_.size() - 1), id);
  spine_.push_back(segment);
  Batch batch;
  places_.clear();
  add_segment(batch, segment, std::span(&id, 1));
  return run_batch(batch, stop);
}

void ScoreExecutor::pop() {
  context_.remove(spine_id(spine_.size() - 1));
  spine_.pop_back();
}

void ScoreExecutor::add_segment(Batch& batch, std::size_t index, std::span<const llama_seq_id> ids) {
  const auto& segment = layout_.tree.segments[index];
  for (std::size_t i = 0; i < segment.tokens.size(); ++i) {
    const bool wanted = std::ranges::binary_search(segment.rows, i);
    batch.add(segment.tokens[i], segment.begin + i, ids, wanted);
    places_.emplace_back(index, i);
  }
}

/// The body in one call (several for a leaf longer than a micro-batch): each token carries the ids of its leaves.
Result<void> ScoreExecutor::decode_together(const TreeGroup& decode, const std::stop_token& stop) {
  Batch batch;
  places_.clear();
  for (const auto index : decode.body) {
    const auto& segment = layout_.tree.segments[index];
    const auto ids = ids_between(segment.first_leaf, segment.leaf_end, decode.first_leaf);
    for (const auto id : ids) copy_from_spine(segment.parent, id);
    add_segment(batch, index, ids);
  }
  VALENCE_CHECK(run_batch(batch, stop));
  remove_leaves(decode);
  return {};
}

/// Body segments hang on any segment of the spine, or on none, or on another body segment, which needs no copy.
void ScoreExecutor::copy_from_spine(std::size_t parent, llama_seq_id target) {
  const auto found = std::ranges::find(spine_, parent);
  if (found != spine_.end()) context_.copy(spine_id(static_cast<std::size_t>(found - spine_.begin())), target);
}

void ScoreExecutor::remove_leaves(const TreeGroup& decode) {
  for (const auto id : ids_between(decode.first_leaf, decode.leaf_end, decode.first_leaf)) context_.remove(id);
}

/// For memories that cannot branch inside a call: all segments of one depth together, each under its first leaf's id,
/// which is a copy of its parent's state.
Result<void> ScoreExecutor::decode_by_depth(const TreeGroup& decode, const std::stop_token& stop) {
  const auto id_of = [&](std::size_t segment) {
    return static_cast<llama_seq_id>(layout_.tree.segments[segment].first_leaf - decode.first_leaf);
  };
  std::vector<std::size_t> depth(layout_.tree.segments.size(), 0);
  std::vector<std::vector<std::size_t>> levels;
  for (const auto index : decode.body) {
    const auto parent = layout_.tree.segments[index].parent;
    const bool below_body = parent != kNoSegment && std::ranges::binary_search(decode.body, parent);
    depth[index] = below_body ? depth[parent] + 1 : 0;
    if (levels.size() <= depth[index]) levels.emplace_back();
    levels[depth[index]].push_back(index);
  }
  for (std::size_t level = 0; level < levels.size(); ++level) {
    Batch batch;
    places_.clear();
    for (const auto index : levels[level]) {
      const auto id = id_of(index);
      const auto parent = layout_.tree.segments[index].parent;
      if (level == 0) {
        copy_from_spine(parent, id);
      } else if (id_of(parent) != id) {
        context_.copy(id_of(parent), id);
      }
    }
    for (const auto index : levels[level]) {
      const auto id = id_of(index);
      add_segment(batch, index, std::span(&id, 1));
    }
    VALENCE_CHECK(run_batch(batch, stop));
  }
  remove_leaves(decode);
  return {};
}

Result<void> ScoreExecutor::run_batch(const Batch& batch, const std::stop_token& stop) {
  if (batch.size() == 0) return {};
  return context_.decode(batch, [this](auto rows) { reduce(rows); }, stop);
}

/// Rows are shared out to the threads whole, so their number changes no result.
void ScoreExecutor::reduce(std::span<const std::pair<std::size_t, const float*>> rows) {
  in_threads(static_cast<std::size_t>(context_.shape().threads), rows.size(), [&](std::size_t i) {
    const auto [segment, offset] = places_[rows[i].first];
    std::vector<std::size_t> reads;
    std::vector<TokenId> tokens;
    for (const auto read : reads_of_segment_[segment]) {
      if (layout_.reads[read].offset != offset) continue;
      reads.push_back(read);
      tokens.push_back(layout_.reads[read].token);
    }
    const auto values = log_softmax_at(std::span(rows[i].second, vocabulary_), tokens);
    for (std::size_t k = 0; k < reads.size(); ++k) values_[reads[k]] = values[k];
  });
}

}  // namespace valence
