#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"
#include "valence/stats/estimate.h"

/// Means of labels, where a few responses are labelled and a fallible evaluator has read them all (prediction-powered
/// inference; Angelopoulos, Bates, Fannjiang, Jordan and Zrnic 2023; power tuning: Angelopoulos, Duchi and Zrnic 2023,
/// PPI++). The evaluator may be as biased as it likes; what must hold is that the labelled responses are a random
/// sample of the very responses that the evaluator read, and that it was not fitted on them. The types below cannot be
/// made otherwise: a sample of labels exists only for a draw that can be drawn again, and readings only with a record
/// of what the evaluator was fitted on.
namespace valence::stats {

/// The responses that the mean is about: one subject's, to one set of prompts.
class ResponsePopulation {
 public:
  /// `ids`: what tells responses apart (a hash of prompt and response); `clusters`: the prompt of each, the random
  /// unit. Fails with kWrongCount on unequal lengths or without responses, with kInvalid when an id occurs twice.
  static Result<ResponsePopulation> of(std::string_view subject, std::vector<std::string> ids,
                                       std::span<const std::string> clusters);

  const std::string& subject() const { return subject_; }
  const std::vector<std::string>& ids() const { return ids_; }
  const std::vector<std::size_t>& clusters() const { return clusters_; }  ///< cluster of each response, numbered from 0
  std::size_t cluster_count() const { return cluster_count_; }
  const Digest& digest() const { return digest_; }

 private:
  ResponsePopulation() = default;
  std::string subject_;
  std::vector<std::string> ids_;
  std::vector<std::size_t> clusters_;
  std::size_t cluster_count_ = 0;
  Digest digest_;
};

/// Which responses people are to label. A pure function of population, number and seed, so it is stored as those three.
struct LabellingDraw {
  Digest population;
  std::uint64_t seed = 0;
  std::vector<std::size_t> rows;  ///< every response of each drawn cluster, in the order of the draw
  std::size_t clusters = 0;
};

/// The first `clusters` clusters of a random order that `seed` determines: who stops earlier has a draw as well, as
/// long as stopping does not depend on the labels. Fails with kWrongCount on none or more than there are.
Result<LabellingDraw> draw_for_labelling(const ResponsePopulation& population, std::size_t clusters,
                                         std::uint64_t seed);

/// Labels of a random sample.
class LabelledSample {
 public:
  /// `labels`: [drawn row][dimension], in the order of the draw.
  /// Fails with kMismatch when the draw is of another population or is not what its seed draws (rows were chosen, left
  /// out or taken from elsewhere), with kWrongCount when labels are missing and kInvalid when one is not a number.
  static Result<LabelledSample> from_draw(const ResponsePopulation& population, const LabellingDraw& draw,
                                          std::vector<double> labels, std::size_t dims);

  const LabellingDraw& draw() const { return draw_; }
  std::size_t dims() const { return dims_; }
  double label(std::size_t drawn, std::size_t dim) const { return labels_[drawn * dims_ + dim]; }

 private:
  LabelledSample() = default;
  LabellingDraw draw_;
  std::vector<double> labels_;
  std::size_t dims_ = 0;
};

/// An evaluator's readings of a whole population, none made by an evaluator that was fitted on the response it read.
class HonestReadings {
 public:
  /// By one evaluator, fitted on the responses `fitted_on` (ids). `values`: [response][dimension].
  /// Fails with kMismatch when a response of the population is among them, with kWrongCount or kInvalid on bad values.
  static Result<HonestReadings> of_unseen(const ResponsePopulation& population, std::span<const std::string> fitted_on,
                                          std::vector<double> values, std::size_t dims);
  /// By cross-fitting: response i was read by evaluator `read_by[i]`, which was fitted on `fitted_on[read_by[i]]`.
  static Result<HonestReadings> cross_fitted(const ResponsePopulation& population,
                                             const std::vector<std::vector<std::string>>& fitted_on,
                                             std::span<const std::size_t> read_by, std::vector<double> values,
                                             std::size_t dims);

  const Digest& population() const { return population_; }
  std::size_t dims() const { return dims_; }
  double value(std::size_t row, std::size_t dim) const { return values_[row * dims_ + dim]; }

 private:
  HonestReadings() = default;
  Digest population_;
  std::vector<double> values_;
  std::size_t dims_ = 0;
};

/// How much the readings weigh.
enum class PowerTuning {
  kClassical,  ///< λ = 1: mean of readings plus mean error on the labelled
  kTuned,      ///< λ of least variance, within [0, 1]: never much worse than labels alone
};

struct PredictionPowered {
  Estimate mean;  ///< of the labels; count: labelled clusters
  double lambda = 1.0;
  Estimate labels_only;        ///< what the labelled responses say by themselves
  double readings_only = 0.0;  ///< mean reading of all responses: biased as the evaluator is, hence without interval
};

/// θ = λ·mean(f, unlabelled) + mean(y − λ·f, labelled), per dimension; variance by linearisation, clusters as the
/// random unit (cluster sums of deviations, G/(G − 1)); Student's quantile on labelled clusters − 1 degrees of freedom.
/// λ = cov(y, f) / ((1 + n/N)·var(f)) (PPI++, §6.1, with cluster sums). With every response labelled it is their mean.
/// Fails with kMismatch when sample and readings are of different populations or spaces, kWrongCount with fewer than
/// two labelled clusters, or one unlabelled.
Result<std::vector<PredictionPowered>> prediction_powered_means(const ResponsePopulation& population,
                                                                const LabelledSample& labelled,
                                                                const HonestReadings& readings, std::string_view unit,
                                                                PowerTuning tuning = PowerTuning::kTuned,
                                                                double level = 0.95);

}  // namespace valence::stats
