#pragma once

#include <string_view>
#include <vector>

#include "valence/instruments/target_gap.h"
#include "valence/stats/resample.h"

namespace valence {

/// What a distance is called, and which way it points.
struct Distance {
  Estimand estimand;
  bool agreement;  ///< the larger, the nearer
  std::string_view blind;  ///< as GapFigure::blind
};

/// A gap with the replicates behind it, so that two of them can be compared.
struct EvaluatedGap {
  TargetGap gap;
  std::vector<Distance> distances;
  stats::Replicates replicates;
};

/// Estimates with intervals; `count`: units behind each.
std::vector<GapFigure> figures_of(const std::vector<Distance>& distances, std::size_t count, const stats::Replicates& replicates,
                                  std::string_view unit);

bool same_units(const Estimator& a, const Estimator& b);

/// Second minus first, Holm-corrected over the distances; `paired`: both were replicated with the same weights.
Result<ComparedGap> compared_gap(EvaluatedGap first, EvaluatedGap second, bool paired, std::string_view unit);

}  // namespace valence
