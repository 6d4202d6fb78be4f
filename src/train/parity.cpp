#include "parity.h"

#include <algorithm>
#include <cmath>

#include "valence/model/gguf.h"
#include "valence/model/token_scorer.h"

namespace valence {
namespace {

constexpr double kF32Tolerance = 0.02, kRoundedTolerance = 0.25;  // nats

Result<bool> is_f32(const std::filesystem::path& path) {
  VALENCE_TRY(const auto info, read_gguf_header(path));
  return std::ranges::all_of(info.tensors,
                             [](const GgufTensor& tensor) { return ggml_format(tensor.type)->name == "f32"; });
}

/// Each text alone, every token but the first a target.
Result<std::vector<TreePack>> packs_of(std::span<const std::vector<TokenId>> texts) {
  std::vector<TreePack> packs;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() < 2)
      return fail(ErrorCode::kInvalid, "text {} has {} tokens; the comparison needs two at least", i + 1,
                  texts[i].size());
    TrainingPath path{texts[i], {}, false};
    for (std::size_t target = 1; target < texts[i].size(); ++target) path.targets.push_back(target);
    const PathGroup group{{std::move(path)}};
    PackLimits limits;
    limits.tokens = texts[i].size();
    VALENCE_TRY(auto made, pack_trees(std::span(&group, 1), limits));
    packs.push_back(std::move(made.front()));
  }
  return packs;
}

}  // namespace

std::string Parity::describe() const {
  return fmt::format("trainer and engine differ by {:.2g} nats per token on average, {:.2g} at most ({} tokens)", mean,
                     largest, tokens);
}

Result<double> default_tolerance(const Transformer& model, const ParityOptions& options) {
  const bool converted = options.format != "as_is";
  if (model.bf16() || (converted && options.format != "f32")) return kRoundedTolerance;
  std::vector<std::filesystem::path> files;
  if (!converted) files.push_back(model.source());
  for (const auto& adapter : options.adapters) files.emplace_back(adapter.path);
  for (const auto& file : files) {
    VALENCE_TRY(const bool exact, is_f32(file));
    if (!exact) return kRoundedTolerance;
  }
  return kF32Tolerance;
}

Result<Parity> compare_with_engine(const Transformer& model, std::span<const std::vector<TokenId>> texts,
                                   const ParityOptions& options) {
  VALENCE_TRY(auto engine, TokenScorer::open(model.source(), options.format, options.adapters, options.threads));
  VALENCE_TRY(const double usual, default_tolerance(model, options));
  const double tolerance = options.tolerance.value_or(usual);
  VALENCE_TRY(const auto packs, packs_of(texts));
  const torch::NoGradGuard no_grad;
  Parity parity;
  double sum = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    VALENCE_TRY(const auto expected, engine.logprobs(texts[i]));
    const auto scored = model.score(packs[i]).logprob.to(torch::kCPU, torch::kFloat64).contiguous();
    const auto* found = scored.data_ptr<double>();
    for (std::size_t k = 0; k < expected.size(); ++k) {
      const auto difference = std::abs(found[k] - expected[k]);
      sum += difference;
      parity.largest = std::isfinite(difference) ? std::max(parity.largest, difference) : INFINITY;
    }
    parity.tokens += expected.size();
  }
  parity.mean = parity.tokens == 0 ? 0 : sum / static_cast<double>(parity.tokens);
  if (!(parity.mean <= tolerance)) {
    return fail(ErrorCode::kMismatch,
                "{}: {}; {} nats are tolerated. What is trained would not be what is measured. Likely causes: rope "
                "(base, scaling or kind), an adapter bound on one side only",
                model.source().string(), parity.describe(), tolerance);
  }
  return parity;
}

}  // namespace valence
