#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "valence/base/result.h"

namespace valence::stats {

/// How far apart two codes are.
enum class CodeScale { kNominal, kOrdinal, kInterval };

/// Krippendorff's alpha of `ratings[rater][unit]`, NaN where a rater skipped a unit. 1: perfect, 0: as by chance.
///
/// Units with fewer than two ratings pair nothing and are left out. Fails with kWrongCount when raters have unequally
/// many units or nothing can be paired, with kInvalid when all pairable ratings are the same (there is no variation to
/// agree on).
/// Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, C–E.
Result<double> krippendorff_alpha(const std::vector<std::vector<double>>& ratings, CodeScale scale);

/// Cohen's kappa of two raters' nominal codes (Cohen 1960). Fails with kWrongCount when the lengths differ or are 0,
/// with kInvalid when chance alone would always agree.
Result<double> cohen_kappa(std::span<const std::size_t> first, std::span<const std::size_t> second);

}  // namespace valence::stats
