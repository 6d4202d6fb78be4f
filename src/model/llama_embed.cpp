#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "embed_tokens.h"
#include "llama_engine.h"
#include "state_reader.h"
#include "valence/model/embedder.h"
#include "valence/model/llama.h"

namespace valence {
namespace {

constexpr std::string_view kEmbedVersion = "valence llama embed 1";
constexpr std::size_t kLongestPooled = 8192;       // tokens of a text that is pooled by the engine: one micro-batch
constexpr std::size_t kLogitsAtOnce = 32'000'000;  // floats that the engine sets aside when last states are read

/// What becomes of a text: the engine pools it as the file says, or we take the mean of states.
struct Method {
  bool pooled = false;
  enum llama_pooling_type pooling = LLAMA_POOLING_TYPE_MEAN;

  std::string name() const {
    if (pooling == LLAMA_POOLING_TYPE_CLS) return "cls";
    return pooling == LLAMA_POOLING_TYPE_LAST ? "last" : "mean";
  }
};

Result<Method> method_of(const CheckedFile& file, const LlamaWeights& weights, std::size_t layer) {
  const auto key = file.info.architecture() + ".pooling_type";
  const auto stated = file.info.metadata.contains(key) ? file.info.number(key) : std::uint64_t{LLAMA_POOLING_TYPE_NONE};
  const bool causal = is_causal(file.info);
  if (llama_model_has_encoder(weights.model.get()) || llama_model_is_diffusion(weights.model.get())) {
    return fail(ErrorCode::kUnsupported, "{}: models of an encoder and a decoder cannot embed here; choose an encoder or a decoder",
                file.path.string());
  }
  if (stated > LLAMA_POOLING_TYPE_LAST) {
    return fail(ErrorCode::kUnsupported, "{}: its \"{}\" is {}, which is no pooling of vectors (a reranker?); 1 mean, 2 cls and 3 last can be used",
                file.path.string(), key, stated);
  }
  if (layer > 0 && !causal) {
    return fail(ErrorCode::kUnsupported, "{}: states of single blocks can be read of decoders only, this is an encoder. Leave out the layer",
                file.path.string());
  }
  const auto layers = static_cast<std::size_t>(llama_model_n_layer(weights.model.get()));
  if (layer > layers) return fail(ErrorCode::kUsage, "layer {}: the model has {} blocks; choose 1 to {}, or 0", layer, layers, layers);
  if (causal && (layer > 0 || stated == LLAMA_POOLING_TYPE_NONE)) return Method{};
  if (stated == LLAMA_POOLING_TYPE_NONE) return Method{true, LLAMA_POOLING_TYPE_MEAN};  // an encoder that does not say
  return Method{true, static_cast<enum llama_pooling_type>(stated)};
}

class LlamaEmbedder : public Embedder {
 public:
  LlamaEmbedder(const EmbedderSpec& spec, CheckedFile file, EngineOptions options, EngineFacts facts, Engine engine,
                EmbedTokenizer tokenizer, Method method);

  const EmbedderCard& card() const override { return card_; }
  Result<EmbedPlan> plan(std::span<const EmbedRequest> requests) const override;
  Result<void> run(const EmbedPlan& plan, std::span<const std::size_t> missing, EmbedSink& sink,
                   const RunControl& control) override;

 private:
  const llama_model* model() const { return engine_.weights().model.get(); }
  void write_card(const EmbedderSpec& spec);
  std::size_t decode_limit() const;
  /// The engine computes the last block's states only of tokens that are marked as wanted.
  bool reads_last() const { return method_.pooled || card_.layer == 0 || card_.layer == card_.layers; }
  Result<EmbedItem> item_of(const EmbedRequest& request) const;
  Result<void> take_prompt(const EmbedRequest& request, EmbedItem& item) const;
  Digest digest_of(const EmbedPlan& plan, const Group& group) const;
  void add_group(EmbedPlan& plan, std::vector<std::size_t> items, std::size_t tokens) const;
  Result<EngineContext*> context_for(const EmbedPlan& plan);
  Result<std::vector<Embedding>> compute(EngineContext& context, const EmbedPlan& plan, const Group& group, const std::stop_token& stop);
  Result<std::vector<float>> pooled(const EngineContext& context, std::size_t sequence) const;
  std::vector<float> mean(std::size_t first_row, const EmbedItem& item) const;

