#include "valence/targets/respondent.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace valence {
namespace {

constexpr double kNoScore = std::numeric_limits<double>::quiet_NaN();

bool is_answer(const SurveyForm& form, double answer) {
  return std::isnan(answer) || (answer == std::floor(answer) && answer >= form.low && answer <= form.high);
}

/// Mean of what was added; NaN for nothing.
struct Mean {
  double sum = 0.0;
  std::size_t count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  double value() const { return count == 0 ? kNoScore : sum / static_cast<double>(count); }
};

}  // namespace

std::size_t Ratings::answered() const {
  return static_cast<std::size_t>(
      std::count_if(values_.begin(), values_.end(), [](double x) { return !std::isnan(x); }));
}

std::size_t Ratings::most_identical() const {
  std::map<double, std::size_t> counts;
  std::size_t most = 0;
  for (const double value : values_) {
    if (!std::isnan(value)) most = std::max(most, ++counts[value]);
  }
  return most;
}

Result<Ratings> oriented(const SurveyForm& form, std::span<const double> answers) {
  if (answers.size() != form.items.size()) {
    return fail(ErrorCode::kWrongCount, "{} has {} items, got {} answers", form.id, form.items.size(), answers.size());
  }
  Ratings ratings;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!is_answer(form, answers[i])) {
      return fail(ErrorCode::kInvalid,
                  "item {}: an answer should be a whole number from {} to {}, got {}: give answers as they "
                  "were, not means or centred scores",
                  form.items[i].column, form.low, form.high, answers[i]);
    }
    ratings.values_.push_back(form.most_like_me == form.low ? form.low + form.high - answers[i] : answers[i]);
  }
  return ratings;
}

PersonScores person_scores(const SurveyForm& form, const Space& space, const Ratings& ratings) {
  std::vector<Mean> of_dimension(space.dimensions.size()), squares(space.dimensions.size());
  Mean of_all;
  for (std::size_t i = 0; i < form.items.size(); ++i) {
    const double rating = ratings.values()[i];
    if (std::isnan(rating)) continue;
    of_all.add(rating);
    const auto* dimension = space.find(form.items[i].dimension);
    const double turned = form.items[i].reversed ? form.low + form.high - rating : rating;
    of_dimension[dimension->index].add(turned);
    squares[dimension->index].add(turned * turned);
  }
  PersonScores scores{{}, {}, of_all.value(), {}};
  for (const auto& mean : of_dimension) {
    scores.raw.push_back(mean.value());
    scores.centred.push_back(mean.value() - scores.mean_rating);
  }
  for (const auto& square : squares) scores.squares.push_back(square.value());
  return scores;
}

Exclusion exclusion_of(const SurveyForm& form, const Ratings& ratings) {
  if (form.items.size() - ratings.answered() > form.most_missing) return Exclusion::kMissing;
  if (ratings.most_identical() > form.most_identical) return Exclusion::kStraightLining;
  return Exclusion::kNone;
}

}  // namespace valence
