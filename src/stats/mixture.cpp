#include "valence/stats/mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "valence/stats/intervals.h"

namespace valence::stats {
namespace {

constexpr double kTolerance = 1e-12;
constexpr int kMaxSteps = 200;  // halving alone needs 40
constexpr double kNoShare = std::numeric_limits<double>::quiet_NaN();

/// First and second derivative of the log-likelihood in lambda.
struct Slope {
  double first = 0.0;
  double second = 0.0;
};

Slope slope_at(std::span<const MixtureItem> items, double lambda) {
  Slope slope;
  for (const auto& item : items) {
    const double uniform = 1.0 / static_cast<double>(item.type.size());
    for (std::size_t k = 0; k < item.type.size(); ++k) {
      if (item.counts[k] == 0.0) continue;
      const double difference = item.type[k] - uniform;
      const double ratio = difference / (lambda * item.type[k] + (1.0 - lambda) * uniform);  // −∞ where forbidden
      slope.first += item.counts[k] * ratio;
      slope.second -= item.counts[k] * ratio * ratio;
    }
  }
  return slope;
}

/// Where the decreasing slope crosses zero within [low, high]: Newton, halving when a step leaves the bracket.
double root_of_slope(std::span<const MixtureItem> items, double low, double high) {
  double lambda = (low + high) / 2.0;
  for (int step = 0; step < kMaxSteps && high - low > kTolerance; ++step) {
    const Slope slope = slope_at(items, lambda);
    if (slope.first == 0.0) return lambda;
    (slope.first > 0.0 ? low : high) = lambda;
    const double newton = lambda - slope.first / slope.second;
    if (std::abs(newton - lambda) < kTolerance) return std::clamp(newton, 0.0, 1.0);
    lambda = newton > low && newton < high ? newton : (low + high) / 2.0;
  }
  return lambda;
}

/// Whether the answers say anything about lambda: some answered option is likelier or less likely under the type.
bool is_identified(std::span<const MixtureItem> items) { return slope_at(items, 0.0).second < -1e-24; }

/// The point between the maximum and `end` at which the log-likelihood has fallen to `floor`; `end` if it never does.
double profile_end(std::span<const MixtureItem> items, double maximum, double end, double floor) {
  if (mixture_log_likelihood(items, end) >= floor) return end;
  double inside = maximum, outside = end;
  for (int step = 0; step < kMaxSteps && std::abs(outside - inside) > kTolerance; ++step) {
    const double middle = (inside + outside) / 2.0;
    (mixture_log_likelihood(items, middle) >= floor ? inside : outside) = middle;
  }
  return (inside + outside) / 2.0;
}

Result<void> check_item(const MixtureItem& item, std::size_t index) {
  if (item.counts.empty() || item.counts.size() != item.type.size()) {
    return fail(ErrorCode::kWrongCount, "item {}: {} counts for a type of {} options; both must list every option",
                index, item.counts.size(), item.type.size());
  }
  double sum = 0.0;
  for (std::size_t k = 0; k < item.type.size(); ++k) {
    if (!(item.counts[k] >= 0.0) || !std::isfinite(item.counts[k])) {
      return fail(ErrorCode::kInvalid, "item {}: count {} of option {} is not a finite number of at least 0", index,
                  item.counts[k], k);
    }
    if (!(item.type[k] >= 0.0)) {
      return fail(ErrorCode::kInvalid, "item {}: the type gives option {} the probability {}", index, k, item.type[k]);
    }
    sum += item.type[k];
  }
  if (std::abs(sum - 1.0) > 1e-9) {
    return fail(ErrorCode::kInvalid, "item {}: the type's probabilities sum to {}, not to 1", index, sum);
  }
  return {};
}

}  // namespace

double mixture_log_likelihood(std::span<const MixtureItem> items, double lambda) {
  double sum = 0.0;
  for (const auto& item : items) {
    const double uniform = 1.0 / static_cast<double>(item.type.size());
    for (std::size_t k = 0; k < item.type.size(); ++k) {
      if (item.counts[k] > 0.0) sum += item.counts[k] * std::log(lambda * item.type[k] + (1.0 - lambda) * uniform);
    }
  }
  return sum;
}

double mixture_share(std::span<const MixtureItem> items) {
  if (!is_identified(items)) return kNoShare;
  if (slope_at(items, 0.0).first <= 0.0) return 0.0;
  if (slope_at(items, 1.0).first >= 0.0) return 1.0;
  return root_of_slope(items, 0.0, 1.0);
}

Result<void> check_mixture(std::span<const MixtureItem> items) {
  for (std::size_t i = 0; i < items.size(); ++i) VALENCE_CHECK(check_item(items[i], i));
  return {};
}

Result<Estimate> fit_mixture(std::span<const MixtureItem> items, std::size_t answers, double level) {
  VALENCE_CHECK(check_mixture(items));
  Estimate estimate;
  estimate.value = mixture_share(items);
  estimate.level = level;
  estimate.count = answers;
  estimate.unit = "answer";
  estimate.method = "profile likelihood";
  if (std::isnan(estimate.value)) {
    estimate.method = "undefined: the answers cannot tell the type from uniform";
    return estimate;
  }
  const double floor = mixture_log_likelihood(items, estimate.value) - chi_squared_quantile(level, 1.0) / 2.0;
  estimate.low = profile_end(items, estimate.value, 0.0, floor);
  estimate.high = profile_end(items, estimate.value, 1.0, floor);
  return estimate;
}

}  // namespace valence::stats
