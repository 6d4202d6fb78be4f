#include "valence/instruments/measure.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "instrument_options.h"
#include "session.h"
#include "show.h"
#include "subject_options.h"
#include "valence/base/text.h"
#include "valence/report/report_files.h"

namespace valence {
namespace {

struct MeasureCommand {
  const Instrument* instrument;
  SubjectOptions subject;
  InstrumentOptions settings;
  MeasureOptions options;
  bool all = false;
  std::string report;

  Result<void> run(Session& session);
  void show(const Session& session, const Measurement& measurement, const ModelCard& model, const std::string& path) const;
};

Result<void> MeasureCommand::run(Session& session) {
  VALENCE_TRY(const auto resolved, settings.resolve(instrument->settings()));
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadWrite));
  VALENCE_TRY(const auto who, subject.open());
  const auto progress = session.progress();
  options.stop = session.stop;
  options.progress = progress.get();
  VALENCE_TRY(const auto measurement, measure(*instrument, resolved, who, *store, options));
  const auto path = report.empty() ? default_report_path(session.store_path, instrument->card().id, who.name, measurement.run) : report;
  VALENCE_CHECK(write_report(*store, {measurement.run}, path, {}));
  show(session, measurement, who.model->card(), path);
  return {};
}

/// A simulated subject's figures are exact and may be those of chance: said, so that nobody reads a model into them.
std::string simulated_note(const ModelCard& model) {
  if (!model.simulated) return "";
  return fmt::format("  {}. Its figures show what the instrument sees of a known truth; a persona that names no value does not move it\n", model.description);
}

void MeasureCommand::show(const Session& session, const Measurement& measurement, const ModelCard& model, const std::string& path) const {
  if (session.json) {
    Json document = to_json(measurement.profile);
    document["run"] = measurement.run;
    document["report"] = path;
    return session.print(document);
  }
  fmt::print("{}{}\n  report: {}    answers: valence export {} --format csv\n",
             profile_text(measurement.profile, *instrument, session.out, all), simulated_note(model), path, measurement.run);
}

void add_measure_command(CLI::App& parent, Session& session, const Instrument& instrument) {
  auto command = std::make_shared<MeasureCommand>();
  command->instrument = &instrument;
  const auto& card = instrument.card();
  auto* app = parent.add_subcommand(card.id, card.title + ". " + card.measures);
  command->subject.add_flags(*app);
  command->settings.add_flags(*app, instrument.settings());
  app->add_option("--seed", command->options.seed, "seed of everything drawn")->check(seed_number())->capture_default_str();
  app->add_flag("--fresh", command->options.fresh, "start anew instead of going on with an unfinished run");
  app->add_flag("--reuse", command->options.reuse, "take groups of questions that other runs of the store put in exactly the same way, instead of asking again");
  app->add_flag("--all", command->all, "print every figure, not only the headline");
  app->add_option("--report", command->report, "where the HTML report goes (default out/INSTRUMENT-SUBJECT-RUN.html beside the store, with its name in it unless that is valence.db)");
  const auto needed = card.example.empty() ? std::string() : " " + card.example;
  app->footer(examples({fmt::format("valence measure {} --model smollm2{}", card.id, needed),
                        fmt::format("valence measure {} --model smollm2{} --persona \"You are a nurse.\" --json", card.id, needed),
                        fmt::format("valence measure {} --model scripted:ideal{} --store trial.db", card.id, needed)}) +
              "\nTime: the progress line says what is left of each part; probe questions, where there are any, come after the\n"
              "instrument's own and are as many whatever else is asked. For a quick try ask fewer wordings, label sets,\n"
              "scenarios or dialogues where the options above offer it.");
  app->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace

void add_measure(CLI::App& app, Session& session) {
  auto* measure = app.add_subcommand("measure", "Put an instrument to a model and write a report");
  measure->require_subcommand(1);
  measure->footer(examples({"valence measure hvae --model smollm2 --dialogues 30",
                            "valence measure moralchoice --model smollm2 --format text", "valence instrument list"}));
  for (const auto& instrument : instruments()) add_measure_command(*measure, session, *instrument);
}

}  // namespace valence
