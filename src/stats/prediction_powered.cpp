#include "valence/stats/prediction_powered.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "valence/base/random.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"
#include "valence/stats/resample.h"

namespace valence::stats {
namespace {

// ---- population and draw

Digest digest_of(std::string_view subject, const std::vector<std::string>& ids,
                 const std::vector<std::size_t>& clusters) {
  Hasher hasher;
  hasher.add("response population").add(subject);
  for (std::size_t i = 0; i < ids.size(); ++i) hasher.add(ids[i]).add(std::uint64_t{clusters[i]});
  return hasher.finish();
}

std::optional<std::string> repeated_id(const std::vector<std::string>& ids) {
  std::unordered_set<std::string_view> seen;
  for (const auto& id : ids) {
    if (!seen.insert(id).second) return id;
  }
  return std::nullopt;
}

Result<void> check_values(std::span<const double> values, std::size_t rows, std::size_t dims, std::string_view what) {
  if (dims == 0 || values.size() != rows * dims) {
    return fail(ErrorCode::kWrongCount, "{} responses with {} dimensions need {} {}, got {}", rows, dims, rows * dims,
                what, values.size());
  }
  const auto bad = std::find_if(values.begin(), values.end(), [](double x) { return !std::isfinite(x); });
  if (bad == values.end()) return {};
  return fail(ErrorCode::kInvalid, "response {} has no number among its {}",
              static_cast<std::size_t>(bad - values.begin()) / dims, what);
}

/// The first response that is among those an evaluator was fitted on.
Result<void> check_unseen(const std::string& id, const std::unordered_set<std::string_view>& fitted_on) {
  if (!fitted_on.contains(id)) return {};
  return fail(ErrorCode::kMismatch,
              "the evaluator was fitted on response {} and then read it, so its error there is too small. "
              "Leave these responses out of the training, or cross-fit",
              id);
}

// ---- cluster algebra

/// One side of the estimate: rows and the cluster of each.
struct Part {
  std::vector<std::size_t> rows;
  std::vector<std::size_t> cluster;  ///< numbered from 0
  std::size_t clusters = 0;

