#pragma once

#include <string>
#include <utility>
#include <vector>

#include "valence/base/node.h"
#include "valence/base/settings.h"
#include "valence/exam/question.h"
#include "valence/instruments/svo.h"

namespace valence {

/// One way of putting a slider question; the fields are explained in data/instruments/svo/wording.toml.
struct SliderWording {
  std::string id;
  std::string letter, text;
  std::string shown, said;
  std::string letter_prefix, text_prefix;
  std::string unconditional;  ///< the file's, the same for all its wordings
};

/// The wordings of data/instruments/svo/wording.toml: at least five.
Result<std::vector<SliderWording>> slider_wordings();
Result<SliderWording> read_slider_wording(const Node& node, std::string_view unconditional);
/// The root table of data/instruments/<id>/wording.toml, and its wordings: kWrongCount below five.
Result<Node> read_wording_file(std::string_view instrument);
Result<Node::Array> wording_list(const Node& root);

/// How a question is put, apart from its words.
struct SliderManner {
  AnswerFormat format = AnswerFormat::kLetter;
  Normalisation normalisation = Normalisation::kCharacter;
  LayoutDesign layouts;
  Route route = Route::kExact;
  Sampling sampling;  ///< kSampled
};
/// What an answer begins with: nothing when it is sampled, since the published run lets the subject begin as it likes.
std::string prefix_of(const SliderWording& wording, const SliderManner& manner);

using Fillings = std::vector<std::pair<std::string, std::string>>;

/// A slider question. `fillings`: what else the wording names ({number}, {aim}, …). They may hold text that a model
/// wrote: it stays text.
Result<ChoiceQuestion> slider_question(const SliderItem& item, const SliderWording& wording, const SliderManner& manner,
                                       const Fillings& fillings);

/// Settings that every slider instrument has: format, normalisation, tie_rule.
SettingTable slider_settings();

}  // namespace valence
