#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "valence/base/random.h"
#include "valence/evaluate/completeness.h"

namespace valence::testing {

inline const DimensionNames& ten_values() {
  static const auto made = dimension_names(load_space("schwartz10").value()).value();
  return made;
}

/// Responses whose truth is known.
struct Simulation {
  std::size_t prompts = 300, responses = 2;  ///< and responses to each
  double noise = 0.0;                        ///< standard deviation of the labels' error; true values have 0.4
  double hidden = 0.0;  ///< weight in the logit of safety of something that is no value, and that the embedding shows
};

struct Simulated {
  SafetyData data;
  FeatureMatrix embedding;
};

/// Safety depends on security and benevolence (and what is hidden); the embedding is 40 noisy mixtures of the true
/// values and of what is hidden.
inline Simulated simulate(const Simulation& how, std::uint64_t seed) {
  constexpr std::size_t kWidth = 40, kValues = 10, kSecurity = 5, kBenevolence = 8;
  RandomStream stream(seed, "completeness");
  std::vector<std::vector<double>> mixing(kWidth, std::vector<double>(kValues + 1));
  for (auto& row : mixing) {
    for (auto& weight : row) weight = stream.normal();
  }
  Simulated made{{ten_values(), {}}, {}};
  std::vector<float> vectors;
  for (std::size_t i = 0; i < how.prompts * how.responses; ++i) {
    std::vector<double> truth(kValues + 1);
    for (auto& z : truth) z = stream.normal();
    const double logit = 1.2 * truth[kSecurity] + 1.2 * truth[kBenevolence] + how.hidden * truth[kValues];
    SafetyRow row;
    row.text = {fmt::format("prompt {}", i / how.responses), fmt::format("response {}", i)};
    row.safe = stream.uniform() < 1.0 / (1.0 + std::exp(-logit));
    row.genre = i % 3 == 0 ? "crime" : "other";
    for (std::size_t d = 0; d < kValues; ++d)
      row.e.push_back(std::clamp(0.3 * truth[d] + how.noise * stream.normal(), -1.0, 1.0));
    made.data.rows.push_back(std::move(row));
    for (const auto& weights : mixing) {
      double sum = 0.5 * stream.normal();
      for (std::size_t z = 0; z < truth.size(); ++z) sum += weights[z] * truth[z];
      vectors.push_back(static_cast<float>(sum));
    }
  }
  made.embedding = dense_features(made.data.rows.size(), kWidth, vectors).value();
  return made;
}

}  // namespace valence::testing
