#include "change_panel.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "circle.h"
#include "difference_forest.h"
#include "dumbbell.h"
#include "filed.h"
#include "forest.h"
#include "ring.h"
#include "svg.h"
#include "valence/base/json.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence::report {
namespace {

std::vector<const Difference*> headline(const MeasuredChange& change) { return headline_of(change.differences); }

const ProfileEntry& entry_or_none(const Profile& profile, const std::string& id) {
  static const ProfileEntry none;
  const auto* found = profile.find(id);
  return found ? *found : none;
}

/// The target's value for a figure, where both are in one convention; NaN otherwise.
double target_value(const MeasuredChange& change, const Estimand& estimand) {
  if (!change.target) return kUndefined;
  const auto& target = *change.target;
  if (target.scale == ScoreScale::kNone) {  // a ring: its angle, when it asks for one only
    const auto wanted = std::count_if(target.values.begin(), target.values.end(),
                                      [](const auto& value) { return !std::isnan(value.second); });
    if (wanted != 1 || estimand.dimension != "angle") return kUndefined;
    return std::find_if(target.values.begin(), target.values.end(),
                        [](const auto& value) { return !std::isnan(value.second); })
        ->second;
  }
  return estimand.condition == to_string(target.scale) ? target.value(estimand.dimension).value_or(kUndefined)
                                                       : kUndefined;
}

struct FigureRange {
  double low = 0.0, high = 1.0;
};

/// The figures' own range; around 0 the smallest round one that holds everything.
FigureRange axis_of(const MeasuredChange& change, const std::vector<const Difference*>& rows) {
  const auto& first = rows.front()->estimand;
  FigureRange range{first.low, first.high};
  if (range.low != -range.high) return range;
  double most = 0.0;
  for (const auto* row : rows) {
    for (const double x :
         {entry_or_none(change.before.profile, row->estimand.id).estimate.value,
          entry_or_none(change.after.profile, row->estimand.id).estimate.value, target_value(change, row->estimand)}) {
      if (std::isfinite(x)) most = std::max(most, std::abs(x));
    }
  }
  range.high = round_bound(most, range.high);
  range.low = -range.high;
  return range;
}

std::string dumbbell_figure(const MeasuredChange& change, const std::vector<const Difference*>& rows, Ids& ids) {
  const auto range = axis_of(change, rows);
  if (!std::isfinite(range.low) || !std::isfinite(range.high)) return "";
  Dumbbell dumbbell{ids.next("dumbbell"),
                    "Before and after",
                    "",
                    series_name(change.before),
                    series_name(change.after),
                    {},
                    range.low,
                    range.high,
                    rows.front()->estimand.unit,
                    ""};
  for (const auto* row : rows) {
    const auto &before = entry_or_none(change.before.profile, row->estimand.id).estimate,
               &after = entry_or_none(change.after.profile, row->estimand.id).estimate;
    const double target = target_value(change, row->estimand);
    if (std::isfinite(target)) dumbbell.target_label = "target: " + change.target->label;
    dumbbell.rows.push_back({row_label(row->estimand), before, after, row->estimate, target});
    dumbbell.description += fmt::format("{}: before {}, after {}, change {}. ", row_label(row->estimand),
                                        figure_text(before), figure_text(after), figure_text(row->estimate));
  }
  return figure(
      draw_dumbbell(dumbbell),
      fmt::format("Open mark: before; filled mark: after. The change and its 95 % interval are {} over the same {}s.",
                  rows.front()->paired ? "paired" : "not paired, since the runs do not stand",
                  change.before.instrument->card().random_unit));
}

std::string change_forest(const MeasuredChange& change, const std::vector<const Difference*>& rows, Ids& ids) {
  return difference_forest(
      rows,
      {.title = "Changes",
       .series = "after minus before",
       .reference = "no change",
       .caption = fmt::format("Bar: 95 % interval of the change over {}s; dashed: no change. Unlike the intervals of the "
                              "two figures, it leaves out what both have in common.",
                              change.before.instrument->card().random_unit)},
      ids);
}

Result<std::string> space_figure(const MeasuredChange& change, Ids& ids) {
  const std::vector<const ReportRun*> runs = {&change.before, &change.after};
  if (change.before.profile.space == "svo_ring") {
    VALENCE_TRY(const auto ring, draw_ring(runs, ids.next("ring"), true));
    return figure(ring,
                  "The self–other plane of the slider measure: the arrow leads from the angle before to the angle "
                  "after, each with its 95 % interval as an arc. "
                  "Arrowheads outside the rim: the most extreme angles that real answers can reach. Dashed: a subject "
                  "that answers at random.");
  }
  VALENCE_TRY(const bool circle, stands_on_circle(runs));
  if (!circle) return std::string();
  const bool same =
      !headline(change).empty() && std::isfinite(target_value(change, headline(change).front()->estimand));
  VALENCE_TRY(const auto drawn, draw_circle(runs, ids.next("circle"), true, same ? &*change.target : nullptr));
  return figure(drawn,
                "Arrows lead from the score before to the score after. A mark further out: the value matters more; "
                "bar: 95 % interval; ring: the target. "
                "The circle shows the theory; read figures off the rows.");
}

std::string changes_table(const MeasuredChange& change) {
  std::string rows;
  for (const auto* row : headline(change)) {
    const auto& id = row->estimand.id;
    const double target = target_value(change, row->estimand);
    rows += fmt::format("<tr>{}{}{}{}{}{}{}{}</tr>\n", cell(row_label(row->estimand)),
                        number_cell(significant(entry_or_none(change.before.profile, id).estimate.value)),
                        number_cell(significant(entry_or_none(change.after.profile, id).estimate.value)),
                        number_cell(significant(row->estimate.value)), number_cell(interval_cell(row->estimate)),
                        number_cell(p_text(row->p_holm)), number_cell(significant(target)),
                        number_cell(std::to_string(row->estimate.count)));
  }
  return fmt::format(
      "<div class=\"box\"><table><thead><tr><th>figure</th><th class=\"n\">before</th><th class=\"n\">after</th><th "
      "class=\"n\">change</th>"
      "<th class=\"n\">95 % interval</th><th class=\"n\">p (Holm)</th><th class=\"n\">target</th><th "
      "class=\"n\">n</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n"
      "<p class=\"note\">p is corrected for all {} figures of the instrument. Agreement with the answers before on {} "
      "items: same choice {}, Cohen's kappa {}.</p>\n",
      rows, change.differences.size(), change.agreement.items, significant(change.agreement.same_choice),
      significant(change.agreement.kappa));
}

Result<std::string> gap_table(const MeasuredChange& change) {
  VALENCE_TRY(const auto json, parse_json(change.gap, change.name));
  std::string rows;
  for (const auto& gap : json["gaps"]) {
    const auto difference = estimate_of(gap);
    const auto nearer = gap["nearer"];
    const auto side = nearer.is_null()                                ? "cannot be told"
                      : nearer.get<RunId>() == change.after.record.id ? "after"
                                                                      : "before";
    rows += fmt::format("<tr>{}{}{}{}{}{}{}</tr>\n", cell(gap["label"].get<std::string>()),
                        number_cell(significant(estimate_of(gap["first"]).value)),
                        number_cell(significant(estimate_of(gap["second"]).value)),
                        number_cell(significant(difference.value)), number_cell(interval_cell(difference)),
                        number_cell(p_text(number_at(gap, "p_holm"))), cell(side));
  }
  return fmt::format(
      "<div class=\"box\"><table><thead><tr><th>distance from {}</th><th class=\"n\">before</th><th "
      "class=\"n\">after</th><th class=\"n\">change</th>"
      "<th class=\"n\">95 % interval</th><th class=\"n\">p "
      "(Holm)</th><th>nearer</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
      html_escape(change.target->label), rows);
}

std::string verdict_words(std::string_view verdict) {
  if (verdict == "within") return "within the aim";
  if (verdict == "beyond") return "beyond the aim";
  if (verdict == "open") return "cannot be told";
  if (verdict == "untestable") return "untestable: the base itself is not above chance";
  return "shown, no aim";
}

std::string tax_rows(const Json& table) {
  std::string rows;
  for (const auto& line : table["lines"]) {
    const auto verdict = line["verdict"].get<std::string>();
    const auto change = estimate_of(line["change"]);
    const auto items = line["items"].get<std::size_t>();
    rows += fmt::format(
        "<tr>{}{}{}{}{}{}<td class=\"{}\">{}</td>{}</tr>\n", cell(line["label"].get<std::string>()),
        number_cell(significant(estimate_of(line["base"]).value)),
        number_cell(significant(estimate_of(line["aligned"]).value)), number_cell(significant(change.value)),
        number_cell(interval_cell(change)), number_cell(std::to_string(change.count)),
        verdict == "beyond"   ? "fail"
        : verdict == "within" ? "pass"
                              : "dim",
        html_escape(verdict_words(verdict)),
        number_cell(items > 0 ? fmt::format("{} of {}", line["untestable"].get<std::size_t>(), items) : "–"));
  }
  return rows;
}

std::string drift_table(const Json& table) {
  if (table["drift"].empty()) {
    return "<p>Drift was not measured: no pair of measurements before and after was named (drift).</p>\n";
  }
  std::string rows;
  for (const auto& row : table["drift"]) {
    const auto change = estimate_of(row["change"]);
    rows +=
        fmt::format("<tr>{}{}{}{}{}{}{}</tr>\n", cell(row["label"].get<std::string>()),
                    number_cell(significant(estimate_of(row["base"]).value)),
                    number_cell(significant(estimate_of(row["aligned"]).value)), number_cell(significant(change.value)),
                    number_cell(interval_cell(change)), number_cell(p_text(number_at(row, "p_holm"))),
                    cell(row["targeted"].get<bool>() ? "targeted" : "not targeted"));
  }
  return fmt::format(
      "<h4>Drift</h4>\n<div class=\"box\"><table><thead><tr><th>figure</th><th class=\"n\">base</th><th "
      "class=\"n\">aligned</th><th class=\"n\">change</th>"
      "<th class=\"n\">95 % interval</th><th class=\"n\">p "
      "(Holm)</th><th>wanted?</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n",
      rows);
}

/// Lines of the table that were measured, as dots with the aim's side in words: the picture of the shares.
std::string tax_picture(const Json& table, Ids& ids) {
  double most = 0.0;
  Forest forest{ids.next("tax"), "Changes that an alignment costs", "", {"aligned minus base"}, {}, 0.0, 0.0, "share",
                "no change"};
  for (const auto& line : table["lines"]) {
    const auto change = estimate_of(line["change"]);
    if (line["unit"] != "share" || !std::isfinite(change.value)) continue;
    forest.rows.push_back({line["label"].get<std::string>(), "", {{0, change}}, 0.0});
    forest.description += fmt::format("{}: {}. ", line["label"].get<std::string>(), figure_text(change));
    for (const double x : {change.value, change.low, change.high})
      most = std::isfinite(x) ? std::max(most, std::abs(x)) : most;
  }
  if (forest.rows.empty()) return "";
  forest.high = round_bound(most, 1.0);
  forest.low = -forest.high;
  return fmt::format(
      "<div class=\"pictures\">\n{}</div>\n",
      figure(draw_forest(forest),
             "Bar: 95 % interval of the paired change; dashed: no change. Left of it fewer, right of it more."));
}

std::string samples_table(const ReportedTax& tax, Ids& ids) {
  if (tax.samples.empty()) return "";
  std::string rows;
  for (const auto& sample : tax.samples) {
    rows += fmt::format("<tr><td class=\"side\">{}</td><td class=\"side\">{}</td><td class=\"side\">{}</td></tr>\n",
                        html_escape(printable(sample.prompt)), html_escape(printable(sample.before)),
                        html_escape(printable(sample.after)));
  }
  return fmt::format(
      "<h4>The same requests, answered before and after</h4>\n<div class=\"box\"><table "
      "id=\"{}\"><thead><tr><th>request</th><th>{}</th><th>{}</th></tr></thead>\n"
      "<tbody>\n{}</tbody></table></div>\n<p class=\"note\">The first of the requests that both answered; nothing was "
      "picked.</p>\n",
      ids.next("samples"), html_escape(tax.base), html_escape(tax.aligned), rows);
}

std::string candidate_rows(const Json& record) {
  std::string rows;
  for (const auto& candidate : record["candidates"]) {
    const bool chosen = candidate["id"] == record["chosen"];
    rows += fmt::format("<tr>{}{}{}<td class=\"q\">{}</td></tr>\n", cell(candidate["id"].get<std::string>()),
                        number_cell(significant(number_at(candidate, "loss"))), cell(chosen ? "chosen" : ""),
                        html_escape(candidate["system"].get<std::string>()));
  }
  return rows;
}

/// What was drawn on the way, as far as it is shown.
std::string drawn_table(const ReportedAlignment& alignment) {
  if (alignment.drawn.empty()) return "";
  std::string rows;
  for (const auto& one : alignment.drawn) {
    rows += fmt::format("<tr>{}<td class=\"side\">{}</td><td class=\"side\">{}</td>{}</tr>\n", cell(one.round),
                        html_escape(printable(one.prompt)), html_escape(printable(one.response)),
                        number_cell(significant(one.reward)));
  }
  return fmt::format(
      "<details><summary>Responses that were drawn: {}</summary>\n<p class=\"note\">The first response to the first "
      "prompts of every round; nothing was picked. All of them: valence export {} --format csv</p>\n<div "
      "class=\"box\"><table><thead><tr><th>round</th><th>prompt</th><th>response</th><th "
      "class=\"n\">reward</th></tr></thead>\n<tbody>\n{}</tbody></table></div></details>\n",
      html_escape(alignment.name), alignment.run, rows);
}

constexpr std::string_view kTrainedOn = "prompts_trained_on";

/// How often the reward finds the better answer of held-out pairs, against length alone.
std::string pair_accuracy_table(const Json& accuracy) {
  std::string rows;
  for (const auto& [key, label] : {std::pair{"reward", std::string("the implicit reward")},
                                   std::pair{"length", "lengths only: " + accuracy["length_rule"].get<std::string>()},
                                   std::pair{"difference", std::string("difference, paired")}}) {
    const auto estimate = estimate_of(accuracy[key]);
    rows += fmt::format("<tr>{}{}{}</tr>\n", cell(label), number_cell(significant(estimate.value)),
                        number_cell(interval_cell(estimate)));
  }
  return fmt::format(
      "<h3>Held-out pairs</h3>\n<div class=\"box\"><table><thead><tr><th>finds the better answer</th><th "
      "class=\"n\">share</th><th class=\"n\">95 % interval</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n"
      "<p class=\"note\">{} pairs of {} prompts{}; intervals are over prompts.{}</p>\n",
      rows, accuracy["pairs"].get<std::size_t>(), accuracy["prompts"].get<std::size_t>(),
      number_at(accuracy, kTrainedOn) == 0.0 ? ", none of them trained on" : "", trained_on_text(accuracy));
}

}  // namespace

