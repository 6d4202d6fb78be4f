#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "gap_show.h"
#include "session.h"
#include "valence/base/json.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/report/content_json.h"
#include "valence/report/report_files.h"
#include "valence/report/study_report.h"
#include "valence/values/opinions.h"

namespace valence {
namespace {

struct ContentCommand {
  RunId run_id = 0, before = 0;
  std::string target, map;
  std::vector<std::string> dimensions;

  Result<void> run(const Session& session) const;
};

std::string figure_cell(const Json& estimate) {
  const auto part = [&](const char* key) {
    return estimate.contains(key) && estimate[key].is_number() ? estimate[key].get<double>() : kUndefined;
  };
  Estimate e;
  e.value = part("value");
  e.low = part("low");
  e.high = part("high");
  return std::isnan(e.value) ? "–" : figure_text(e);
}

/// The accuracy against the same rival in the run before; "–" where there is none.
std::string accuracy_before(const Json& before, const Json& against) {
  if (before.is_null()) return "–";
  for (const auto& score : before["scores"]) {
    if (score["against"] == against) return figure_cell(score["accuracy"]);
  }
  return "–";
}

std::string content_text(const Json& json, const std::string& verdict) {
  const auto &before = json["before"], &after = json["after"];
  TextTable table({{"gives the target's answer", Align::kLeft},
                   {"before", Align::kRight},
                   {"after", Align::kRight},
                   {"by chance", Align::kRight},
                   {"questions", Align::kRight},
                   {"", Align::kLeft}});
  for (const auto& score : after["scores"]) {
    const auto against = score["against"].get<std::string>();
    table.add({against.empty() ? "on all questions" : fmt::format("where {} would not", replace_all(against, "_", " ")),
               accuracy_before(before, score["against"]), figure_cell(score["accuracy"]),
               significant(score["chance"].get<double>()), std::to_string(score["questions"].get<std::size_t>()),
               score["shown"].get<bool>() ? "above chance" : "not above chance"});
  }
  auto text = fmt::format("{}\n\n{}", verdict, table.text());
  if (!json["gain"].is_null()) text += fmt::format("\n  paired gain on all questions: {}\n", figure_cell(json["gain"]));
  if (const auto& position = after["position"]; position.is_number())
    text += fmt::format("  pull of the place, whatever stands there: {}\n", significant(position.get<double>()));
  return text + fmt::format("  the target's answers: {}\n", after["rule"].get<std::string>());
}

Result<void> ContentCommand::run(const Session& session) const {
  VALENCE_TRY(auto loaded, load_any_target(target, map));
  VALENCE_TRY(const auto goal, narrowed(std::move(loaded), dimensions));
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
  VALENCE_TRY(const auto after, load_report_run(*store, run_id));
  std::optional<ReportRun> first;
  if (before > 0) {
    VALENCE_TRY(first, load_report_run(*store, before));
  }
  VALENCE_TRY(auto json, content_json(first ? &*first : nullptr, after, goal));
  VALENCE_TRY(const auto verdict, content_verdict({"content", to_text(json)}));
  if (session.json) {
    json["verdict"] = verdict;
    session.print(json);
  } else {
    fmt::print("{}", content_text(json, verdict));
  }
  return {};
}

}  // namespace

void add_content(CLI::App& app, Session& session) {
  auto command = std::make_shared<ContentCommand>();
  auto* sub = app.add_subcommand("content",
                                 "Whether a run's answers follow a target by their content, not by letters or places");
  sub->add_option("run", command->run_id, "run of an instrument whose questions have options")
      ->required()
      ->check(run_number());
  sub->add_option("--before", command->before, "run of the same instrument before the alignment")->check(run_number());
  sub->add_option("--target", command->target, "target: valence target list")->required();
  sub->add_option("--map", command->map, map_help());
  sub->add_option("--dimension,--direction", command->dimensions,
                  "only this dimension of the target (repeatable); a ring needs one")
      ->allow_extra_args(false);
  sub->footer(examples({"valence content 2 --before 1 --target svo_reachable --direction prosocial",
                        "valence content 4 --target ess11_fr --json"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
