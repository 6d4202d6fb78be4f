#include "valence/study/study_report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "steps.h"
#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/report/report_files.h"

namespace valence {
namespace {

constexpr std::size_t kSamples = 8;
constexpr std::size_t kDrawn = 3;  // of each round

/// The results of a plan, by full name of the step.
struct Results {
  const Study& study;
  const Store& store;
  std::map<std::string, RunId> runs;

  Result<ReportRun> report_run(const std::string& step) const { return load_report_run(store, runs.at(step)); }
};

Result<Results> results_of(const Study& study, const StudyPlan& plan, const Store& store) {
  Results results{study, store, {}};
  for (const auto& planned : plan.steps) {
    if (planned.needed()) {
      return fail(ErrorCode::kUsage,
                  "{}: {} has not been run yet, or what it depends on has changed: valence study run {}", study.id,
                  planned.step->full_name(), study.file.string());
    }
    if (planned.run) results.runs[planned.step->full_name()] = *planned.run;
  }
  return results;
}

/// What a step was computed with: the page computes some of it anew, and must come to the figures that were filed.
Result<ProfileOptions> filed_options(const RunRecord& record, const std::string& step) {
  VALENCE_TRY(const auto settings, parse_json(record.settings, step));
  return ProfileOptions{.replicates = stats::kDefaultReplicates, .seed = settings.value("seed", std::uint64_t{0})};
}

bool compares_two(const Step& step) {
  return step.kind() == "change" || (step.kind() == "gap" && step.needs().size() == 3);
}

/// Two measurements of a step that needs before and after first, and of a gap the target third.
Result<MeasuredChange> change_of(const Step& step, const Results& results) {
  const auto needs = step.needs();
  VALENCE_TRY(auto before, results.report_run(needs[0]));
  VALENCE_TRY(auto after, results.report_run(needs[1]));
  VALENCE_TRY(const auto first, settings_of(before));
  VALENCE_TRY(const auto second, settings_of(after));
  VALENCE_TRY(const auto record, results.store.run(results.runs.at(step.full_name())));
  VALENCE_TRY(const auto options, filed_options(record, step.full_name()));
  VALENCE_TRY(auto differences,
              compare(*before.instrument, {&first, &before.answers}, {&second, &after.answers}, options));
  const auto agreement = answer_agreement(before.answers, after.answers);
  MeasuredChange change{
      step.full_name(), std::move(before), std::move(after), std::move(differences), agreement, std::nullopt, {}};
  if (step.kind() != "gap") return change;
  change.gap = record.profile;
  change.target = *results.study.find(needs[2])->target();
  return change;
}

/// A gap of one measurement, which the step needs first.
Result<ReportedGap> gap_of(const Step& step, const Results& results) {
  VALENCE_TRY(auto run, results.report_run(step.needs().front()));
  VALENCE_TRY(const auto record, results.store.run(results.runs.at(step.full_name())));
  return ReportedGap{step.full_name(), std::move(run), record.profile};
}

/// Measurements that no change shows already; steps that share a result are shown once.
Result<void> add_measurements(const StudyPlan& plan, const Results& results, StudyReport& report) {
  std::set<RunId> shown;
  for (const auto& change : report.changes) shown.insert({change.before.record.id, change.after.record.id});
  for (const auto& planned : plan.steps) {
    if (planned.step->kind() != "measure" || !shown.insert(*planned.run).second) continue;
    VALENCE_TRY(auto run, load_report_run(results.store, *planned.run));
    report.measurements.push_back({planned.step->full_name(), std::move(run)});
  }
  return {};
}

/// The first replies to requests that both were put.
Result<std::vector<SampleAnswer>> samples_of(const Json& table, const Store& store) {
  std::vector<SampleAnswer> samples;
  constexpr std::size_t kReplies = 2;  // their place among the runs of a side
  const auto &base = table["runs"]["base"], &aligned = table["runs"]["aligned"];
  if (base.size() <= kReplies || aligned.size() <= kReplies) return samples;
  VALENCE_TRY(const auto before, store.answers(base[kReplies].get<RunId>()));
  VALENCE_TRY(const auto after, store.answers(aligned[kReplies].get<RunId>()));
  std::map<std::string, const AnswerRow*> by_unit;
  for (const auto& row : after.rows) by_unit[row.unit] = &row;
  for (const auto& row : before.rows) {
    const auto found = by_unit.find(row.unit);
    if (found == by_unit.end() || samples.size() == kSamples) continue;
    samples.push_back({row.item, row.text, found->second->text});
  }
  return samples;
}

Result<ReportedTax> tax_of_step(const Step& step, const Results& results) {
  VALENCE_TRY(const auto record, results.store.run(results.runs.at(step.full_name())));
  VALENCE_TRY(const auto table, parse_json(record.profile, step.full_name()));
  ReportedTax tax{
      step.full_name(), table.value("base", std::string()), table.value("aligned", std::string()), record.profile, {}};
  VALENCE_TRY(tax.samples, samples_of(table, results.store));
  return tax;
}

/// The first response to the first prompts of every round, with its reward in the row behind it.
Result<std::vector<DrawnResponse>> drawn_in(RunId run, const Store& store) {
  VALENCE_TRY(const auto table, store.answers(run));
  const auto& rows = table.rows;
  std::vector<DrawnResponse> drawn;
  std::map<std::string, std::set<std::string>> prompts;  // by round
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& seen = prompts[rows[i].condition];
    if (rows[i].route == Route::kRead || !seen.insert(rows[i].unit).second || seen.size() > kDrawn) continue;
    double reward = kUndefined;
    if (i + 1 < rows.size() && rows[i + 1].route == Route::kRead) {
      VALENCE_TRY(reward, parse_number(rows[i + 1].text, fmt::format("run {}", run)));
    }
    drawn.push_back({rows[i].condition, rows[i].item, rows[i].text, reward});
  }
  return drawn;
}

Result<ReportedAlignment> alignment_of(const Step& step, const Results& results) {
  const auto run = results.runs.at(step.full_name());
  VALENCE_TRY(const auto record, results.store.run(run));
  VALENCE_TRY(const auto aligned, load_aligned(results.store, run));
  VALENCE_TRY(auto drawn, drawn_in(run, results.store));
  return ReportedAlignment{step.full_name(),        record.instrument, record.subject,
                           aligned.subject.persona, aligned.record,    run,
                           std::move(drawn)};
}

/// Rows of the alignment's own run, or of the training that it names: a trace where they hold a reward and a drift. A
/// held-out reward stands among the objective's own figures, the turn in the record: null where none was found, and no
/// such key where nobody looked.
Result<std::optional<OptimisationTrace>> trace_of(const ReportedAlignment& alignment, RunId own, const Store& store) {
  VALENCE_TRY(const auto record, parse_json(alignment.record, alignment.name));
  VALENCE_TRY(auto rows, store.training_steps(own));
  if (rows.empty() && record.contains("training_run")) {
    VALENCE_TRY(rows, store.training_steps(record["training_run"].get<RunId>()));
  }
  OptimisationTrace trace{alignment.name, {}, {}, record.contains("turn")};
  if (trace.tested && record["turn"].is_number()) trace.turn = record["turn"].get<double>();
  for (const auto& row : rows) {
    if (!row.reward || !row.kl) continue;
    const auto held_out = row.others.find("held_out_reward");
    trace.points.push_back({static_cast<double>(row.step), *row.kl, *row.reward,
                            held_out == row.others.end() ? kUndefined : held_out->second});
  }
  return trace.points.size() < 2 ? std::nullopt : std::optional(std::move(trace));
}

Result<void> add_step(const Step& step, const Results& results, StudyReport& report) {
  if (compares_two(step)) {
    VALENCE_TRY(auto change, change_of(step, results));
    report.changes.push_back(std::move(change));
  } else if (step.kind() == "gap") {
    VALENCE_TRY(auto gap, gap_of(step, results));
    report.gaps.push_back(std::move(gap));
  }
  if (step.kind() == "content") {
    VALENCE_TRY(const auto record, results.store.run(results.runs.at(step.full_name())));
    report.contents.push_back({step.full_name(), record.profile});
  }
  if (step.kind() == "saydo") {
    VALENCE_TRY(const auto record, results.store.run(results.runs.at(step.full_name())));
    report.say_dos.push_back({step.full_name(), record.profile});
  }
  if (step.kind() == "tax") {
    VALENCE_TRY(auto tax, tax_of_step(step, results));
    report.taxes.push_back(std::move(tax));
  }
  if (step.kind() != "align") return {};
  VALENCE_TRY(auto alignment, alignment_of(step, results));
  VALENCE_TRY(auto trace, trace_of(alignment, results.runs.at(step.full_name()), results.store));
  report.alignments.push_back(std::move(alignment));
  if (trace) report.traces.push_back(*std::move(trace));
  return {};
}

}  // namespace

