#include "transformer.h"

#include <algorithm>

#include "architectures/architectures.h"
#include "blocks.h"
#include "head.h"
#include "valence/base/random.h"

namespace valence {
namespace {

using torch::Tensor;

constexpr std::int64_t kHeadFloats = 16'000'000;  // logits at once: 64 MB

}  // namespace

class TransformerWeights {
 public:
  std::filesystem::path source;
  TransformerShape shape;
  const Architecture* architecture = nullptr;
  TuningOptions tuning;
  torch::Device device = torch::kCPU;
  Tensor embedding, output_norm, rope_factors;
  Head head;
  bool tied = true;
  std::vector<BlockWeights> blocks;
  double adapter_scale = 1.0, dropout = 0.0;
  bool bf16 = false;
  at::Generator generator;

  Result<void> load(WeightReader& file);
  void tune();
  Pass pass_of(const TreePack& pack) const;

  /// Calls `visit(name, tensor)` for what is no projection: embedding, norms, head.
  template <class Visit>
  void each_plain(Visit&& visit);
  template <class Visit>
  void each_projection(Visit&& visit) const;
  template <class Visit>
  void each_projection(Visit&& visit);
};

Result<void> TransformerWeights::load(WeightReader& file) {
  const auto* table = &file.info();
  const auto found = std::ranges::find(table->tensors, std::string("token_embd.weight"), &GgufTensor::name);
  shape.vocabulary =
      found == table->tensors.end() || found->dims.size() != 2 ? 0 : static_cast<std::int64_t>(found->dims[1]);
  VALENCE_TRY(embedding, file.take("token_embd.weight", {shape.vocabulary, shape.width}));
  VALENCE_TRY(output_norm, file.take("output_norm.weight", {shape.width}));
  VALENCE_TRY(head.weight, file.take_optional("output.weight", {shape.vocabulary, shape.width}));
  VALENCE_TRY(head.bias, file.take_optional("output.bias", {shape.vocabulary}));
  tied = !head.weight.defined();
  if (tied) head.weight = embedding;
  head.cap = shape.logit_cap;
  if (shape.architecture == "llama") {
    VALENCE_TRY(rope_factors, file.take_optional("rope_freqs.weight", {shape.head_width / 2}));
  }
  blocks.resize(static_cast<std::size_t>(shape.blocks));
  for (std::int64_t i = 0; i < shape.blocks; ++i) {
    VALENCE_CHECK(architecture->load(file, shape, i, blocks[static_cast<std::size_t>(i)]));
  }
  return file.check_all_taken();
}

template <class Visit>
void TransformerWeights::each_projection(Visit&& visit) const {
  for (const auto& block : blocks) {
    for (const auto* projection : {&block.qkv, &block.output, &block.gate_up, &block.down}) visit(*projection);
  }
}

template <class Visit>
void TransformerWeights::each_projection(Visit&& visit) {
  for (auto& block : blocks) {
    for (auto* projection : {&block.qkv, &block.output, &block.gate_up, &block.down}) visit(*projection);
  }
}

template <class Visit>
void TransformerWeights::each_plain(Visit&& visit) {
  visit("token_embd.weight", embedding);
  visit("output_norm.weight", output_norm);
  if (!tied) visit("output.weight", head.weight);
  if (head.bias.defined()) visit("output.bias", head.bias);
  for (std::int64_t i = 0; i < shape.blocks; ++i) {
    auto& block = blocks[static_cast<std::size_t>(i)];
    const std::pair<std::string_view, Tensor*> norms[] = {{"attn_norm", &block.attention_norm},
                                                          {"ffn_norm", &block.mlp_norm},
                                                          {"attn_q_norm", &block.query_norm},
                                                          {"attn_k_norm", &block.key_norm},
                                                          {"post_attention_norm", &block.attention_out_norm},
                                                          {"post_ffw_norm", &block.mlp_out_norm}};
    for (const auto& [name, norm] : norms) {
      if (norm->defined()) visit(block_tensor(i, name), *norm);
    }
  }
}

void TransformerWeights::tune() {
  if (tuning.part == TunedPart::kAdapter) {
    each_projection([&](Projection& projection) { projection.add_adapters(tuning); });
    if (bf16) each_projection([](Projection& projection) { projection.prepare_bf16(); });
    return;
  }
  each_plain([](const std::string&, Tensor& tensor) { tensor.requires_grad_(true); });
  each_projection([](Projection& projection) { projection.thaw(); });
}

Pass TransformerWeights::pass_of(const TreePack& pack) const {
  Pass pass{&shape, {}, {}, {}, {}, {}, adapter_scale, dropout, bf16, generator};
  const std::vector<std::int64_t> tokens(pack.tokens.begin(), pack.tokens.end());
  pass.tokens = torch::tensor(tokens, torch::kInt64).to(device);
  pass.rope = rope_table(pack, shape.head_width, shape.rope_base, shape.rope_scale, rope_factors, device);
  pass.attention = plan_attention(pack, 0, device);
  if (shape.window > 0) {
    pass.rope_local = rope_table(pack, shape.head_width, shape.rope_base_local, 1.0, {}, device);
    pass.attention_local = plan_attention(pack, shape.window, device);
  }
  return pass;
}

Transformer::Transformer(std::unique_ptr<TransformerWeights> weights) : weights_(std::move(weights)) {}
Transformer::~Transformer() = default;

Result<std::unique_ptr<Transformer>> Transformer::load(const std::filesystem::path& gguf,
                                                       const TransformerOptions& options) {
  VALENCE_CHECK(check_lora(options.tuning.lora));
  if (options.device.is_cuda() && !torch::cuda::is_available()) {
    return fail(ErrorCode::kUnsupported,
                "device \"{}\": this libtorch has no CUDA device; choose cpu, or build against a libtorch with CUDA "
                "(Torch_DIR)",
                options.device.str());
  }
  try {
    VALENCE_TRY(auto file, WeightReader::open(gguf, options.device, options.adapters));
    auto weights = std::make_unique<TransformerWeights>();
    VALENCE_TRY(weights->shape, read_shape(file.info(), gguf));
    weights->source = gguf;
    weights->architecture = find_architecture(weights->shape.architecture);
    weights->tuning = options.tuning;
    weights->device = options.device;
    weights->bf16 = options.bf16;
    weights->generator = at::detail::createCPUGenerator(options.tuning.seed);
    VALENCE_CHECK(weights->load(file));
    weights->tune();
    weights->head.rows_at_once = options.head_rows > 0
                                     ? options.head_rows
                                     : std::clamp<std::int64_t>(kHeadFloats / weights->shape.vocabulary, 16, 4096);
    return std::unique_ptr<Transformer>(new Transformer(std::move(weights)));
  } catch (const c10::Error& thrown) {
    return fail(ErrorCode::kModel, "{}: torch could not hold the weights: {}", gguf.string(),
                thrown.what_without_backtrace());
  }
}

const TransformerShape& Transformer::shape() const { return weights_->shape; }
const std::filesystem::path& Transformer::source() const { return weights_->source; }
const TuningOptions& Transformer::tuning() const { return weights_->tuning; }
torch::Device Transformer::device() const { return weights_->device; }
bool Transformer::bf16() const { return weights_->bf16; }

Tensor Transformer::states(const TreePack& pack) const {
  const auto pass = weights_->pass_of(pack);
  auto x = torch::embedding(weights_->embedding, pass.tokens);
  if (weights_->shape.embedding_scale != 1.0) x = x * weights_->shape.embedding_scale;
  for (const auto& block : weights_->blocks) x = weights_->architecture->forward(block, x, pass);
  return rms_norm(x, weights_->output_norm, weights_->shape.norm_epsilon);
}

RowScores Transformer::score(const TreePack& pack, const Tensor& states, bool with_entropy) const {
  const auto plan = plan_losses(pack, weights_->device);
  auto [logprob, entropy] = head_logprobs(weights_->head, states.index_select(0, plan.rows), plan, with_entropy);
  return {std::move(logprob), std::move(entropy)};
}

Tensor Transformer::logits(const TreePack& pack) const { return head_logits(weights_->head, states(pack)); }

std::vector<Parameter> Transformer::parameters() const {
  std::vector<Parameter> list;
  if (weights_->tuning.part == TunedPart::kEverything) {
    weights_->each_plain([&](const std::string& name, Tensor& tensor) { list.push_back({name, tensor}); });
  }
  weights_->each_projection([&](const Projection& projection) {
    for (const auto& part : projection.parts()) {
      if (part.weight.requires_grad()) list.push_back({part.tensor(), part.weight});
      if (part.bias.defined() && part.bias.requires_grad()) list.push_back({part.name + ".bias", part.bias});
      if (part.a.defined()) list.push_back({part.tensor() + ".lora_a", part.a});
      if (part.b.defined()) list.push_back({part.tensor() + ".lora_b", part.b});
    }
  });
  return list;
}

std::vector<AdapterPair> Transformer::adapters() const {
  std::vector<AdapterPair> list;
  weights_->each_projection([&](const Projection& projection) {
    for (const auto& part : projection.parts()) {
      if (part.a.defined()) list.push_back({part.tensor(), part.a, part.b});
    }
  });
  return list;
}

Tensor Transformer::merged(const std::string& tensor) const {
  Tensor found;
  weights_->each_plain([&](const std::string& name, Tensor& value) {
    if (name == tensor) found = value.detach();
  });
  weights_->each_projection([&](const Projection& projection) {
    for (const auto& part : projection.parts()) {
      if (part.tensor() == tensor) found = projection.merged(part, weights_->adapter_scale);
      if (part.name + ".bias" == tensor) found = part.bias.detach();
    }
  });
  return found;
}

void Transformer::set_adapter_scale(double scale) { weights_->adapter_scale = scale; }
double Transformer::adapter_scale() const { return weights_->adapter_scale; }

void Transformer::train(std::int64_t step) {
  weights_->dropout = weights_->tuning.lora.dropout;
  weights_->generator.set_current_seed(
      RandomStream(weights_->tuning.seed, "dropout", static_cast<std::uint64_t>(step)).bits());
}

void Transformer::evaluate() { weights_->dropout = 0; }

AsReference::AsReference(Transformer& model)
    : model_(model), scale_(model.adapter_scale()), dropout_(model.weights_->dropout) {
  model_.set_adapter_scale(0);
  model_.evaluate();
}

AsReference::~AsReference() {
  model_.set_adapter_scale(scale_);
  model_.weights_->dropout = dropout_;
}

const Architecture* find_architecture(std::string_view name) {
  for (const auto* known : {&kLlama, &kQwen2, &kQwen3, &kGemma3}) {
    if (known->name == name) return known;
  }
  return nullptr;
}

}  // namespace valence
