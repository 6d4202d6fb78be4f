// valence align sft|dpo|…: training on files.
#include <CLI/CLI.hpp>
#include <memory>

#include "align.h"
#include "align_show.h"
#include "instrument_options.h"
#include "session.h"
#include "subject_options.h"
#include "valence/align/file_training.h"
#include "valence/align/training.h"
#include "valence/base/text.h"

namespace valence {
namespace {

struct DataCommand {
  const Operation* operation;
  SubjectOptions subject;
  InstrumentOptions training;
  TrainingFileNames files;
  std::string folder;
  bool leave_out = false;
  std::uint64_t seed = 0;

  Result<void> run(const Session& session) const;
  Result<TrainingFile> read(const Subject& model, const std::string& file, const Settings& settings,
                            std::optional<PromptSide> side) const;
};

Result<TrainingFile> DataCommand::read(const Subject& model, const std::string& file, const Settings& settings,
                                       std::optional<PromptSide> side) const {
  const TrainingFileOptions options{static_cast<std::size_t>(settings.integer("longest")), leave_out, 0, seed, side};
  return read_training_file(file, *operation, model, options);
}

void tell_left_out(const TrainingFile& file) {
  for (const auto& complaint : file.unreadable) fmt::print(stderr, "valence: left out: {}\n", complaint);
}

Result<void> DataCommand::run(const Session& session) const {
  VALENCE_TRY(const auto settings, training.resolve(operation->settings));
  VALENCE_TRY(const auto base, subject.spec());
  VALENCE_CHECK(require_weights(base));
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  VALENCE_TRY(const auto file, registry.resolve(base.model.name));
  TrainingFile rendered, rendered_held_out;
  {
    VALENCE_TRY(const auto model, subject.open());
    VALENCE_TRY(rendered, read(model, files.training, settings, files.side(PromptSide::kTraining)));
    tell_left_out(rendered);
    if (files.has_held_out()) {
      VALENCE_TRY(rendered_held_out, read(model, files.held_out_file(), settings, files.side(PromptSide::kHeldOut)));
      if (files.held_out_file() != files.training) tell_left_out(rendered_held_out);
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
                                files.training};
  VALENCE_TRY(const auto done, run_training(request, *store, {session.stop, session.quiet}));
  auto headline = fmt::format("{} of {} on {}", operation->id, display_name(base), files.training);
  if (!rendered.too_long.empty())
    headline += fmt::format("; {} records longer than {} tokens left out", rendered.too_long.size(),
                            settings.integer("longest"));
  if (operation->id == "reward") {  // which rates answers and is no subject
    const auto next = fmt::format("valence align rlhf {} --reward {}", flags_of(base.model), done.folder.string());
    return show_training(session, headline, request, done, next, "");
  }
  return show_training(session, headline, request, done,
                       "valence measure INSTRUMENT " + flags_of(trained_model(base.model, done.outcome)),
                       cost_line(subject, done.outcome));
}

void add_data_command(CLI::App& parent, Session& session, const Operation& operation) {
  auto command = std::make_shared<DataCommand>();
  command->operation = &operation;
  auto* app = parent.add_subcommand(operation.id, operation.title);
  command->subject.add_flags(*app);
  app->add_option("--data", command->files.training,
                  "JSON Lines file of training data (docs/formats.md, \"Training data\")")
      ->required();
  app->add_option("--held-out", command->files.held_out, "another such file, looked at before and after");
  app->add_flag(
      "--split-prompts", command->files.split,
      "learn from the training side of the one split of prompts (docs/base_align.md) and look at the other side, of "
      "--held-out or of --data itself");
  app->add_flag("--leave-out-unreadable", command->leave_out,
                "leave out lines that are no record, naming each, instead of stopping at the first");
  app->add_option("--out", command->folder, "folder of job, adapter and checkpoint (default out/align/…)");
  app->add_option("--seed", command->seed, "seed of everything drawn")->check(seed_number())->capture_default_str();
  command->training.add_flags(*app, operation.settings, "Settings of the training");
  app->footer(examples(
      {fmt::format("valence align {} --model smollm2 --data training.jsonl --held-out test.jsonl", operation.id),
       fmt::format("valence align {} --model smollm2 --data all.jsonl --split-prompts", operation.id)}));
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
