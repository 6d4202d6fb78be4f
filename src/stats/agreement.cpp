#include "valence/stats/agreement.h"

#include <cmath>
#include <map>
#include <numeric>

namespace valence::stats {
namespace {

/// How often code c met code k within a unit, each unit weighted by 1/(ratings − 1); symmetric.
struct Coincidences {
  std::vector<double> codes;                // in increasing order
  std::vector<std::vector<double>> counts;  // [code][code]
  std::vector<double> totals;               // [code], row sums
  double pairable = 0.0;                    // ratings that had a partner
};

/// Per unit: how often each code (by its index among `codes`) was given.
using CodeCounts = std::map<double, double>;

std::vector<CodeCounts> pairable_units(const std::vector<std::vector<double>>& ratings) {
  std::vector<CodeCounts> units;
  for (std::size_t u = 0; u < ratings.front().size(); ++u) {
    CodeCounts counts;
    double given = 0.0;
    for (const auto& rater : ratings) {
      if (std::isnan(rater[u])) continue;
      counts[rater[u]] += 1.0;
      given += 1.0;
    }
    if (given >= 2.0) units.push_back(std::move(counts));
  }
  return units;
}

Coincidences coincidences_of(const std::vector<CodeCounts>& units) {
  std::map<double, std::size_t> index;
  for (const auto& unit : units) {
    for (const auto& [code, count] : unit) index.emplace(code, 0);
  }
  Coincidences result;
  for (auto& [code, place] : index) {
    place = result.codes.size();
    result.codes.push_back(code);
  }
  const std::size_t n = result.codes.size();
  result.counts.assign(n, std::vector<double>(n, 0.0));
  result.totals.assign(n, 0.0);
  for (const auto& unit : units) {
    double given = 0.0;
    for (const auto& [code, count] : unit) given += count;
    for (const auto& [c, c_count] : unit) {
      for (const auto& [k, k_count] : unit) {
        result.counts[index[c]][index[k]] += c_count * (c == k ? k_count - 1.0 : k_count) / (given - 1.0);
      }
      result.totals[index[c]] += c_count;
      result.pairable += c_count;
    }
  }
  return result;
}

/// Squared difference of two codes, c < k by index.
double squared_difference(const Coincidences& data, std::size_t c, std::size_t k, CodeScale scale) {
  if (scale == CodeScale::kNominal) return 1.0;
  if (scale == CodeScale::kInterval) return (data.codes[c] - data.codes[k]) * (data.codes[c] - data.codes[k]);
  double between = -(data.totals[c] + data.totals[k]) / 2.0;
  for (std::size_t g = c; g <= k; ++g) between += data.totals[g];
  return between * between;
}

Result<void> check_ratings(const std::vector<std::vector<double>>& ratings) {
  if (ratings.size() < 2) {
    return fail(ErrorCode::kWrongCount, "agreement needs at least 2 raters, got {}", ratings.size());
  }
  for (std::size_t r = 1; r < ratings.size(); ++r) {
    if (ratings[r].size() != ratings[0].size()) {
      return fail(ErrorCode::kWrongCount, "every rater needs an entry per unit (NaN where skipped): rater 0 has {}, "
                  "rater {} has {}", ratings[0].size(), r, ratings[r].size());
    }
  }
  return {};
}

}  // namespace

Result<double> krippendorff_alpha(const std::vector<std::vector<double>>& ratings, CodeScale scale) {
  VALENCE_CHECK(check_ratings(ratings));
  const auto units = pairable_units(ratings);
  if (units.empty()) return fail(ErrorCode::kWrongCount, "no unit was rated by two raters; nothing can be compared");
  const auto data = coincidences_of(units);
  double observed = 0.0, expected = 0.0;
  for (std::size_t c = 0; c < data.codes.size(); ++c) {
    for (std::size_t k = c + 1; k < data.codes.size(); ++k) {
      const double distance = squared_difference(data, c, k, scale);
      observed += data.counts[c][k] * distance;
      expected += data.totals[c] * data.totals[k] * distance;
    }
  }
  if (expected == 0.0) {
    return fail(ErrorCode::kInvalid, "all {} ratings are the same; without variation alpha is undefined",
                data.pairable);
  }
  return 1.0 - (data.pairable - 1.0) * observed / expected;
}

Result<double> cohen_kappa(std::span<const std::size_t> first, std::span<const std::size_t> second) {
  if (first.size() != second.size() || first.empty()) {
    return fail(ErrorCode::kWrongCount, "kappa needs two equally long, non-empty series, got {} and {}", first.size(),
                second.size());
  }
  const double share = 1.0 / static_cast<double>(first.size());
  std::map<std::size_t, double> first_shares, second_shares;
  double agreed = 0.0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    first_shares[first[i]] += share;
    second_shares[second[i]] += share;
    if (first[i] == second[i]) agreed += share;
  }
  if (first_shares.size() == 1 && second_shares.size() == 1 && first[0] == second[0]) {
    return fail(ErrorCode::kInvalid, "both raters gave the same code throughout; chance alone would always agree");
  }
  double by_chance = 0.0;
  for (const auto& [code, p] : first_shares) by_chance += p * second_shares[code];
  return (agreed - by_chance) / (1.0 - by_chance);
}

}  // namespace valence::stats