  CheckedFile file_;
  EngineOptions options_;
  EngineFacts facts_;
  EmbedTokenizer tokenizer_;
  Method method_;
  EmbedderCard card_;
  StateReader reader_;
  Engine engine_;  ///< after what its context refers to
};

/// llama.cpp's name of what leaves a block; it counts from 0.
std::string tensor_of(std::size_t layer) { return layer == 0 ? "result_norm" : fmt::format("l_out-{}", layer - 1); }

LlamaEmbedder::LlamaEmbedder(const EmbedderSpec& spec, CheckedFile file, EngineOptions options, EngineFacts facts, Engine engine,
                             EmbedTokenizer tokenizer, Method method)
    : file_(std::move(file)), options_(std::move(options)), facts_(std::move(facts)), tokenizer_(std::move(tokenizer)),
      method_(method), reader_(tensor_of(spec.layer)), engine_(std::move(engine)) {
  write_card(spec);
}

void LlamaEmbedder::write_card(const EmbedderSpec& spec) {
  const auto trained = static_cast<std::size_t>(std::max(llama_model_n_ctx_train(model()), 1));
  const auto stated = file_.info.number("valence.embedding.max_tokens");
  card_.name = spec.name;
  card_.identity = file_.identity;
  card_.architecture = file_.info.architecture();
  card_.dimensions = static_cast<std::size_t>(method_.pooled ? llama_model_n_embd_out(model()) : llama_model_n_embd(model()));
  card_.token_limit = stated > 0 ? std::min(stated, trained) : trained;
  if (method_.pooled) card_.token_limit = std::min(card_.token_limit, kLongestPooled);
  if (options_.context > 0) card_.token_limit = std::min(card_.token_limit, options_.context);
  card_.pooling = method_.name();
  card_.layers = static_cast<std::size_t>(llama_model_n_layer(model()));
  card_.layer = spec.layer;
  card_.normalised = spec.normalise;
  const auto add = [&](std::string_view key, std::string value) { card_.facts.emplace_back(key, std::move(value)); };
  add("engine", fmt::format("llama.cpp {}", facts_.version));
  add("cpu", facts_.cpu);
  add("cpu backend", fmt::format("{} ({})", facts_.backend, facts_.variant.empty() ? "built in" : facts_.variant));
  add("cpu features", facts_.features);
  add("device", facts_.device);
  add("threads", std::to_string(options_.threads));
  add("file format", file_.info.file_type());
  add("compute format", engine_.weights().format);
  add("flash attention", options_.cache == "f32" ? "off" : "auto");
  add("micro-batch", std::to_string(options_.micro_batch));
  add("states", method_.pooled ? "pooled by the engine" : tensor_of(spec.layer));
  for (const auto& adapter : spec.adapters) add("adapter", fmt::format("{} at {}", adapter.path, adapter.scale));
}

/// Tokens of one decode. The engine keeps a row of logits for each last state that is read, though none is computed.
std::size_t LlamaEmbedder::decode_limit() const {
  if (method_.pooled || !reads_last()) return options_.micro_batch;
  return std::clamp<std::size_t>(kLogitsAtOnce / tokenizer_.size(), options_.sequences, options_.micro_batch);
}

Result<void> LlamaEmbedder::take_prompt(const EmbedRequest& request, EmbedItem& item) const {
  if (!request.text.empty()) return fail(ErrorCode::kUsage, "it has both text and tokens; give one");
  if (request.tokens.size() > card_.token_limit) {
    return fail(ErrorCode::kUsage, "it has {} tokens, the model reads {}; only plain text is cut", request.tokens.size(),
                card_.token_limit);
  }
  for (const auto token : request.tokens) {
    if (!tokenizer_.contains(token)) {
      return fail(ErrorCode::kMismatch, "token {} is not of this model's {}: render the prompt with this model", token,
                  tokenizer_.size());
    }
  }
  item.tokens = request.tokens;
  return {};
}

Result<EmbedItem> LlamaEmbedder::item_of(const EmbedRequest& request) const {
  if (method_.pooled && (!request.tokens.empty() || !request.spans.empty())) {
    return fail(ErrorCode::kUsage, "tokens and spans are for states of decoders; this model pools whole texts");
  }
  EmbedItem item;
  if (request.tokens.empty()) {
    VALENCE_TRY(item, tokenizer_.tokenize(request.text, card_.token_limit));
  } else {
    VALENCE_CHECK(take_prompt(request, item));
  }
  if (item.tokens.empty()) {
    return fail(ErrorCode::kUsage, "it is empty, and this model's tokenizer puts nothing around a text: there is nothing to embed");
  }
  if (method_.pooled) return item;
  item.spans = request.spans;
  if (item.spans.empty()) item.spans.push_back({0, item.tokens.size()});
  for (auto& span : item.spans) {
    if (span.end == TokenSpan::kEnd) span.end = item.tokens.size();
    if (span.begin < span.end && span.end <= item.tokens.size()) continue;
    return fail(ErrorCode::kUsage, "the span [{}, {}) is empty or beyond its {} tokens", span.begin, span.end, item.tokens.size());
  }
  return item;
}

Digest LlamaEmbedder::digest_of(const EmbedPlan& plan, const Group& group) const {
  Hasher hasher;
  hasher.add(kEmbedVersion).add(facts_.version).add(facts_.backend).add(facts_.variant).add(facts_.features).add(facts_.cpu);
  hasher.add(facts_.device).add(std::uint64_t(static_cast<std::uint32_t>(options_.gpu_layers))).add(file_.identity);
  engine_.add_to_digest(hasher);
  hasher.add(std::uint64_t(static_cast<std::uint32_t>(options_.threads))).add(options_.cache);
  hasher.add(std::uint64_t{decode_limit()}).add(card_.pooling).add(std::uint64_t{card_.layer}).add(std::uint64_t{card_.normalised});
  for (const auto index : group.requests) {
    const auto& item = plan.items[index];
    hasher.add(item.tokens).add(std::uint64_t{item.truncated}).add(std::uint64_t{item.spans.size()});
    for (const auto& span : item.spans) hasher.add(std::uint64_t{span.begin}).add(std::uint64_t{span.end});
  }
  return hasher.finish();
}

void LlamaEmbedder::add_group(EmbedPlan& plan, std::vector<std::size_t> items, std::size_t tokens) const {
  Group group{{}, std::move(items), tokens};
  group.digest = digest_of(plan, group);
  plan.groups.push_back(std::move(group));
}

/// Texts in their order, as many as one decode takes. Running states and the order of their rows allow one at a time.
Result<EmbedPlan> LlamaEmbedder::plan(std::span<const EmbedRequest> requests) const {
  EmbedPlan plan;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto item = item_of(requests[i]);
    if (!item) return tl::unexpected(with_context(item.error(), fmt::format("text {}", i + 1)));
    plan.items.push_back(*std::move(item));
  }
  const auto together = engine_.weights().branches() ? options_.sequences : 1;
  std::vector<std::size_t> group;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    const auto length = plan.items[i].tokens.size();
    if (!group.empty() && (tokens + length > decode_limit() || group.size() == together)) {
      add_group(plan, std::exchange(group, {}), std::exchange(tokens, 0));
    }
    group.push_back(i);
    tokens += length;
  }
  if (!group.empty()) add_group(plan, std::move(group), tokens);
  return plan;
}

