#include "align_values_show.h"

#include <nlohmann/json.hpp>

#include "valence/base/table.h"
#include "valence/base/text.h"

namespace valence {
namespace {

std::string number(const Json& value) { return value.is_number() ? significant(value.get<double>()) : "–"; }

std::string count(const Json& value) { return with_thousands(value.get<std::size_t>()); }

/// "−1.2 [−1.4, −1.0]" of an estimate's JSON.
std::string estimate(const Json& json) {
  if (!json["low"].is_number()) return number(json["value"]);
  return fmt::format("{} [{}, {}]", number(json["value"]), number(json["low"]), number(json["high"]));
}

std::string draws_text(const Json& rounds) {
  TextTable table({{"round", Align::kRight},
                   {"prompts", Align::kRight},
                   {"responses", Align::kRight},
                   {"refused", Align::kRight},
                   {"empty", Align::kRight},
                   {"failed", Align::kRight},
                   {"cut", Align::kRight},
                   {"mean reward", Align::kRight},
                   {"best of each", Align::kRight},
                   {"coverage", Align::kRight},
                   {"lessons", Align::kRight}});
  for (const auto& round : rounds) {
    const auto& samples = round["samples"];
    table.add({count(round["round"]), count(round["prompts"]), count(samples["asked"]), count(samples["refused"]),
               count(samples["empty"]), count(samples["failed"]), count(samples["cut"]), number(round["mean_reward"]),
               number(round["mean_best_reward"]), number(round["mean_coverage"]), count(round["lessons"])});
  }
  return table.text();
}

std::string monitor_text(const Json& monitor) {
  constexpr std::pair<const char*, const char*> kKinds[] = {{"coverage", "coverage"}, {"outside_domain", "outside the domain"},
                                                            {"refused", "refused"}, {"words", "words"}, {"answered", "answered"}};
  TextTable table({{"after round", Align::kRight},
                   {"√KL", Align::kRight},
                   {"reward", Align::kLeft},
                   {"by the evaluator that watches", Align::kLeft},
                   {kKinds[0].second, Align::kRight},
                   {kKinds[1].second, Align::kRight},
                   {kKinds[2].second, Align::kRight},
                   {kKinds[3].second, Align::kRight},
                   {kKinds[4].second, Align::kRight}});
  for (const auto& point : monitor) {
    std::vector<std::string> cells = {count(point["round"]), number(point["sqrt_kl"]), estimate(point["proxy"]), estimate(point["held_out"])};
    for (const auto& [key, label] : kKinds) cells.push_back(point.contains(key) ? number(point[key]["value"]) : "");
    table.add(std::move(cells));
  }
  return table.text();
}

std::string turn_text(const Json& record) {
  const auto kept = fmt::format("kept is what round {} made", count(record["kept"]));
  if (!record["turn"].is_null()) {
    const bool silent = record.value("turn_by", "") == "silence";
    return fmt::format("  TURN after round {}: {} by {}; {}\n", count(record["turn"]),
                       silent ? "the share of prompts that are answered changed"
                              : "the reward held while the evaluator that watches it changed",
                       estimate(record["fall"]), kept);
  }
  if (!record.value("watched", true)) return fmt::format("  nobody watched the reward: over-optimisation would not be seen (--watch); {}\n", kept);
  const bool last = record["kept"] == record["monitor"].back()["round"];
  return fmt::format("  no turn: what watches the reward did not fall while it held; {}{}\n", kept,
                     last ? "" : ", since the watching reward lies lower after the last");
}

std::string changes_text(const std::vector<Change>& changes) {
  TextTable table({{"", Align::kLeft},
                   {"before", Align::kLeft},
                   {"after", Align::kLeft},
                   {"difference", Align::kLeft},
                   {"p (Holm)", Align::kRight},
                   {"cut by", Align::kLeft}});
  for (const auto& change : changes) {
    table.add({change.label, figure_text(change.before), figure_text(change.after), figure_text(change.difference),
               significant(change.p_holm), percent_text(change.cut)});
  }
  return table.text();
}

std::string report_text(const ValueReport& report) {
  auto text = fmt::format("\n  as {} reads them (runs {} and {})\n{}", report.evaluator, report.before, report.after,
                          changes_text(report.distances));
  for (const auto& reason : report.reasons) text += fmt::format("  not interpretable, {}\n", reason);
  return text;
}

}  // namespace

std::string rounds_text(const Json& record) {
  const auto& prompts = record["prompts"];
  auto text = fmt::format("  prompts: {} of {} held out ({}); {} watched, {} to train on\n\n",
                          count(prompts["held_out"]), count(prompts["read"]), prompts["split"].get<std::string>(),
                          count(prompts["watched"]), count(prompts["to_train_on"]));
  text += draws_text(record["rounds"]) + "\n" + monitor_text(record["monitor"]) + turn_text(record);
  if (record.contains("best_of_n_kl_bound")) {
    text += fmt::format("  taking the best of each prompt's responses moves a subject by at most {} nats\n",
                        number(record["best_of_n_kl_bound"]));
  }
  return text;
}

std::string constitutional_text(const Json& record) {
  std::vector<std::string> principles, statuses;
  for (const auto& [id, times] : record["principles"].items())
    principles.push_back(fmt::format("{} {}", id, count(times)));
  for (const auto& [status, times] : record["statuses"].items())
    statuses.push_back(fmt::format("{} {}", count(times), status));
  auto text = fmt::format("  {} prompts of the training side ({}): {}\n", count(record["prompts"]["used"]),
                          record["prompts"]["split"].get<std::string>(), join(statuses, ", "));
  text += fmt::format("  {} lessons; principles: {}\n", count(record["lessons"]), join(principles, ", "));
  if (record.contains("unchanged"))
    text += fmt::format("  answers that the rewriting left as they were: {}\n", count(record["unchanged"]));
  if (record.contains("first_place")) {
    text += fmt::format(
        "  the judge's mean probability for whatever stands first: {} (0.5: it reads; 1: it goes by place)\n",
        estimate(record["first_place"]));
  }
  return text;
}

std::string value_check_text(const ValueCheck& check) {
  auto text = fmt::format("{} held-out prompts, before and after, differences paired by prompt\n\n{}",
                          with_thousands(check.prompts), changes_text(check.responses));
  if (!check.domain.empty()) text += changes_text(check.domain);
  if (!check.domain_note.empty())
    text += fmt::format("  outside the evaluator's domain: not known; {}\n", check.domain_note);
  for (const auto& report : check.reports) text += report_text(report);
  return text;
}

}  // namespace valence
