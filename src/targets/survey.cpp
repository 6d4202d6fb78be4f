#include "valence/targets/survey.h"

#include <algorithm>
#include <cmath>

#include "survey_mean.h"
#include "survey_rows.h"
#include "valence/base/text.h"
#include "valence/stats/correlation.h"
#include "valence/stats/distribution.h"

namespace valence {
namespace {

/// What a scale makes of one person's score.
double scored(const PersonScores& scores, std::size_t dimension, ScoreScale scale, const SurveyForm& form) {
  if (scale == ScoreScale::kCentred) return scores.centred[dimension];
  if (scale == ScoreScale::kRaw) return scores.raw[dimension];
  const double middle = (form.low + form.high) / 2.0, half = (form.high - form.low) / 2.0;
  return (scores.raw[dimension] - middle) / half;
}

SurveySample sample_of(const std::vector<Respondent>& respondents, std::size_t dimension, ScoreScale scale,
                       const SurveyForm& form) {
  SurveySample sample;
  for (const auto& respondent : respondents) {
    const double value = scored(respondent.scores, dimension, scale, form);
    if (std::isnan(value)) continue;
    sample.values.push_back(value);
    sample.weights.push_back(respondent.weight);
    sample.clusters.push_back(respondent.cluster);
  }
  return sample;
}

/// Standard deviation of a single answer to one of a dimension's items, over people and items, in the scale's unit.
double spread_of(const std::vector<Respondent>& respondents, std::size_t dimension, ScoreScale scale,
                 const SurveyForm& form) {
  std::vector<double> means, squares, weights;
  for (const auto& [scores, weight, cluster] : respondents) {
    const double raw = scores.raw[dimension];
    if (std::isnan(raw)) continue;
    const double off = scale == ScoreScale::kCentred ? scores.mean_rating : 0.0;
    means.push_back(raw - off);
    squares.push_back(scores.squares[dimension] - 2.0 * off * raw + off * off);
    weights.push_back(weight);
  }
  const double mean = stats::weighted_mean(means, weights);
  const double spread = std::sqrt(std::max(0.0, stats::weighted_mean(squares, weights) - mean * mean));
  return scale == ScoreScale::kUnit ? spread / ((form.high - form.low) / 2.0) : spread;
}

/// A mean cannot leave the scale, nor can its interval; centred scores have no ends of their own.
SampleInterval interval_within(const Estimate& estimate, std::size_t count, ScoreScale scale, const SurveyForm& form) {
  SampleInterval interval{estimate.low, estimate.high, count};
  if (scale == ScoreScale::kCentred || std::isnan(estimate.low)) return interval;
  const bool raw = scale == ScoreScale::kRaw;
  interval.low = std::max(interval.low, raw ? form.low : -1.0);
  interval.high = std::min(interval.high, raw ? form.high : 1.0);
  return interval;
}

double mean_rating_of(const std::vector<Respondent>& respondents) {
  std::vector<double> ratings, weights;
  for (const auto& respondent : respondents) {
    ratings.push_back(respondent.scores.mean_rating);
    weights.push_back(respondent.weight);
  }
  return stats::weighted_mean(ratings, weights);
}

double effective_number(const std::vector<Respondent>& respondents) {
  double sum = 0.0, squares = 0.0;
  for (const auto& respondent : respondents) {
    sum += respondent.weight;
    squares += respondent.weight * respondent.weight;
  }
  return sum * sum / squares;
}

Target target_of(const std::vector<Respondent>& respondents, const SurveyForm& form, const Space& space,
                 ScoreScale scale, std::string_view unit) {
  Target target;
  target.space = space.id;
  target.scale = scale;
  target.respondents = respondents.size();
  target.provenance = form.source;
  for (const auto& dimension : space.dimensions) {
    const auto sample = sample_of(respondents, dimension.index, scale, form);
    const auto estimate = survey_mean(sample, unit);
    target.values.emplace_back(dimension.id, estimate.value);
    if (respondents.size() == 1) continue;
    target.intervals.push_back(interval_within(estimate, sample.values.size(), scale, form));
    target.spreads.push_back(spread_of(respondents, dimension.index, scale, form));
  }
  if (scale == ScoreScale::kRaw) target.mean_rating = mean_rating_of(respondents);
  return target;
}

/// Correlation of the group's order of the values with that of the populations known.
double order_agreement(const std::vector<Respondent>& respondents, const SurveyForm& form, const Space& space) {
  std::vector<double> means, places;
  for (const auto& dimension : space.dimensions) {
    const auto sample = sample_of(respondents, dimension.index, ScoreScale::kCentred, form);
    const auto place = std::find(form.order.begin(), form.order.end(), dimension.id) - form.order.begin();
    means.push_back(stats::weighted_mean(sample.values, sample.weights));
    places.push_back(-static_cast<double>(place));
  }
  return stats::spearman(means, places);
}

Result<void> check_order(const std::vector<Respondent>& respondents, const SurveyForm& form, const Space& space,
                         const SurveyOptions& options) {
  if (options.any_order || form.order.empty() || respondents.size() < form.order_fewest) return {};
  const double agreement = order_agreement(respondents, form, space);
  if (!(agreement <= form.order_refused)) return {};
  const int other = form.low + form.high - form.most_like_me;
  return fail(
      ErrorCode::kUsage,
      "these {} respondents order the values the other way round from every population known (Spearman {}): with {} as "
      "\"very much like me\" the answers seem to be reversed already. Say --most-like-me {}, or --any-order if the "
      "group is like that",
      respondents.size(), significant(agreement), form.most_like_me, other);
}

/// The answers themselves, under the numbers of the form's questionnaire.
OwnAnswers own_answers(const SurveyForm& form, std::span<const double> answers) {
  OwnAnswers own{form.questionnaire, {}};
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!std::isnan(answers[i])) own.items.emplace_back(form.items[i].number, answers[i]);
  }
  return own;
}