  double size() const { return static_cast<double>(rows.size()); }
};

Part part_of(const ResponsePopulation& population, std::vector<std::size_t> rows) {
  Part part{std::move(rows), {}, 0};
  std::unordered_map<std::size_t, std::size_t> numbers;
  for (const auto row : part.rows) {
    part.cluster.push_back(numbers.try_emplace(population.clusters()[row], numbers.size()).first->second);
  }
  part.clusters = numbers.size();
  return part;
}

/// Cluster sums of deviations from the mean.
std::vector<double> cluster_sums(const Part& part, std::span<const double> values) {
  const double centre = mean(values);
  std::vector<double> sums(part.clusters, 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) sums[part.cluster[i]] += values[i] - centre;
  return sums;
}

/// Covariance of two means over the same rows: G/(G−1)·Σ u·v / n².
double covariance_of_means(const Part& part, std::span<const double> x, std::span<const double> y) {
  const auto u = cluster_sums(part, x);
  const auto v = cluster_sums(part, y);
  double products = 0.0;
  for (std::size_t g = 0; g < u.size(); ++g) products += u[g] * v[g];
  const auto count = static_cast<double>(part.clusters);
  return count / (count - 1.0) * products / (part.size() * part.size());
}

double variance_of_mean(const Part& part, std::span<const double> x) { return covariance_of_means(part, x, x); }

/// Everything about one dimension.
struct DimensionData {
  std::vector<double> labels, labelled_readings, unlabelled_readings, all_readings;
};

struct Design {
  Part labelled, unlabelled, all;
};

double tuned_lambda(const Design& design, const DimensionData& data) {
  const double per_row = variance_of_mean(design.all, data.all_readings) * design.all.size();
  const double spread = per_row / design.labelled.size() + per_row / design.unlabelled.size();
  if (!(spread > 0.0)) return 0.0;  // readings that are all alike carry nothing
  return std::clamp(covariance_of_means(design.labelled, data.labels, data.labelled_readings) / spread, 0.0, 1.0);
}

std::vector<double> rectified(const DimensionData& data, double lambda) {
  std::vector<double> errors(data.labels.size());
  std::transform(data.labels.begin(), data.labels.end(), data.labelled_readings.begin(), errors.begin(),
                 [&](double label, double reading) { return label - lambda * reading; });
  return errors;
}

Estimate with_error(double value, double variance, const Design& design, std::string_view unit, double level) {
  Estimate estimate;
  estimate.value = value;
  const auto clusters = design.labelled.clusters;
  const double half = student_quantile(0.5 + level / 2.0, static_cast<double>(clusters - 1)) * std::sqrt(variance);
  estimate.low = value - half;
  estimate.high = value + half;
  estimate.level = level;
  estimate.count = clusters;
  estimate.unit = unit;
  return estimate;
}

Estimate labels_alone(const Design& design, const DimensionData& data, std::string_view unit, double level) {
  auto estimate = with_error(mean(data.labels), variance_of_mean(design.labelled, data.labels), design, unit, level);
  estimate.method = "labels only, Student t";
  return estimate;
}

PredictionPowered estimate_dimension(const Design& design, const DimensionData& data, std::string_view unit,
                                     PowerTuning tuning, double level) {
  PredictionPowered result;
  result.labels_only = labels_alone(design, data, unit, level);
  result.readings_only = mean(data.all_readings);
  if (design.unlabelled.rows.empty()) {
    result.lambda = 0.0;
    result.mean = result.labels_only;
    return result;
  }
  result.lambda = tuning == PowerTuning::kTuned ? tuned_lambda(design, data) : 1.0;
  const auto errors = rectified(data, result.lambda);
  const double value = result.lambda * mean(data.unlabelled_readings) + mean(errors);
  const double variance =
      result.lambda * result.lambda * variance_of_mean(design.unlabelled, data.unlabelled_readings) +
      variance_of_mean(design.labelled, errors);
  result.mean = with_error(value, variance, design, unit, level);
  result.mean.method = fmt::format("prediction-powered (lambda {:.2f}, {} responses labelled of {})", result.lambda,
                                   design.labelled.rows.size(), design.all.rows.size());
  return result;
}

Design design_of(const ResponsePopulation& population, const LabellingDraw& draw) {
  std::vector<bool> drawn(population.ids().size(), false);
  for (const auto row : draw.rows) drawn[row] = true;
  std::vector<std::size_t> rest, all;
  for (std::size_t row = 0; row < drawn.size(); ++row) {
    all.push_back(row);
    if (!drawn[row]) rest.push_back(row);
  }
  return {part_of(population, draw.rows), part_of(population, std::move(rest)), part_of(population, std::move(all))};
}

std::vector<double> readings_of(const HonestReadings& readings, const Part& part, std::size_t dim) {
  std::vector<double> values;
  for (const auto row : part.rows) values.push_back(readings.value(row, dim));
  return values;
}

DimensionData data_of(const LabelledSample& labelled, const HonestReadings& readings, const Design& design,
                      std::size_t dim) {
  DimensionData data;
  for (std::size_t i = 0; i < design.labelled.rows.size(); ++i) data.labels.push_back(labelled.label(i, dim));
  data.labelled_readings = readings_of(readings, design.labelled, dim);
  data.unlabelled_readings = readings_of(readings, design.unlabelled, dim);
  data.all_readings = readings_of(readings, design.all, dim);
  return data;
}

}  // namespace

Result<ResponsePopulation> ResponsePopulation::of(std::string_view subject, std::vector<std::string> ids,
                                                  std::span<const std::string> clusters) {
  if (ids.empty() || ids.size() != clusters.size()) {
    return fail(ErrorCode::kWrongCount,
                "a population of responses needs one prompt per response; got {} responses and {} prompts", ids.size(),
                clusters.size());
  }
  if (const auto id = repeated_id(ids)) return fail(ErrorCode::kInvalid, "response {} is in the population twice", *id);
  ResponsePopulation population;
  population.subject_ = subject;
  population.ids_ = std::move(ids);
  population.clusters_ = cluster_ids(clusters);
  population.cluster_count_ = count_draws(population.ids_.size(), population.clusters_);
  population.digest_ = digest_of(subject, population.ids_, population.clusters_);
  return population;
}

Result<LabellingDraw> draw_for_labelling(const ResponsePopulation& population, std::size_t clusters,
                                         std::uint64_t seed) {
  const auto available = population.cluster_count();
  if (clusters == 0 || clusters > available) {
    return fail(ErrorCode::kWrongCount, "{} prompts were to be drawn from the {} of {}", clusters, available,
                population.subject());
  }
  std::vector<std::vector<std::size_t>> rows_of(available);
  for (std::size_t row = 0; row < population.ids().size(); ++row) rows_of[population.clusters()[row]].push_back(row);
  const auto order = RandomStream(seed, "labelling draw").permutation(available);
  LabellingDraw draw{population.digest(), seed, {}, clusters};
  for (std::size_t c = 0; c < clusters; ++c) {
    const auto& rows = rows_of[order[c]];
    draw.rows.insert(draw.rows.end(), rows.begin(), rows.end());
  }
  return draw;
}

Result<LabelledSample> LabelledSample::from_draw(const ResponsePopulation& population, const LabellingDraw& draw,
                                                 std::vector<double> labels, std::size_t dims) {
  if (draw.population != population.digest()) {
    return fail(ErrorCode::kMismatch,
                "the labels are of responses drawn elsewhere, not of {}'s: they say nothing about it. Draw and "
                "label a sample of its own responses",
                population.subject());
  }
  VALENCE_TRY(const auto redrawn, draw_for_labelling(population, draw.clusters, draw.seed));
  if (redrawn.rows != draw.rows) {
    return fail(ErrorCode::kMismatch,
                "the labelled responses are not what seed {} draws: rows were chosen, added or left out. "
                "Label the whole draw",
                draw.seed);
  }
  VALENCE_CHECK(check_values(labels, draw.rows.size(), dims, "labels"));
  LabelledSample sample;
  sample.draw_ = draw;
  sample.labels_ = std::move(labels);
  sample.dims_ = dims;
  return sample;
}

Result<HonestReadings> HonestReadings::of_unseen(const ResponsePopulation& population,
                                                 std::span<const std::string> fitted_on, std::vector<double> values,
                                                 std::size_t dims) {
  const std::vector<std::size_t> read_by(population.ids().size(), 0);
  return cross_fitted(population, {{fitted_on.begin(), fitted_on.end()}}, read_by, std::move(values), dims);
}

Result<HonestReadings> HonestReadings::cross_fitted(const ResponsePopulation& population,
                                                    const std::vector<std::vector<std::string>>& fitted_on,
                                                    std::span<const std::size_t> read_by, std::vector<double> values,
                                                    std::size_t dims) {
  const auto& ids = population.ids();
  VALENCE_CHECK(check_values(values, ids.size(), dims, "readings"));
  std::vector<std::unordered_set<std::string_view>> seen;
  for (const auto& rows : fitted_on) seen.emplace_back(rows.begin(), rows.end());
  if (read_by.size() != ids.size() ||
      std::any_of(read_by.begin(), read_by.end(), [&](auto e) { return e >= seen.size(); })) {
    return fail(ErrorCode::kWrongCount, "each of {} responses needs one of {} evaluators that read it", ids.size(),
                seen.size());
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    VALENCE_CHECK(check_unseen(ids[i], seen[read_by[i]]));
  }
  HonestReadings readings;
  readings.population_ = population.digest();
  readings.values_ = std::move(values);
  readings.dims_ = dims;
  return readings;
}

Result<std::vector<PredictionPowered>> prediction_powered_means(const ResponsePopulation& population,
                                                                const LabelledSample& labelled,
                                                                const HonestReadings& readings, std::string_view unit,
                                                                PowerTuning tuning, double level) {
  if (labelled.draw().population != population.digest() || readings.population() != population.digest()) {
    return fail(ErrorCode::kMismatch, "labels and readings are not both of {}'s responses", population.subject());
  }
  if (labelled.dims() != readings.dims()) {
    return fail(ErrorCode::kMismatch, "the labels have {} dimensions, the readings {}", labelled.dims(),
                readings.dims());
  }
  const auto design = design_of(population, labelled.draw());
  if (design.labelled.clusters < 2 || design.unlabelled.clusters == 1) {
    return fail(
        ErrorCode::kWrongCount,
        "prediction-powered inference needs at least 2 labelled {}s and either none or 2 unlabelled; got {} and {}",
        unit, design.labelled.clusters, design.unlabelled.clusters);
  }
  std::vector<PredictionPowered> results;
  for (std::size_t d = 0; d < labelled.dims(); ++d) {
    results.push_back(estimate_dimension(design, data_of(labelled, readings, design, d), unit, tuning, level));
  }
  return results;
}

}  // namespace valence::stats
