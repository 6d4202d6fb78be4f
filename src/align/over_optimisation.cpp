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

Estimate difference(const std::vector<double>& first, const std::vector<double>& second) {
  const auto pairing = defined_in_both(first, second);
  return stats::student_paired(pairing.first, pairing.second, kUnit);
}

bool is_below_zero(const Estimate& estimate) { return estimate.has_interval() && estimate.high < 0.0; }

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
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto fall = difference(points[best].held_out, points[i].held_out);
    if (is_below_zero(fall) && !is_below_zero(difference(points[best].proxy, points[i].proxy))) {
      course.turn = points[i].round;
      course.fall = fall;
      break;
    }
    if (fall.value > 0.0) best = i;
  }
  course.best = points[best].round;
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
  return step;
}

Json to_json(std::span<const RewardPoint> points) {
  Json rows = Json::array();
  for (const auto& point : points) {
    rows.push_back({{"round", point.round},
                    {"sqrt_kl", std::sqrt(std::max(point.kl, 0.0))},
                    {"kl", point.kl},
                    {"proxy", to_json(mean_of(point.proxy))},
                    {"held_out", to_json(mean_of(point.held_out))}});
  }
  return rows;
}

}  // namespace valence
