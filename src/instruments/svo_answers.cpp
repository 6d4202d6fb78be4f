#include "svo_answers.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "valence/base/text.h"
#include "valence/exam/layout.h"

namespace valence {
namespace {

/// All whole numbers in a text, in order.
std::vector<long> numbers_in(std::string_view text) {
  std::vector<long> numbers;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!std::isdigit(static_cast<unsigned char>(text[i]))) continue;
    long number = 0;
    for (; i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])); ++i) {
      number = std::min(10 * number + (text[i] - '0'), 1'000'000L);
    }
    numbers.push_back(number);
  }
  return numbers;
}

std::optional<std::size_t> option_of_coins(const SliderItem& item, std::string_view text) {
  const auto numbers = numbers_in(text);
  for (std::size_t option = 0; option < kSliderOptions; ++option) {
    const auto& coins = item.options[option];
    if (numbers == std::vector<long>{std::lround(coins.self), std::lround(coins.other)}) return option;
  }
  return std::nullopt;
}

/// The place that a label of any set stands for: the sets have no label in common.
Result<std::optional<std::size_t>> place_of_label(std::string_view label) {
  for (const auto set : {LabelSet::kLetters, LabelSet::kDigits, LabelSet::kWords}) {
    VALENCE_TRY(const auto layouts, layouts_of({.orders = OrderDesign::kPaper, .labels = set}, kSliderOptions,
                                               RandomStream(0, "labels")));
    const auto& labels = layouts.front().labels;
    const auto found = std::ranges::find(labels, label);
    if (found != labels.end()) return static_cast<std::size_t>(found - labels.begin());
  }
  return std::nullopt;
}

Result<void> add_row(SliderAnswers& answers, const SvoMeasure& measure, std::size_t place, const AnswerRow& row) {
  if (row.probability.size() != kSliderOptions) {
    return fail(ErrorCode::kWrongCount, "slider item {} of {}: expected {} probabilities, got {}", row.item, row.unit,
                kSliderOptions, row.probability.size());
  }
  answers.cells.resize(measure.items.size());
  auto& cell = answers.cells[place];
  const double before = static_cast<double>(cell.rows++);
  for (std::size_t option = 0; option < kSliderOptions; ++option) {
    auto& mean = cell.probability[option];
    mean = (mean * before + row.probability[option]) / (before + 1.0);
  }
  if (place < kPrimaryItems) answers.last_primary = place;
  if (row.route == Route::kExact && !row.text.empty()) {
    VALENCE_TRY(cell.realised, said_option(measure.items[place], row));
  }
  return {};
}

bool all_answered(const SliderAnswers& answers, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    if (i >= answers.cells.size() || answers.cells[i].rows == 0) return false;
  }
  return true;
}

SliderArm& arm_of(SliderSheet& sheet, const std::string& condition) {
  const auto found = std::ranges::find(sheet.arms, condition, &SliderArm::condition);
  if (found != sheet.arms.end()) return *found;
  sheet.arms.push_back({condition, std::vector<SliderAnswers>(sheet.units.size())});
  return sheet.arms.back();
}

AnswerRow given_row(const SliderItem& item, std::size_t option) {
  AnswerRow row;
  row.unit = "administration-01";
  row.item = item.id;
  row.route = Route::kGiven;
  row.probability.assign(kSliderOptions, 0.0);
  row.probability[option] = 1.0;
  return row;
}

}  // namespace

bool SliderAnswers::has_primary() const { return all_answered(*this, 0, kPrimaryItems); }
bool SliderAnswers::has_secondary() const {
  return all_answered(*this, kPrimaryItems, kPrimaryItems + kSecondaryItems);
}

Result<std::optional<std::size_t>> said_option(const SliderItem& item, const AnswerRow& row) {
  if (row.format == AnswerFormat::kText) return option_of_coins(item, row.text);
  VALENCE_TRY(const auto place, place_of_label(trim(row.text)));
  if (!place) return std::nullopt;
  const auto option = std::ranges::find(row.place, *place);
  if (option == row.place.end()) return std::nullopt;
  return static_cast<std::size_t>(option - row.place.begin());
}

Result<SliderSheet> slider_sheet(const SvoMeasure& measure, const AnswerTable& table) {
  SliderSheet sheet;
  std::map<std::string, std::size_t> unit_index;
  for (const auto& row : table.rows) {
    if (unit_index.emplace(row.unit, sheet.units.size()).second) sheet.units.push_back(row.unit);
  }
  for (const auto& row : table.rows) {
    const auto place = measure.find(row.item);
    if (!place && !row.probability.empty()) {
      return fail(ErrorCode::kUsage, "unknown slider item \"{}\"; the items are 1 to 15", row.item);
    }
    if (!place) continue;
    auto& arm = arm_of(sheet, row.condition);  // also for refused answers: the arm was asked
    if (row.status != Status::kScored) continue;
    VALENCE_CHECK(add_row(arm.units[unit_index.at(row.unit)], measure, *place, row));
  }
  if (sheet.arms.empty()) return fail(ErrorCode::kWrongCount, "no answer to an item of the slider; expected items 1 to 6");
  return sheet;
}

Result<AnswerTable> given_slider_answers(const SvoMeasure& measure, std::string_view text, bool reversed_items) {
  const auto letters = replace_all(replace_all(std::string(text), " ", ""), ",", "");
  if (letters.size() != kPrimaryItems && letters.size() != measure.items.size()) {
    return fail(ErrorCode::kUsage,
                "\"{}\" has {} answers; expected 6 letters from A to I for the primary items, or 15 with the secondary "
                "ones: --answers AIAAII",
                letters, letters.size());
  }
  std::string in_order(letters);
  if (reversed_items) {
    std::reverse(in_order.begin(), in_order.begin() + kPrimaryItems);
    std::reverse(in_order.begin() + kPrimaryItems, in_order.end());
  }
  if (auto checked = svo_allocations(measure.items, letters); !checked) {
    return tl::unexpected(std::move(checked).error());
  }
  AnswerTable table;
  table.instrument = "svo";
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    const auto letter = std::toupper(static_cast<unsigned char>(in_order[i]));
    table.rows.push_back(given_row(measure.items[i], static_cast<std::size_t>(letter - 'A')));
  }
  return table;
}

}  // namespace valence
