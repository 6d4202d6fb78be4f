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

Result<void> ScoreCommand::run(const Session& session) const {
  VALENCE_TRY(const auto resolved, settings.resolve(instrument->settings()));
  VALENCE_TRY(const auto table, read_answers(*instrument, answers, resolved));
  VALENCE_TRY(auto profile, profile_of(*instrument, resolved, table, subject, options));
  profile.validity.note = "given answers: the gate puts questions of its own, which nobody answered";
  if (!session.json) {
    fmt::print("{}", profile_text(profile, *instrument, session.out, all));
    return {};
  }
  Json document = to_json(profile);
  if (instrument->card().id == "svo") {
    VALENCE_TRY(document["details"], svo_details(table));
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
  app->add_option("--seed", command->options.seed, "seed of the bootstrap")->capture_default_str();
  app->add_flag("--all", command->all, "print every figure, not only the headline");
  command->settings.add_flags(*app, instrument.settings());
  app->footer(examples({fmt::format("valence score {} --answers answers.csv", instrument.card().id),
                        "valence score svo --answers AIAAII --json"}));
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
