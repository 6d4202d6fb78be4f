#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/targets/filter.h"
#include "valence/values/space.h"

namespace valence {

struct SurveyItem {
  std::string column;  ///< its name in the file, without suffix
  std::string dimension;
  bool reversed = false;  ///< agreement speaks against the dimension
  std::string number;     ///< its id in the questionnaire; empty when only the columns are known
};

/// How a survey's file holds answers and how they are scored: `surveys/<id>.toml` of the data folder (docs/targets.md).
struct SurveyForm {
  std::string id, title, space;
  std::string questionnaire;  ///< whose items these are; empty when only the columns are known
  Provenance source;
  int low = 1, high = 6;              ///< answers are the whole numbers from low to high
  int most_like_me = 6;               ///< which end means "very much like me": at `low`, answers are turned round
  std::vector<int> missing;           ///< codes of no answer, besides an empty cell, "NA" and "."
  std::size_t most_missing = 0;       ///< who lacks more answers is left out
  std::size_t most_identical = 0;     ///< who gives one answer more often is left out ("straight-lining")
  std::vector<std::string> suffixes;  ///< tried in order on every column's name
  std::vector<std::vector<std::string>>
      weights;           ///< columns whose product is a respondent's weight; the first set there is
  UnknownCodes unknown;  ///< of columns that a filter may name
  std::vector<SurveyItem> items;

  /// Dimensions from the most to the least important in the populations known; empty = nothing to check against.
  std::vector<std::string> order;
  std::size_t order_fewest = 0;  ///< respondents for the check
  double order_refused = -1.0;   ///< Spearman's correlation at or below which answers seem turned round
};

/// Checks: dimensions of the space, every dimension with an item, no item twice, ends of the scale. Errors name file,
/// line and key.
Result<SurveyForm> read_survey_form(const std::filesystem::path& file);
Result<SurveyForm> parse_survey_form(std::string_view toml, std::string_view name);
/// By its id, or a path that ends in ".toml". kNotFound names the forms there are.
Result<SurveyForm> load_survey_form(std::string_view id);
Result<std::vector<std::string>> list_survey_forms();

}  // namespace valence
