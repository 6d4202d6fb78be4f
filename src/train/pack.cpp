#include <algorithm>
#include <cmath>
#include <limits>

#include "pass.h"

namespace valence {
namespace {

torch::Tensor int_tensor(const std::vector<std::int64_t>& values, torch::Device device) {
  return torch::tensor(values, torch::kInt64).to(device);
}

/// Writes one query's row; returns whether it sees all keys.
bool write_row(const TreePack& pack, const AttentionBlock& block, std::size_t query, std::int64_t window, float* row) {
  bool all = true;
  for (const auto& range : block.keys) {
    for (auto key = range.begin; key < range.end; ++key) {
      const bool seen = pack.sees(query, key, window);
      all = all && seen;
      *row++ = seen ? 0.0F : -std::numeric_limits<float>::infinity();
    }
  }
  return all;
}

torch::Tensor hidden_of(const TreePack& pack, const AttentionBlock& block, std::int64_t window) {
  const auto keys = block.key_count();
  auto hidden =
      torch::empty({static_cast<std::int64_t>(block.queries.size()), static_cast<std::int64_t>(keys)}, torch::kFloat32);
  auto* row = hidden.data_ptr<float>();
  bool all = true;
  for (auto query = block.queries.begin; query < block.queries.end; ++query, row += keys) {
    all = write_row(pack, block, query, window, row) && all;
  }
  return all ? torch::Tensor() : hidden;
}

}  // namespace

AttentionPlanPtr plan_attention(const TreePack& pack, std::int64_t window, torch::Device device) {
  auto plan = c10::make_intrusive<AttentionPlan>();
  for (const auto& block : pack.blocks) {
    const auto hidden = hidden_of(pack, block, window);
    plan->steps.push_back({block.queries, block.keys, hidden.defined() ? hidden.to(device) : hidden});
  }
  return plan;
}

RopeTable rope_table(const TreePack& pack, std::int64_t head_width, double base, double scale,
                     const torch::Tensor& factors, torch::Device device) {
  const auto half = static_cast<std::size_t>(head_width / 2);
  std::vector<double> frequency(half);
  for (std::size_t i = 0; i < half; ++i) {
    const double factor =
        factors.defined() ? static_cast<double>(factors[static_cast<std::int64_t>(i)].item<float>()) : 1.0;
    frequency[i] = scale * std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(head_width)) / factor;
  }
  const auto tokens = static_cast<std::int64_t>(pack.tokens.size());
  auto cosine = torch::empty({tokens, 1, head_width / 2}, torch::kFloat32), sine = torch::empty_like(cosine);
  auto *c = cosine.data_ptr<float>(), *s = sine.data_ptr<float>();
  for (const auto position : pack.positions) {
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(position) * frequency[i];
      *c++ = static_cast<float>(std::cos(angle));
      *s++ = static_cast<float>(std::sin(angle));
    }
  }
  return {cosine.to(device), sine.to(device)};
}

LossPlan plan_losses(const TreePack& pack, torch::Device device) {
  std::vector<std::int64_t> rows, row, target;
  for (const auto& loss : pack.losses) rows.push_back(static_cast<std::int64_t>(loss.row));
  std::ranges::sort(rows);
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  for (const auto& loss : pack.losses) {
    row.push_back(std::ranges::lower_bound(rows, static_cast<std::int64_t>(loss.row)) - rows.begin());
    target.push_back(loss.target);
  }
  return {int_tensor(rows, device), int_tensor(row, device), int_tensor(target, device)};
}

}  // namespace valence
