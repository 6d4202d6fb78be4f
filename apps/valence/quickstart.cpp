#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "session.h"
#include "show.h"
#include "valence/base/text.h"
#include "valence/instruments/measure.h"
#include "valence/model/open.h"
#include "valence/report/report_files.h"

namespace valence {
namespace {

/// One measurement of the quickstart: which instrument, sized how.
struct Part {
  std::string instrument;
  std::vector<std::pair<std::string, std::string>> settings;
};

struct QuickstartCommand {
  std::string out = "out/quickstart.html";
  std::string model = "smollm2";
  int dialogues = 4;
  int scenarios = 60;
  std::uint64_t seed = 0;

  std::vector<Part> parts() const {
    return {{"hvae", {{"dialogues", std::to_string(dialogues)}, {"goal", "false"}, {"max_tokens", "24"}}},
            {"moralchoice", {{"scenarios", std::to_string((scenarios + 1) / 2)}, {"forms", "standard"}, {"format", "text"}}}};
  }
  std::string note() const {
    return fmt::format(
        "Sized to a few minutes: {} dialogues per value without a goal prompt and with short replies, {} scenarios in two forms. The full protocol: valence measure hvae --model {} "
        "and valence measure moralchoice --model {}. The default model is small: it tests the software, not values. "
        "The simulated subject's truth is known; it is drawn beside the model to show what the instrument can see.",
        dialogues, scenarios, model, model);
  }
  Result<RunId> measure_one(const Session& session, Store& store, const std::string& subject, const Part& part) const;
  Result<void> run(const Session& session) const;
};

constexpr std::string_view kSimulated = "scripted:noisy?lapse=0.2";

Result<RunId> QuickstartCommand::measure_one(const Session& session, Store& store, const std::string& subject_name,
                                             const Part& part) const {
  VALENCE_TRY(const auto* instrument, find_instrument(part.instrument));
  VALENCE_TRY(const auto settings, Settings::resolve(instrument->settings(), part.settings));
  Subject subject;
  subject.name = subject_name;
  VALENCE_TRY(subject.model, open_model({.name = subject_name, .adapters = {}, .engine = {}}));
  const auto progress = session.progress();
  MeasureOptions options{.seed = seed, .fresh = true, .reuse = false, .stop = session.stop, .progress = progress.get()};
  VALENCE_TRY(const auto measurement, measure(*instrument, settings, subject, store, options));
  if (!session.json) fmt::print("{}\n", profile_text(measurement.profile, *instrument, session.out, false));
  return measurement.run;
}

Result<void> QuickstartCommand::run(const Session& session) const {
  const auto database = std::filesystem::path(out).replace_extension(".db");
  std::error_code none;
  std::filesystem::create_directories(database.parent_path(), none);
  VALENCE_TRY(const auto store, Store::open(database));
  std::vector<RunId> runs;
  for (const auto& part : parts()) {
    for (const auto& subject : {model, std::string(kSimulated)}) {
      VALENCE_TRY(const auto id, measure_one(session, *store, subject, part));
      runs.push_back(id);
    }
  }
  VALENCE_CHECK(write_report(*store, runs, out, {.title = "Valence quickstart", .note = note()}));
  if (session.json) {
    session.print({{"report", out}, {"store", database.string()}, {"runs", runs}});
  } else {
    fmt::print("{}\n\n  report: {}    every answer: valence --store {} export {}\n", note(), out, database.string(), runs.front());
  }
  return {};
}

}  // namespace

void add_quickstart(CLI::App& app, Session& session) {
  auto command = std::make_shared<QuickstartCommand>();
  auto* sub = app.add_subcommand("quickstart", "HVAE and MoralChoice, sized to minutes, on a model and on a simulated subject beside it");
  sub->add_option("-o,--out", command->out, "the report")->capture_default_str();
  sub->add_option("-m,--model", command->model, "model to measure")->capture_default_str();
  sub->add_option("--dialogues", command->dialogues, "dialogues per induced value")->check(CLI::Range(1, 1000))->capture_default_str();
  sub->add_option("--scenarios", command->scenarios, "MoralChoice scenarios, half of them ambiguous")->check(CLI::Range(2, 1360))->capture_default_str();
  sub->add_option("--seed", command->seed, "seed of everything drawn")->check(seed_number())->capture_default_str();
  sub->footer(examples({"valence quickstart", "valence quickstart --model ./my-model.gguf --dialogues 30 --scenarios 1360"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
