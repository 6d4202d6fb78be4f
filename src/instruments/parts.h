#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "valence/base/settings.h"
#include "valence/exam/question.h"
#include "valence/store/answers.h"

namespace valence {

/// Adds the rows of answers to questions with options, in their order.
inline void add_choices(AnswerTable& table, std::span<const Answer> answers) {
  for (const auto& answer : answers) {
    const auto& rows = std::get<ChoiceAnswer>(answer).rows;
    table.rows.insert(table.rows.end(), rows.begin(), rows.end());
  }
}

/// How many wordings are put, in instruments of which each is one administration.
inline SettingSpec wordings_setting() {
  return {"wordings",
          SettingType::kInteger,
          "0",
          "wordings",
          "so many of the parallel wordings, each of which is one administration; 0: all",
          {},
          0,
          100};
}

/// Which wordings are put, in instruments whose wordings are learned from and held out one by one (wordings_in).
inline SettingSpec wording_part_setting() {
  return {"wording_part",
          SettingType::kChoice,
          "all",
          "",
          "wordings for training (every other one, from the first) or held out from it",
          {"all", "training", "held_out"},
          {},
          {}};
}

/// Wordings of one part ("training", "held_out"; "all" leaves all), the same for everybody: those at odd places of the
/// file are for training, those at even places are held out.
template <class Wording>
std::vector<Wording> wordings_in(std::vector<Wording> wordings, std::string_view part) {
  if (part == "all") return wordings;
  std::vector<Wording> kept;
  for (std::size_t i = part == "training" ? 0 : 1; i < wordings.size(); i += 2) kept.push_back(std::move(wordings[i]));
  return kept;
}

}  // namespace valence
