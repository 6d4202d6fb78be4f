#include "valence/evaluate/completeness.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "lbfgs.h"
#include "valence/evaluate/folds.h"
#include "valence/stats/bootstrap.h"
#include "valence/stats/resample.h"

namespace valence {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using Rows = std::vector<std::size_t>;

constexpr double kNotAtAll = std::numeric_limits<double>::infinity();
constexpr std::array kValuePenalties{0.3, 1.0, 3.0, 10.0};
constexpr std::array kEmbeddingPenalties{0.03, 0.1, 0.3, 1.0, 3.0, 10.0, kNotAtAll};
constexpr std::array kRidgePenalties{0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0};
constexpr std::size_t kFewestOfAKind = 20;

Matrix rows_of(const Matrix& all, const Rows& rows) {
  Matrix part(static_cast<Eigen::Index>(rows.size()), all.cols());
  for (std::size_t i = 0; i < rows.size(); ++i)
    part.row(static_cast<Eigen::Index>(i)) = all.row(static_cast<Eigen::Index>(rows[i]));
  return part;
}

Vector rows_of(const Vector& all, const Rows& rows) {
  Vector part(static_cast<Eigen::Index>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i)
    part[static_cast<Eigen::Index>(i)] = all[static_cast<Eigen::Index>(rows[i])];
  return part;
}

Matrix beside(const Matrix& left, const Matrix& right) {
  Matrix both(left.rows(), left.cols() + right.cols());
  both << left, right;
  return both;
}

// ---- logistic regression with an offset

double softplus(double x) { return x > 0.0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double sigmoid(double x) { return x >= 0.0 ? 1.0 / (1.0 + std::exp(-x)) : std::exp(x) / (1.0 + std::exp(x)); }

/// −log P(y) of each row, nats; y is 0 or 1.
Vector losses(const Vector& logit, const Vector& y) {
  return logit.binaryExpr(y, [](double z, double one) { return softplus(z) - one * z; });
}

/// Minimises Σ −log P + penalty/2·|w|²; the first `free` weights are not penalised (intercepts; a tiny penalty keeps
/// them finite).
Vector fit_logistic(const Matrix& x, const Vector& y, const Vector& offset, double penalty, Eigen::Index free) {
  constexpr double kTiny = 1e-3;
  Vector penalties = Vector::Constant(x.cols(), penalty);
  penalties.head(free).setConstant(kTiny);
  const auto objective = [&](const Vector& w, Vector& gradient) {
    const Vector logit = offset + x * w;
    const Vector residual = logit.unaryExpr(&sigmoid) - y;
    gradient = x.transpose() * residual + penalties.cwiseProduct(w);
    return losses(logit, y).sum() + 0.5 * w.cwiseProduct(penalties).dot(w);
  };
  return minimise(objective, Vector::Zero(x.cols()), 1e-5, 300).x;
}

// ---- columns

/// Mean 0 and mean square 1 on the training rows; a constant column becomes 0.
struct Scaling {
  Eigen::RowVectorXd mean, scale;

  static Scaling of(const Matrix& x) {
    Scaling scaling{x.colwise().mean(), {}};
    const Matrix centred = x.rowwise() - scaling.mean;
    scaling.scale = (centred.colwise().squaredNorm() / static_cast<double>(x.rows())).cwiseSqrt();
    scaling.scale = scaling.scale.unaryExpr([](double s) { return s > 1e-9 ? 1.0 / s : 0.0; });
    return scaling;
  }
  Matrix apply(const Matrix& x) const { return (x.rowwise() - mean).array().rowwise() * scale.array(); }
};

/// Everything in numbers.
struct Design {
  Matrix genres;     ///< intercept of each genre
  Matrix values;     ///< labelled E
  Matrix embedding;  ///< columns divided by √width, so that a penalty means the same for any
  Vector safe;
  std::vector<std::string> prompts;

  Design part(const Rows& rows) const {
    Design part{rows_of(genres, rows), rows_of(values, rows), rows_of(embedding, rows), rows_of(safe, rows), {}};
    for (const auto row : rows) part.prompts.push_back(prompts[row]);
    return part;
  }
  Eigen::Index size() const { return safe.size(); }
};

Matrix dense(const FeatureMatrix& features) {
  Matrix x = Matrix::Zero(static_cast<Eigen::Index>(features.rows), static_cast<Eigen::Index>(features.columns));
  for (std::size_t row = 0; row < features.rows; ++row) {
    for (auto at = features.starts[row]; at < features.starts[row + 1]; ++at)
      x(static_cast<Eigen::Index>(row), features.column[at]) = static_cast<double>(features.value[at]);
  }
  return x;
}

Design design_of(const SafetyData& data, const FeatureMatrix& embedding) {
  std::map<std::string, Eigen::Index> place;
  for (const auto& row : data.rows) place.try_emplace(row.genre, static_cast<Eigen::Index>(place.size()));
  const auto rows = static_cast<Eigen::Index>(data.rows.size());
  Design design{Matrix::Zero(rows, static_cast<Eigen::Index>(place.size())),
                Matrix::Zero(rows, static_cast<Eigen::Index>(data.names.size())),
                dense(embedding),
                Vector::Zero(rows),
                {}};
  for (Eigen::Index i = 0; i < rows; ++i) {
    const auto& row = data.rows[static_cast<std::size_t>(i)];
    design.genres(i, place.at(row.genre)) = 1.0;
    for (std::size_t d = 0; d < row.e.size(); ++d) design.values(i, static_cast<Eigen::Index>(d)) = row.e[d];
    design.safe[i] = row.safe ? 1.0 : 0.0;
    design.prompts.push_back(prompt_key(row.text.prompt));
  }
  return design;
}

// ---- values as the embedding predicts them

/// Ridge regression of several targets, for a grid of penalties at once.
class RidgePath {
 public:
  RidgePath(const Matrix& x, const Matrix& y) : scaling_(Scaling::of(x)), mean_(y.colwise().mean()) {
    const Matrix scaled = width(scaling_.apply(x));
    Eigen::SelfAdjointEigenSolver<Matrix> solver(scaled.transpose() * scaled);
    vectors_ = solver.eigenvectors();
    values_ = solver.eigenvalues().cwiseMax(0.0);
    projected_ = vectors_.transpose() * (scaled.transpose() * (y.rowwise() - mean_));
  }
  Matrix predict(const Matrix& x, double penalty) const {
    const Matrix weights = vectors_ * (values_.array() + penalty).inverse().matrix().asDiagonal() * projected_;
    return (width(scaling_.apply(x)) * weights).rowwise() + mean_;
  }

 private:
  static Matrix width(Matrix x) { return x / std::sqrt(static_cast<double>(std::max<Eigen::Index>(x.cols(), 1))); }
  Scaling scaling_;
  Eigen::RowVectorXd mean_;
  Matrix vectors_, projected_;
  Vector values_;
};

/// Of training rows from the other inner folds, of test rows from all training rows; the penalty of least error.
struct PredictedValues {
  Matrix train, test;
};

Result<PredictedValues> predict_values(const Design& train, const Design& test, const CompletenessOptions& options) {
  VALENCE_TRY(const auto folds, grouped_folds(train.prompts, options.inner_folds, options.seed));
  std::vector<Matrix> held(kRidgePenalties.size(), Matrix::Zero(train.size(), train.values.cols()));
  for (std::size_t fold = 0; fold < folds.count; ++fold) {
    const auto inside = folds.inside(fold), outside = folds.outside(fold);
    const RidgePath path(rows_of(train.embedding, outside), rows_of(train.values, outside));
    for (std::size_t p = 0; p < held.size(); ++p) {
      const auto predicted = path.predict(rows_of(train.embedding, inside), kRidgePenalties[p]);
      for (std::size_t i = 0; i < inside.size(); ++i)
        held[p].row(static_cast<Eigen::Index>(inside[i])) = predicted.row(static_cast<Eigen::Index>(i));
    }
  }
  const auto error = [&](const Matrix& one) { return (one - train.values).squaredNorm(); };
  const auto best =
      std::min_element(held.begin(), held.end(), [&](const auto& a, const auto& b) { return error(a) < error(b); });
  const auto penalty = kRidgePenalties[static_cast<std::size_t>(best - held.begin())];
  return PredictedValues{*best, RidgePath(train.embedding, train.values).predict(test.embedding, penalty)};
}

// ---- models of safety

/// Logits of training and test rows.
struct Logits {
  Vector train, test;
};

/// Genres' intercepts and standardised columns under one penalty.
Logits fit_columns(const Design& train, const Design& test, const Matrix& columns, const Matrix& test_columns,
                   double penalty) {
  const auto scaling = Scaling::of(columns);
  const auto x = beside(train.genres, scaling.apply(columns));
  const auto w = fit_logistic(x, train.safe, Vector::Zero(train.size()), penalty, train.genres.cols());
  return {x * w, beside(test.genres, scaling.apply(test_columns)) * w};
}

/// The embedding as a correction to logits.
Logits correct(const Design& train, const Design& test, const Logits& base, double penalty) {
  if (penalty == kNotAtAll) return base;
  const auto scaling = Scaling::of(train.embedding);
  const double width = std::sqrt(static_cast<double>(train.embedding.cols()));
  const Matrix x = scaling.apply(train.embedding) / width;
  const auto w = fit_logistic(x, train.safe, base.train, penalty, 0);
  return {base.train + x * w, base.test + (scaling.apply(test.embedding) / width) * w};
}

/// Held-out loss within the training rows, summed over inner folds, per penalty.
template <std::size_t N, class Fit>
Result<double> best_penalty(const Design& train, const std::array<double, N>& penalties,
                            const CompletenessOptions& options, Fit fit) {
  VALENCE_TRY(const auto folds, grouped_folds(train.prompts, options.inner_folds, options.seed + 1));
  std::array<double, N> loss{};
  for (std::size_t fold = 0; fold < folds.count; ++fold) {
    const auto inside = folds.inside(fold), outside = folds.outside(fold);
    for (std::size_t p = 0; p < N; ++p)
      loss[p] += losses(fit(outside, inside, penalties[p]).test, rows_of(train.safe, inside)).sum();
  }
  return penalties[static_cast<std::size_t>(std::min_element(loss.begin(), loss.end()) - loss.begin())];
}

/// A model of columns with the penalty that its training rows choose, and the embedding on top of it.
struct Pair {
  Logits columns, with_embedding;
  bool used = false;  ///< the embedding
};

Result<Pair> fit_pair(const Design& train, const Design& test, const Matrix& columns, const Matrix& test_columns,
                      const CompletenessOptions& options) {
  const auto inner = [&](const Rows& outside, const Rows& inside, double penalty) {
    return fit_columns(train.part(outside), train.part(inside), rows_of(columns, outside), rows_of(columns, inside),
                       penalty);
  };
  VALENCE_TRY(const auto own, best_penalty(train, kValuePenalties, options, inner));
  const auto corrected = [&](const Rows& outside, const Rows& inside, double penalty) {
    return correct(train.part(outside), train.part(inside), inner(outside, inside, own), penalty);
  };
  VALENCE_TRY(const auto penalty, best_penalty(train, kEmbeddingPenalties, options, corrected));
  Pair pair{fit_columns(train, test, columns, test_columns, own), {}, penalty != kNotAtAll};
  pair.with_embedding = correct(train, test, pair.columns, penalty);
  return pair;
}

// ---- held-out losses

enum Column : std::size_t { kChance, kLabels, kDenoised, kGain, kBeyond, kColumns };

struct HeldOutLosses {
  std::vector<std::array<double, kColumns>> rows;
  Matrix predicted;  ///< values, held out
  std::size_t used = 0;
};

Result<void> add_fold(const Design& design, const Rows& inside, const Rows& outside, const CompletenessOptions& options,
                      HeldOutLosses& held) {
  const auto train = design.part(outside), test = design.part(inside);
  VALENCE_TRY(const auto predicted, predict_values(train, test, options));
  const Matrix none(train.size(), 0), no_test(test.size(), 0);
  const auto chance = losses(fit_columns(train, test, none, no_test, 1.0).test, test.safe);
  VALENCE_TRY(const auto labels, fit_pair(train, test, train.values, test.values, options));
  VALENCE_TRY(const auto denoised, fit_pair(train, test, beside(train.values, predicted.train),
                                            beside(test.values, predicted.test), options));
  const auto a = losses(labels.columns.test, test.safe), b = losses(labels.with_embedding.test, test.safe);
  const auto c = losses(denoised.columns.test, test.safe), d = losses(denoised.with_embedding.test, test.safe);
  for (std::size_t i = 0; i < inside.size(); ++i) {
    const auto k = static_cast<Eigen::Index>(i);
    held.rows[inside[i]] = {chance[k], a[k], c[k], a[k] - b[k], c[k] - d[k]};
    held.predicted.row(static_cast<Eigen::Index>(inside[i])) = predicted.test.row(k);
  }
  held.used += denoised.used ? 1 : 0;
  return {};
}

// ---- figures

/// Means of the columns over the rows of a genre, prompts being the random unit.
Result<CompletenessFigure> figure_of(const SafetyData& data, const HeldOutLosses& held, const Rows& rows,
                                     std::string genre, const CompletenessOptions& options) {
  std::vector<std::string> prompts;
  CompletenessFigure figure;
  figure.genre = std::move(genre);
  figure.rows = rows.size();
  for (const auto row : rows) {
    prompts.push_back(prompt_key(data.rows[row].text.prompt));
    figure.unsafe += data.rows[row].safe ? 0 : 1;
  }
  const auto clusters = stats::cluster_ids(prompts);
  figure.prompts = stats::count_draws(rows.size(), clusters);
  const auto means = [&](std::span<const double> weights) {
    std::vector<double> sums(kColumns, 0.0);
    double weight = 0.0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      weight += weights[i];
      for (std::size_t c = 0; c < kColumns; ++c) sums[c] += weights[i] * held.rows[rows[i]][c];
    }
    for (auto& sum : sums) sum /= weight;
    return sums;
  };
  VALENCE_TRY(const auto replicates, stats::replicate(means, rows.size(), clusters, options.replicates, options.seed));
  const auto estimates = stats::intervals(replicates, "prompt");
  figure.chance = estimates[kChance];
  figure.labels = estimates[kLabels];
  figure.denoised = estimates[kDenoised];
  figure.gain = estimates[kGain];
  figure.beyond = estimates[kBeyond];
  return figure;
}

/// Genres that are large and mixed enough to be shown by themselves.
std::map<std::string, Rows> large_genres(const SafetyData& data, std::size_t fewest) {
  std::map<std::string, Rows> genres;
  for (std::size_t i = 0; i < data.rows.size(); ++i) {
    if (!data.rows[i].genre.empty()) genres[data.rows[i].genre].push_back(i);
  }
  std::erase_if(genres, [&](const auto& entry) {
    const auto safe = static_cast<std::size_t>(
        std::count_if(entry.second.begin(), entry.second.end(), [&](auto row) { return data.rows[row].safe; }));
    const auto rarer = std::min(safe, entry.second.size() - safe);
    return entry.second.size() < fewest || 4 * rarer < entry.second.size();
  });
  return genres;
}

std::vector<double> explained_shares(const Matrix& values, const Matrix& predicted) {
  std::vector<double> shares;
  for (Eigen::Index d = 0; d < values.cols(); ++d) {
    const Vector centred = values.col(d).array() - values.col(d).mean();
    const double all = centred.squaredNorm();
    shares.push_back(all > 0.0 ? 1.0 - (values.col(d) - predicted.col(d)).squaredNorm() / all
                               : std::numeric_limits<double>::quiet_NaN());
  }
  return shares;
}

Result<void> check(const SafetyData& data, const FeatureMatrix& embedding) {
  if (embedding.rows != data.rows.size() || embedding.columns == 0) {
    return fail(ErrorCode::kWrongCount, "{} responses need as many vectors, got {} of {} numbers", data.rows.size(),
                embedding.rows, embedding.columns);
  }
  const auto safe = static_cast<std::size_t>(
      std::count_if(data.rows.begin(), data.rows.end(), [](const auto& row) { return row.safe; }));
  if (safe >= kFewestOfAKind && data.rows.size() - safe >= kFewestOfAKind) return {};
  return fail(ErrorCode::kWrongCount,
              "telling safe from unsafe needs at least {} responses of each; got {} safe and {} unsafe", kFewestOfAKind,
              safe, data.rows.size() - safe);
}

}  // namespace

Result<CompletenessReport> completeness(const SafetyData& data, const FeatureMatrix& embedding,
                                        const CompletenessOptions& options) {
  VALENCE_CHECK(check(data, embedding));
  const auto design = design_of(data, embedding);
  VALENCE_TRY(const auto folds, grouped_folds(design.prompts, options.folds, options.seed));
  HeldOutLosses held{std::vector<std::array<double, kColumns>>(data.rows.size()),
                     Matrix::Zero(design.size(), design.values.cols()), 0};
  for (std::size_t fold = 0; fold < folds.count; ++fold)
    VALENCE_CHECK(add_fold(design, folds.inside(fold), folds.outside(fold), options, held));
  CompletenessReport report;
  report.folds = folds.count;
  report.folds_with_embedding = held.used;
  report.explained = explained_shares(design.values, held.predicted);
  Rows all(data.rows.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  VALENCE_TRY(auto whole, figure_of(data, held, all, "", options));
  report.figures.push_back(std::move(whole));
  for (const auto& [genre, rows] : large_genres(data, options.fewest)) {
    VALENCE_TRY(auto figure, figure_of(data, held, rows, genre, options));
    report.figures.push_back(std::move(figure));
  }
  return report;
}

}  // namespace valence
