// valence align sft|dpo|…: training on files.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "align.h"
#include "align_show.h"
#include "instrument_options.h"
#include "session.h"
#include "subject_options.h"
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
  Result<RenderedData> render(const Subject& model, const std::string& file, const Settings& settings) const;
};

Result<RenderedData> DataCommand::render(const Subject& model, const std::string& file,
                                         const Settings& settings) const {
  std::vector<std::string> unreadable;
  VALENCE_TRY(const auto records, read_training_data(file, leave_out ? &unreadable : nullptr));
  for (const auto& complaint : unreadable) fmt::print(stderr, "valence: left out: {}\n", complaint);
  const auto kind = records.front().kind;
  if (std::ranges::find(operation->data, kind) == operation->data.end()) {
    return fail(ErrorCode::kUsage, "{}: {} learns from {} data, this file holds {} data (valence align list)", file,
                operation->id, to_string(operation->data.front()), to_string(kind));
  }
  VALENCE_TRY(auto rendered,
              render_data(*model.model, records, model.render, static_cast<std::size_t>(settings.integer("longest"))));
  if (!rendered.examples.empty()) return rendered;
  return fail(ErrorCode::kUsage, "{}: all {} records are longer than --longest {} tokens", file, records.size(),
              settings.integer("longest"));
}

Result<void> DataCommand::run(const Session& session) const {
  if (!subject.adapters.empty())
    return fail(ErrorCode::kUsage, "--adapter: training starts from the weights as they are; merge the adapter first");
  VALENCE_TRY(const auto settings, training.resolve(operation->settings));
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  VALENCE_TRY(const auto file, registry.resolve(subject.model.name));
  RenderedData rendered, rendered_held_out;
  {
    VALENCE_TRY(const auto model, subject.open());
    VALENCE_TRY(rendered, render(model, data, settings));
    if (!held_out.empty()) {
      VALENCE_TRY(rendered_held_out, render(model, held_out, settings));
    }
  }
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadWrite));
  const TrainingRequest request{*operation,
                                settings,
                                file,
                                std::move(rendered.examples),
                                std::move(rendered_held_out.examples),
                                folder,
                                seed,
                                subject.model.engine.threads,
                                "f32",
                                data};
  VALENCE_TRY(const auto done, run_training(request, *store, {session.stop, session.quiet}));
  auto headline = fmt::format("{} of {} on {}", operation->id, subject.model.name, data);
  if (!rendered.too_long.empty())
    headline += fmt::format("; {} records longer than {} tokens left out", rendered.too_long.size(),
                            settings.integer("longest"));
  show_training(session, headline, request, done,
                fmt::format("valence measure INSTRUMENT --model {} --adapter {}", subject.model.name,
                            done.outcome.adapter.string()));
  return {};
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
    if (operation.id != "choice") add_data_command(align, session, operation);
  }
}

}  // namespace valence
