#include "form.h"

#include <algorithm>
#include <array>

#include "valence/base/names.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::size_t kMostNamed = 4;  // labels that a question names one by one

constexpr Names<Normalisation, 4> kNormalisations{{{Normalisation::kNone, "none"},
                                                   {Normalisation::kToken, "token"},
                                                   {Normalisation::kCharacter, "character"},
                                                   {Normalisation::kUnconditional, "unconditional"}}};

}  // namespace

std::string literal(std::string_view text) { return replace_all(replace_all(text, "{", "{{"), "}", "}}"); }

std::string fill_form(std::string_view form, const std::vector<std::pair<std::string_view, std::string_view>>& values) {
  std::string out;
  const auto value_at = [&](std::string_view rest) {
    return std::ranges::find_if(values, [&](const auto& entry) {
      const auto size = entry.first.size();
      return rest.size() > size + 1 && rest.substr(1, size) == entry.first && rest[size + 1] == '}';
    });
  };
  for (std::size_t i = 0; i < form.size(); ++i) {
    const char c = form[i];
    const bool doubled = (c == '{' || c == '}') && i + 1 < form.size() && form[i + 1] == c;
    const auto found = c == '{' && !doubled ? value_at(form.substr(i)) : values.end();
    if (found != values.end()) {
      out += found->second;
      i += found->first.size() + 1;
      continue;
    }
    out += c;
    i += doubled ? 1 : 0;
  }
  return out;
}

std::string listed(const std::vector<std::string>& words) {
  if (words.size() < 2) return join(words, "");
  const std::vector<std::string> head(words.begin(), words.end() - 1);
  return join(head, ", ") + " or " + words.back();
}

std::string named(const std::vector<std::string>& labels) {
  if (labels.size() <= kMostNamed) return listed(labels);
  return fmt::format("one from {} to {}", labels.front(), labels.back());
}

std::vector<std::string> by_place(const std::vector<std::string>& options, const Layout& layout) {
  std::vector<std::string> shown(options.size());
  for (std::size_t i = 0; i < shown.size(); ++i) shown[layout.place[i]] = options[i];
  return shown;
}

std::string text_turn(const ChoiceQuestion& question, const Layout& layout) {
  if (question.listed.empty()) return question.text_form;
  const auto shown = by_place(question.listed, layout);
  const auto menu = join(shown, "; ");
  const auto places = labels_of(LabelSet::kWords);
  std::vector<std::pair<std::string_view, std::string_view>> values = {{"menu", menu}};
  for (std::size_t i = 0; i < std::min(shown.size(), places.size()); ++i) values.emplace_back(places[i], shown[i]);
  return fill_form(question.text_form, values);
}

std::string letter_turn(const ChoiceQuestion& question, const Layout& layout) {
  const auto shown = by_place(question.options, layout);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    lines.push_back(fill_form(question.option_line, {{"label", layout.labels[i]}, {"option", shown[i]}}));
  }
  return fill_form(question.letter_form, {{"options", join(lines, "\n")}, {"labels", named(layout.labels)}});
}

std::string continuation(const ChoiceQuestion& question, std::string_view option) {
  return question.answer_prefix.empty() ? std::string(option) : fmt::format(" {}", option);
}

std::string_view to_string(Normalisation normalisation) { return name_of(kNormalisations, normalisation); }

Result<Normalisation> normalisation_from(std::string_view text) {
  return value_of(kNormalisations, "normalisation", text);
}

}  // namespace valence