Result<StudyReport> gather_report(const Study& study, const StudyPlan& plan, const Store& store) {
  VALENCE_TRY(const auto results, results_of(study, plan, store));
  study::StepMap steps;
  for (const auto& step : study.steps) steps[step->full_name()] = step.get();
  StudyReport report;
  report.title = study.report.title.empty() ? study.title : study.report.title;
  report.note = study.report.note.empty() ? study.note : study.report.note;
  for (const auto& planned : plan.steps) {
    VALENCE_CHECK(add_step(*planned.step, results, report));
    report.steps.push_back(
        {planned.step->full_name(), planned.step->what(steps), planned.hash, planned.run.value_or(0)});
  }
  VALENCE_CHECK(add_measurements(plan, results, report));
  const auto without = alignments_without_tax(study);
  for (auto& alignment : report.alignments)
    alignment.without_tax = std::ranges::find(without, alignment.name) != without.end();
  return report;
}

Result<WrittenReport> write_study_report(const Study& study, const StudyPlan& plan, const Store& store) {
  VALENCE_TRY(const auto report, gather_report(study, plan, store));
  VALENCE_TRY(const auto html, study_html(report));
  VALENCE_TRY(const auto json, study_json(report));
  WrittenReport written{study.report.out, std::filesystem::path(study.report.out).replace_extension(".json").string()};
  VALENCE_CHECK(write_file(written.json, json));
  VALENCE_CHECK(write_file(written.html, html));
  return written;
}

}  // namespace valence
