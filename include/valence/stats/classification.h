#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace valence::stats {

/// How often each class was taken for each. Counts may be fractional (bootstrap weights). Confusions of several
/// questions add up to the pooled one.
struct Confusion {
  explicit Confusion(std::size_t class_count) : classes(class_count), counts(class_count * class_count, 0.0) {}

  std::size_t classes;
  std::vector<double> counts;  ///< [truth][predicted]

  double at(std::size_t truth, std::size_t predicted) const { return counts[truth * classes + predicted]; }
  void add(std::size_t truth, std::size_t predicted, double weight = 1.0) {
    counts[truth * classes + predicted] += weight;
  }
  Confusion& operator+=(const Confusion& other);  ///< of as many classes (asserted)
  double total() const;
};

/// Counts of equally long series of classes below `classes` (asserted). `weights`: empty, or one per case.
Confusion confusion(std::span<const std::size_t> truth, std::span<const std::size_t> predicted, std::size_t classes,
                    std::span<const double> weights = {});

/// One class against the rest. NaN where the denominator is 0: precision of a class never predicted, recall of one that
/// never occurs, F1 of one that does neither.
struct ClassFigures {
  double precision, recall, f1;
  double support;  ///< cases of the class
};
ClassFigures class_figures(const Confusion& confusion, std::size_t which);

/// Share of the diagonal; NaN without cases.
double accuracy(const Confusion& confusion);
/// Mean F1 of the classes that occur or were predicted; a class that does neither has no F1 and is left out. So an
/// all-zero evaluator scores 0 on a class that occurs, and figures over different classes are not compared.
double macro_f1(const Confusion& confusion);

/// Scores brought into order once, so that areas under the curve can be had for many weightings.
struct RankedScores {
  std::vector<std::size_t> order;       ///< cases by increasing score
  std::vector<std::size_t> tie_starts;  ///< places in `order` where a new score begins, and its length at the end
};
RankedScores rank_scores(std::span<const double> scores);

/// Area under the ROC curve of "is class `which`" against the rest: the chance that a case of the class scores higher
/// than another, ties counted half (Hanley and McNeil 1982). NaN when one side has no weight.
double auroc(const RankedScores& ranked, std::span<const std::size_t> truth, std::size_t which,
             std::span<const double> weights = {});
double auroc(std::span<const double> scores, std::span<const std::size_t> truth, std::size_t which);

/// Of the cases whose truth is not 0, the share whose estimate has its sign; an estimate of 0 has none and is wrong.
/// NaN when every truth is 0.
double sign_accuracy(std::span<const double> truth, std::span<const double> estimate,
                     std::span<const double> weights = {});
/// Mean |estimate − truth|: of soft estimates, for example p(+1) − p(−1), against −1, 0 and +1.
double mean_absolute_error(std::span<const double> truth, std::span<const double> estimate,
                           std::span<const double> weights = {});

}  // namespace valence::stats
