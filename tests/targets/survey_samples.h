#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "valence/base/csv.h"
#include "valence/base/random.h"
#include "valence/targets/survey.h"

namespace valence::testing {

inline SurveyForm ess_form() { return load_survey_form("ess_pvq21").value(); }

/// Mean rating that made-up respondents give, in the order of the space: the populations' own order.
inline const std::vector<double> kPopulation = {4.7, 3.4, 4.0, 3.6, 3.1, 4.8, 4.3, 3.9, 5.1, 4.9};

/// `people` respondents' answers around the population's means, as the ESS codes them: 1 = very much like me.
inline std::vector<std::vector<int>> made_up_answers(std::size_t people, std::uint64_t seed) {
  const auto form = ess_form();
  const auto space = load_space(form.space).value();
  RandomStream random(seed, "respondents");
  std::vector<std::vector<int>> all(people);
  for (auto& answers : all) {
    for (const auto& item : form.items) {
      const double rating = kPopulation[space.find(item.dimension)->index] + 2.0 * random.uniform() - 1.0;
      answers.push_back(7 - std::clamp(static_cast<int>(rating + 0.5), 1, 6));
    }
  }
  return all;
}

/// A survey's file of such answers with country, age and weight.
inline std::string ess_csv(const std::vector<std::vector<int>>& people, const std::string& suffix = "") {
  std::vector<std::string> header = {"cntry", "agea", "anweight", "psu"};
  for (const auto& item : ess_form().items) header.push_back(item.column + suffix);
  auto text = csv_record(header);
  for (std::size_t i = 0; i < people.size(); ++i) {
    std::vector<std::string> record = {i % 2 == 0 ? "GB" : "FR", std::to_string(20 + i % 60), i % 4 == 0 ? "2" : "0.5",
                                       std::to_string(i / 5)};
    for (const int answer : people[i]) record.push_back(std::to_string(answer));
    text += csv_record(record);
  }
  return text;
}

inline CsvTable ess_table(const std::vector<std::vector<int>>& people, const std::string& suffix = "") {
  return parse_csv(ess_csv(people, suffix), "ess.csv").value();
}

}  // namespace valence::testing
