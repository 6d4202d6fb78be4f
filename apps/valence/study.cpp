#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "session.h"
#include "valence/align/aligner.h"
#include "valence/base/json.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/study/study_report.h"

namespace valence {
namespace {

using StepMap = std::map<std::string, const Step*, std::less<>>;

StepMap map_of(const Study& study) {
  StepMap map;
  for (const auto& step : study.steps) map[step->full_name()] = step.get();
  return map;
}

std::string state_of(const PlannedStep& step) {
  if (step.step->is_input()) return "input";
  return step.run ? fmt::format("cached: run {}", *step.run) : "to run";
}

std::string time_of(const std::optional<double>& seconds) {
  return seconds ? duration_text(std::chrono::duration<double>(*seconds)) : "not known";
}

/// Steps that never ran on this machine have no time.
std::string whole_time(const StudyPlan& plan) {
  const auto untimed = plan.untimed();
  if (untimed == plan.to_run()) return "time not known";
  const auto known = duration_text(std::chrono::duration<double>(plan.known_seconds()));
  return untimed == 0 ? "about " + known : fmt::format("about {} and that of {} which is not known", known, untimed);
}

std::string plan_text(const Study& study, const StudyPlan& plan) {
  const auto steps = map_of(study);
  TextTable table({{"step", Align::kLeft},
                   {"what", Align::kLeft},
                   {"state", Align::kLeft},
                   {"for about", Align::kRight},
                   {"hash", Align::kLeft}});
  for (const auto& planned : plan.steps) {
    table.add({planned.step->full_name(), planned.step->what(steps), state_of(planned),
               planned.needed() ? time_of(planned.seconds) : "", planned.hash.substr(0, 12)});
  }
  const auto runs = plan.to_run();
  const auto total =
      runs == 0 ? std::string("everything is done")
                : fmt::format("{} step{} to run, {}", runs, runs == 1 ? "" : "s", whole_time(plan));
  std::string warnings;
  for (const auto& planned : plan.steps) {
    if (!planned.missing.empty()) warnings += fmt::format("  CANNOT RUN: {}: {}\n", planned.step->full_name(), planned.missing);
  }
  for (const auto& name : alignments_without_tax(study)) {
    warnings += fmt::format("  COST NOT MEASURED: {}: add a [tax.NAME] with aligned = \"{}\" (docs/tax.md)\n", name,
                            study.find(name)->name());
  }
  return fmt::format("{}\n\n{}\n  {}\n{}", study.title, table.text(), total, warnings);
}

Json plan_json(const Study& study, const StudyPlan& plan) {
  const auto steps = map_of(study);
  Json json = {{"study", study.id},
               {"title", study.title},
               {"to_run", plan.to_run()},
               {"seconds", nullptr},
               {"without_tax", alignments_without_tax(study)},
               {"steps", Json::array()}};
  if (const auto seconds = plan.seconds()) json["seconds"] = *seconds;
  for (const auto& planned : plan.steps) {
    json["steps"].push_back({{"step", planned.step->full_name()},
                             {"what", planned.step->what(steps)},
                             {"needs", planned.step->needs()},
                             {"state", planned.step->is_input() ? "input"
                                       : planned.run            ? "cached"
                                                                : "to run"},
                             {"run", planned.run ? Json(*planned.run) : Json(nullptr)},
                             {"seconds", planned.seconds ? Json(*planned.seconds) : Json(nullptr)},
                             {"missing", planned.missing},
                             {"hash", planned.hash}});
  }
  return json;
}

/// Planning needs no store: where there is none, nothing is done yet.
Result<std::unique_ptr<Store>> store_if_there(const Session& session) {
  if (!std::filesystem::exists(session.store_path)) return std::unique_ptr<Store>();
  return session.open_store(Store::Access::kReadOnly);
}

Result<void> show_plan(const Session& session, const std::string& file) {
  VALENCE_TRY(const auto study, read_study(file));
  VALENCE_TRY(const auto store, store_if_there(session));
  VALENCE_TRY(const auto plan, plan_study(study, store.get()));
  if (session.json) {
    session.print(plan_json(study, plan));
  } else {
    fmt::print("{}", plan_text(study, plan));
  }
  return {};
}

Result<void> print_written(const Session& session, const Study& study, const StudyPlan& plan, const Store& store) {
  VALENCE_TRY(const auto written, write_study_report(study, plan, store));
  if (session.json) {
    auto json = plan_json(study, plan);
    json["report"] = written.html;
    json["figures"] = written.json;
    session.print(json);
    return {};
  }
  VALENCE_TRY(const auto report, gather_report(study, plan, store));
  for (const auto& change : report.changes) fmt::print("{}\n", headline(report, change));
  for (const auto& gap : report.gaps) fmt::print("{}\n", gap_verdict(gap));
  for (const auto& content : report.contents) {
    VALENCE_TRY(const auto verdict, content_verdict(content));
    fmt::print("{}\n", verdict);
  }
  for (const auto& tax : report.taxes) {
    VALENCE_TRY(const auto verdict, tax_verdict(tax));
    fmt::print("{}\n", verdict);
  }
  for (const auto& alignment : report.alignments) {
    if (const auto text = missing_tax(alignment); !text.empty()) fmt::print("{}\n", text);
  }
  fmt::print("  report: {}    figures: {}\n", written.html, written.json);
  return {};
}

Result<void> run_file(const Session& session, const std::string& file) {
  VALENCE_TRY(const auto study, read_study(file));
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadWrite));
  const auto progress = session.progress();
  const auto steps = map_of(study);
  StudyOptions options{.stop = session.stop, .progress = progress.get()};
  options.started = [&](const PlannedStep& planned, std::size_t number, std::size_t count) {
    progress->note(fmt::format("[{}/{}] {} ({})", number, count, planned.step->full_name(), planned.step->what(steps)));
  };
  VALENCE_TRY(const auto plan, run_study(study, *store, options));
  return print_written(session, study, plan, *store);
}

