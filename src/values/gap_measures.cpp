#include "valence/values/gap_measures.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "gap_parts.h"
#include "valence/base/text.h"
#include "valence/values/fulcra_gap.h"
#include "valence/values/gap.h"

namespace valence {
namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// The profile on the dimensions that the published evaluation script looks at; NaN where there is none.
std::array<double, kFulcraEvaluated.size()> evaluated(const GapInput& in) {
  std::array<double, kFulcraEvaluated.size()> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto found = std::find(in.dimensions.begin(), in.dimensions.end(), kFulcraEvaluated[i]);
    const auto place = static_cast<std::size_t>(found - in.dimensions.begin());
    values[i] = place < in.profile.size() ? in.profile[place] : kNoGap;
  }
  return values;
}

double l1(const GapInput& in) { return l1_gap(in.profile, in.target, PairDistribution::kIndependent, in.weights); }
double l1_distinct(const GapInput& in) { return l1_gap(in.profile, in.target, PairDistribution::kDistinct, in.weights); }
double l2(const GapInput& in) { return l2_gap(in.profile, in.target, in.weights); }
double ordering(const GapInput& in) { return ordering_gap(in.profile, in.target, in.weights); }
double kendall(const GapInput& in) { return kendall_agreement(in.profile, in.target, in.weights); }
double spearman(const GapInput& in) { return spearman_agreement(in.profile, in.target, in.weights); }
double cosine(const GapInput& in) { return cosine_agreement(in.profile, in.target, in.weights); }
double unmasked(const GapInput& in) { return fulcra_l1(in.profile, in.target); }
double reward(const GapInput& in) { return fulcra_reward(in.profile, in.target); }
double coverage(const GapInput& in) { return fulcra_coverage(in.profile, in.target); }
double e_distance(const GapInput& in) { return fulcra_e_distance(evaluated(in)); }
double h_distance(const GapInput& in) { return fulcra_h_distance(evaluated(in)); }

constexpr std::string_view kBlindToConstant = "a constant added to every dimension";
constexpr std::string_view kBlindToManner = "a difference of manner of rating from one of values";
constexpr std::string_view kBlindToSize = "how large a difference is";
constexpr std::string_view kIgnoresTarget = "the target: four dimensions against 1, whatever was asked for";

constexpr auto kAny = GapScores::kAny;
constexpr auto kUnit = GapScores::kUnit;

// id, label, range, agreement?, of the target?, scores, what it cannot tell, function
const std::array kMeasures = {
    GapMeasure{"l1", "L1, pairwise (independent pairs)", 0.0, kUnbounded, false, true, kAny, kBlindToConstant, l1},
    GapMeasure{"l1_distinct", "L1, pairwise (distinct pairs)", 0.0, kUnbounded, false, true, kAny, kBlindToConstant,
               l1_distinct},
    GapMeasure{"l2", "L2, pointwise", 0.0, kUnbounded, false, true, kAny, kBlindToManner, l2},
    GapMeasure{"ordering", "pairs ordered the other way", 0.0, 1.0, false, true, kAny, kBlindToSize, ordering},
    GapMeasure{"kendall", "Kendall's tau-b", -1.0, 1.0, true, true, kAny, kBlindToSize, kendall},
    GapMeasure{"spearman", "Spearman's rank correlation", -1.0, 1.0, true, true, kAny, kBlindToSize, spearman},
    GapMeasure{"cosine", "cosine", -1.0, 1.0, true, true, GapScores::kWithZero, "a common factor", cosine},
    GapMeasure{"fulcra_l1", "FULCRA distance, unmasked sum", 0.0, kUnbounded, false, true, kUnit,
               "which dimensions matter to the target", unmasked},
    GapMeasure{"fulcra_reward", "FULCRA masked reward", -kUnbounded, 0.0, true, true, kUnit,
               "evasion: what is not touched costs nothing", reward},
    GapMeasure{"fulcra_coverage", "share of the target that the reward looked at", 0.0, 1.0, true, true, kUnit,
               "whether what is touched is upheld", coverage},
    GapMeasure{"e_distance", "FULCRA evaluation, Euclidean", 0.0, kUnbounded, false, false, kUnit, kIgnoresTarget,
               e_distance},
    GapMeasure{"h_distance", "FULCRA evaluation, sum", 0.0, kUnbounded, false, false, kUnit, kIgnoresTarget, h_distance}};

}  // namespace

std::span<const GapMeasure> gap_measures() { return kMeasures; }

Result<const GapMeasure*> find_gap_measure(std::string_view id) {
  std::vector<std::string> ids;
  for (const auto& measure : kMeasures) {
    if (measure.id == id) return &measure;
    ids.emplace_back(measure.id);
  }
  const auto near = nearest(id, ids);
  return fail(ErrorCode::kUsage, "unknown distance \"{}\"; {}", printable(id),
              near.empty() ? "expected one of " + join(ids, ", ") : "did you mean \"" + near + "\"?");
}

bool applies(const GapMeasure& measure, std::string_view convention) {
  if (measure.scores == GapScores::kUnit) return convention == "unit";
  return measure.scores == GapScores::kAny || convention != "raw";
}

}  // namespace valence
