#include "model/tiny_bert.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numbers>

#include "ggml.h"
#include "support/scratch.h"
#include "valence/base/random.h"

namespace valence::test {
namespace {

using Json = nlohmann::ordered_json;
using Matrix = std::vector<std::vector<double>>;

std::string as_bytes(const std::vector<float>& values, const std::string& format) {
  std::string bytes;
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t half = format == "F16" ? ggml_fp32_to_fp16(value) : bits >> 16;
    for (std::uint32_t i = 0; i < (format == "F32" ? 4U : 2U); ++i) {
      bytes += static_cast<char>((format == "F32" ? bits : half) >> (8 * i) & 0xFFU);
    }
  }
  return bytes;
}

void write_weights(const TinyBert& bert, const std::filesystem::path& path) {
  Json head = {{"__metadata__", {{"format", "pt"}}}};
  std::string data;
  for (const auto& [name, tensor] : bert.tensors()) {
    const auto bytes = as_bytes(tensor.second, bert.format);
    head[bert.prefix + name] = {{"dtype", bert.format}, {"shape", tensor.first}, {"data_offsets", {data.size(), data.size() + bytes.size()}}};
    data += bytes;
  }
  // What converters leave out, as published files have it.
  head[bert.prefix + "embeddings.position_ids"] = {{"dtype", "I64"}, {"shape", {1, 2}}, {"data_offsets", {data.size(), data.size() + 16}}};
  data.append(16, '\0');
  const auto text = head.dump();
  std::string length(8, '\0');
  const std::uint64_t size = text.size();
  std::memcpy(length.data(), &size, 8);
  testing::put_file(path, length + text + data);
}

struct Weights {
  explicit Weights(const TinyBert& bert) : tensors(bert.tensors()) {}
  const std::vector<float>& at(const std::string& name) const { return tensors.at(name).second; }

  std::vector<double> linear(const std::string& name, const std::vector<double>& x) const {
    const auto &weight = at(name + ".weight"), &bias = at(name + ".bias");
    std::vector<double> y(bias.begin(), bias.end());
    for (std::size_t i = 0; i < y.size(); ++i) {
      for (std::size_t j = 0; j < x.size(); ++j) y[i] += static_cast<double>(weight[i * x.size() + j]) * x[j];
    }
    return y;
  }

  std::vector<double> norm(const std::string& name, const std::vector<double>& x) const {
    double mean = 0, square = 0;
    for (const double value : x) mean += value / static_cast<double>(x.size());
    for (const double value : x) square += (value - mean) * (value - mean) / static_cast<double>(x.size());
    std::vector<double> y;
    for (std::size_t i = 0; i < x.size(); ++i) {
      y.push_back((x[i] - mean) / std::sqrt(square + 1e-12) * static_cast<double>(at(name + ".weight")[i]) +
                  static_cast<double>(at(name + ".bias")[i]));
    }
    return y;
  }

  std::map<std::string, std::pair<std::vector<std::size_t>, std::vector<float>>> tensors;
};

double gelu(double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x))); }

std::vector<double> sum(std::vector<double> a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

Matrix mapped(const Weights& weights, const std::string& name, const Matrix& rows) {
  Matrix out;
  for (const auto& row : rows) out.push_back(weights.linear(name, row));
  return out;
}

Matrix attention(const TinyBert& bert, const Weights& weights, const std::string& block, const Matrix& x) {
  const auto q = mapped(weights, block + "query", x), k = mapped(weights, block + "key", x), v = mapped(weights, block + "value", x);
  const auto size = bert.width / bert.heads;
  Matrix out(x.size(), std::vector<double>(bert.width, 0.0));
  for (std::size_t head = 0; head < bert.heads; ++head) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      std::vector<double> weight;
      double total = 0;
      for (std::size_t j = 0; j < x.size(); ++j) {
        double dot = 0;
        for (std::size_t d = head * size; d < (head + 1) * size; ++d) dot += q[i][d] * k[j][d];
        weight.push_back(std::exp(dot / std::sqrt(static_cast<double>(size))));
        total += weight.back();
      }
      for (std::size_t j = 0; j < x.size(); ++j) {
        for (std::size_t d = head * size; d < (head + 1) * size; ++d) out[i][d] += weight[j] / total * v[j][d];
      }
    }
  }
  return out;
}

}  // namespace

const std::vector<std::string>& TinyBert::vocabulary() {
  static const std::vector<std::string> tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "honest", "##y", "dis", "##honest", "people",
                                               "lie", "##s", ".", ",", "[", "]", "mask", "诚", "实", "cafe", "un", "##un", "a", "##a", "##b"};
  return tokens;
}

