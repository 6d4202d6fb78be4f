#include "transformer_policy.h"

#include <limits>
#include <numeric>

#include "export.h"
#include "tree_batch.h"
#include "valence/model/safetensors.h"

namespace valence::train {
namespace {

/// All paths in one pack: how much goes into a pass is the trainer's decision. `whole`: the last tokens' states are read.
Result<TreePack> pack_of(std::span<const AnswerPath* const> paths, bool whole = false) {
  PathGroup group;
  for (const auto* path : paths) {
    std::vector<std::size_t> targets(path->learned());
    std::iota(targets.begin(), targets.end(), path->learned_from);
    group.paths.push_back({path->tokens, std::move(targets), whole});
  }
  PackLimits limits;
  limits.tokens = std::numeric_limits<std::size_t>::max();
  VALENCE_TRY(auto packs, pack_trees({&group, 1}, limits));
  return std::move(packs.front());
}

}  // namespace

TransformerPolicy::TransformerPolicy(std::unique_ptr<Transformer> transformer, std::string name, bool with_head)
    : transformer_(std::move(transformer)), name_(std::move(name)) {
  if (with_head) head_ = torch::zeros({transformer_->shape().width}, transformer_->device()).requires_grad_(true);
}

Result<torch::Tensor> TransformerPolicy::rewards(std::span<const AnswerPath* const> paths) {
  if (!head_.defined()) return Policy::rewards(paths);
  VALENCE_TRY(const auto pack, pack_of(paths, /*whole=*/true));
  std::vector<std::int64_t> last;
  for (const auto& path : pack.paths) last.push_back(static_cast<std::int64_t>(path.last));
  const auto rows = torch::tensor(last, torch::dtype(torch::kLong).device(transformer_->device()));
  return torch::mv(transformer_->states(pack).index_select(0, rows), head_);
}

Result<torch::Tensor> TransformerPolicy::logprobs(std::span<const AnswerPath* const> paths) {
  VALENCE_TRY(const auto pack, pack_of(paths));
  return transformer_->score(pack).logprob;
}

Result<torch::Tensor> TransformerPolicy::reference_logprobs(std::span<const AnswerPath* const> paths) {
  const AsReference reference(*transformer_);
  return logprobs(paths);
}

std::size_t TransformerPolicy::cost(std::span<const AnswerPath* const> paths) const {
  const auto pack = pack_of(paths);
  return pack ? pack->tokens.size() : std::numeric_limits<std::size_t>::max();
}

std::vector<std::pair<std::string, torch::Tensor>> TransformerPolicy::parameters() {
  std::vector<std::pair<std::string, torch::Tensor>> named;
  for (const auto& parameter : transformer_->parameters()) named.emplace_back(parameter.name, parameter.value);
  if (head_.defined()) named.emplace_back("head.weight", head_);
  return named;
}

void TransformerPolicy::set_training(bool on, std::size_t step) {
  if (on) {
    transformer_->train(static_cast<std::int64_t>(step));
  } else {
    transformer_->evaluate();
  }
}

Result<void> TransformerPolicy::save_head(const std::filesystem::path& path) const {
  const auto flat = head_.detach().to(torch::kCPU).contiguous();
  const auto* first = flat.data_ptr<float>();
  return write_safetensors(
      path, {{"head.weight", {static_cast<std::uint64_t>(flat.numel())}, {first, first + flat.numel()}}});
}

Result<std::filesystem::path> TransformerPolicy::save(const std::filesystem::path& folder) {
  const auto path = folder / "adapter.gguf";
  if (head_.defined()) VALENCE_CHECK(save_head(folder / "head.safetensors"));
  VALENCE_CHECK(export_lora_gguf(*transformer_, path, {.name = {}, .description = {}, .base = name_}));
  return path;
}

}  // namespace valence::train