std::string nobody(const SurveyCounts& counts) {
  return fmt::format(
      "of {} rows, {} are outside the filter, {} cannot be told, {} lack too many answers, {} give one answer too "
      "often, "
      "{} have no weight",
      counts.rows, counts.outside, counts.unknown, counts.missing, counts.straight_lining, counts.weightless);
}

Result<SurveyForm> turned(SurveyForm form, const SurveyOptions& options) {
  if (!options.most_like_me) return form;
  if (*options.most_like_me != form.low && *options.most_like_me != form.high) {
    return fail(ErrorCode::kUsage, "--most-like-me should be an end of the scale, {} or {}, got {}", form.low,
                form.high, *options.most_like_me);
  }
  form.most_like_me = *options.most_like_me;
  return form;
}

Result<void> check_unit(const SurveyForm& form, ScoreScale scale) {
  if (scale != ScoreScale::kNone) return {};
  return fail(ErrorCode::kUsage, "answers to {} become raw, centred or unit scores", form.id);
}

}  // namespace

Result<SurveyTarget> import_survey(const CsvTable& table, const SurveyForm& given, const SurveyOptions& options) {
  VALENCE_CHECK(check_unit(given, options.scale));
  VALENCE_TRY(const auto form, turned(given, options));
  VALENCE_TRY(const auto space, load_space(form.space));
  VALENCE_TRY(const auto rows, read_survey_rows(table, form, space, options));
  if (rows.respondents.empty())
    return fail(ErrorCode::kUsage, "{}: nobody is left: {}", table.file, nobody(rows.counts));
  VALENCE_CHECK(check_order(rows.respondents, form, space, options));
  SurveyTarget survey;
  survey.unit = options.cluster.empty() ? "respondent" : options.cluster;
  survey.target = target_of(rows.respondents, form, space, options.scale, survey.unit);
  survey.counts = rows.counts;
  survey.weighting = rows.weighting;
  survey.effective = effective_number(rows.respondents);
  return survey;
}

Result<Target> person_target(const SurveyForm& form, std::span<const double> answers, ScoreScale scale) {
  VALENCE_CHECK(check_unit(form, scale));
  VALENCE_TRY(const auto space, load_space(form.space));
  VALENCE_TRY(const auto ratings, oriented(form, answers));
  const auto exclusion = exclusion_of(form, ratings);
  if (exclusion == Exclusion::kMissing) {
    return fail(ErrorCode::kUsage, "{} of {} items have no answer, and at most {} may lack one",
                form.items.size() - ratings.answered(), form.items.size(), form.most_missing);
  }
  if (exclusion == Exclusion::kStraightLining) {
    return fail(ErrorCode::kUsage,
                "{} of {} answers are the same, and at most {} may be: they do not tell the values apart",
                ratings.most_identical(), form.items.size(), form.most_identical);
  }
  auto target = target_of({{person_scores(form, space, ratings), 1.0, 0}}, form, space, scale, "respondent");
  if (!form.questionnaire.empty()) target.answers = own_answers(form, answers);
  return target;
}

}  // namespace valence