Result<EngineContext*> LlamaEmbedder::context_for(const EmbedPlan& plan) {
  ContextShape shape;
  for (const auto& group : plan.groups) shape.cells = std::max(shape.cells, group.cost);
  shape.sequences = options_.sequences;
  shape.micro_batch = decode_limit();
  if (method_.pooled) {
    // The engine pools within one micro-batch, and ends the process if that is no multiple of the sequences.
    const auto longest = std::max(shape.micro_batch, shape.cells);
    shape.micro_batch = (longest + shape.sequences - 1) / shape.sequences * shape.sequences;
  }
  shape.cells = std::max(shape.cells, shape.micro_batch);
  shape.outputs = reads_last() ? shape.micro_batch : 1;
  shape.exact = options_.cache == "f32";
  shape.threads = options_.threads;
  shape.pooled = method_.pooled;
  shape.pooling = method_.pooled ? method_.pooling : LLAMA_POOLING_TYPE_NONE;
  if (!method_.pooled) shape.observer = reader_.observer();
  return engine_.context(shape);
}

Result<std::vector<float>> LlamaEmbedder::pooled(const EngineContext& context, std::size_t sequence) const {
  const float* values = context.pooled(static_cast<llama_seq_id>(sequence));
  if (values == nullptr) return fail(ErrorCode::kModel, "llama.cpp returned no vector for a text");
  return std::vector<float>(values, values + card_.dimensions);
}

