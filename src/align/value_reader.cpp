#include "value_reader.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>

#include "valence/base/text.h"
#include "valence/evaluate/shipped_evaluator.h"
#include "valence/evaluate/vector_features.h"
#include "valence/stats/distribution.h"
#include "valence/values/fulcra_gap.h"

namespace valence {
namespace {

Result<std::vector<double>> target_of(const Evaluator& evaluator, const Target& target) {
  if (evaluator.space() != target.space) {
    return fail(ErrorCode::kUsage, "the evaluator reads {}, and target {} lives in {}", evaluator.space(), target.id,
                target.space);
  }
  std::vector<double> values;
  for (std::size_t d = 0; d < evaluator.dimensions().size(); ++d) {
    values.push_back(target.value(evaluator.dimensions()[d]).value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  return values;
}

std::set<std::string> rows_of(const ValueReader& reader) {
  std::set<std::string> rows;
  for (const auto& evaluator : reader.evaluators()) {
    const auto& fitted = evaluator.provenance().fitted_on;
    rows.insert(fitted.begin(), fitted.end());
  }
  return rows;
}

/// The model's name where a family holds vectors: of whatever part of a text, one model made them.
std::string feature_of(const std::string& family) {
  const auto source = parse_vector_source(family);
  return source && source->has_value() ? (*source)->model : family;
}

std::set<std::string> features_of(const ValueReader& reader) {
  std::set<std::string> features;
  for (const auto& evaluator : reader.evaluators()) {
    for (const auto& family : evaluator.recipe().features()) features.insert(feature_of(family));
  }
  return features;
}

std::vector<std::string> in_both(const std::set<std::string>& a, const std::set<std::string>& b) {
  std::vector<std::string> both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return both;
}

}  // namespace

Result<void> require_unit_scale(const Target& target) {
  if (target.scale == ScoreScale::kUnit) return {};
  return fail(ErrorCode::kUsage, "target {} is on the {} scale; a reward needs the unit scale{}", target.id,
              to_string(target.scale),
              target.scale == ScoreScale::kRaw
                  ? ": name --map from_1_6 for ratings from 1 to 6"
                  : ", to which it cannot be brought; take one of fulcra_…, or import raw means (valence target import "
                    "--scores raw) and name --map from_1_6");
}

ValueReader::ValueReader(std::vector<Evaluator> evaluators, std::vector<double> target, const RewardOptions& options)
    : evaluators_(std::move(evaluators)), target_(std::move(target)), options_(options) {}

Result<ValueReader> ValueReader::open(const std::string& names, const Target& target, const RewardOptions& options,
                                      Progress& progress, const std::stop_token& stop) {
  VALENCE_CHECK(require_unit_scale(target));
  std::vector<Evaluator> evaluators;
  std::vector<double> values;
  for (const auto& name : split(names, ",")) {
    VALENCE_TRY(auto evaluator, open_evaluator(trim(name), progress, stop));
    VALENCE_TRY(values, target_of(evaluator, target));
    evaluators.push_back(std::move(evaluator));
  }
  return ValueReader(std::move(evaluators), std::move(values), options);
}

ValueReading ValueReader::reading_of(std::span<const std::vector<double>> readings) const {
  std::vector<double> rewards;
  ValueReading mean;
  mean.e.resize(target_.size(), 0.0);
  const auto share = 1.0 / static_cast<double>(readings.size());
  for (const auto& e : readings) {
    rewards.push_back(value_reward(e, target_, options_.form));
    mean.l1 += share * value_reward(e, target_, RewardForm::kL1);
    mean.masked += share * value_reward(e, target_, RewardForm::kMasked);
    mean.coverage += share * fulcra_coverage(e, target_);
    for (std::size_t d = 0; d < e.size(); ++d) mean.e[d] += share * e[d];
  }
  mean.reward = ensemble_reward(rewards, options_.rule, options_.lambda);
  return mean;
}

Result<std::vector<ValueReading>> ValueReader::read(std::span<const PromptedText> texts) const {
  std::vector<std::vector<std::vector<double>>> soft(texts.size());  // [text][evaluator][dimension]
  for (const auto& evaluator : evaluators_) {
    VALENCE_TRY(const auto read, evaluator.evaluate(texts));
    for (std::size_t text = 0; text < texts.size(); ++text) {
      auto& e = soft[text].emplace_back();
      for (std::size_t d = 0; d < read.dims; ++d) e.push_back(read.soft(text, d));
    }
  }
  std::vector<ValueReading> readings;
  for (const auto& one : soft) readings.push_back(reading_of(one));
  return readings;
}

std::size_t shared_rows(const ValueReader& first, const ValueReader& second) {
  return in_both(rows_of(first), rows_of(second)).size();
}

std::vector<std::string> shared_features(const ValueReader& first, const ValueReader& second) {
  return in_both(features_of(first), features_of(second));
}

}  // namespace valence
