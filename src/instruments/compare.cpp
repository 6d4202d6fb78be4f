#include <algorithm>
#include <limits>
#include <set>

#include "valence/instruments/measure.h"
#include "valence/stats/compare.h"

namespace valence {
namespace {

struct Prepared {
  std::unique_ptr<Estimator> estimator;
  stats::Replicates replicates;
};

/// Indices of the estimands that both have, by id.
std::vector<std::pair<std::size_t, std::size_t>> common(const Estimator& a, const Estimator& b) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < a.estimands().size(); ++i) {
    for (std::size_t j = 0; j < b.estimands().size(); ++j) {
      if (a.estimands()[i].id == b.estimands()[j].id) pairs.emplace_back(i, j);
    }
  }
  return pairs;
}

Result<Prepared> prepare(const Instrument& instrument, const ComparedRun& run, const ProfileOptions& options) {
  Prepared prepared;
  VALENCE_TRY(prepared.estimator, instrument.prepare(*run.answers, *run.settings));
  VALENCE_TRY(prepared.replicates, replicate(*prepared.estimator, options));
  return prepared;
}

/// The replicates with only the given estimands, in that order.
stats::Replicates select(const stats::Replicates& all, const std::vector<std::size_t>& dims) {
  auto chosen = all;
  chosen.dims = dims.size();
  const auto pick = [&](const std::vector<double>& rows) {
    std::vector<double> out;
    for (std::size_t start = 0; start + all.dims <= rows.size(); start += all.dims) {
      for (const auto dim : dims) out.push_back(rows[start + dim]);
    }
    return out;
  };
  chosen.point = pick(all.point);
  chosen.values = pick(all.values);
  chosen.jackknife = pick(all.jackknife);
  return chosen;
}

}  // namespace

std::string few_units_note(const std::vector<Difference>& differences) {
  auto fewest = std::numeric_limits<std::size_t>::max();
  for (const auto& difference : differences) {
    if (difference.estimand.headline && difference.estimate.has_interval()) fewest = std::min(fewest, difference.estimate.count);
  }
  return few_units_note(fewest);
}

Result<std::vector<Difference>> compare(const Instrument& instrument, const ComparedRun& first, const ComparedRun& second,
                                        const ProfileOptions& options) {
  VALENCE_TRY(const auto a, prepare(instrument, first, options));
  VALENCE_TRY(const auto b, prepare(instrument, second, options));
  const auto pairs = common(*a.estimator, *b.estimator);
  std::vector<std::size_t> dims_a, dims_b;
  for (const auto& [i, j] : pairs) {
    dims_a.push_back(i);
    dims_b.push_back(j);
  }
  const bool paired = a.estimator->units() == b.estimator->units() && a.estimator->clusters() == b.estimator->clusters();
  const auto chosen_a = select(a.replicates, dims_a);
  const auto chosen_b = select(b.replicates, dims_b);
  const auto& unit = instrument.card().random_unit;
  VALENCE_TRY(const auto comparisons, paired ? stats::compare_paired(chosen_a, chosen_b, unit)
                                             : stats::compare_independent(chosen_a, chosen_b, unit));
  std::vector<Difference> differences;
  std::vector<double> p;
  for (std::size_t k = 0; k < comparisons.size(); ++k) {
    const auto& estimand = a.estimator->estimands()[dims_a[k]];
    differences.push_back({estimand, comparisons[k].difference, comparisons[k].p, 1.0, paired});
    p.push_back(comparisons[k].p);
  }
  const auto corrected = stats::holm(p);
  for (std::size_t k = 0; k < differences.size(); ++k) differences[k].p_holm = corrected[k];
  return differences;
}

}  // namespace valence
