#include "valence/study/run.h"

#include <algorithm>
#include <chrono>

#include "step_times.h"
#include "steps.h"

namespace valence {
namespace {

using study::StepMap;

StepMap map_of(const Study& study) {
  StepMap map;
  for (const auto& step : study.steps) map[step->full_name()] = step.get();
  return map;
}

/// A step's hash holds the hashes of what it needs, so a change reaches what depends on it and nothing else.
Result<std::string> hash_of(const Step& step, const std::map<std::string, std::string>& hashes) {
  auto own = step.own_hash();
  if (!own) return tl::unexpected(with_context(std::move(own).error(), step.full_name()));
  Hasher hasher;
  hasher.add("study step 1").add(step.kind()).add(*own);
  for (const auto& need : step.needs()) hasher.add(hashes.at(need));
  return hasher.finish().hex();
}

std::optional<double> median(std::vector<double> seconds) {
  std::erase_if(seconds, [](double s) { return s <= 0.0; });
  if (seconds.empty()) return std::nullopt;
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

Result<void> look_up(PlannedStep& planned, const StepMap& steps, const Store* store) {
  if (planned.step->is_input()) return {};
  planned.seconds = median(study::step_times(planned.step->kind(), planned.step->what(steps)));
  if (!store) return {};
  VALENCE_TRY(const auto done, store->step(planned.hash));
  if (done && planned.step->is_still_there(*store, done->run)) planned.run = done->run;
  return {};
}

Result<void> run_step(PlannedStep& planned, const Study& study, const StepMap& steps,
                      std::map<std::string, RunId>& runs, Store& store, const StudyOptions& options) {
  const auto& step = *planned.step;
  const StepContext context{.store = store,
                            .steps = steps,
                            .runs = runs,
                            .hash = planned.hash,
                            .folder = options.folder / study.id,
                            .reuse = study.reuse,
                            .stop = options.stop,
                            .progress = options.progress};
  const auto begin = std::chrono::steady_clock::now();
  auto run = step.run(context);
  if (!run) return tl::unexpected(with_context(std::move(run).error(), step.full_name()));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  planned.run = *run;
  study::keep_step_time(step.kind(), step.what(steps), elapsed.count());
  return store.put_step({planned.hash, step.kind(), step.what(steps), *run, elapsed.count()});
}

}  // namespace

std::size_t StudyPlan::to_run() const {
  return static_cast<std::size_t>(
      std::count_if(steps.begin(), steps.end(), [](const auto& step) { return step.needed(); }));
}

std::optional<double> StudyPlan::seconds() const {
  return untimed() == 0 ? std::optional(known_seconds()) : std::nullopt;
}

double StudyPlan::known_seconds() const {
  double sum = 0.0;
  for (const auto& step : steps) sum += step.needed() ? step.seconds.value_or(0.0) : 0.0;
  return sum;
}

std::size_t StudyPlan::untimed() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(steps, [](const auto& step) { return step.needed() && !step.seconds; }));
}

Result<StudyPlan> plan_study(const Study& study, const Store* store) {
  const auto steps = map_of(study);
  std::map<std::string, std::string> hashes;
  StudyPlan plan;
  for (const auto& step : study.steps) {
    PlannedStep planned{.step = step.get(), .hash = {}, .run = {}, .seconds = {}, .missing = {}};
    VALENCE_TRY(planned.hash, hash_of(*step, hashes));
    hashes[step->full_name()] = planned.hash;
    VALENCE_CHECK(look_up(planned, steps, store));
    const auto ready = planned.needed() ? step->ready() : Result<void>();
    if (!ready) planned.missing = ready.error().message;
    plan.steps.push_back(std::move(planned));
  }
  return plan;
}

Result<StudyPlan> run_study(const Study& study, Store& store, const StudyOptions& options) {
  VALENCE_TRY(auto plan, plan_study(study, &store));
  for (const auto& planned : plan.steps) {  // before hours are spent on what stands in front of it
    if (!planned.missing.empty()) return fail(ErrorCode::kUsage, "{}: {}", planned.step->full_name(), planned.missing);
  }
  const auto steps = map_of(study);
  std::map<std::string, RunId> runs;
  const auto count = plan.to_run();
  std::size_t number = 0;
  for (auto& planned : plan.steps) {
    if (planned.needed()) {
      ++number;
      if (options.started) options.started(planned, number, count);
      VALENCE_CHECK(run_step(planned, study, steps, runs, store, options));
    }
    if (planned.run) runs[planned.step->full_name()] = *planned.run;
  }
  return plan;
}

}  // namespace valence
