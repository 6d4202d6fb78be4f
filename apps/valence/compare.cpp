#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "gap_opinions.h"
#include "gap_show.h"
#include "session.h"
#include "show.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/instruments/agreement.h"
#include "valence/instruments/measure.h"
#include "valence/report/comparison_json.h"
#include "valence/report/report_files.h"

namespace valence {
namespace {

struct CompareCommand {
  RunId first = 0, second = 0;
  bool all = false;
  std::string target, map;
  std::vector<std::string> distances;
  ProfileOptions options;

  Result<void> run(const Session& session) const;
  Result<std::pair<Target, ComparedGap>> gaps_to_target(const ReportRun& a, const ReportRun& b) const;
  Result<void> run_to_target(const Session& session, const ReportRun& a, const ReportRun& b) const;
};

std::string standing(const ReportRun& run) {
  return run.profile.validity.interpretable() ? "interpretable" : "not interpretable";
}

std::string agreement_text(const AnswerAgreement& agreement) {
  return fmt::format("agreement on {} items: same choice {}, Cohen's kappa {}, correlation of probabilities {}", agreement.items,
                     significant(agreement.same_choice), significant(agreement.kappa), significant(agreement.correlation));
}

/// The settings in which two runs of one instrument were put differently: "format letter | text".
std::vector<std::string> asked_differently(const Settings& first, const Settings& second) {
  std::vector<std::string> differing;
  for (const auto& [name, value] : first.values()) {
    const auto other = std::ranges::find(second.values(), name, &std::pair<std::string, std::string>::first);
    if (other != second.values().end() && other->second != value)
      differing.push_back(fmt::format("{} {} | {}", name, value, other->second));
  }
  return differing;
}

void print_asked(const std::vector<std::string>& differing) {
  if (differing.empty()) return;
  fmt::print("  ASKED DIFFERENTLY: {}: a difference can be that of the questions\n", join(differing, ", "));
}

void print_text(const ReportRun& a, const ReportRun& b, const std::vector<Difference>& differences, bool all) {
  fmt::print("{}: run {} ({}, {}) minus run {} ({}, {})\n\n", a.instrument->card().title, b.record.id, b.record.subject,
             standing(b), a.record.id, a.record.subject, standing(a));
  TextTable table({{"", Align::kLeft}, {"difference", Align::kRight}, {"95 % interval", Align::kLeft}, {"p", Align::kRight},
                   {"p (Holm)", Align::kRight}, {"n", Align::kRight}});
  for (const auto& d : differences) {
    if (!all && !d.estimand.headline) continue;
    const auto interval = d.estimate.has_interval()
                              ? fmt::format("[{}, {}]", significant(d.estimate.low), significant(d.estimate.high)) : "";
    table.add({d.estimand.label, significant(d.estimate.value), interval, significant(d.p, 2), significant(d.p_holm, 2),
               std::to_string(d.estimate.count)});
  }
  fmt::print("{}\n  {} differences over the same {}s; p corrected for {} comparisons (Holm).\n", table.text(),
             differences.empty() || differences.front().paired ? "paired" : "unpaired", a.instrument->card().random_unit,
             differences.size());
  if (const auto few = few_units_note(differences); !few.empty()) fmt::print("  {}\n", few);
  fmt::print("  {}\n", agreement_text(answer_agreement(a.answers, b.answers)));
  for (const auto* run : {&a, &b}) {
    if (run->profile.validity.interpretable()) continue;
    const auto reason = run->profile.validity.assessed ? run->profile.validity.reason() : run->profile.validity.note;
    fmt::print("  run {} is not interpretable ({}): its difference says nothing about values.\n", run->record.id, reason);
  }
}

Result<std::pair<Target, ComparedGap>> CompareCommand::gaps_to_target(const ReportRun& a, const ReportRun& b) const {
  const ProfileOptions gap_options{.replicates = kGapReplicates, .seed = options.seed};
  if (names_opinions(target)) {
    VALENCE_TRY(const auto opinions, opinions_for(a, target, map, distances));
    VALENCE_TRY(auto gaps, compare_opinion_gaps(a.answers, b.answers, opinions, gap_options));
    return std::pair{as_target(opinions), std::move(gaps)};
  }
  VALENCE_TRY(auto loaded, load_mapped_target(target, map));
  auto goal = goal_of(std::move(loaded));
  VALENCE_TRY(const auto settings_a, settings_of(a));
  VALENCE_TRY(const auto settings_b, settings_of(b));
  VALENCE_TRY(auto gaps, compare_gaps(*a.instrument, {&settings_a, &a.answers}, {&settings_b, &b.answers}, goal, distances, gap_options));
  return std::pair{std::move(goal.target), std::move(gaps)};
}

Result<void> CompareCommand::run_to_target(const Session& session, const ReportRun& a, const ReportRun& b) const {
  if (first == second) return fail(ErrorCode::kUsage, "run {} is compared with itself: name two runs (valence runs)", first);
  VALENCE_TRY(const auto found, gaps_to_target(a, b));
  const auto& [goal, gaps] = found;
  VALENCE_TRY(const auto settings_a, settings_of(a));
  VALENCE_TRY(const auto settings_b, settings_of(b));
  const auto differing = asked_differently(settings_a, settings_b);
  auto json = compared_gap_json(a, b, goal, gaps);
  json["asked_differently"] = differing;
  if (session.json) {
    session.print(json);
  } else {
    fmt::print("{}", compared_gap_text(a, b, goal, gaps, session.out));
    print_asked(differing);
  }
  return {};
}

Result<void> CompareCommand::run(const Session& session) const {
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
  VALENCE_TRY(const auto a, load_report_run(*store, first));
  VALENCE_TRY(const auto b, load_report_run(*store, second));
  if (a.instrument != b.instrument) {
    return fail(ErrorCode::kUsage, "run {} is {} and run {} is {}: only runs of the same instrument can be compared", first,
                a.record.instrument, second, b.record.instrument);
  }
  if (!target.empty()) return run_to_target(session, a, b);
  if (!distances.empty() || !map.empty()) {
    return fail(ErrorCode::kUsage, "--distance and --map are about a target: name one with --target");
  }
  if (first == second) return fail(ErrorCode::kUsage, "run {} is compared with itself: name two runs (valence runs)", first);
  VALENCE_TRY(const auto settings_a, settings_of(a));
  VALENCE_TRY(const auto settings_b, settings_of(b));
  VALENCE_TRY(auto differences, compare(*a.instrument, {&settings_a, &a.answers}, {&settings_b, &b.answers}, options));
  const auto differing = asked_differently(settings_a, settings_b);
  if (!session.json) {
    print_text(a, b, differences, all);
    print_asked(differing);
    return {};
  }
  auto json = comparison_json(a, b, differences, answer_agreement(a.answers, b.answers));
  json["asked_differently"] = differing;
  session.print(json);
  return {};
}

}  // namespace

void add_compare(CLI::App& app, Session& session) {
  auto command = std::make_shared<CompareCommand>();
  auto* sub = app.add_subcommand("compare", "Paired differences between two runs of the same instrument");
  sub->add_option("first", command->first, "run that is subtracted")->required()->check(run_number());
  sub->add_option("second", command->second, "run that it is subtracted from")->required()->check(run_number());
  sub->add_option("--seed", command->options.seed, "seed of the bootstrap")->check(seed_number())->capture_default_str();
  sub->add_flag("--all", command->all, "print every figure, not only the headline");
  sub->add_option("--target", command->target, "compare how far the runs are from this target: valence target list")
      ->excludes("--all");
  sub->add_option("--map", command->map, map_help());
  sub->add_option("--distance", command->distances, distance_help())->allow_extra_args(false);
  sub->footer(examples({"valence compare 1 2", "valence compare 1 2 --all --json", "valence compare 1 2 --target svo_reachable"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
