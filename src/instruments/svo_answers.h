#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "valence/instruments/svo.h"
#include "valence/store/answers.h"

namespace valence {

/// One unit's answers to the slider under one condition: rows of the same item (layouts) are averaged.
struct SliderAnswers {
  struct Cell {
    std::array<double, kSliderOptions> probability{};  ///< mean over the scored rows
    std::size_t rows = 0;                               ///< scored rows; 0 = no answer
    std::optional<std::size_t> realised;                ///< option that was said in a dialogue with drawn histories
  };
  std::vector<Cell> cells;  ///< by place in SvoMeasure::items
  std::optional<std::size_t> last_primary;  ///< primary item answered last

  bool has_primary() const;    ///< every primary item has an answer
  bool has_secondary() const;  ///< every secondary item has an answer
};

/// Answers by condition and unit, both in order of first appearance.
struct SliderArm {
  std::string condition;
  std::vector<SliderAnswers> units;  ///< in the order of SliderSheet::units; no rows where a unit was not asked
};
struct SliderSheet {
  std::vector<std::string> units;
  std::vector<SliderArm> arms;
};

/// Sorts a table into a sheet. Rows of open questions (no probabilities) are passed over. kUsage on answers to unknown
/// items, kWrongCount when an answer has not nine options or no item of the slider is in the table.
Result<SliderSheet> slider_sheet(const SvoMeasure& measure, const AnswerTable& table);

/// The option that `row.text` says, when a dialogue with drawn histories recorded it; none when the text says no option.
Result<std::optional<std::size_t>> said_option(const SliderItem& item, const AnswerRow& row);

/// A table of given answers: letters for the six primary items, or for all fifteen. `reversed_items`: they stand in the
/// order of version B (the six, and likewise the nine, in reverse).
Result<AnswerTable> given_slider_answers(const SvoMeasure& measure, std::string_view letters, bool reversed_items);

}  // namespace valence