Result<void> report_file(const Session& session, const std::string& file) {
  VALENCE_TRY(const auto study, read_study(file));
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
  VALENCE_TRY(const auto plan, plan_study(study, store.get()));
  return print_written(session, study, plan, *store);
}

Json card_json(const AlignerCard& card) {
  return {{"id", card.id},
          {"title", card.title},
          {"does", card.does},
          {"limits", card.limits},
          {"changes_weights", card.changes_weights},
          {"needs_target", card.needs_target},
          {"needs_instrument", card.needs_instrument}};
}

Result<void> list_kinds(const Session& session) {
  Json json = {{"steps", Json::array()}, {"aligners", Json::array()}};
  TextTable steps({{"", Align::kLeft}, {"", Align::kLeft}}), methods({{"", Align::kLeft}, {"", Align::kLeft}});
  for (const auto& kind : step_kinds()) {
    json["steps"].push_back({{"kind", kind.id}, {"does", kind.does}});
    steps.add({fmt::format("[{}.NAME]", kind.id), std::string(kind.does)});
  }
  for (const auto& aligner : aligners()) {
    json["aligners"].push_back(card_json(aligner->card()));
    methods.add({aligner->card().id, aligner->card().does});
  }
  if (session.json) {
    session.print(json);
  } else {
    fmt::print("Steps of a study file (docs/studies.md):\n{}\nMethods of [align.NAME]:\n{}", steps.text(),
               methods.text());
  }
  return {};
}

void add_file_command(CLI::App& parent, Session& session, const std::string& name, const std::string& help,
                      Result<void> (*run)(const Session&, const std::string&)) {
  auto file = std::make_shared<std::string>();
  auto* sub = parent.add_subcommand(name, help);
  sub->add_option("file", *file, "study file (TOML)")->required();
  const auto footer = fmt::format("valence study {} studies/persona_prosocial.toml", name);
  sub->footer(examples({footer}));
  sub->callback([file, run, &session] { session.finish(run(session, *file)); });
}

}  // namespace

void add_study(CLI::App& app, Session& session) {
  auto* study = app.add_subcommand("study", "Chain subjects, measurements, targets, aligners and a report in one file");
  study->require_subcommand(1);
  study->footer(examples({"valence study list", "valence study plan studies/persona_prosocial.toml",
                          "valence study run studies/persona_prosocial.toml"}));
  add_file_command(*study, session, "plan", "What a study would run, what is cached, and for how long", show_plan);
  add_file_command(*study, session, "run", "Run what is not cached, and write the report; killed, it goes on",
                   run_file);
  add_file_command(*study, session, "report", "Write the report of a study that has run", report_file);
  auto* list = study->add_subcommand("list", "The kinds of steps and the methods of alignment");
  list->footer(examples({"valence study list", "valence study list --json"}));
  list->callback([&session] { session.finish(list_kinds(session)); });
}

}  // namespace valence
