#include "model/llama_tiny.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "ggml.h"
#include "gguf.h"
#include "valence/base/random.h"

namespace valence::test {
namespace {

namespace fs = std::filesystem;

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

/// GPT-2's printable stand-ins for bytes.
std::string byte_name(unsigned byte) {
  const auto printable = [](unsigned b) { return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174; };
  unsigned code = byte;
  if (!printable(byte)) {
    code = 256;
    for (unsigned b = 0; b < byte; ++b) code += printable(b) ? 0 : 1;
  }
  std::string name;
  append_utf8(name, code);
  return name;
}

std::vector<std::string> token_names(const TinyModel& model) {
  std::vector<std::string> names;
  for (unsigned byte = 0; byte < 256; ++byte) {
    names.push_back(model.sentencepiece ? fmt::format("<0x{:02X}>", byte) : byte_name(byte));
  }
  names.insert(names.end(), model.controls.begin(), model.controls.end());
  names.insert(names.end(), model.user_defined.begin(), model.user_defined.end());
  if (model.sentencepiece) {
    names.emplace_back("\xE2\x96\x81");  // the space
    for (char c = '!'; c <= '~'; ++c) names.emplace_back(1, c);
  }
  return names;
}

class Writer {
 public:
  Writer(const TinyModel& model, gguf_context* file) : model_(model), file_(file) {
    ggml_init_params params{64 << 20, nullptr, false};
    tensors_ = ggml_init(params);
  }
  ~Writer() { ggml_free(tensors_); }

  void add(const std::string& name, std::vector<std::int64_t> dims, double mean = 0.0, double deviation = 0.0) {
    auto* tensor = ggml_new_tensor(tensors_, GGML_TYPE_F32, static_cast<int>(dims.size()), dims.data());
    ggml_set_name(tensor, name.c_str());
    RandomStream random(model_.seed, name);
    const double spread = deviation > 0 ? deviation : 2.0 / std::sqrt(static_cast<double>(dims.front()));
    auto* data = static_cast<float*>(tensor->data);
    for (std::int64_t i = 0; i < ggml_nelements(tensor); ++i)
      data[i] = static_cast<float>(mean + spread * random.normal());
    if (name.find("ssm_a") != std::string::npos) {
      for (std::int64_t i = 0; i < ggml_nelements(tensor); ++i) data[i] = -std::abs(data[i]);
    }
    gguf_add_tensor(file_, tensor);
  }

