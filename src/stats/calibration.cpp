#include "valence/stats/calibration.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "valence/stats/intervals.h"

namespace valence::stats {
namespace {

/// Cases of one bin, by index.
struct BinnedCases {
  double low, high;
  std::vector<std::size_t> cases;
};

Result<void> check_cases(std::span<const double> probability, std::span<const double> happened, std::size_t bins) {
  if (probability.size() != happened.size() || probability.empty() || bins == 0) {
    return fail(ErrorCode::kWrongCount,
                "a reliability curve needs one outcome per probability, a case and a bin; got {} probabilities, "
                "{} outcomes and {} bins",
                probability.size(), happened.size(), bins);
  }
  for (std::size_t i = 0; i < probability.size(); ++i) {
    if (!(probability[i] >= 0.0 && probability[i] <= 1.0)) {
      return fail(ErrorCode::kInvalid, "case {} has probability {}, expected one in [0, 1]", i, probability[i]);
    }
    if (happened[i] != 0.0 && happened[i] != 1.0) {
      return fail(ErrorCode::kInvalid, "case {} has outcome {}, expected 0 or 1", i, happened[i]);
    }
  }
  return {};
}

std::vector<BinnedCases> equal_width(std::span<const double> probability, std::size_t bins) {
  const auto count = static_cast<double>(bins);
  std::vector<BinnedCases> result(bins);
  for (std::size_t b = 0; b < bins; ++b)
    result[b] = {static_cast<double>(b) / count, static_cast<double>(b + 1) / count, {}};
  for (std::size_t i = 0; i < probability.size(); ++i) {
    result[std::min(static_cast<std::size_t>(probability[i] * count), bins - 1)].cases.push_back(i);
  }
  return result;
}

/// A case goes where the first of its ties would go by rank.
std::vector<BinnedCases> equal_count(std::span<const double> probability, std::size_t bins) {
  std::vector<std::size_t> order(probability.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return probability[a] < probability[b]; });
  std::vector<BinnedCases> result(bins);
  std::size_t bin = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const double p = probability[order[rank]];
    if (rank == 0 || p > probability[order[rank - 1]]) bin = rank * bins / order.size();
    auto& [low, high, cases] = result[bin];
    low = cases.empty() ? p : low;
    high = p;
    cases.push_back(order[rank]);
  }
  return result;
}

double sum_over(std::span<const double> values, const std::vector<std::size_t>& cases) {
  double sum = 0.0;
  for (const auto i : cases) sum += values[i];
  return sum;
}

}  // namespace

Result<std::vector<ReliabilityBin>> reliability_curve(std::span<const double> probability,
                                                      std::span<const double> happened, std::size_t bins,
                                                      Binning binning, double level) {
  VALENCE_CHECK(check_cases(probability, happened, bins));
  std::vector<ReliabilityBin> curve;
  for (const auto& [low, high, cases] :
       binning == Binning::kEqualWidth ? equal_width(probability, bins) : equal_count(probability, bins)) {
    if (cases.empty()) continue;
    const double promised = sum_over(probability, cases) / static_cast<double>(cases.size());
    curve.push_back({low, high, promised, wilson(sum_over(happened, cases), cases.size(), "case", level)});
  }
  return curve;
}

double expected_calibration_error(std::span<const ReliabilityBin> curve) {
  double error = 0.0, cases = 0.0;
  for (const auto& bin : curve) {
    const auto count = static_cast<double>(bin.observed.count);
    error += count * std::abs(bin.mean_probability - bin.observed.value);
    cases += count;
  }
  return error / cases;
}

}  // namespace valence::stats
