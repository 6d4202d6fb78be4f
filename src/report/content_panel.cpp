#include "content_panel.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "valence/base/json.h"
#include "valence/base/text.h"

namespace valence {
namespace report {
namespace {

double number_of(const Json& json) { return json.is_number() ? json.get<double>() : kUndefined; }

std::string estimate_cell(const Json& estimate) {
  Estimate e;
  e.value = number_of(estimate["value"]);
  e.low = number_of(estimate["low"]);
  e.high = number_of(estimate["high"]);
  return number_cell(std::isnan(e.value) ? "–" : figure_text(e));
}

/// The score of the same name on the other side; null when there is none.
const Json* same_score(const Json& side, const Json& score) {
  if (side.is_null()) return nullptr;
  for (const auto& other : side["scores"]) {
    if (other["against"] == score["against"]) return &other;
  }
  return nullptr;
}

std::string score_row(const Json& before, const Json& score) {
  const auto against = score["against"].get<std::string>();
  const auto* first = same_score(before, score);
  return fmt::format("<tr>{}{}{}{}{}<td class=\"{}\">{}</td></tr>\n",
                     cell(against.empty() ? "target's answer, all questions"
                                          : fmt::format("target's answer where {} would differ", against)),
                     first ? estimate_cell((*first)["accuracy"]) : number_cell("–"), estimate_cell(score["accuracy"]),
                     number_cell(significant(number_of(score["chance"]))),
                     number_cell(std::to_string(score["questions"].get<std::size_t>())),
                     score["shown"].get<bool>() ? "pass" : "fail",
                     score["shown"].get<bool>() ? "above chance" : "not above chance");
}

std::string plain_row(std::string_view label, const std::string& before, const std::string& after) {
  return fmt::format("<tr>{}{}{}{}{}{}</tr>\n", cell(label), before, after, number_cell("–"), number_cell("–"),
                     cell(""));
}

std::string position_cell(const Json& side) {
  return number_cell(side.is_null() ? "–" : significant(number_of(side["position"])));
}

std::string figure_rows(const Json& before, const Json& after) {
  std::string rows;
  for (std::size_t i = 0; i < after["figures"].size(); ++i) {
    const auto& figure = after["figures"][i];
    const bool both = !before.is_null() && i < before["figures"].size();
    rows += plain_row(figure["label"].get<std::string>(),
                      both ? estimate_cell(before["figures"][i]["estimate"]) : number_cell("–"),
                      estimate_cell(figure["estimate"]));
  }
  return rows;
}

}  // namespace

Result<std::string> content_panel(const ReportedContent& content) {
  VALENCE_TRY(const auto json, parse_json(content.table, content.name));
  const auto &before = json["before"], &after = json["after"];
  std::string rows;
  for (const auto& score : after["scores"]) rows += score_row(before, score);
  rows += plain_row("pull of the place, whatever stands there", position_cell(before), position_cell(after));
  rows += plain_row("probability on the labels offered",
                    before.is_null() ? number_cell("–") : estimate_cell(before["letter_mass"]),
                    estimate_cell(after["letter_mass"]));
  rows += figure_rows(before, after);
  return fmt::format(
      "<h3>{}: {}</h3>\n<div class=\"box\"><table><thead><tr><th>figure</th><th class=\"n\">before</th><th "
      "class=\"n\">after</th><th class=\"n\">by chance</th><th "
      "class=\"n\">questions</th><th>after, against chance</th></tr></thead>\n<tbody>\n{}"
      "</tbody></table></div>\n<p class=\"note\">By chance: what the best answer that ignores the question would reach "
      "on the "
      "same layouts. The target's answers: {}.</p>\n",
      html_escape(json["instrument"].get<std::string>()), html_escape(json["target"].get<std::string>()), rows,
      html_escape(after["rule"].get<std::string>()));
}

Result<std::string> say_do_panel(const ReportedSayDo& say_do) {
  VALENCE_TRY(const auto json, parse_json(say_do.table, say_do.name));
  auto html = fmt::format("<h3>{}</h3>\n", html_escape(say_do.name));
  if (json.contains("undefined"))
    return html + fmt::format("<p>{}</p>\n", html_escape(json["undefined"].get<std::string>()));
  std::string rows;
  for (const auto& row : json["rows"]) {
    rows += fmt::format(
        "<tr>{}{}{}{}{}</tr>\n", cell(replace_all(row["dimension"].get<std::string>(), "_", " ")),
        number_cell(significant(number_of(row["says"]))), number_cell(significant(number_of(row["says_rank"]))),
        number_cell(significant(number_of(row["does"]))), number_cell(significant(number_of(row["does_rank"]))));
  }
  const bool readable = json["says"]["interpretable"].get<bool>() && json["does"]["interpretable"].get<bool>();
  const auto text_of = [](const Json& estimate) {
    Estimate e;
    e.value = number_of(estimate["value"]);
    e.low = number_of(estimate["low"]);
    e.high = number_of(estimate["high"]);
    return std::isnan(e.value) ? std::string("not given") : figure_text(e);
  };
  html += fmt::format(
      "<div class=\"box\"><table><thead><tr><th>value</th><th class=\"n\">says</th><th class=\"n\">rank</th><th "
      "class=\"n\">does</th><th class=\"n\">rank</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n"
      "<p>Rank correlation {}; without noise on either side {}.{}</p>\n",
      rows, html_escape(text_of(json["spearman"])), html_escape(text_of(json["disattenuated"])),
      readable ? "" : " <strong>A side did not pass its gate, so this says nothing about the subject.</strong>");
  return html;
}

}  // namespace report

Result<std::string> content_verdict(const ReportedContent& content) {
  VALENCE_TRY(const auto json, parse_json(content.table, content.name));
  const auto& after = json["after"];
  const auto subject = after["subject"].get<std::string>(), target = json["target"].get<std::string>(),
             instrument = json["instrument"].get<std::string>();
  if (after["passed"].get<bool>())
    return fmt::format("{}: the answers of {} follow {} by their content.", instrument, subject, target);
  return fmt::format("{}: it is not shown that the answers of {} follow {} by their content ({}).", instrument, subject,
                     target, after["objection"].get<std::string>());
}

}  // namespace valence