 private:
  const TinyModel& model_;
  gguf_context* file_;
  ggml_context* tensors_;
};

void set_strings(gguf_context* file, const char* key, const std::vector<std::string>& values) {
  std::vector<const char*> pointers;
  for (const auto& value : values) pointers.push_back(value.c_str());
  gguf_set_arr_str(file, key, pointers.data(), pointers.size());
}

std::uint32_t index_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::uint32_t>(std::ranges::find(names, name) - names.begin());
}

void write_tokenizer(const TinyModel& model, gguf_context* file, const std::vector<std::string>& names) {
  gguf_set_val_str(file, "tokenizer.ggml.model", model.sentencepiece ? "llama" : "gpt2");
  if (!model.sentencepiece) gguf_set_val_str(file, "tokenizer.ggml.pre", "gpt-2");
  set_strings(file, "tokenizer.ggml.tokens", names);
  std::vector<std::int32_t> types(names.size(), 1);
  for (std::size_t i = 0; i < 256 && model.sentencepiece; ++i) types[i] = 6;
  for (std::size_t i = 0; i < model.controls.size(); ++i) types[256 + i] = 3;
  for (std::size_t i = 0; i < model.user_defined.size(); ++i) types[256 + model.controls.size() + i] = 4;
  gguf_set_arr_data(file, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(), types.size());
  const std::vector<float> scores(names.size(), 0.0F);
  gguf_set_arr_data(file, "tokenizer.ggml.scores", GGUF_TYPE_FLOAT32, scores.data(), scores.size());
  if (!model.sentencepiece) set_strings(file, "tokenizer.ggml.merges", {"y z"});
  gguf_set_val_u32(file, "tokenizer.ggml.eos_token_id", index_of(names, model.eos));
  gguf_set_val_bool(file, "tokenizer.ggml.add_bos_token", !model.bos.empty());
  gguf_set_val_u32(file, "tokenizer.ggml.bos_token_id", index_of(names, model.bos.empty() ? model.eos : model.bos));
  if (!model.chat_template.empty()) gguf_set_val_str(file, "tokenizer.chat_template", model.chat_template.c_str());
}

constexpr std::int64_t kFeedForward = 96, kHeads = 4, kKeyHeads = 2;

std::int64_t head_width(const TinyModel& model) {
  return static_cast<std::int64_t>(model.head_width > 0 ? model.head_width : model.embedding / kHeads);
}

void write_query_key_value(Writer& out, const TinyModel& model, const std::string& block) {
  const auto width = static_cast<std::int64_t>(model.embedding), queries = head_width(model) * kHeads,
             keys = head_width(model) * kKeyHeads;
  const bool biases = model.architecture == "qwen2" || model.more_biases;
  if (model.fused) {
    out.add(block + "attn_qkv.weight", {width, queries + 2 * keys});
    if (biases) out.add(block + "attn_qkv.bias", {queries + 2 * keys}, 0.0, 0.1);
    return;
  }
  out.add(block + "attn_q.weight", {width, queries});
  out.add(block + "attn_k.weight", {width, keys});
  out.add(block + "attn_v.weight", {width, keys});
  if (!biases) return;
  out.add(block + "attn_q.bias", {queries}, 0.0, 0.1);
  out.add(block + "attn_k.bias", {keys}, 0.0, 0.1);
  out.add(block + "attn_v.bias", {keys}, 0.0, 0.1);
}

void write_attention(Writer& out, const TinyModel& model, const std::string& block) {
  const auto width = static_cast<std::int64_t>(model.embedding), queries = head_width(model) * kHeads;
  out.add(block + "attn_norm.weight", {width}, 1.0, 0.1);
  write_query_key_value(out, model, block);
  out.add(block + "attn_output.weight", {queries, width});
  if (model.more_biases) out.add(block + "attn_output.bias", {width}, 0.0, 0.1);
  out.add(block + "ffn_norm.weight", {width}, 1.0, 0.1);
  out.add(block + "ffn_gate.weight", {width, kFeedForward});
  out.add(block + "ffn_up.weight", {width, kFeedForward});
  out.add(block + "ffn_down.weight", {kFeedForward, width});
  if (model.architecture == "gemma3" || model.architecture == "qwen3") {
    for (const auto* name : {"attn_q_norm.weight", "attn_k_norm.weight"})
      out.add(block + name, {head_width(model)}, 1.0, 0.1);
  }
  if (model.architecture == "gemma3") {
    out.add(block + "post_attention_norm.weight", {width}, 1.0, 0.1);
    // Small: ggml's GELU rounds to a table of halves, whose steps would drown the differences that tests look for.
    out.add(block + "post_ffw_norm.weight", {width}, 0.1, 0.01);
  }
}

void write_mamba(Writer& out, const TinyModel& model, const std::string& block) {
  const auto width = static_cast<std::int64_t>(model.embedding), inner = 2 * width;
  constexpr std::int64_t kState = 16, kRank = 4, kConvolution = 4;
  out.add(block + "attn_norm.weight", {width}, 1.0, 0.1);
  out.add(block + "ssm_in.weight", {width, 2 * inner});
  out.add(block + "ssm_conv1d.weight", {kConvolution, inner});
  out.add(block + "ssm_conv1d.bias", {inner}, 0.0, 0.1);
  out.add(block + "ssm_x.weight", {inner, kRank + 2 * kState});
  out.add(block + "ssm_dt.weight", {kRank, inner});
  out.add(block + "ssm_dt.bias", {inner}, 0.0, 0.1);
  out.add(block + "ssm_a", {kState, inner}, 0.0, 1.0);
  out.add(block + "ssm_d", {inner}, 1.0, 0.1);
  out.add(block + "ssm_out.weight", {inner, width});
}

void write_shape(const TinyModel& model, gguf_context* file, std::uint32_t blocks) {
  const auto key = [&](const char* name) { return model.architecture + "." + name; };
  const auto set = [&](const char* name, std::uint32_t value) { gguf_set_val_u32(file, key(name).c_str(), value); };
  const auto width = static_cast<std::uint32_t>(model.embedding);
  gguf_set_val_str(file, "general.architecture", model.architecture.c_str());
  gguf_set_val_str(file, "general.name", "tiny");
  set("context_length", model.trained_context);
  set("embedding_length", width);
  set("block_count", blocks);
  gguf_set_val_f32(file, key("attention.layer_norm_rms_epsilon").c_str(), 1e-5F);
  if (model.architecture == "mamba") {
    set("feed_forward_length", 0);
    set("attention.head_count", 0);
    set("ssm.conv_kernel", 4);
    set("ssm.inner_size", 2 * width);
    set("ssm.state_size", 16);
    set("ssm.time_step_rank", 4);
    return;
  }
  set("feed_forward_length", kFeedForward);
  set("attention.head_count", kHeads);
  set("attention.head_count_kv", kKeyHeads);
  const auto heads = static_cast<std::uint32_t>(head_width(model));
  set("rope.dimension_count", heads);
  if (model.rope_factor > 0) {
    gguf_set_val_str(file, key("rope.scaling.type").c_str(), "linear");
    gguf_set_val_f32(file, key("rope.scaling.factor").c_str(), model.rope_factor);
  }
  if (model.architecture == "gemma3" || model.head_width > 0) {
    set("attention.key_length", heads);
    set("attention.value_length", heads);
  }
  if (model.architecture != "gemma3") return;
  if (model.logit_cap > 0) gguf_set_val_f32(file, key("final_logit_softcapping").c_str(), model.logit_cap);
  set("attention.sliding_window", 8);
  set("attention.sliding_window_pattern", 2);
}

}  // namespace

