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

torch::Tensor rows_of(const torch::Tensor& states, const std::vector<std::int64_t>& rows) {
  return states.index_select(0, torch::tensor(rows, torch::dtype(torch::kLong).device(states.device())));
}

/// The states that a pack's targets are predicted from.
torch::Tensor states_before(const TreePack& pack, const torch::Tensor& states) {
  std::vector<std::int64_t> rows;
  for (const auto& loss : pack.losses) rows.push_back(static_cast<std::int64_t>(loss.row));
  return rows_of(states, rows);
}

std::string tensor_of(LinearHead head) { return head == LinearHead::kValue ? "value_head.weight" : "head.weight"; }

}  // namespace

TransformerPolicy::TransformerPolicy(std::unique_ptr<Transformer> transformer, std::string name, LinearHead head)
    : transformer_(std::move(transformer)), name_(std::move(name)), kind_(head) {
  if (kind_ != LinearHead::kNone)
    head_ = torch::zeros({transformer_->shape().width}, transformer_->device()).requires_grad_(true);
}

Result<torch::Tensor> TransformerPolicy::rewards(std::span<const AnswerPath* const> paths) {
  if (kind_ != LinearHead::kReward) return Policy::rewards(paths);
  VALENCE_TRY(const auto pack, pack_of(paths, /*whole=*/true));
  std::vector<std::int64_t> last;
  for (const auto& path : pack.paths) last.push_back(static_cast<std::int64_t>(path.last));
  return torch::mv(rows_of(transformer_->states(pack), last), head_);
}

Result<torch::Tensor> TransformerPolicy::logprobs(std::span<const AnswerPath* const> paths) {
  VALENCE_TRY(const auto pack, pack_of(paths));
  return transformer_->score(pack).logprob;
}

Result<PolicyReading> TransformerPolicy::read(std::span<const AnswerPath* const> paths, bool with_entropy) {
  VALENCE_TRY(const auto pack, pack_of(paths));
  const auto states = transformer_->states(pack);
  const auto scores = transformer_->score(pack, states, with_entropy);
  PolicyReading reading{scores.logprob, scores.entropy, {}};
  if (kind_ == LinearHead::kValue) reading.values = torch::mv(states_before(pack, states), head_);
  return reading;
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
  if (head_.defined()) named.emplace_back(tensor_of(kind_), head_);
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
      path, {{tensor_of(kind_), {static_cast<std::uint64_t>(flat.numel())}, {first, first + flat.numel()}}});
}

Result<std::filesystem::path> TransformerPolicy::save(const std::filesystem::path& folder) {
  const auto path = folder / "adapter.gguf";
  const auto* file = kind_ == LinearHead::kValue ? "value_head.safetensors" : "head.safetensors";
  if (head_.defined()) VALENCE_CHECK(save_head(folder / file));
  if (transformer_->tuning().part == TunedPart::kEverything) {
    const auto whole = folder / "model.gguf";
    VALENCE_CHECK(export_merged_gguf(*transformer_, whole, "f32", {}));
    return whole;
  }
  VALENCE_CHECK(export_lora_gguf(*transformer_, path, {.name = {}, .description = {}, .base = name_}));
  return path;
}

}  // namespace valence::train
