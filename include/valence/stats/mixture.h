#pragma once

#include <span>
#include <vector>

#include "valence/base/result.h"
#include "valence/stats/estimate.h"

namespace valence::stats {

/// One item's answers and what a type would answer.
struct MixtureItem {
  std::vector<double> counts;  ///< how often each option was chosen: counts, or expected counts (Σ of probabilities)
  std::vector<double> type;    ///< the type's distribution over the same options, sums to 1
};

/// How much of a type is in the answers: the share λ of "λ·type + (1 − λ)·uniform" of greatest likelihood, in [0, 1].
///
/// The log-likelihood Σ counts·log(λ·type + (1 − λ)/options) is concave in λ, so the maximum is unique; it is found by
/// Newton steps kept inside a bracket, to 1e-12. An option that the type never takes but the answers do keeps λ below
/// 1. NaN when nothing tells type from uniform (no counts, or a type that is uniform on every answered item). Made to
/// be called under bootstrap weights: cheap, pure, no error path; check_mixture says beforehand whether items fit.
double mixture_share(std::span<const MixtureItem> items);

/// kWrongCount when an item's counts and type differ in length or are empty, kInvalid when a count is negative or a
/// type is no distribution; the message names the item by its index.
Result<void> check_mixture(std::span<const MixtureItem> items);

/// λ with its profile-likelihood interval {λ : 2(ℓ(λ̂) − ℓ(λ)) ≤ χ²₁(level)}, for answers that are independent draws;
/// where dialogues are the random unit, bootstrap mixture_share instead. `answers`: how many answers the counts stand
/// for. Fails as check_mixture does.
Result<Estimate> fit_mixture(std::span<const MixtureItem> items, std::size_t answers, double level = 0.95);

/// ℓ(λ) in nats; −infinity where the mixture forbids an answer that was given.
double mixture_log_likelihood(std::span<const MixtureItem> items, double lambda);

}  // namespace valence::stats