std::string trained_on_text(const Json& pair_accuracy) {
  const double count = number_at(pair_accuracy, kTrainedOn);
  if (!(count > 0.0)) return "";  // an older record does not say: nothing is claimed for it
  return fmt::format(" Trained on as well: {} of the {} prompts, for which this is no held-out figure.",
                     with_thousands(static_cast<std::size_t>(count)),
                     with_thousands(pair_accuracy["prompts"].get<std::size_t>()));
}

Result<std::string> change_panel(const MeasuredChange& change, Ids& ids) {
  const auto rows = headline(change);
  std::string html = "<div class=\"pictures\">\n";
  VALENCE_TRY(const auto picture, space_figure(change, ids));
  html += picture;
  for (const auto& group : by_axis(rows))
    html += dumbbell_figure(change, group, ids) + change_forest(change, group, ids);
  html += "</div>\n<h3>What changed</h3>\n" + changes_table(change);
  if (!change.target) return html;
  VALENCE_TRY(const auto gap, gap_table(change));
  return html + "<h3>How far from the target</h3>\n" + gap;
}

Result<std::string> tax_panel(const ReportedTax& tax, Ids& ids) {
  VALENCE_TRY(const auto table, parse_json(tax.table, tax.name));
  const auto& agreement = table["agreement"];
  return fmt::format(
             "<p>{} against {}.</p>\n<div class=\"box\"><table><thead><tr><th>cost</th><th class=\"n\">base</th><th "
             "class=\"n\">aligned</th><th class=\"n\">change</th>"
             "<th class=\"n\">95 % interval</th><th class=\"n\">n</th><th>aim</th><th class=\"n\">untestable "
             "items</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n"
             "<p class=\"note\">Changes are paired over paragraphs, items and prompts. Agreement with the base on {} "
             "plain questions: same choice {}, Cohen's kappa {}.</p>\n",
             html_escape(tax.aligned), html_escape(tax.base), tax_rows(table), agreement["items"].get<std::size_t>(),
             significant(number_at(agreement, "same_choice")), significant(number_at(agreement, "kappa"))) +
         tax_picture(table, ids) + drift_table(table) + samples_table(tax, ids);
}

