#include <algorithm>
#include <set>

#include "gap_figures.h"
#include "opinion_answers.h"
#include "valence/instruments/opinions.h"
#include "valence/instruments/unit_means.h"
#include "valence/stats/distribution.h"
#include "valence/values/distribution_gap.h"

namespace valence {
namespace {

using OpinionAnswers = std::map<std::string, OpinionAnswer>;

constexpr std::string_view kOpinionConvention = "distributions";

struct OpinionMeasure {
  std::string_view id, label;
  bool ordered;  ///< only where options are steps of a scale
  bool gain;     ///< by how much nearer than uniform answers, instead of how far
  std::string_view blind;  ///< as GapFigure::blind
  double (*of)(std::span<const double>, std::span<const double>);
};

constexpr std::string_view kBlindToSteps = "how far apart two options are";
constexpr std::string_view kBlindToWidths = "steps of different width";

constexpr OpinionMeasure kOpinionMeasures[] = {
    {"jensen_shannon", "Jensen–Shannon distance, mean over questions", false, false, kBlindToSteps, stats::jensen_shannon_distance},
    {"jensen_shannon_gain", "the same, nearer than uniform answers by", false, true, kBlindToSteps, stats::jensen_shannon_distance},
    {"wasserstein", "Wasserstein-1 distance, mean over questions", true, false, kBlindToWidths, wasserstein_distance},
    {"wasserstein_gain", "the same, nearer than uniform answers by", true, true, kBlindToWidths, wasserstein_distance}};

Distance opinion_distance(const OpinionMeasure& measure) {
  return {{.id = std::string(measure.id), .dimension = "", .condition = "", .label = std::string(measure.label), .unit = "",
           .low = measure.gain ? -1.0 : 0.0, .high = 1.0, .headline = true},
          measure.gain, measure.blind};
}

double opinion_value(const OpinionMeasure& measure, std::span<const double> subject, std::span<const double> people) {
  const double distance = measure.of(subject, people);
  if (!measure.gain) return distance;
  const std::vector<double> uniform(people.size(), 1.0 / static_cast<double>(people.size()));
  return measure.of(uniform, people) - distance;
}

/// The questions of the target that all of these runs answered, and those that some did not.
struct CommonQuestions {
  std::vector<const OpinionQuestion*> compared;
  std::vector<std::string> compared_ids, missing;
};

Result<CommonQuestions> common_questions(const OpinionTarget& target, std::initializer_list<const OpinionAnswers*> runs) {
  CommonQuestions common;
  for (const auto& question : target.questions) {
    const auto id = question.id();
    const bool answered = std::ranges::all_of(runs, [&](const OpinionAnswers* answers) { return answers->contains(id); });
    if (answered) {
      common.compared.push_back(&question);
      common.compared_ids.push_back(id);
    } else {
      common.missing.push_back(id);
    }
  }
  if (!common.compared.empty()) return common;
  return fail(ErrorCode::kUsage,
              "target {}: none of its {} questions was asked with the same options; measure opinions with --questions and "
              "this file, or one of the same survey",
              target.id, target.questions.size());
}

Result<EvaluatedGap> evaluate_opinions(const OpinionAnswers& answers, const CommonQuestions& common, bool ordered, const ProfileOptions& options) {
  UnitMeans means;
  std::vector<Distance> distances;
  for (const auto& measure : kOpinionMeasures) {
    if (measure.ordered && !ordered) continue;
    distances.push_back(opinion_distance(measure));
    means.declare(distances.back().estimand);
    for (std::size_t i = 0; i < common.compared.size(); ++i) {
      const auto& id = common.compared_ids[i];
      means.add(id, "", std::string(measure.id), opinion_value(measure, answers.at(id).share, common.compared[i]->share));
    }
  }
  const auto estimate = [&](std::span<const double> weights) { return means.estimate(weights); };
  VALENCE_TRY(auto replicates, stats::replicate(estimate, means.units().size(), {}, options.replicates, options.seed));
  TargetGap gap{std::string(kOpinionConvention), common.compared_ids, common.missing,
                figures_of(distances, means.units().size(), replicates, "question")};
  return EvaluatedGap{std::move(gap), std::move(distances), std::move(replicates)};
}

}  // namespace

Result<TargetGap> opinion_gap(const AnswerTable& answers, const OpinionTarget& target, const ProfileOptions& options) {
  const auto by_question = opinion_answers(answers);
  VALENCE_TRY(const auto common, common_questions(target, {&by_question}));
  VALENCE_TRY(auto evaluated, evaluate_opinions(by_question, common, target.ordered, options));
  return std::move(evaluated.gap);
}

Result<ComparedGap> compare_opinion_gaps(const AnswerTable& first, const AnswerTable& second, const OpinionTarget& target,
                                         const ProfileOptions& options) {
  const auto a = opinion_answers(first), b = opinion_answers(second);
  VALENCE_TRY(const auto common, common_questions(target, {&a, &b}));
  VALENCE_TRY(auto of_a, evaluate_opinions(a, common, target.ordered, options));
  VALENCE_TRY(auto of_b, evaluate_opinions(b, common, target.ordered, options));
  return compared_gap(std::move(of_a), std::move(of_b), /*paired=*/true, "question");
}

}  // namespace valence
