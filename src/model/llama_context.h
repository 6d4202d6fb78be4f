#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "llama-cpp.h"
#include "llama_weights.h"
#include "valence/base/result.h"
#include "valence/model/conversation.h"

namespace valence {

/// Reads tensors while a graph is computed: ggml's callback and what it is called with.
struct GraphObserver {
  ggml_backend_sched_eval_callback callback = nullptr;
  void* data = nullptr;

  bool operator==(const GraphObserver&) const = default;
};

/// Cells are given out in whole pads.
std::size_t padded_cells(std::size_t cells);

/// What a context is made for. Contexts are reused when another fits; none of these numbers changes a result except
/// `apart`, `exact` and `threads`.
struct ContextShape {
  std::size_t cells = 512;  ///< of all sequences together, or of each where they are apart
  std::size_t sequences = 1;
  std::size_t micro_batch = 512;
  std::size_t outputs = 1;  ///< logits rows of one micro-batch
  /// Every sequence has a memory of its own: a token belongs to one sequence and attends to that only, which is faster
  /// where sequences have little in common; what is copied takes its room twice.
  bool apart = false;
  bool exact = false;       ///< flash attention off, F32 cache
  int threads = 1;
  bool pooled = false;      ///< each decode leaves one vector per sequence, pooled as the file says
  enum llama_pooling_type pooling = LLAMA_POOLING_TYPE_UNSPECIFIED;  ///< instead of the file's
  GraphObserver observer;   ///< must outlive the context

  bool covers(const ContextShape& needed) const;
};

/// Tokens to decode together. Every token names the sequences that it belongs to.
class Batch {
 public:
  void add(TokenId token, std::size_t position, std::span<const llama_seq_id> sequences, bool wanted);
  std::size_t size() const { return tokens_.size(); }
  void clear();

 private:
  friend class EngineContext;
  std::vector<llama_token> tokens_;
  std::vector<llama_pos> positions_;
  std::vector<std::size_t> first_id_;  ///< into ids_
  std::vector<llama_seq_id> ids_;
  std::vector<std::int8_t> wanted_;
};

/// A llama.cpp context with one pool of cells for all sequences, or one for each. Every limit that would end the process
/// is checked before the call.
class EngineContext {
 public:
  static Result<std::unique_ptr<EngineContext>> make(std::shared_ptr<const LlamaWeights> weights, const ContextShape& shape,
                                                     std::span<const LlamaAdapter> adapters);

  /// Receives the logits of wanted tokens: index in the batch, one value per token of the vocabulary.
  using Rows = std::function<void(std::span<const std::pair<std::size_t, const float*>>)>;

  /// Decodes in micro-batches; where sequences are apart, fastest when neighbours in the batch have neighbouring numbers.
  /// kStopped when asked to stop in between; the memory is then unusable until `clear`.
  Result<void> decode(const Batch& batch, const Rows& rows, const std::stop_token& stop);

  /// Decodes likewise, for what an observer reads or what is pooled.
  Result<void> forward(const Batch& batch, const std::stop_token& stop);
  /// The vector of a sequence of the last micro-batch; null if there is none.
  const float* pooled(llama_seq_id sequence) const;

  /// Makes `target` a copy of the whole sequence `source`.
  void copy(llama_seq_id source, llama_seq_id target);
  void remove(llama_seq_id sequence);
  void clear();

  const ContextShape& shape() const { return shape_; }
  /// Whether a token may belong to several sequences.
  bool branches() const { return branches_ && !shape_.apart; }

 private:
  EngineContext() = default;
  Result<void> submit(const Batch& batch, std::size_t first, std::size_t count);
  Result<void> decode_chunk(const Batch& batch, std::size_t first, std::size_t count, const Rows& rows);

  std::shared_ptr<const LlamaWeights> weights_;
  llama_context_ptr context_;
  ContextShape shape_;
  bool branches_ = true;
};

}  // namespace valence
