#include "valence/train/carry_out.h"

#include "machine.h"
#include "parity.h"
#include "trainer.h"
#include "transformer_policy.h"
#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/store/store.h"
#include "valence/train/job.h"
#include "valence/train/outcome.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kParityTexts = 4;  // examples on which trainer and engine are compared

Result<void> require_content(const fs::path& path, const Digest& expected, std::string_view what) {
  VALENCE_TRY(const auto found, sha256_file(path));
  if (found == expected) return {};
  return fail(ErrorCode::kMismatch,
              "{} {}: its content is not what the job was written for (SHA-256 {}, expected {}); write the job anew",
              what, path.string(), found.brief(), expected.brief());
}

Result<TransformerOptions> transformer_options(const TrainingJob& job, const MachineCheck& machine) {
  TransformerOptions options;
  auto& lora = options.tuning.lora;
  lora.rank = job.settings.integer("rank");
  lora.alpha = job.settings.number("alpha");
  lora.rank_stabilised = job.settings.flag("rank_stabilised");
  lora.dropout = job.settings.number("dropout");
  if (job.settings.text("modules") != "all") lora.targets = split(job.settings.text("modules"), ",");
  options.tuning.seed = job.seed;
  options.bf16 = machine.bf16;
  VALENCE_CHECK(check_lora(lora));
  return options;
}

/// What the job computes with, and a line on it. Slowness is told but stops nothing: a machine may be busy now and idle
/// soon, and the numbers are the same.
MachineCheck machine_for(const TrainingJob& job, int threads, std::string& line) {
  auto machine = check_machine(threads);
  if (!machine) {
    line = "slow: " + machine.error().message;
    MachineCheck slow;
    slow.threads = threads;
    return slow;
  }
  machine->bf16 = machine->bf16 && job.compute == "auto";
  line = machine->describe();
  return *machine;
}

Result<Parity> check_parity(const Transformer& model, const std::vector<TrainingExample>& examples, int threads) {
  std::vector<std::vector<TokenId>> texts;
  for (const auto& example : examples) {
    if (texts.size() == kParityTexts) break;
    texts.push_back(example.paths.front().tokens);
  }
  ParityOptions options;
  options.threads = threads;
  return compare_with_engine(model, texts, options);
}

HeldOutFigures figures_of(const train::Evaluation& evaluation) {
  HeldOutFigures held_out{evaluation.loss, {}};
  for (const auto& [name, sum] : evaluation.figures.sums) held_out.figures[name] = sum / evaluation.figures.weight;
  return held_out;
}

/// A job on its way: what was opened for it.
struct Work {
  TrainingJob job;
  std::vector<TrainingExample> examples, held_out;
  std::unique_ptr<train::Task> task;
  std::unique_ptr<Store> store;  ///< null when the job names none
  TrainingOutcome outcome;
};

Result<Work> prepare(const fs::path& path) {
  Work work;
  VALENCE_TRY(work.job, read_job(path));
  const auto& job = work.job;
  VALENCE_CHECK(require_content(job.model, job.model_sha256, "model"));
  VALENCE_CHECK(require_content(job.examples, job.examples_sha256, "examples"));
  VALENCE_TRY(work.examples, read_examples(job.examples));
  if (!job.held_out.empty()) {
    VALENCE_TRY(work.held_out, read_examples(job.held_out));
  }
  VALENCE_TRY(work.task, train::make_task(job.operation, job.settings));
  if (!job.store.empty()) {
    VALENCE_TRY(work.store, Store::open(job.store));
  }
  return work;
}

train::TrainerContext context_of(Work& work, Progress& progress, std::stop_token stop) {
  train::TrainerContext context{work.job.output, work.job.digest(), {}, &progress, std::move(stop)};
  if (work.store) {
    context.record = [&work](const TrainingStep& step) { return work.store->put_training_step(work.job.run, step); };
  }
  return context;
}

Result<void> look_at_held_out(train::Policy& policy, const Work& work, HeldOutFigures& figures) {
  if (work.held_out.empty()) return {};
  VALENCE_TRY(const auto evaluation,
              train::evaluate(policy, *work.task, work.held_out,
                              static_cast<std::size_t>(work.job.settings.integer("pass_tokens"))));
  figures = figures_of(evaluation);
  return {};
}

}  // namespace

Result<void> start_training_process(char** arguments) { return wait_passively(arguments); }

Result<void> carry_out(const fs::path& path, Progress& progress, std::stop_token stop) {
  VALENCE_TRY(auto work, prepare(path));
  auto& outcome = work.outcome;
  VALENCE_TRY(const int threads, share_threads(work.job.threads));
  const auto machine = machine_for(work.job, threads, outcome.machine);
  VALENCE_TRY(const auto options, transformer_options(work.job, machine));
  VALENCE_TRY(auto transformer, Transformer::load(work.job.model, options));
  VALENCE_TRY(const auto parity, check_parity(*transformer, work.examples, threads));
  outcome.parity = parity.describe();
  progress.note(outcome.machine);
  progress.note(outcome.parity);
  train::TransformerPolicy policy(std::move(transformer), work.job.model_name, work.task->reads_rewards());

  outcome.has_held_out = !work.held_out.empty();
  VALENCE_CHECK(look_at_held_out(policy, work, outcome.before));
  VALENCE_TRY(const auto report,
              train::train(policy, *work.task, work.examples, train::trainer_options(work.job.settings, work.job.seed),
                           context_of(work, progress, std::move(stop))));
  VALENCE_CHECK(look_at_held_out(policy, work, outcome.after));

  outcome.adapter = report.adapter;
  VALENCE_TRY(const auto sha256, sha256_file(report.adapter));
  outcome.adapter_sha256 = sha256.hex();
  outcome.steps = report.steps;
  outcome.resumed_from = report.resumed_from;
  outcome.tokens = report.tokens;
  outcome.seconds = report.seconds;
  return write_file(work.job.output / "outcome.json", to_text(outcome));
}

}  // namespace valence
