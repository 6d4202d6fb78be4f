// valence align sft|dpo|…: training on files.
#include <CLI/CLI.hpp>
#include <memory>

#include "align.h"
#include "align_show.h"
#include "instrument_options.h"
#include "session.h"
#include "subject_options.h"
#include "valence/align/file_training.h"
#include "valence/base/text.h"

namespace valence {
namespace {

struct DataCommand {
  const Operation* operation;
  SubjectOptions subject;
  InstrumentOptions training;
  std::string data, held_out, folder;
  bool leave_out = false;
  std::uint64_t seed = 0;

  Result<void> run(const Session& session) const;
  Result<TrainingFile> read(const Subject& model, const std::string& file, const Settings& settings) const;
};

Result<TrainingFile> DataCommand::read(const Subject& model, const std::string& file, const Settings& settings) const {
  const TrainingFileOptions options{static_cast<std::size_t>(settings.integer("longest")), leave_out, 0, seed};
  auto found = read_training_file(file, *operation, model, options);
  if (!found) return found;
  for (const auto& complaint : found->unreadable) fmt::print(stderr, "valence: left out: {}\n", complaint);
  return found;
}

Result<void> DataCommand::run(const Session& session) const {
  VALENCE_TRY(const auto settings, training.resolve(operation->settings));
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  VALENCE_TRY(const auto base, subject.spec());
  VALENCE_TRY(const auto file, registry.resolve(base.model.name));
  TrainingFile rendered, rendered_held_out;
  {
    VALENCE_TRY(const auto model, subject.open());
    VALENCE_TRY(rendered, read(model, data, settings));
    if (!held_out.empty()) {
      VALENCE_TRY(rendered_held_out, read(model, held_out, settings));
    }
  }
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadWrite));
  const TrainingRequest request{*operation,
                                settings,
                                file,
                                base.model.adapters,
                                std::move(rendered.examples),
                                std::move(rendered_held_out.examples),
                                folder,
                                seed,
                                base.model.engine.threads,
                                data};
  VALENCE_TRY(const auto done, run_training(request, *store, {session.stop, session.quiet}));
  auto headline = fmt::format("{} of {} on {}", operation->id, display_name(base), data);
  if (!rendered.too_long.empty())
    headline += fmt::format("; {} records longer than {} tokens left out", rendered.too_long.size(),
                            settings.integer("longest"));
  return show_training(session, headline, request, done,
                       "valence measure INSTRUMENT " + flags_of(trained_model(base.model, done.outcome)));
}

void add_data_command(CLI::App& parent, Session& session, const Operation& operation) {
  auto command = std::make_shared<DataCommand>();
  command->operation = &operation;
  auto* app = parent.add_subcommand(operation.id, operation.title);
  command->subject.add_flags(*app);
  app->add_option("--data", command->data, "JSON Lines file of training data (docs/formats.md, \"Training data\")")
      ->required();
  app->add_option("--held-out", command->held_out, "another such file, looked at before and after");
  app->add_flag("--leave-out-unreadable", command->leave_out,
                "leave out lines that are no record, naming each, instead of stopping at the first");
  app->add_option("--out", command->folder, "folder of job, adapter and checkpoint (default out/align/…)");
  app->add_option("--seed", command->seed, "seed of everything drawn")->check(seed_number())->capture_default_str();
  command->training.add_flags(*app, operation.settings, "Settings of the training", "--training");
  app->footer(examples(
      {fmt::format("valence align {} --model smollm2 --data training.jsonl --held-out test.jsonl", operation.id)}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace

void add_align_data(CLI::App& align, Session& session) {
  for (const auto& operation : operations()) {
    const bool of_a_file = operation.id != "choice" && operation.data.front() != RecordKind::kRollout;
    if (of_a_file) add_data_command(align, session, operation);
  }
}

}  // namespace valence
