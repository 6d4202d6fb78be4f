#pragma once

#include <array>

#include "design.h"
#include "valence/evaluate/head.h"

namespace valence {

/// Outputs per dimension of multinomial heads: opposed and upheld, against unrelated.
inline constexpr Eigen::Index kLogits = 2;

/// What the fits share: features and their scale, classes 0–2 per row and dimension, the prompt of each row.
struct FitData {
  const FeatureMatrix& features;
  double scale;
  Eigen::ArrayXXi classes;  ///< [row][dimension]
  std::vector<std::size_t> prompts;

  Eigen::Index rows() const { return classes.rows(); }
  Eigen::Index dims() const { return classes.cols(); }
};

/// Shares of the classes with half a case added to each, so that none is 0.
std::array<double, kLabelClasses> smoothed_shares(const FitData& data, Eigen::Index dim);

/// Weight of the pull of intercepts, cuts and slopes towards what the classes' shares alone would say, in observations:
/// enough to keep a class that never occurs finite, too little to be felt elsewhere.
inline constexpr double kPriorWeight = 0.1;

/// l2/2·|w|² of all but the last `free` entries of x plus kPriorWeight/2·|d|² of those; writes its gradient.
double penalty(const Vector& x, Eigen::Index free, double l2, Vector& gradient);

/// The two cuts of an ordered link at which every score 0 gives the smoothed shares.
struct Cuts {
  double low, high;
};
Cuts marginal_cuts(const FitData& data, Eigen::Index dim);

/// Σ over rows of −log P(class) of an ordered link, and its derivatives (McCullagh 1980). `scores` and `gradient` per
/// row.
struct OrderedLoss {
  double value = 0.0, d_low = 0.0, d_high = 0.0;
};
OrderedLoss ordered_loss(const Vector& scores, const Eigen::Ref<const Eigen::ArrayXi>& classes, const Cuts& cuts,
                         Vector& gradient);
std::array<double, kLabelClasses> ordered_probabilities(double score, const Cuts& cuts);

Head fit_ridge(const FitData& data, const HeadOptions& options);
Head fit_logistic(const FitData& data, const HeadOptions& options);
Head fit_ordinal(const FitData& data, const HeadOptions& options);
Head fit_mlp(const FitData& data, const HeadOptions& options);

/// A network of one layer.
Network linear_network(const Matrix& weights, const Vector& bias);

}  // namespace valence
