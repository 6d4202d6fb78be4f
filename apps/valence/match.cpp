#include "valence/instruments/match.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "gap_show.h"
#include "session.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/report/report_files.h"

namespace valence {
namespace {

struct MatchCommand {
  RunId run_id = 0;
  std::vector<std::string> targets;
  std::string map;
  ProfileOptions options{.replicates = kGapReplicates};

  Result<void> run(const Session& session) const;
};

/// The convention of the run's headline: "centred", "unit".
std::string convention_of(const ReportRun& run) {
  for (const auto& entry : run.profile.entries) {
    if (entry.estimand.headline && !entry.estimand.dimension.empty()) return entry.estimand.condition;
  }
  return "";
}

bool is_whole(const Target& target) {
  return std::all_of(target.values.begin(), target.values.end(), [](const auto& entry) { return std::isfinite(entry.second); });
}

/// The targets named, or all of the run's space and convention that say something about every dimension.
Result<std::vector<GapGoal>> goals_for(const ReportRun& run, const std::vector<std::string>& named, const std::string& map) {
  std::vector<GapGoal> goals;
  for (const auto& id : named) {
    VALENCE_TRY(auto target, load_mapped_target(id, map));
    goals.push_back(goal_of(std::move(target)));
  }
  if (!named.empty()) return goals;
  VALENCE_TRY(const auto ids, list_targets(run.profile.space));
  for (const auto& id : ids) {
    VALENCE_TRY(auto target, load_target(id));
    const bool fits = is_whole(target) && to_string(target.scale) == convention_of(run);
    if (fits) goals.push_back(goal_of(std::move(target)));
  }
  return goals;
}

std::string standing(const ReportRun& run) {
  const auto& validity = run.profile.validity;
  if (validity.interpretable()) return "";
  return fmt::format("  run {} is NOT INTERPRETABLE ({}): this match says nothing about values and ranks nobody\n", run.record.id,
                     validity.assessed ? validity.reason() : validity.note);
}

std::string matching_text(const ReportRun& run, const Matching& matching) {
  TextTable table({{"target", Align::kLeft}, {"rank correlation", Align::kRight}, {"95 % interval", Align::kLeft}, {"rank", Align::kRight},
                   {"95 % interval", Align::kLeft}, {"p against the best (Holm)", Align::kRight}});
  for (const auto& match : matching.matches) {
    table.add({match.target, significant(match.spearman.value), interval_text(match.spearman), significant(match.rank.value, 2), interval_text(match.rank),
               match.tied_with_best ? "cannot be told apart" : significant(match.p_holm, 2)});
  }
  auto text = fmt::format("Match of run {} ({}) with {} targets\n\n{}\n  over {}\n", run.record.id, run.record.subject, matching.matches.size(), table.text(),
                          join(matching.dimensions, ", "));
  if (!matching.left_out.empty()) text += fmt::format("  left out, since the run or a target has no figure for it: {}\n", join(matching.left_out, ", "));
  return text + reading_note(run) + standing(run);
}

Json matching_json(const ReportRun& run, const Matching& matching) {
  Json json = {{"run", run.record.id}, {"subject", run.record.subject}, {"interpretable", run.profile.validity.interpretable()},
               {"dimensions", matching.dimensions}, {"left_out", matching.left_out}, {"matches", Json::array()}};
  for (const auto& match : matching.matches) {
    json["matches"].push_back({{"target", match.target}, {"spearman", to_json(match.spearman)}, {"rank", to_json(match.rank)},
                               {"p_holm", match.p_holm}, {"tied_with_best", match.tied_with_best}});
  }
  return json;
}

Result<void> MatchCommand::run(const Session& session) const {
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
  VALENCE_TRY(const auto run, load_report_run(*store, run_id));
  VALENCE_TRY(const auto settings, settings_of(run));
  VALENCE_TRY(const auto goals, goals_for(run, targets, map));
  VALENCE_TRY(const auto matching, match_targets(*run.instrument, {&settings, &run.answers}, goals, options));
  if (session.json) {
    session.print(matching_json(run, matching));
  } else {
    fmt::print("{}", matching_text(run, matching));
  }
  return {};
}

}  // namespace

void add_match(CLI::App& app, Session& session) {
  auto command = std::make_shared<MatchCommand>();
  auto* sub = app.add_subcommand("match", "Which of several targets a run's order of values resembles most, with intervals on the ranks");
  sub->add_option("run", command->run_id, "run whose profile is matched")->required()->check(run_number());
  sub->add_option("--target", command->targets, "only these targets (repeatable); otherwise all of the run's space and convention")->allow_extra_args(false);
  sub->add_option("--map", command->map, map_help());
  sub->add_option("--seed", command->options.seed, "seed of the bootstrap")->check(seed_number())->capture_default_str();
  sub->footer(examples({"valence match 1", "valence match 1 --target ess11_fr --target ess11_de --json"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