Result<std::string> alignment_panel(const ReportedAlignment& alignment) {
  VALENCE_TRY(const auto record, parse_json(alignment.record, alignment.name));
  std::string html = fmt::format("<p>{}, by {} on {}.</p>\n", html_escape(alignment.name),
                                 html_escape(alignment.method), html_escape(alignment.base));
  if (!alignment.system.empty())
    html += fmt::format("<p>What the aligned subject is told:</p>\n<blockquote><p>{}</p></blockquote>\n",
                        replace_all(html_escape(alignment.system), "\n", "<br/>\n"));
  if (record.contains("rule") && record["rule"].is_string() && !record["rule"].get<std::string>().empty())
    html += fmt::format("<p>Learned: {} ({} questions in {} layouts).</p>\n",
                        html_escape(record["rule"].get<std::string>()), record["questions"].get<std::size_t>(),
                        record["layouts"].get<std::size_t>());
  if (record.contains("pair_accuracy")) html += pair_accuracy_table(record["pair_accuracy"]);
  html += drawn_table(alignment);
  if (!record.contains("candidates")) return html;
  if (!record["improved"].get<bool>())
    html +=
        "<p class=\"banner\"><strong>No prompt came nearer than the subject as it was, so it was left as it "
        "was.</strong></p>\n";
  return html +
         fmt::format(
             "<details><summary>All prompts that were tried</summary>\n<p class=\"note\">Items: {}. The loss is on the "
             "items searched; the figures above are on the others.</p>\n"
             "<div class=\"box\"><table><thead><tr><th>prompt</th><th "
             "class=\"n\">loss</th><th></th><th>text</th></tr></thead>\n<tbody>\n{}</tbody></table></div></details>\n",
             html_escape(record["split"].get<std::string>()), candidate_rows(record));
}

}  // namespace valence::report
