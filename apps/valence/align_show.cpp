#include "align_show.h"

#include <nlohmann/json.hpp>

#include "session.h"
#include "subject_options.h"
#include "valence/align/pair_accuracy.h"
#include "valence/base/progress.h"
#include "valence/base/table.h"
#include "valence/base/text.h"

namespace valence {
namespace {

std::string held_out_text(const TrainingOutcome& outcome) {
  TextTable table({{"held out", Align::kLeft}, {"before", Align::kRight}, {"after", Align::kRight}});
  table.add({"loss", significant(outcome.before.loss), significant(outcome.after.loss)});
  for (const auto& [name, before] : outcome.before.figures) {
    const auto after = outcome.after.figures.find(name);
    table.add({replace_all(name, "_", " "), significant(before),
               after == outcome.after.figures.end() ? "–" : significant(after->second)});
  }
  return table.text() + "\n";
}

Json held_out_json(const HeldOutFigures& held_out) {
  Json json = {{"loss", number_or_null(held_out.loss)}, {"figures", Json::object()}};
  for (const auto& [name, value] : held_out.figures) json["figures"][name] = number_or_null(value);
  return json;
}

std::string accuracy_text(const PairAccuracy& accuracy) {
  const auto known = accuracy.prompts_trained_on;
  return fmt::format(
      "\n  {} pairs of {} prompts{}: the reward finds the better answer in {}, the rule \"the {} one\" in {}; difference {}\n"
      "  it learned these preferences; whether the model's values changed, an instrument must say\n",
      accuracy.pairs, accuracy.prompts, known == 0 ? "" : fmt::format(", {} of which were trained on too", known), figure_text(accuracy.reward), accuracy.longer ? "longer" : "shorter",
      figure_text(accuracy.length), figure_text(accuracy.difference));
}

/// Who is aligned, as `valence tax` takes it: a subject file or a model.
const std::string& tax_name(const SubjectOptions& subject) {
  return subject.file.empty() ? subject.model.name : subject.file;
}

std::string cost_text(const SubjectOptions& base, const std::string& aligned, bool had_more) {
  return fmt::format("its cost{}: valence tax {} {}", had_more ? ", with that of what the subject had before" : "",
                     tax_name(base), aligned);
}

}  // namespace

std::string cost_line(const SubjectOptions& base, const std::string& aligned) {
  const bool steered = base.persona || !base.system_file.empty() || !base.examples_file.empty();
  return cost_text(base, aligned, steered || !base.adapters.empty());
}

std::string cost_line(const SubjectOptions& base, const TrainingOutcome& outcome) {
  const bool had_more = !base.adapters.empty();
  if (outcome.whole) return cost_text(base, outcome.adapter.string(), had_more);
  auto aligned = tax_name(base);
  for (const auto& adapter : base.adapters) aligned += " --adapter " + adapter;
  return cost_text(base, aligned + " --adapter " + outcome.adapter.string(), had_more);
}

std::string flags_of(const ModelSpec& model) {
  auto flags = "--model " + model.name;
  for (const auto& [path, scale] : model.adapters)
    flags += scale == 1.0 ? " --adapter " + path : fmt::format(" --adapter {}:{}", path, scale);
  return flags;
}

std::string training_text(const std::string& headline, const TrainingRequest& request, const TrainingRun& run,
                          const std::string& next) {
  const auto& outcome = run.outcome;
  auto text =
      fmt::format("{}\n\n  {} examples, {} steps{}, {} tokens computed in {}\n", headline,
                  with_thousands(request.examples.size()), with_thousands(outcome.steps),
                  outcome.resumed_from > 0 ? fmt::format(" (gone on with after {})", outcome.resumed_from) : "",
                  with_thousands(outcome.tokens), duration_text(std::chrono::duration<double>(outcome.seconds)));
  text += fmt::format("  {}\n  {}\n\n", outcome.machine, outcome.parity);
  if (outcome.has_held_out) text += held_out_text(outcome);
  text += fmt::format("  {}: {}\n  run {}: every step is in the store (table training_steps)\n",
                      outcome.whole ? "model" : "adapter", outcome.adapter.string(), run.run);
  return text + fmt::format("  next: {}\n", next);
}

Json training_json(const TrainingRequest& request, const TrainingRun& run) {
  const auto& outcome = run.outcome;
  Json json = {{"run", run.run},
               {"operation", request.operation.id},
               {"model", request.model.name},
               {"examples", request.examples.size()},
               {"steps", outcome.steps},
               {"resumed_from", outcome.resumed_from},
               {"tokens", outcome.tokens},
               {"seconds", outcome.seconds},
               {"machine", outcome.machine},
               {"parity", outcome.parity},
               {"adapter", outcome.adapter.string()},
               {"adapter_sha256", outcome.adapter_sha256},
               {"whole", outcome.whole},
               {"folder", run.folder.string()}};
  if (outcome.has_held_out)
    json["held_out"] = {{"before", held_out_json(outcome.before)}, {"after", held_out_json(outcome.after)}};
  return json;
}

Result<void> show_training(const Session& session, const std::string& headline, const TrainingRequest& request,
                           const TrainingRun& run, const std::string& next, const std::string& cost) {
  auto json = training_json(request, run);
  auto text = training_text(headline, request, run, next);
  if (!run.outcome.after.margins.empty()) {
    VALENCE_TRY(const auto accuracy,
                pair_accuracy(request.examples, request.held_out, run.outcome.after.margins, request.seed));
    json["pair_accuracy"] = to_json(accuracy);
    text += accuracy_text(accuracy);
  }
  if (!cost.empty()) text += fmt::format("  {}\n", cost);
  if (session.json) {
    session.print(json);
  } else {
    fmt::print("{}", text);
  }
  return {};
}

}  // namespace valence
