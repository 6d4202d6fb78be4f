#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "valence/instruments/instrument.h"
#include "valence/values/space.h"

namespace valence {

/// Any keyed questionnaire with a rating scale, defined wholly in a data file (docs/instruments/questionnaire.md).
std::unique_ptr<Instrument> make_questionnaire();

struct QuestionnaireItem {
  std::string id;         ///< "12"
  std::string text;
  std::string dimension;
  bool reversed = false;  ///< agreement speaks against the dimension: scored as from + to − answer
};

struct QuestionnaireWording {
  std::string id;
  std::string letter;  ///< with {item}, {options}, {labels}
  std::string text;    ///< with {item}; answered by one of the scale's labels
};

struct Questionnaire {
  std::string id, title, space, language;
  Provenance source;
  int from = 1, to = 5;             ///< answers are the whole numbers from–to
  std::string direction;            ///< "1 means …, 6 means …", shown with every question
  std::vector<std::string> labels;  ///< one per answer
  bool centre = false;              ///< scores are ipsatised: the mean of all answers is taken off
  std::vector<QuestionnaireItem> items;
  std::vector<QuestionnaireWording> wordings;

  std::vector<std::string> dimensions() const;  ///< in order of first appearance
};

/// Reads `questionnaire.toml` and the prompts file it names. Checks: unique items, dimensions of the space (when it has
/// one), as many labels as answers, at least five wordings. Errors name file, line and key.
Result<Questionnaire> read_questionnaire(const std::filesystem::path& file);

/// A name ("pvq40": data/questionnaires/pvq40) or a path to a TOML file.
Result<Questionnaire> load_questionnaire(const std::string& name_or_path);

/// Two halves of a questionnaire's items, by id: what is learned or searched on, and what it is shown on.
struct ItemHalves {
  std::set<std::string> training, held_out;
};
/// The same halves for everybody: within each dimension the items in the order of the hash of their text, one to each
/// side in turn, carried on from dimension to dimension, so that both sides measure every dimension of two items.
ItemHalves questionnaire_halves(const Questionnaire& questionnaire);

/// Mean of the items of each dimension, reversed where keyed so, in `dimensions()` order; with `centre` the mean of all
/// answers (as given, before reversal: the scale-use correction of Schwartz) is taken off. A dimension without an
/// answered item is NaN. `answers`: one per item, NaN = missing.
std::vector<double> questionnaire_scores(const Questionnaire& questionnaire, std::span<const double> answers, bool centre);

}  // namespace valence