std::map<std::string, std::pair<std::vector<std::size_t>, std::vector<float>>> TinyBert::tensors() const {
  std::map<std::string, std::pair<std::vector<std::size_t>, std::vector<float>>> made;
  const auto add = [&](const std::string& name, std::vector<std::size_t> shape, double mean, double spread) {
    RandomStream random(seed, name);
    std::size_t count = 1;
    for (const auto length : shape) count *= length;
    std::vector<float> values;
    for (std::size_t i = 0; i < count; ++i) {
      // Exact in all three formats.
      const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(mean + spread * random.normal()));
      values.push_back(std::bit_cast<float>(bits & 0xFFFF0000U));
    }
    made[name] = {std::move(shape), std::move(values)};
  };
  const auto linear = [&](const std::string& name, std::size_t out, std::size_t in) {
    add(name + ".weight", {out, in}, 0, 2.0 / std::sqrt(static_cast<double>(in)));
    add(name + ".bias", {out}, 0, 0.1);
  };
  const auto norm = [&](const std::string& name) {
    add(name + ".weight", {width}, 1, 0.1);
    add(name + ".bias", {width}, 0, 0.1);
  };
  add("embeddings.word_embeddings.weight", {vocabulary().size(), width}, 0, 1);
  add("embeddings.position_embeddings.weight", {positions, width}, 0, 0.5);
  add("embeddings.token_type_embeddings.weight", {2, width}, 0, 0.5);
  norm("embeddings.LayerNorm");
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const auto block = "encoder.layer." + std::to_string(layer) + ".";
    for (const auto* name : {"query", "key", "value"}) linear(block + "attention.self." + name, width, width);
    linear(block + "attention.output.dense", width, width);
    norm(block + "attention.output.LayerNorm");
    linear(block + "intermediate.dense", feed_forward, width);
    linear(block + "output.dense", width, feed_forward);
    norm(block + "output.LayerNorm");
  }
  return made;
}

void write_bert_folder(const TinyBert& bert, const std::filesystem::path& folder) {
  const Json config = {{"model_type", "bert"}, {"hidden_act", "gelu"}, {"hidden_size", bert.width}, {"num_hidden_layers", bert.layers},
                       {"num_attention_heads", bert.heads}, {"intermediate_size", bert.feed_forward},
                       {"max_position_embeddings", bert.positions}, {"type_vocab_size", 2},
                       {"vocab_size", TinyBert::vocabulary().size()}, {"layer_norm_eps", 1e-12}};
  testing::put_file(folder / "config.json", config.dump(2));
  Json vocabulary = Json::object();
  for (std::size_t id = 0; id < TinyBert::vocabulary().size(); ++id) vocabulary[TinyBert::vocabulary()[id]] = id;
  const Json tokenizer = {{"normalizer", {{"type", "BertNormalizer"}, {"lowercase", true}, {"strip_accents", nullptr}}},
                          {"model", {{"type", "WordPiece"}, {"continuing_subword_prefix", "##"}, {"vocab", vocabulary}}}};
  testing::put_file(folder / "tokenizer.json", tokenizer.dump(2));
  const Json modules = {{{"path", ""}, {"type", "sentence_transformers.models.Transformer"}},
                        {{"path", "1_Pooling"}, {"type", "sentence_transformers.models.Pooling"}},
                        {{"path", "2_Normalize"}, {"type", "sentence_transformers.models.Normalize"}}};
  testing::put_file(folder / "modules.json", modules.dump(2));
  const Json pooling = {{"word_embedding_dimension", bert.width}, {"pooling_mode_cls_token", bert.pooling == "cls"},
                        {"pooling_mode_mean_tokens", bert.pooling == "mean"}, {"pooling_mode_max_tokens", bert.pooling == "max"}};
  testing::put_file(folder / "1_Pooling" / "config.json", pooling.dump(2));
  testing::put_file(folder / "sentence_bert_config.json", Json({{"max_seq_length", bert.max_tokens}}).dump(2));
  write_weights(bert, folder / "model.safetensors");
}

std::vector<double> bert_states(const TinyBert& bert, const std::vector<std::int32_t>& tokens) {
  const Weights weights(bert);
  const auto row = [&](const std::string& name, std::size_t index) {
    const auto& table = weights.at("embeddings." + name + "_embeddings.weight");
    const auto begin = table.begin() + static_cast<std::ptrdiff_t>(index * bert.width);
    return std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(bert.width));
  };
  Matrix x;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    const auto embedded = sum(sum(row("word", static_cast<std::size_t>(tokens[t])), row("token_type", 0)), row("position", t));
    x.push_back(weights.norm("embeddings.LayerNorm", embedded));
  }
  for (std::size_t layer = 0; layer < bert.layers; ++layer) {
    const auto block = "encoder.layer." + std::to_string(layer) + ".";
    const auto mixed = attention(bert, weights, block + "attention.self.", x);
    for (std::size_t t = 0; t < x.size(); ++t) {
      const auto attended = weights.norm(block + "attention.output.LayerNorm", sum(weights.linear(block + "attention.output.dense", mixed[t]), x[t]));
      auto inner = weights.linear(block + "intermediate.dense", attended);
      for (double& value : inner) value = gelu(value);
      x[t] = weights.norm(block + "output.LayerNorm", sum(weights.linear(block + "output.dense", inner), attended));
    }
  }
  std::vector<double> flat;
  for (const auto& state : x) flat.insert(flat.end(), state.begin(), state.end());
  return flat;
}

}  // namespace valence::test