std::vector<float> LlamaEmbedder::mean(std::size_t first_row, const EmbedItem& item) const {
  std::vector<double> sum(card_.dimensions, 0.0);
  std::size_t count = 0;
  for (const auto& span : item.spans) {
    for (auto token = span.begin; token < span.end; ++token, ++count) {
      const auto row = std::span(reader_.rows()).subspan((first_row + token) * card_.dimensions, card_.dimensions);
      for (std::size_t d = 0; d < row.size(); ++d) sum[d] += static_cast<double>(row[d]);
    }
  }
  std::vector<float> values(sum.size());
  for (std::size_t d = 0; d < sum.size(); ++d) values[d] = static_cast<float>(sum[d] / static_cast<double>(count));
  return values;
}

Result<std::vector<Embedding>> LlamaEmbedder::compute(EngineContext& context, const EmbedPlan& plan, const Group& group,
                                                      const std::stop_token& stop) {
  Batch batch;
  for (std::size_t i = 0; i < group.requests.size(); ++i) {
    const auto sequence = static_cast<llama_seq_id>(i);
    const auto& tokens = plan.items[group.requests[i]].tokens;
    for (std::size_t t = 0; t < tokens.size(); ++t) batch.add(tokens[t], t, std::span(&sequence, 1), reads_last());
  }
  context.clear();
  reader_.clear();
  VALENCE_CHECK(context.forward(batch, stop));
  if (!method_.pooled && reader_.rows().size() != batch.size() * card_.dimensions) {
    return fail(ErrorCode::kUnsupported, "{}: llama.cpp's graph of a \"{}\" model has no states \"{}\" for every token; choose another layer",
                file_.path.string(), card_.architecture, tensor_of(card_.layer));
  }
  std::vector<Embedding> embeddings;
  std::size_t row = 0;
  for (std::size_t i = 0; i < group.requests.size(); ++i) {
    const auto& item = plan.items[group.requests[i]];
    Embedding embedding{{}, item.tokens.size(), item.truncated};
    if (method_.pooled) {
      VALENCE_TRY(embedding.values, pooled(context, i));
    } else {
      embedding.values = mean(row, item);
    }
    row += item.tokens.size();
    if (card_.normalised) normalise(embedding.values);
    embeddings.push_back(std::move(embedding));
  }
  return embeddings;
}

Result<void> LlamaEmbedder::run(const EmbedPlan& plan, std::span<const std::size_t> missing, EmbedSink& sink,
                                const RunControl& control) {
  if (!std::ranges::is_sorted(missing) || (!missing.empty() && missing.back() >= plan.groups.size())) {
    return fail(ErrorCode::kUsage, "the missing groups are not of this plan, or not in order");
  }
  if (missing.empty()) return {};
  VALENCE_TRY(auto* context, context_for(plan));
  for (const auto index : missing) {
    if (control.stop.stop_requested()) return fail(ErrorCode::kStopped, "stopped on request; finished groups are kept");
    VALENCE_TRY(const auto embeddings, compute(*context, plan, plan.groups[index], control.stop));
    VALENCE_CHECK(sink.done(index, embeddings));
    if (control.progress != nullptr) control.progress->advance(plan.groups[index].cost);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Embedder>> open_llama_embedder(const EmbedderSpec& spec, const std::filesystem::path& path,
                                                      std::optional<Digest> identity) {
  VALENCE_TRY(auto file, check_model_file(path, identity));
  VALENCE_TRY(auto facts, start_engine(spec.engine.backend, spec.engine.device));
  VALENCE_TRY(auto options, settle(spec.engine));
  if (options.format == "auto") options.format = "as_is";
  VALENCE_TRY(auto engine, Engine::load(file, options.format, spec.adapters, options, Engine::Use::kEmbedding));
  VALENCE_TRY(const auto method, method_of(file, engine.weights(), spec.layer));
  VALENCE_TRY(auto tokenizer, EmbedTokenizer::make(file, engine.weights()));
  return std::make_unique<LlamaEmbedder>(spec, std::move(file), std::move(options), std::move(facts), std::move(engine),
                                         std::move(tokenizer), method);
}

}  // namespace valence
