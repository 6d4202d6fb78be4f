#include "advantages.h"

#include <algorithm>
#include <cmath>

namespace valence::train {
namespace {

double mean_of(std::span<const double> numbers) {
  double sum = 0.0;
  for (const double x : numbers) sum += x;
  return sum / static_cast<double>(numbers.size());
}

double squares_around(std::span<const double> numbers, double centre) {
  double sum = 0.0;
  for (const double x : numbers) sum += (x - centre) * (x - centre);
  return sum;
}

bool all_equal(std::span<const double> numbers) {
  return std::ranges::all_of(numbers, [&](double x) { return x == numbers.front(); });
}

Result<void> check_group(std::size_t count) {
  if (count >= 2) return {};
  return fail(ErrorCode::kWrongCount, "advantages within a group need at least 2 answers to a prompt, got {}", count);
}

}  // namespace

std::vector<double> token_rewards(std::span<const double> kl, double beta, double answer_reward) {
  std::vector<double> rewards;
  for (const double k : kl) rewards.push_back(-beta * k);
  if (!rewards.empty()) rewards.back() += answer_reward;
  return rewards;
}

Result<Gae> generalised_advantages(std::span<const double> rewards, std::span<const double> values, double gamma,
                                   double lambda) {
  if (rewards.size() != values.size()) {
    return fail(ErrorCode::kWrongCount, "advantages need a value for each of {} rewards, got {}", rewards.size(),
                values.size());
  }
  Gae gae{std::vector<double>(rewards.size()), std::vector<double>(rewards.size())};
  double next_value = 0.0, next_advantage = 0.0;
  for (std::size_t t = rewards.size(); t-- > 0;) {
    const double delta = rewards[t] + gamma * next_value - values[t];
    next_advantage = delta + gamma * lambda * next_advantage;
    next_value = values[t];
    gae.advantages[t] = next_advantage;
    gae.returns[t] = next_advantage + values[t];
  }
  return gae;
}

void whiten(std::span<double> numbers, bool keep_mean) {
  if (numbers.size() < 2) return;
  const double centre = mean_of(numbers);
  const double variance = squares_around(numbers, centre) / static_cast<double>(numbers.size());
  for (double& x : numbers) x = (x - centre) / std::sqrt(variance + 1e-8) + (keep_mean ? centre : 0.0);
}

Result<std::vector<double>> group_advantages(std::span<const double> rewards, GroupScale scale, double floor) {
  VALENCE_CHECK(check_group(rewards.size()));
  const double centre = mean_of(rewards);
  const auto count = static_cast<double>(rewards.size());
  const double degrees = scale == GroupScale::kSampleDeviation ? count - 1 : count;
  const double divisor =
      scale == GroupScale::kNone ? 1.0 : std::sqrt(squares_around(rewards, centre) / degrees) + floor;
  std::vector<double> advantages(rewards.size(), 0.0);
  if (all_equal(rewards) || divisor == 0.0) return advantages;  // not what rounding leaves, divided by the floor
  std::ranges::transform(rewards, advantages.begin(), [&](double r) { return (r - centre) / divisor; });
  return advantages;
}

Result<std::vector<double>> leave_one_out_advantages(std::span<const double> rewards) {
  VALENCE_CHECK(check_group(rewards.size()));
  const double centre = mean_of(rewards);
  const auto count = static_cast<double>(rewards.size());
  std::vector<double> advantages;
  if (all_equal(rewards)) return std::vector<double>(rewards.size(), 0.0);
  for (const double r : rewards) advantages.push_back(count / (count - 1) * (r - centre));
  return advantages;
}

void penalise_missing_end(std::span<double> rewards, const std::vector<bool>& ended, double penalty) {
  for (std::size_t i = 0; i < rewards.size(); ++i) rewards[i] -= ended[i] ? 0.0 : penalty;
}

void AdaptiveKl::update(double observed) { beta_ *= 1.0 + gain_ * std::clamp(observed / target_ - 1.0, -0.2, 0.2); }

double kl_k1(double logprob, double reference_logprob) { return logprob - reference_logprob; }

double kl_k3(double log_ratio) { return std::expm1(-log_ratio) + log_ratio; }

}  // namespace valence::train
