#pragma once

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/scratch.h"
#include "valence/base/json.h"
#include "valence/base/segment.h"
#include "valence/evaluate/evaluator_file.h"
#include "valence/evaluate/prompt_split.h"
#include "valence/exam/subject_file.h"
#include "valence/values/target.h"

namespace valence::testing {

/// A target in the Schwartz space: benevolence, and nothing else.
inline Target benevolent() {
  Target target;
  target.id = "benevolent";
  target.space = "schwartz10";
  target.label = "benevolence";
  target.scale = ScoreScale::kUnit;
  const auto space = load_space(target.space).value();
  for (const auto& dimension : space.dimensions) {
    target.values.emplace_back(dimension.id,
                               dimension.id == "benevolence" ? 1.0 : std::numeric_limits<double>::quiet_NaN());
  }
  return target;
}

/// What a word in a response says of benevolence, as labelled.
using Words = std::map<std::string, int>;

/// An evaluator that learned the data by these features, saved as a file.
inline void train_into(const std::filesystem::path& file, const LabelledData& data, std::vector<std::string> features) {
  EvaluatorRecipe recipe;
  recipe.parts.front().features = std::move(features);
  recipe.thresholds.goal = TuningGoal::kNone;
  const auto evaluator = train_evaluator(data, text_feature_families().value(), recipe, *silent_progress()).value();
  if (const auto saved = save_evaluator(evaluator, file); !saved) throw std::runtime_error(saved.error().message);
}

/// An evaluator of the Schwartz space that learned what the words say, from rows that bear `name`.
inline std::string evaluator_of(const std::filesystem::path& file, const std::string& name, const Words& words,
                                std::vector<std::string> features = {"tfidf_response"}) {
  LabelledData data{dimension_names(load_space("schwartz10").value()).value(), {}, {}};
  const auto benevolence = data.names.find("benevolence").value();
  for (int i = 0; i < 40; ++i) {
    for (const auto& [word, label] : words) {
      LabelledResponse row;
      row.text = {fmt::format("{} question {}", name, data.rows.size()), fmt::format("{} {} {}", word, word, word)};
      row.responder = name;
      row.labels.assign(data.dims(), 0);
      row.labels[benevolence] = static_cast<ValueLabel>(label);
      data.rows.push_back(row);
    }
  }
  train_into(file, data, std::move(features));
  return file.string();
}

/// An evaluator that learned some of the shipped responses by their words, so that its training domain is known.
struct ShippedSample {
  std::string file;
  std::string response;  ///< one that it learned, of 10 to 40 words
};

inline ShippedSample evaluator_of_shipped(const std::filesystem::path& file) {
  auto data = read_labelled(fulcra_path().value(), dimension_names(load_space("schwartz10").value()).value()).value();
  data.rows.erase(data.rows.begin() + 60, data.rows.end());
  train_into(file, data, {"tfidf_response"});
  for (const auto& row : data.rows) {
    const auto length = split_at_space(row.text.response).size();
    if (length >= 10 && length <= 40) return {file.string(), row.text.response};
  }
  throw std::runtime_error("no shipped response has 10 to 40 words");
}

inline std::vector<std::string> toy_prompts() {
  std::vector<std::string> prompts;
  for (int i = 0; i < 120; ++i) prompts.push_back(fmt::format("toy prompt number {}", i));
  return prompts;
}

inline std::string prompts_file(const std::filesystem::path& file) {
  std::string lines;
  for (const auto& prompt : toy_prompts()) lines += Json{{"prompt", prompt}}.dump() + "\n";
  put_file(file, lines);
  return file.string();
}

/// A subject that says one of `replies` to every toy prompt, by the seed.
inline SubjectSpec says(const std::filesystem::path& file, const std::vector<std::string>& replies) {
  std::string lines;
  for (const auto& prompt : toy_prompts()) {
    for (const auto& reply : replies) lines += Json{{"prompt", prompt}, {"response", reply}}.dump() + "\n";
  }
  put_file(file, lines);
  SubjectSpec spec;
  spec.model.name = "scripted:canned?file=" + file.string();
  spec.name = "toy";
  return spec;
}

}  // namespace valence::testing
