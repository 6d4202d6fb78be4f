#include "shape.h"

#include <array>
#include <cmath>
#include <optional>
#include <string_view>

namespace valence {
namespace {

/// Reads keys of one file; every error names the file and the key.
class ShapeReader {
 public:
  ShapeReader(const GgufInfo& info, const std::filesystem::path& path)
      : info_(info), path_(path.string()), prefix_(info.architecture() + ".") {}

  std::string key(std::string_view name) const { return fmt::format("{}{}", prefix_, name); }
  bool has(std::string_view name) const { return info_.metadata.contains(key(name)); }

  Result<std::int64_t> positive(std::string_view name, std::optional<std::int64_t> absent = std::nullopt) const {
    if (!has(name) && absent) return *absent;
    const auto value = info_.number(key(name));
    if (value < 1 || value > 1'000'000'000) {
      return fail(ErrorCode::kCorrupt, "{}: \"{}\" is missing or no positive number", path_, key(name));
    }
    return static_cast<std::int64_t>(value);
  }

  Result<double> real(std::string_view name, std::optional<double> absent = std::nullopt) const {
    const auto found = info_.metadata.find(key(name));
    if (found == info_.metadata.end() && absent) return *absent;
    const auto* value = found == info_.metadata.end() ? nullptr : std::get_if<double>(&found->second);
    if (value == nullptr || !std::isfinite(*value)) {
      return fail(ErrorCode::kCorrupt, "{}: \"{}\" is missing or no finite number", path_, key(name));
    }
    return *value;
  }

  std::string text(std::string_view name) const { return info_.text(key(name)); }

  tl::unexpected<Error> unsupported(std::string_view name, std::string_view why) const {
    return fail(ErrorCode::kUnsupported, "{}: \"{}\" {}. The model can be measured, not trained", path_, key(name),
                why);
  }

 private:
  const GgufInfo& info_;
  std::string path_, prefix_;
};

constexpr std::array<std::string_view, 4> kArchitectures{"llama", "qwen2", "qwen3", "gemma3"};

Result<void> check_architecture(const GgufInfo& info, const std::filesystem::path& path) {
  for (const auto known : kArchitectures) {
    if (info.architecture() == known) return {};
  }
  return fail(ErrorCode::kUnsupported,
              "{}: models of the architecture \"{}\" can be measured, not trained; llama, qwen2, qwen3 and gemma3 can",
              path.string(), info.architecture());
}

Result<void> read_sizes(const ShapeReader& keys, const GgufInfo& info, TransformerShape& shape) {
  VALENCE_TRY(shape.width, keys.positive("embedding_length"));
  VALENCE_TRY(shape.blocks, keys.positive("block_count"));
  VALENCE_TRY(shape.feed_forward, keys.positive("feed_forward_length"));
  VALENCE_TRY(shape.heads, keys.positive("attention.head_count"));
  VALENCE_TRY(shape.key_heads, keys.positive("attention.head_count_kv", shape.heads));
  VALENCE_TRY(shape.head_width,
              keys.positive("attention.key_length", std::max<std::int64_t>(shape.width / shape.heads, 1)));
  VALENCE_TRY(const auto values, keys.positive("attention.value_length", shape.head_width));
  VALENCE_TRY(const auto turned, keys.positive("rope.dimension_count", shape.head_width));
  shape.context_length = static_cast<std::int64_t>(info.context_length());
  if (shape.heads % shape.key_heads != 0)
    return keys.unsupported("attention.head_count_kv", "does not divide the number of heads");
  if (values != shape.head_width)
    return keys.unsupported("attention.value_length", "differs from the width of the keys");
  if (turned != shape.head_width) return keys.unsupported("rope.dimension_count", "is not the width of a head");
  if (shape.head_width % 2 != 0) return keys.unsupported("attention.key_length", "is odd");
  if (keys.has("expert_count") && info.number(keys.key("expert_count")) > 0) {
    return keys.unsupported("expert_count", "says that it is a mixture of experts");
  }
  return {};
}

Result<void> read_rope(const ShapeReader& keys, TransformerShape& shape) {
  VALENCE_TRY(shape.rope_base, keys.real("rope.freq_base", 10000.0));
  const auto scaling = keys.text("rope.scaling.type");
  if (!scaling.empty() && scaling != "none" && scaling != "linear") {
    return keys.unsupported("rope.scaling.type", fmt::format("is \"{}\"; none and linear are known", scaling));
  }
  VALENCE_TRY(const auto old_factor, keys.real("rope.scale_linear", 0.0));  // the key's former name
  VALENCE_TRY(const auto factor, keys.real("rope.scaling.factor", old_factor));
  if (factor < 0) return keys.unsupported("rope.scaling.factor", "is negative");
  shape.rope_scale = scaling == "none" || factor == 0 ? 1.0 : 1.0 / factor;
  VALENCE_TRY(const auto attention, keys.real("rope.scaling.attn_factor", 1.0));
  if (attention != 1.0) return keys.unsupported("rope.scaling.attn_factor", "is not 1");
  return {};
}

/// Gemma 3's largest model, told by its depth as llama.cpp does, divides by the width per head instead.
double attention_scale(const TransformerShape& shape) {
  const bool by_width = shape.architecture == "gemma3" && shape.blocks == 62;
  return 1.0 / std::sqrt(static_cast<double>(by_width ? shape.width / shape.heads : shape.head_width));
}

Result<void> read_gemma(const ShapeReader& keys, TransformerShape& shape) {
  shape.embedding_scale = static_cast<double>(std::sqrt(static_cast<float>(shape.width)));
  VALENCE_TRY(shape.logit_cap, keys.real("final_logit_softcapping", 0.0));
  VALENCE_TRY(shape.rope_base_local, keys.real("rope.freq_base_swa", 10000.0));
  VALENCE_TRY(shape.window, keys.has("attention.sliding_window") ? keys.positive("attention.sliding_window")
                                                                 : Result<std::int64_t>(0));
  VALENCE_TRY(shape.window_pattern, keys.positive("attention.sliding_window_pattern", 6));
  return {};
}

}  // namespace

Result<TransformerShape> read_shape(const GgufInfo& info, const std::filesystem::path& path) {
  VALENCE_CHECK(check_architecture(info, path));
  const ShapeReader keys(info, path);
  TransformerShape shape;
  shape.architecture = info.architecture();
  shape.rope_pairs = shape.architecture == "llama" ? RopePairs::kNeighbours : RopePairs::kHalves;
  VALENCE_CHECK(read_sizes(keys, info, shape));
  VALENCE_TRY(shape.norm_epsilon, keys.real("attention.layer_norm_rms_epsilon"));
  VALENCE_CHECK(read_rope(keys, shape));
  shape.attention_scale = attention_scale(shape);
  if (shape.architecture == "gemma3") VALENCE_CHECK(read_gemma(keys, shape));
  return shape;
}

}  // namespace valence
