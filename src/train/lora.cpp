#include "lora.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace valence {
namespace {

constexpr std::array<LoraTarget, 7> kTargets{{{"attn_q", "self_attn.q_proj"},
                                              {"attn_k", "self_attn.k_proj"},
                                              {"attn_v", "self_attn.v_proj"},
                                              {"attn_output", "self_attn.o_proj"},
                                              {"ffn_gate", "mlp.gate_proj"},
                                              {"ffn_up", "mlp.up_proj"},
                                              {"ffn_down", "mlp.down_proj"}}};

std::string all_names() {
  std::string names;
  for (const auto& target : kTargets) names += fmt::format("{}{}", names.empty() ? "" : ", ", target.gguf);
  return names;
}

}  // namespace

std::span<const LoraTarget> lora_targets() { return kTargets; }

double LoraOptions::scale() const {
  const auto r = static_cast<double>(rank);
  return alpha / (rank_stabilised ? std::sqrt(r) : r);
}

Result<void> check_lora(const LoraOptions& options) {
  if (options.rank < 1 || options.rank > 1024)
    return fail(ErrorCode::kUsage, "a LoRA rank of {}: choose 1 to 1024", options.rank);
  if (!(options.alpha > 0) || !std::isfinite(options.alpha)) {
    return fail(ErrorCode::kUsage, "a LoRA alpha of {}: choose a number above 0", options.alpha);
  }
  if (!(options.dropout >= 0 && options.dropout < 1)) {
    return fail(ErrorCode::kUsage, "a LoRA dropout of {}: choose 0 up to, not including, 1", options.dropout);
  }
  for (const auto& name : options.targets) {
    if (std::ranges::find(kTargets, name, &LoraTarget::gguf) == kTargets.end()) {
      return fail(ErrorCode::kUsage, "LoRA target \"{}\" is unknown; choose from {}", name, all_names());
    }
  }
  return {};
}

}  // namespace valence
