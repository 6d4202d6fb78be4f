#include "llama_context.h"

#include <algorithm>
#include <atomic>

#include "llama_backend.h"

namespace valence {
namespace {

constexpr std::size_t kCellPadding = 256;  // llama.cpp's own

std::atomic<std::size_t>& decoded() {
  static std::atomic<std::size_t> count{0};
  return count;
}

llama_context_params params_of(const ContextShape& shape) {
  auto params = llama_context_default_params();
  params.n_ctx = static_cast<std::uint32_t>(shape.apart ? shape.cells * shape.sequences : shape.cells);
  params.n_batch = params.n_ubatch = static_cast<std::uint32_t>(shape.micro_batch);
  params.n_seq_max = static_cast<std::uint32_t>(shape.sequences);
  params.n_outputs_max = static_cast<std::uint32_t>(shape.outputs);
  params.n_threads = params.n_threads_batch = shape.threads;
  params.kv_unified = !shape.apart;
  params.swa_full = true;
  params.embeddings = shape.pooled;
  params.pooling_type = shape.pooling;
  params.cb_eval = shape.observer.callback;
  params.cb_eval_user_data = shape.observer.data;
  if (shape.exact) {
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.type_k = params.type_v = GGML_TYPE_F32;
  }
  return params;
}

/// The library wants outputs >= sequences, batch <= cells, and cells in whole pads.
ContextShape legal(ContextShape shape) {
  shape.cells = padded_cells(shape.cells);
  const auto all_cells = shape.apart ? shape.cells * shape.sequences : shape.cells;
  shape.micro_batch = std::min(std::max(shape.micro_batch, shape.sequences), all_cells);
  shape.outputs = std::min(std::max(shape.outputs, shape.sequences), std::max(shape.micro_batch, shape.sequences));
  return shape;
}

Result<void> set_adapters(llama_context* context, std::span<const LlamaAdapter> adapters) {
  std::vector<llama_adapter_lora*> handles;
  std::vector<float> scales;
  for (const auto& adapter : adapters) {
    handles.push_back(adapter.adapter.get());
    scales.push_back(adapter.scale);
  }
  if (llama_set_adapters_lora(context, handles.data(), handles.size(), scales.data()) != 0) {
    return fail(ErrorCode::kModel, "{}", engine_failure("llama.cpp refused the adapters"));
  }
  return {};
}

}  // namespace

std::size_t padded_cells(std::size_t cells) {
  return (std::max<std::size_t>(cells, 1) + kCellPadding - 1) / kCellPadding * kCellPadding;
}

std::size_t decoded_tokens() { return decoded(); }

bool ContextShape::covers(const ContextShape& needed) const {
  return cells >= needed.cells && sequences >= needed.sequences && outputs >= needed.outputs &&
         micro_batch == needed.micro_batch && exact == needed.exact && apart == needed.apart && threads == needed.threads &&
         pooled == needed.pooled && pooling == needed.pooling && observer == needed.observer;
}

void Batch::add(TokenId token, std::size_t position, std::span<const llama_seq_id> sequences, bool wanted) {
  tokens_.push_back(token);
  positions_.push_back(static_cast<llama_pos>(position));
  first_id_.push_back(ids_.size());
  ids_.insert(ids_.end(), sequences.begin(), sequences.end());
  wanted_.push_back(wanted ? 1 : 0);
}

void Batch::clear() { *this = Batch(); }

Result<std::unique_ptr<EngineContext>> EngineContext::make(std::shared_ptr<const LlamaWeights> weights,
                                                           const ContextShape& wanted,
                                                           std::span<const LlamaAdapter> adapters) {
  const auto shape = legal(wanted);
  if (shape.sequences > llama_max_parallel_sequences()) {
    return fail(ErrorCode::kUsage, "{} sequences were asked for; llama.cpp holds at most {}", shape.sequences,
                llama_max_parallel_sequences());
  }
  take_engine_errors();
  std::unique_ptr<EngineContext> made(new EngineContext());
  made->context_.reset(llama_init_from_model(weights->model.get(), params_of(shape)));
  if (!made->context_) {
    return fail(ErrorCode::kModel, "{}",
                engine_failure(fmt::format("llama.cpp could not make a context of {} cells", shape.cells)));
  }
  VALENCE_CHECK(set_adapters(made->context_.get(), adapters));
  made->branches_ = weights->branches();
  made->weights_ = std::move(weights);
  made->shape_ = shape;
  return made;
}

Result<void> EngineContext::decode(const Batch& batch, const Rows& rows, const std::stop_token& stop) {
  for (std::size_t first = 0; first < batch.size(); first += shape_.micro_batch) {
    if (stop.stop_requested()) return fail(ErrorCode::kStopped, "stopped on request; finished groups are kept");
    VALENCE_CHECK(decode_chunk(batch, first, std::min(shape_.micro_batch, batch.size() - first), rows));
  }
  return {};
}

Result<void> EngineContext::forward(const Batch& batch, const std::stop_token& stop) {
  for (std::size_t first = 0; first < batch.size(); first += shape_.micro_batch) {
    if (stop.stop_requested()) return fail(ErrorCode::kStopped, "stopped on request; finished groups are kept");
    VALENCE_CHECK(submit(batch, first, std::min(shape_.micro_batch, batch.size() - first)));
  }
  return {};
}

const float* EngineContext::pooled(llama_seq_id sequence) const {
  return llama_get_embeddings_seq(context_.get(), sequence);
}

Result<void> EngineContext::submit(const Batch& batch, std::size_t first, std::size_t count) {
  std::vector<llama_seq_id*> id_pointers(count);
  std::vector<std::int32_t> id_counts(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto token = first + i;
    const auto end = token + 1 < batch.size() ? batch.first_id_[token + 1] : batch.ids_.size();
    id_pointers[i] = const_cast<llama_seq_id*>(batch.ids_.data()) + batch.first_id_[token];
    id_counts[i] = static_cast<std::int32_t>(end - batch.first_id_[token]);
  }
  const auto wanted = std::ranges::count_if(std::span(batch.wanted_).subspan(first, count), [](auto flag) { return flag != 0; });
  if (static_cast<std::size_t>(wanted) > shape_.outputs) {
    return fail(ErrorCode::kModel, "a batch wants {} rows, its context was made for {}", wanted, shape_.outputs);
  }
  llama_batch call{};
  call.n_tokens = static_cast<std::int32_t>(count);
  call.token = const_cast<llama_token*>(batch.tokens_.data()) + first;
  call.pos = const_cast<llama_pos*>(batch.positions_.data()) + first;
  call.n_seq_id = id_counts.data();
  call.seq_id = id_pointers.data();
  call.logits = const_cast<std::int8_t*>(batch.wanted_.data()) + first;
  take_engine_errors();
  const int status = llama_decode(context_.get(), call);
  decoded() += count;
  if (status != 0) {
    return fail(ErrorCode::kModel, "{}",
                engine_failure(fmt::format("llama_decode of {} tokens failed with status {}", count, status)));
  }
  return {};
}

Result<void> EngineContext::decode_chunk(const Batch& batch, std::size_t first, std::size_t count, const Rows& rows) {
  VALENCE_CHECK(submit(batch, first, count));
  std::vector<std::pair<std::size_t, const float*>> found;
  for (auto token = first; token < first + count; ++token) {
    if (batch.wanted_[token] == 0) continue;
    const float* logits = llama_get_logits_ith(context_.get(), static_cast<std::int32_t>(token - first));
    if (logits == nullptr) return fail(ErrorCode::kModel, "llama.cpp returned no logits for a token that asked for them");
    found.emplace_back(token, logits);
  }
  if (!found.empty()) rows(found);
  return {};
}

void EngineContext::copy(llama_seq_id source, llama_seq_id target) {
  llama_memory_seq_cp(llama_get_memory(context_.get()), source, target, -1, -1);
}

void EngineContext::remove(llama_seq_id sequence) { llama_memory_seq_rm(llama_get_memory(context_.get()), sequence, -1, -1); }

void EngineContext::clear() { llama_memory_clear(llama_get_memory(context_.get()), true); }

}  // namespace valence
