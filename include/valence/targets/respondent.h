#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "valence/base/result.h"
#include "valence/targets/survey_form.h"

namespace valence {

/// One respondent's answers as ratings: the larger, the more like the respondent, whichever way the form asks. Only
/// oriented() makes one, so nothing is centred or averaged that has not been turned the right way.
class Ratings {
 public:
  std::span<const double> values() const { return values_; }  ///< one per item of the form; NaN = no answer
  std::size_t answered() const;
  std::size_t most_identical() const;  ///< how often the commonest answer was given

 private:
  friend Result<Ratings> oriented(const SurveyForm& form, std::span<const double> answers);
  std::vector<double> values_;
};

/// Answers as given, one per item, NaN = none: an answer x becomes low + high − x where `low` means "very much like
/// me". Fails with kWrongCount on another number of answers, and with kInvalid on one that is no whole number of the
/// scale: means and centred scores are no answers.
Result<Ratings> oriented(const SurveyForm& form, std::span<const double> answers);

/// One respondent's scores, one per dimension of the form's space, NaN where no item was answered.
struct PersonScores {
  std::vector<double> raw;      ///< mean of the answered items; items that speak against the dimension turned round
  std::vector<double> centred;  ///< raw − mean_rating
  double mean_rating;           ///< of all answered items ("MRAT"), before items that speak against are turned round
  std::vector<double> squares;  ///< mean square of the answered items, items that speak against turned round
};

/// Source: European Social Survey, instructions for the Human Values Scale (Schwartz). With no answer missing and no
/// item turned round, Σ nᵥ·centredᵥ = 0 where dimension v has nᵥ items.
PersonScores person_scores(const SurveyForm& form, const Space& space, const Ratings& ratings);

/// Why a respondent is left out.
enum class Exclusion { kNone, kMissing, kStraightLining };
Exclusion exclusion_of(const SurveyForm& form, const Ratings& ratings);

}  // namespace valence