ScratchFolder::ScratchFolder() {
  auto pattern = (fs::temp_directory_path() / "valence-test-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

ScratchCache::ScratchCache() {
  if (const char* cache = std::getenv("VALENCE_CACHE")) before_ = cache;
  setenv("VALENCE_CACHE", folder_.path().c_str(), 1);
}

ScratchCache::~ScratchCache() {
  before_.empty() ? unsetenv("VALENCE_CACHE") : setenv("VALENCE_CACHE", before_.c_str(), 1);
}

void write_tiny(const TinyModel& model, const fs::path& path) {
  const std::unique_ptr<gguf_context, decltype(&gguf_free)> file(gguf_init_empty(), &gguf_free);
  const std::uint32_t blocks = model.architecture == "gemma3" ? 4 : 2;
  const auto names = token_names(model);
  write_shape(model, file.get(), blocks);
  write_tokenizer(model, file.get(), names);
  Writer out(model, file.get());
  const auto width = static_cast<std::int64_t>(model.embedding);
  out.add("token_embd.weight", {width, static_cast<std::int64_t>(names.size())}, 0.0, 0.2);
  out.add("output_norm.weight", {width}, 1.0, 0.1);
  if (model.separate_head) out.add("output.weight", {width, static_cast<std::int64_t>(names.size())}, 0.0, 0.2);
  if (model.rope_factors) out.add("rope_freqs.weight", {head_width(model) / 2}, 2.0, 0.3);
  for (std::uint32_t i = 0; i < blocks; ++i) {
    const auto block = fmt::format("blk.{}.", i);
    model.architecture == "mamba" ? write_mamba(out, model, block) : write_attention(out, model, block);
  }
  ASSERT_TRUE(gguf_write_to_file(file.get(), path.c_str(), false));
}

void write_tiny_adapter(const std::string& architecture, const fs::path& path, std::size_t embedding) {
  const std::unique_ptr<gguf_context, decltype(&gguf_free)> file(gguf_init_empty(), &gguf_free);
  gguf_set_val_str(file.get(), "general.type", "adapter");
  gguf_set_val_str(file.get(), "general.architecture", architecture.c_str());
  gguf_set_val_str(file.get(), "adapter.type", "lora");
  gguf_set_val_f32(file.get(), "adapter.lora.alpha", 4.0F);
  TinyModel model;
  Writer out(model, file.get());
  const auto width = static_cast<std::int64_t>(embedding);
  for (int i = 0; i < 2; ++i) {
    out.add(fmt::format("blk.{}.attn_q.weight.lora_a", i), {width, 2});
    out.add(fmt::format("blk.{}.attn_q.weight.lora_b", i), {2, width});
  }
  ASSERT_TRUE(gguf_write_to_file(file.get(), path.c_str(), false));
}

EngineOptions exact_options() {
  EngineOptions options;
  options.format = "as_is";
  options.cache = "f32";
  options.threads = 1;
  return options;
}

std::unique_ptr<LanguageModel> open_tiny(const fs::path& path, const EngineOptions& options,
                                         const std::vector<AdapterSpec>& adapters) {
  auto model = open_llama("tiny", path, adapters, options);
  if (!model) throw std::runtime_error(model.error().message);
  return *std::move(model);
}

Collector::Collector(const Plan& plan)
    : responses(plan.requests.size(), tl::unexpected<Error>({ErrorCode::kModel, "no response came"})), plan_(plan) {}

Result<void> Collector::done(std::size_t group, std::span<const Result<Response>> given) {
  commits.push_back(group);
  for (std::size_t i = 0; i < given.size(); ++i) responses[plan_.groups[group].requests[i]] = given[i];
  return {};
}

const ContinuationScores& Collector::scores(std::size_t request) const {
  if (!responses[request]) throw std::runtime_error(responses[request].error().message);
  return std::get<ContinuationScores>(*responses[request]);
}

const Completion& Collector::completion(std::size_t request) const {
  if (!responses[request]) throw std::runtime_error(responses[request].error().message);
  return std::get<Completion>(*responses[request]);
}

std::vector<std::size_t> all_groups(const Plan& plan) {
  std::vector<std::size_t> groups;
  for (std::size_t i = 0; i < plan.groups.size(); ++i) groups.push_back(i);
  return groups;
}

Collector run_all(LanguageModel& model, const Plan& plan) {
  Collector collector(plan);
  const auto ran = model.run(plan, all_groups(plan), collector, {});
  if (!ran) throw std::runtime_error(ran.error().message);
  return collector;
}

Plan plan_of(const LanguageModel& model, std::vector<Request> requests) {
  auto plan = model.plan(std::move(requests));
  if (!plan) throw std::runtime_error(plan.error().message);
  return *std::move(plan);
}

Prompt random_prompt(std::uint64_t seed, std::size_t count, const std::vector<TokenId>& prefix) {
  RandomStream random(seed, "prompt");
  Prompt prompt{prefix, {}};
  for (std::size_t i = 0; i < count; ++i) prompt.tokens.push_back(static_cast<TokenId>(33 + random.below(90)));
  return prompt;
}

std::string random_text(std::uint64_t seed, std::size_t bytes) {
  RandomStream random(seed, "text");
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>('a' + random.below(26));
  return text;
}

double largest_difference(const Collector& a, const Collector& b) {
  double largest = 0;
  for (std::size_t r = 0; r < a.responses.size(); ++r) {
    const auto &x = a.scores(r).continuations, &y = b.scores(r).continuations;
    if (x.size() != y.size()) return INFINITY;
    for (std::size_t k = 0; k < x.size(); ++k) {
      if (x[k].token_logprobs.size() != y[k].token_logprobs.size()) return INFINITY;
      if (x[k].terminator_logprob.has_value() != y[k].terminator_logprob.has_value()) return INFINITY;
      for (std::size_t i = 0; i < x[k].token_logprobs.size(); ++i) {
        largest = std::max(largest, std::abs(x[k].token_logprobs[i] - y[k].token_logprobs[i]));
      }
      if (x[k].terminator_logprob)
        largest = std::max(largest, std::abs(*x[k].terminator_logprob - *y[k].terminator_logprob));
    }
  }
  return largest;
}

}  // namespace valence::test
