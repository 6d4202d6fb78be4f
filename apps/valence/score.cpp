#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "instrument_options.h"
#include "session.h"
#include "show.h"
#include "valence/instruments/measure.h"
#include "valence/instruments/svo.h"
#include "valence/store/export.h"

namespace valence {
namespace {

struct ScoreCommand {
  const Instrument* instrument;
  InstrumentOptions settings;
  std::string answers;
  std::string subject = "given answers";
  ProfileOptions options;
  bool all = false;

  Result<void> run(const Session& session) const;
};

/// A name of an existing file or of a table format is read as a file, everything else as the instrument's short form.
bool names_a_file(const std::string& text) {
  const auto extension = std::filesystem::path(text).extension();
  return extension == ".csv" || extension == ".jsonl" || std::filesystem::exists(text);
}

Result<AnswerTable> read_answers(const Instrument& instrument, const std::string& answers, const Settings& settings) {
  VALENCE_TRY(auto table, names_a_file(answers) ? import_answers(answers) : instrument.parse_answers(answers, settings));
  table.instrument = instrument.card().id;
  return table;
}

/// Exported answers bring their probes along; otherwise only what the answers themselves give away is judged.
Result<Validity> validity_of(const Instrument& instrument, const AnswerTable& table, const Settings& settings) {
  VALENCE_TRY(const auto thresholds, gate_thresholds());
  auto validity = instrument.assess(table, settings, thresholds);
  if (!validity.assessed) validity.note = "given answers: the gate puts questions of its own, which nobody answered";
  return validity;
}

/// What the slider says about a person beside the angle, per administration whose answers are certain.
std::string slider_text(const Json& details) {
  std::string text;
  for (const auto& unit : details) {
    if (!unit.contains("category")) continue;
    text += fmt::format("  {}: {}, {}, answers {}\n", unit.value("unit", ""), unit["category"].value("upper", ""),
                        unit.value("transitive", false) ? "consistent (transitive)" : "not consistent (intransitive)", unit.value("answers", ""));
  }
  return text;
}

Result<void> ScoreCommand::run(const Session& session) const {
  VALENCE_TRY(const auto resolved, settings.resolve(instrument->settings()));
  VALENCE_TRY(const auto table, read_answers(*instrument, answers, resolved));
  VALENCE_TRY(auto profile, profile_of(*instrument, resolved, table, subject, options));
  VALENCE_TRY(profile.validity, validity_of(*instrument, table, resolved));
  Json document = to_json(profile);
  if (instrument->card().id == "svo") {
    VALENCE_TRY(document["details"], svo_details(table));
  }
  if (!session.json) {
    fmt::print("{}{}", profile_text(profile, *instrument, session.out, all), document.contains("details") ? slider_text(document["details"]) : "");
    return {};
  }
  session.print(document);
  return {};
}

void add_score_command(CLI::App& parent, Session& session, const Instrument& instrument) {
  auto command = std::make_shared<ScoreCommand>();
  command->instrument = &instrument;
  auto* app = parent.add_subcommand(instrument.card().id, instrument.card().title);
  app->add_option("-a,--answers", command->answers, "the short form (\"AIAAII\"), or a CSV or JSONL file of answers")->required();
  app->add_option("--subject", command->subject, "whose answers these are")->capture_default_str();
  app->add_option("--seed", command->options.seed, "seed of the bootstrap")->check(seed_number())->capture_default_str();
  app->add_flag("--all", command->all, "print every figure, not only the headline");
  command->settings.add_flags(*app, instrument.settings());
  const auto& id = instrument.card().id;
  const auto from_file = fmt::format("valence score {} --answers answers.csv", id);
  if (id == "svo") {
    app->footer(examples({"valence score svo --answers AIAAII", from_file}));
  } else if (id == "questionnaire") {
    app->footer(examples({"valence score questionnaire --answers \"5 2 4 6 1 …\"   (one number per item, 40 for the PVQ-40; - for none)", from_file}));
  } else {
    app->footer(examples({from_file}));
  }
  app->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace

void add_score(CLI::App& app, Session& session) {
  auto* score = app.add_subcommand("score", "Score answers that people or other tools gave");
  score->require_subcommand(1);
  score->footer(examples({"valence score svo --answers AIAAII", "valence score moralchoice --answers answers.jsonl --json"}));
  for (const auto& instrument : instruments()) add_score_command(*score, session, *instrument);
}

}  // namespace valence
