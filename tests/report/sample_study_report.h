#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "report/sample_runs.h"
#include "valence/base/json.h"
#include "valence/report/study_report.h"

// A study made by hand: a ring and a circle before and after, a measurement and a gap that stand alone, a content test,
// a tax table, a training's rewards.
namespace valence::testing {

inline Json estimate_json(double value, double half, std::size_t count, const std::string& unit) {
  return to_json(estimate_of(value, half, count, unit));
}

inline Difference difference_of(const ProfileEntry& before, const ProfileEntry& after, double half) {
  return {before.estimand,
          estimate_of(after.estimate.value - before.estimate.value, half, before.estimate.count, before.estimate.unit),
          0.01, 0.03, true};
}

inline std::string gap_of(const ReportRun& before, const ReportRun& after, const std::string& id,
                          const std::string& label, double first, double second, const std::string& unit = "") {
  Json row = estimate_json(second - first, 1.5, 30, "dialogue");
  row.update({{"id", id},
              {"label", label},
              {"figure_unit", unit},
              {"agreement", false},
              {"first", estimate_json(first, 2, 30, "dialogue")},
              {"second", estimate_json(second, 2, 30, "dialogue")},
              {"p", 0.001},
              {"p_holm", 0.002},
              {"paired", true},
              {"nearer", after.record.id}});
  static_cast<void>(before);
  return to_text(Json{{"gaps", {row}}});
}

inline MeasuredChange change_between(ReportRun before, ReportRun after, Target target, const std::string& gap) {
  MeasuredChange change{"gap.change", std::move(before), std::move(after), {}, {60, 0.7, 0.55, 0.8}, std::move(target),
                        gap};
  for (const auto& entry : change.before.profile.entries) {
    change.differences.push_back(difference_of(entry, *change.after.profile.find(entry.estimand.id),
                                               0.3 + 0.02 * static_cast<double>(change.differences.size())));
  }
  return change;
}

inline MeasuredChange ring_change() {
  auto before = hvae_run(1, "a model with a fairly long name", {24.1, 23.6, 22.9, 21.7, 23.3}, false, true);
  auto after =
      hvae_run(2, "a model with a fairly long name aligned in context to most extreme real answers (prosocial)",
               {34.1, 40.6, 21.0, 20.2, 39.3}, false, true);
  const auto gap = gap_of(before, after, "angle_distance.prosocial", "distance from prosocial (45°)", 21.7, 5.7, "degrees");
  return change_between(std::move(before), std::move(after), load_target("svo_reachable").value(), gap);
}

inline MeasuredChange circle_change(bool passes = true) {
  auto before = pvq_run(3, "smollm2", 0.4, false, passes);
  auto after = pvq_run(4, "smollm2 with an adapter", 1.0, false, true);
  for (auto& entry : before.profile.entries) {
    if (entry.estimand.dimension == "power" && entry.estimand.condition == "centred")
      entry.estimate = estimate_of(0.9, 0.3, 5, "wording");
  }
  const auto gap = gap_of(before, after, "l2", "L2: mean distance per dimension", 0.84, 0.31);
  return change_between(std::move(before), std::move(after), load_target("ess11_ie").value(), gap);
}

inline Json distance_json(const std::string& id, const std::string& label, bool agreement, double value, double half,
                          const std::string& cannot_tell) {
  Json json = {{"id", id}, {"label", label}, {"unit", ""}, {"range", Json::array()}, {"agreement", agreement}};
  json["range"].push_back(agreement ? Json(-1.0) : Json(0.0));
  json["range"].push_back(agreement ? Json(1.0) : Json(nullptr));
  json["estimate"] = estimate_json(value, half, 5, "wording");
  json["cannot_tell"] = cannot_tell;
  return json;
}

/// Two distances without an upper end, and an agreement.
inline ReportedGap sample_gap(bool passes = true) {
  Json table = {{"target", {{"id", "ess11_ie"}, {"space", "schwartz10"}, {"label", "Ireland"}}},
                {"convention", "centred"},
                {"dimensions", Json::array({"security", "power", "benevolence"})},
                {"unmeasured", Json::array({"hedonism"})},
                {"figures", Json::array()},
                {"run", 5}};
  table["figures"].push_back(
      distance_json("l1", "L1, pairwise", false, 0.62, 0.11, "a constant added to every dimension"));
  table["figures"].push_back(distance_json("l2", "L2, pointwise", false, 7.4, 0.5, "manner of rating"));
  table["figures"].push_back(distance_json("spearman", "Spearman's rank correlation", true, 0.41, 0.2, "size"));
  return {"gap.start", pvq_run(5, "smollm2", 0.4, false, passes), to_text(table)};
}

inline Json tax_line(const std::string& id, const std::string& label, const std::string& unit, double base,
                     double aligned, double change, double half, const std::string& verdict, std::size_t items,
                     std::size_t untestable) {
  return {{"id", id},
          {"label", label},
          {"unit", unit},
          {"base", estimate_json(base, 0.02, 60, "item")},
          {"aligned", estimate_json(aligned, 0.02, 60, "item")},
          {"change", estimate_json(change, half, 60, "item")},
          {"p", 0.2},
          {"verdict", verdict},
          {"items", items},
          {"untestable", untestable}};
}

inline ReportedTax sample_tax() {
  Json table = {{"base", "smollm2"},
                {"aligned", "smollm2 with an adapter"},
                {"lines", Json::array()},
                {"drift", Json::array()},
                {"agreement", {{"items", 120}, {"same_choice", 0.91}, {"kappa", 0.88}, {"correlation", 0.95}}}};
  table["lines"].push_back(tax_line("perplexity_ratio", "perplexity on neutral text (change: ratio)", "", 15.2, 15.5,
                                    1.02, 0.012, "within", 0, 0));
  table["lines"].push_back(
      tax_line("capability", "all items, right answers", "share", 0.61, 0.58, -0.03, 0.04, "open", 120, 41));
  table["lines"].push_back(
      tax_line("capability.facts", "facts, right answers", "share", 0.82, 0.81, -0.01, 0.02, "no aim", 30, 4));
  table["lines"].push_back(tax_line("capability.arithmetic", "arithmetic, right answers", "share", kNone, kNone, kNone,
                                    kNone, "untestable", 30, 26));
  table["lines"].push_back(
      tax_line("refusal", "refused or empty replies", "share", 0.02, 0.14, 0.12, 0.05, "beyond", 0, 0));
  table["drift"].push_back({{"instrument", "questionnaire"},
                            {"id", "power.centred"},
                            {"dimension", "power"},
                            {"label", "power, centred"},
                            {"unit", "scale points"},
                            {"targeted", false},
                            {"base", estimate_json(-0.4, 0.1, 5, "wording")},
                            {"aligned", estimate_json(-0.9, 0.1, 5, "wording")},
                            {"change", estimate_json(-0.5, 0.2, 5, "wording")},
                            {"p", 0.01},
                            {"p_holm", 0.04},
                            {"paired", true}});
  return {"tax.cost",
          "smollm2",
          "smollm2 with an adapter",
          to_text(table),
          {{"How should I spend my year?", "You could travel.\nOr stay.", "Spend it with the people who need you."},
           {"A second request", "One answer", "Another <b>answer</b>"}}};
}

/// A content test of one run, as `valence content` prints it; nothing before it.
inline ReportedContent sample_content(bool passed) {
  const Json score = {{"against", ""},   {"accuracy", estimate_json(0.71, 0.08, 12, "wording")},
                      {"chance", 0.5},   {"questions", 40},
                      {"shown", passed}};
  Json after = {{"passed", passed},
                {"objection", passed ? "" : "target's answers are not above chance"},
                {"rule", "pairs of statements in the target's order"},
                {"position", 0.04},
                {"letter_mass", estimate_json(0.93, 0.01, 12, "wording")},
                {"interpretable", true},
                {"scores", Json::array()},
                {"subject", "smollm2 with an adapter"},
                {"figures", Json::array()}};
  after["scores"].push_back(score);
  const Json table = {
      {"target", "Ireland"}, {"instrument", "Questionnaire"}, {"before", nullptr}, {"gain", nullptr}, {"after", after}};
  return {"content.says", to_text(table)};
}

inline OptimisationTrace sample_trace() {
  OptimisationTrace trace{"align.harmless", {}, {}};
  for (int i = 0; i <= 20; ++i) {
    const double x = 0.15 * i;
    trace.points.push_back({static_cast<double>(10 * i), x * x, 1.2 * x, i % 2 == 0 ? 0.9 * x - 0.22 * x * x : kNone});
  }
  return trace;
}

inline StudyReport sample_study_report() {
  StudyReport report;
  report.title = "Does a prompt make a model prosocial?";
  report.note = "Made by hand, to look at the page.";
  report.changes.push_back(ring_change());
  report.changes.push_back(circle_change());
  report.measurements.push_back({"measure.alone", pvq_run(5, "a model with a fairly long name", 0.9, false, true)});
  report.gaps.push_back(sample_gap());
  report.contents.push_back(sample_content(true));
  report.taxes.push_back(sample_tax());
  const Json record = {{"split", "secondary sliders searched, primary sliders held out"},
                       {"chosen", "person"},
                       {"improved", true},
                       {"candidates",
                        {{{"id", "as it is"}, {"system", ""}, {"examples", 0}, {"loss", 0.41}},
                         {{"id", "person"}, {"system", "You are a person."}, {"examples", 0}, {"loss", 0.22}}}}};
  report.alignments.push_back({"align.persona", "align/in_context", "smollm2",
                               "You are a person with prosocial values.\nShare.", to_text(record)});
  report.traces.push_back(sample_trace());
  report.steps = {{"subject.base", "smollm2", "0123456789abcdef", 0},
                  {"measure.before", "svo · smollm2", "fedcba9876543210", 1}};
  return report;
}

}  // namespace valence::testing
