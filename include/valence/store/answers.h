#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"

namespace valence {

/// What became of a question. Every status is counted in every table; nothing is dropped or imputed.
enum class Status { kScored, kRefused, kUnparseable, kError };

/// Exact probabilities from the model, a share of parsed sampled answers, given by people or other tools, or read by an
/// evaluator from what the subject wrote (then no answer of the subject's own: it counts in no table of statuses).
enum class Route { kExact, kSampled, kGiven, kRead };

/// How options are offered: as a letter to name, or as the text itself to continue with (cloze).
enum class AnswerFormat { kLetter, kText };

/// One question in one layout, and its answer: what the store keeps, what people export, what estimates are made of.
struct AnswerRow {
  std::string unit;       ///< the random unit: dialogue, scenario, wording, …
  std::string cluster;    ///< units that belong together (rule, family); may be empty
  std::string condition;  ///< the arm: induced value, target, "" for none
  std::string item;
  std::string variant;    ///< wording or question form
  std::string layout;     ///< order and labels, as Layout::name() prints them
  AnswerFormat format = AnswerFormat::kLetter;
  Route route = Route::kExact;
  Status status = Status::kScored;
  /// Per option in the item's own order, sums to 1; empty unless scored.
  std::vector<double> probability;
  /// The item's own order → place in which each option was shown: place[i] for option i.
  std::vector<std::size_t> place;
  double captured_mass = 1.0;  ///< share of the answer's probability that the options caught; 1 for given answers
  std::size_t draws = 0;       ///< sampled answers behind `probability`; 0 = exact
  std::string text;            ///< what was said, when text was drawn; the reason, when status is kError
  std::string digest;          ///< of the group that computed it (hex), empty when given
};

/// All answers of one administration, in the order asked.
struct AnswerTable {
  std::string instrument;
  std::vector<AnswerRow> rows;
  /// Questions that the validity gate put beside the instrument's own: kept and exported, never scored.
  std::vector<AnswerRow> probes;

  /// Distinct units of `rows` in order of first appearance.
  std::vector<std::string> units() const;
};

/// Every probability of `rows` replaced by the uniform distribution: what a subject without values would have answered.
AnswerTable uniform_responder(const AnswerTable& table);

std::string_view to_string(Status status);
std::string_view to_string(Route route);
std::string_view to_string(AnswerFormat format);
Result<Status> status_from(std::string_view text);
Result<Route> route_from(std::string_view text);
Result<AnswerFormat> format_from(std::string_view text);

}  // namespace valence
