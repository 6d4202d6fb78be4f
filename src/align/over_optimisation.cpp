#include "valence/align/over_optimisation.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "valence/stats/intervals.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

constexpr std::string_view kUnit = "prompt";

/// Both values of the prompts that have them in both.
struct Pairing {
  std::vector<double> first, second;
};

Pairing defined_in_both(const std::vector<double>& first, const std::vector<double>& second) {
  Pairing pairing;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (std::isnan(first[i]) || std::isnan(second[i])) continue;
    pairing.first.push_back(first[i]);
    pairing.second.push_back(second[i]);
  }
  return pairing;
}

Estimate difference(const std::vector<double>& first, const std::vector<double>& second, double level = 0.95) {
  const auto pairing = defined_in_both(first, second);
  return stats::student_paired(pairing.first, pairing.second, kUnit, level);
}

/// Level of the intervals at the i-th look after the first. Their one-sided errors, 0.05 / (i (i + 1)), add up to at
/// most 5 % over any number of looks; each is shared among the i rounds that the best one was chosen from, and between
/// the two ways to turn.
double level_at(std::size_t look) {
  constexpr double kError = 0.05, kWays = 2.0;
  const auto i = static_cast<double>(look);
  return 1.0 - 2.0 * kError / (i * (i + 1.0) * i * kWays);
}

/// 1 where something was said and read, 0 where not.
std::vector<double> answered(const RewardPoint& point) {
  std::vector<double> answered;
  for (const double reward : point.proxy) answered.push_back(std::isnan(reward) ? 0.0 : 1.0);
  return answered;
}

bool is_below_zero(const Estimate& estimate) { return estimate.has_interval() && estimate.high < 0.0; }

/// Whether what watches ends below its best: too little for a turn, or the reward fell with it.
bool lost(const RewardPoint& best, const RewardPoint& last) {
  return is_below_zero(difference(best.held_out, last.held_out));
}

Estimate mean_of(const std::vector<double>& values) {
  return stats::student_mean(defined_in_both(values, values).first, kUnit);
}

Result<void> check(std::span<const RewardPoint> points) {
  for (const auto& point : points) {
    const bool alike =
        point.proxy.size() == points.front().proxy.size() && point.held_out.size() == points.front().proxy.size();
    if (alike && point.proxy.size() >= 2) continue;
    return fail(ErrorCode::kWrongCount,
                "the course of an alignment needs both rewards of the same 2 or more prompts in every round; round {} "
                "has {} and {}",
                point.round, point.proxy.size(), point.held_out.size());
  }
  if (!points.empty()) return {};
  return fail(ErrorCode::kWrongCount, "the course of an alignment needs at least one round");
}

}  // namespace

Result<OptimisationCourse> course_of(std::span<const RewardPoint> points) {
  VALENCE_CHECK(check(points));
  OptimisationCourse course;
  std::size_t best = 0;
  for (std::size_t i = 1; i < points.size() && !course.turn; ++i) {
    const auto &then = points[best], &now = points[i];
    const double level = level_at(i);
    course.silent = is_below_zero(difference(answered(then), answered(now), level));
    const bool fell = is_below_zero(difference(then.held_out, now.held_out, level)) &&
                      !is_below_zero(difference(then.proxy, now.proxy));
    if (course.silent || fell) {
      course.turn = now.round;
      course.fall = course.silent ? difference(answered(then), answered(now)) : difference(then.held_out, now.held_out);
    } else if (difference(then.held_out, now.held_out).value > 0.0) {
      best = i;
    }
  }
  course.best = points[best].round;
  course.kept = course.turn || lost(points[best], points.back()) ? course.best : points.back().round;
  return course;
}

TrainingStep training_step(const RewardPoint& point) {
  TrainingStep step;
  step.step = static_cast<std::int64_t>(point.round);
  step.examples = static_cast<std::int64_t>(point.proxy.size());
  if (std::isfinite(point.kl)) step.kl = point.kl;
  const auto proxy = mean_of(point.proxy), held_out = mean_of(point.held_out);
  if (std::isfinite(proxy.value)) step.reward = proxy.value;
  if (std::isfinite(held_out.value)) step.others["held_out_reward"] = held_out.value;
  for (const auto& [name, values] : point.kind) {
    if (const double mean = mean_of(values).value; std::isfinite(mean)) step.others[name] = mean;
  }
  step.others["answered"] = mean_of(answered(point)).value;
  return step;
}

Json to_json(std::span<const RewardPoint> points) {
  Json rows = Json::array();
  for (const auto& point : points) {
    Json row = {{"round", point.round},
                {"sqrt_kl", std::sqrt(std::max(point.kl, 0.0))},
                {"kl", point.kl},
                {"proxy", to_json(mean_of(point.proxy))},
                {"held_out", to_json(mean_of(point.held_out))},
                {"answered", to_json(within(mean_of(answered(point)), 0.0, 1.0))}};
    for (const auto& [name, values] : point.kind) row[name] = to_json(mean_of(values));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace valence
