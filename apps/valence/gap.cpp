#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "gap_opinions.h"
#include "gap_show.h"
#include "session.h"
#include "valence/report/report_files.h"

namespace valence {
namespace {

struct GapCommand {
  RunId run_id = 0;
  std::vector<std::string> targets;
  std::string map;
  std::vector<std::string> distances;
  ProfileOptions options{.replicates = kGapReplicates};

  Result<void> run(const Session& session) const;
  /// The target, or what is told of it, and the gap.
  Result<std::pair<Target, TargetGap>> gap_to(const std::string& id, const ReportRun& run, const Settings& settings) const;
};

Result<std::pair<Target, TargetGap>> GapCommand::gap_to(const std::string& id, const ReportRun& run, const Settings& settings) const {
  if (names_opinions(id)) {
    VALENCE_TRY(const auto target, opinions_for(run, id, map, distances));
    VALENCE_TRY(auto gap, opinion_gap(run.answers, target, options));
    return std::pair{as_target(target), std::move(gap)};
  }
  VALENCE_TRY(auto target, load_mapped_target(id, map));
  auto goal = goal_of(std::move(target));
  VALENCE_TRY(auto gap, target_gap(*run.instrument, {&settings, &run.answers}, goal, distances, options));
  return std::pair{std::move(goal.target), std::move(gap)};
}

Result<void> GapCommand::run(const Session& session) const {
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
  VALENCE_TRY(const auto run, load_report_run(*store, run_id));
  VALENCE_TRY(const auto settings, settings_of(run));
  const auto& validity = run.profile.validity;
  Json document = {{"run", run_id}, {"instrument", run.record.instrument}, {"subject", run.record.subject},
                   {"interpretable", validity.interpretable()},
                   {"reason", validity.assessed ? validity.reason() : validity.note}};
  document["gaps"] = Json::array();
  std::string text;
  for (const auto& id : targets) {
    VALENCE_TRY(const auto found, gap_to(id, run, settings));
    const auto& [target, gap] = found;
    document["gaps"].push_back(gap_json(target, gap));
    text += (text.empty() ? "" : "\n") + gap_text(run, target, gap, session.out);
  }
  if (session.json) {
    session.print(document);
  } else {
    fmt::print("{}", text);
  }
  return {};
}

}  // namespace

void add_gap(CLI::App& app, Session& session) {
  auto command = std::make_shared<GapCommand>();
  auto* sub = app.add_subcommand("gap", "How far a run is from a target that people chose, with intervals");
  sub->add_option("run", command->run_id, "run whose profile is held against the target")->required()->check(run_number());
  sub->add_option("--target", command->targets, "target (repeatable): valence target list, or a file that import or ask wrote")
      ->required()
      ->allow_extra_args(false);
  sub->add_option("--map", command->map, map_help());
  sub->add_option("--distance", command->distances, distance_help())->allow_extra_args(false);
  sub->add_option("--seed", command->options.seed, "seed of the bootstrap")->check(seed_number())->capture_default_str();
  sub->footer(examples({"valence gap 1 --target svo_reachable", "valence gap 1 --target svo_reachable --target svo_ideal --json",
                        "valence gap 1 --target svo_reachable --distance angle_distance"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
