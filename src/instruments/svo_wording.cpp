#include "svo_wording.h"

#include <algorithm>

#include "valence/base/files.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::size_t kLeastWordings = 5;

Result<std::string> option_text(std::string_view pattern, const Allocation& coins) {
  return fill(pattern, {{"self", fmt::format("{:.0f}", coins.self)}, {"other", fmt::format("{:.0f}", coins.other)}});
}

Result<std::vector<std::string>> option_texts(std::string_view pattern, const SliderItem& item) {
  std::vector<std::string> texts;
  for (const auto& coins : item.options) {
    VALENCE_TRY(auto text, option_text(pattern, coins));
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace

Result<Node> read_wording_file(std::string_view instrument) {
  VALENCE_TRY(const auto data, data_folder());
  return read_toml(data / "instruments" / instrument / "wording.toml");
}

Result<Node::Array> wording_list(const Node& root) {
  VALENCE_TRY(const auto list, root.at("wording"));
  VALENCE_TRY(auto wordings, list.as_array());
  if (wordings.size() < kLeastWordings) {
    return fail(ErrorCode::kWrongCount, "{}: {} wordings; an instrument has at least {}", to_string(list.position()),
                wordings.size(), kLeastWordings);
  }
  return wordings;
}

Result<SliderWording> read_slider_wording(const Node& node, std::string_view unconditional) {
  SliderWording wording;
  VALENCE_TRY(wording.id, node.string_at("id"));
  VALENCE_TRY(wording.letter, node.string_at("letter"));
  VALENCE_TRY(wording.text, node.string_at("text"));
  VALENCE_TRY(wording.shown, node.string_at("shown"));
  VALENCE_TRY(wording.said, node.string_at("said"));
  VALENCE_TRY(wording.letter_prefix, node.string_at("letter_prefix"));
  VALENCE_TRY(wording.text_prefix, node.string_at("text_prefix"));
  wording.unconditional = unconditional;
  return wording;
}

Result<std::vector<SliderWording>> slider_wordings() {
  VALENCE_TRY(const auto root, read_wording_file("svo"));
  VALENCE_TRY(const auto unconditional, root.string_at("unconditional"));
  VALENCE_TRY(const auto nodes, wording_list(root));
  std::vector<SliderWording> wordings;
  for (const auto& node : nodes) {
    VALENCE_TRY(auto wording, read_slider_wording(node, unconditional));
    wordings.push_back(std::move(wording));
  }
  return wordings;
}

std::string prefix_of(const SliderWording& wording, const SliderManner& manner) {
  if (manner.route == Route::kSampled) return "";
  return manner.format == AnswerFormat::kLetter ? wording.letter_prefix : wording.text_prefix;
}

Result<ChoiceQuestion> slider_question(const SliderItem& item, const SliderWording& wording, const SliderManner& manner,
                                       const Fillings& fillings) {
  const bool letters = manner.format == AnswerFormat::kLetter;
  ChoiceQuestion question;
  question.tag.item = item.id;
  question.tag.variant = wording.id;
  Fillings values = {{"options", "{options}"}, {"labels", "{labels}"}, {"menu", "{menu}"}};
  for (const auto& [name, text] : fillings) values.emplace_back(name, literal(text));
  VALENCE_TRY(question.letter_form, fill(wording.letter, values));
  VALENCE_TRY(question.text_form, fill(wording.text, values));
  VALENCE_TRY(question.listed, option_texts(wording.shown, item));
  VALENCE_TRY(question.options, option_texts(letters ? wording.shown : wording.said, item));
  question.answer_prefix = prefix_of(wording, manner);
  question.format = manner.format;
  question.normalisation = manner.normalisation;
  question.unconditional_form = wording.unconditional;
  question.layouts = manner.layouts;
  question.route = manner.route;
  question.draws = manner.route == Route::kSampled ? 1 : 0;
  question.sampling = manner.sampling;
  return question;
}

SettingTable slider_settings() {
  return {
      {"format", SettingType::kChoice, "letter", "", "how options are offered: a label to name, or their text to continue with",
       {"letter", "text"}, {}, {}},
      {"normalisation", SettingType::kChoice, "character", "",
       "format = text: what makes log-probabilities of texts comparable",
       {"none", "token", "character", "unconditional"}, {}, {}},
      {"tie_rule", SettingType::kChoice, "upper", "",
       "category of an angle exactly on a boundary: upper (Ackermann's scorer) or lower (HVAE's code)",
       {"upper", "lower"}, {}, {}},
  };
}

}  // namespace valence
