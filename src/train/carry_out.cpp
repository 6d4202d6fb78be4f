#include "valence/train/carry_out.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "checkpoint.h"
#include "export.h"
#include "machine.h"
#include "parity.h"
#include "passes.h"
#include "processes.h"
#include "tensor_values.h"
#include "thrown.h"
#include "trainer.h"
#include "transformer_policy.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/model/llama.h"
#include "valence/store/store.h"
#include "valence/train/job.h"
#include "valence/train/operations.h"
#include "valence/train/outcome.h"
#include "waiting.h"

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

Result<void> require_weights(const TrainingJob& job) {
  VALENCE_CHECK(require_content(job.model, job.model_sha256, "model"));
  for (const auto& adapter : job.adapters) VALENCE_CHECK(require_content(adapter.path, adapter.sha256, "adapter"));
  return {};
}

std::vector<AdapterSpec> adapters_of(const TrainingJob& job) {
  std::vector<AdapterSpec> adapters;
  for (const auto& adapter : job.adapters) adapters.push_back({adapter.path.string(), adapter.scale});
  return adapters;
}

Result<torch::Device> device_of(const TrainingJob& job) {
  if (job.settings.text("trainer_device") != "cuda") return torch::Device(torch::kCPU);
  if (torch::cuda::is_available()) return torch::Device(torch::kCUDA);
  return fail(
      ErrorCode::kUsage,
      "trainer_device = cuda: the libtorch that this program was built with finds no CUDA device; leave it at "
      "cpu, or build valence-train against a libtorch with CUDA (Torch_DIR) and see that the driver is installed");
}

/// All but the device.
Result<TransformerOptions> transformer_options(const TrainingJob& job, const MachineCheck& machine) {
  TransformerOptions options;
  auto& lora = options.tuning.lora;
  if (job.settings.text("tuning") == "full") options.tuning.part = TunedPart::kEverything;
  lora.rank = job.settings.integer("rank");
  lora.alpha = job.settings.number("alpha");
  lora.rank_stabilised = job.settings.flag("rank_stabilised");
  lora.dropout = job.settings.number("dropout");
  if (job.settings.text("modules") != "all") lora.targets = split(job.settings.text("modules"), ",");
  options.tuning.seed = job.seed;
  options.adapters = adapters_of(job);
  options.bf16 = machine.bf16;
  VALENCE_CHECK(check_lora(lora));
  return options;
}

Result<Parity> check_parity(const Transformer& model, const std::vector<TrainingExample>& examples,
                            const TrainingJob& job, int threads, std::optional<double> tolerance) {
  std::vector<std::vector<TokenId>> texts;
  for (const auto& example : examples) {
    if (texts.size() == kParityTexts) break;
    texts.push_back(example.paths.front().tokens);
  }
  ParityOptions options;
  options.adapters = adapters_of(job);
  options.threads = threads;
  options.tolerance = tolerance;
  return compare_with_engine(model, texts, options);
}

HeldOutFigures figures_of(const train::Evaluation& evaluation) {
  HeldOutFigures held_out{evaluation.loss, {}, evaluation.margins};
  for (const auto& [name, sum] : evaluation.figures.sums) held_out.figures[name] = sum / evaluation.figures.weight;
  return held_out;
}

train::LinearHead head_for(const train::Task& task) {
  if (task.reads_values()) return train::LinearHead::kValue;
  return task.reads_rewards() ? train::LinearHead::kReward : train::LinearHead::kNone;
}

/// A job on its way: what was opened for it.
struct Work {
  TrainingJob job;
  std::vector<TrainingExample> examples, held_out;
  train::Reference held_out_reference;  ///< once the held-out examples were looked at
  Digest held_out_key = {};             ///< of job and held-out examples
  std::unique_ptr<train::Task> task;
  std::unique_ptr<Store> store;  ///< null when the job names none, and in all processes but the first
  train::Processes processes;
  TrainingOutcome outcome;
};

/// All that carry out a job together must have the same one and look at the same held-out examples; where they lie may
/// differ. Held-out examples take no part in what identifies a job, so their content is compared beside it.
Result<void> require_one_job(train::Processes& processes, const TrainingJob& job) {
  if (processes.alone()) return {};
  std::string held_out;
  if (!job.held_out.empty()) {
    VALENCE_TRY(const auto content, sha256_file(job.held_out));
    held_out = content.hex();
  }
  const auto own = job.digest().hex();
  VALENCE_TRY(const auto all, processes.gather(own + held_out));
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank] == all.front()) continue;
    const bool same_job = all[rank].substr(0, own.size()) == all.front().substr(0, own.size());
    return fail(ErrorCode::kMismatch, "process {} was given {} than process 0 {}", rank,
                same_job ? "other held-out examples" : "another job",
                same_job ? "(compare the files that the jobs name as held_out)" : "(other data, settings or weights)");
  }
  return {};
}

/// The job's number, or this process's share of the machine's cores.
int threads_of(const TrainingJob& job, const train::ProcessPlace& place) {
  if (job.threads > 0 || place.count == 1) return job.threads;
  return train::share_of_cores(usable_cores(), static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)), place.local_count);
}

/// Nothing is written into a folder where another job's checkpoint lies.
Result<void> require_own_folder(const TrainingJob& job) {
  const auto path = job.output / "checkpoint.bin";
  VALENCE_TRY(const auto there, train::job_of_checkpoint(path));
  if (!there || *there == job.digest()) return {};
  return fail(ErrorCode::kMismatch,
              "{} belongs to another job (other data, settings or weights); name another output folder or remove it",
              path.string());
}

/// What frozen products are computed in: "bf16" or "f32". What was chosen first stands in the output folder, so that a
/// run which was stopped goes on as it began, whatever a second measurement says.
Result<std::string> settled_products(const TrainingJob& job, bool bf16_pays) {
  VALENCE_CHECK(require_own_folder(job));
  if (job.settings.text("products") != "auto") return "f32";
  const auto path = job.output / "products.json";
  std::error_code error;
  if (fs::exists(path, error)) {
    VALENCE_TRY(const auto text, read_file(path));
    VALENCE_TRY(const auto kept, parse_json_node(text, path.string()));
    VALENCE_TRY(const auto of, kept.string_at("job"));
    VALENCE_TRY(auto products, kept.string_at("products"));
    if (of == job.digest().hex()) return products;
  }
  const std::string products = bf16_pays ? "bf16" : "f32";
  const Json chosen = {{"job", job.digest().hex()}, {"products", products}};
  VALENCE_CHECK(write_file(path, to_text(chosen, 2) + "\n"));
  return products;
}

/// What the job computes with; a line on it goes into the outcome. Slowness is told but stops nothing: a machine may be
/// busy now and idle soon, and the numbers are the same. Where bf16 pays for some processes only, none uses it.
Result<MachineCheck> machine_for(Work& work, int threads) {
  const auto measured = check_machine(threads);
  MachineCheck machine;
  machine.threads = threads;
  if (measured) machine = *measured;
  VALENCE_TRY(const bool against, work.processes.any(!machine.bf16));
  VALENCE_TRY(const auto products,
              work.processes.from_first(work.processes.first() ? settled_products(work.job, !against)
                                                               : Result<std::string>("")));
  machine.bf16 = products == "bf16";
  work.outcome.machine = measured ? machine.describe() : "slow: " + measured.error().message;
  return machine;
}

/// A setting that would do nothing is refused unless it is at its default. `why`: it would.
Result<void> require_usual(const TrainingJob& job, std::string_view name, std::string_view why) {
  VALENCE_TRY(const auto* operation, find_operation(job.operation));
  const auto& usual = std::ranges::find(operation->settings, name, &SettingSpec::name)->fallback;
  const auto& given = job.settings.text(name);
  if (given == usual) return {};
  return fail(ErrorCode::kUsage, "{} = {}: {}; leave it at {}", name, given, why, usual);
}

/// What full fine-tuning has no use for is refused, not passed over: settings of an adapter and of frozen weights, and
/// the guard, which compares with weights that are not kept.
Result<void> check_full_tuning(const TrainingJob& job) {
  if (job.settings.text("tuning") != "full") return {};
  VALENCE_CHECK(require_usual(job, "most_kl",
                              "with tuning = full the weights as they were are not kept, so the drift is not known"));
  for (const auto* name : {"rank", "alpha", "rank_stabilised", "dropout", "modules", "products"})
    VALENCE_CHECK(require_usual(job, name, "of an adapter on frozen weights, and tuning = full has neither"));
  return {};
}

/// The same of what an operation has no use for, or not beside its other settings. Not asked of a job that only rates:
/// what its reward model was trained with does no harm there.
Result<void> check_idle_settings(const TrainingJob& job) {
  if (job.operation == "reward")
    return require_usual(job, "most_kl",
                         "a reward model's rewards are read and no log-probabilities, so there is no drift");
  if (job.operation != "dpo") return {};
  const auto& loss = job.settings.text("loss");
  if (loss == "hinge" || loss == "ipo")
    VALENCE_CHECK(require_usual(job, "smoothing", fmt::format("loss = {} knows no wrong labels", loss)));
  if (job.settings.text("divergence") == "alpha") return {};
  return require_usual(job, "divergence_alpha", "of divergence = alpha, and another one was chosen");
}

Result<Work> prepare(const fs::path& path, const train::ProcessPlace& place, std::chrono::milliseconds patience) {
  Work work;
  VALENCE_TRY(work.job, read_job(path));
  const auto& job = work.job;
  VALENCE_CHECK(require_weights(job));
  VALENCE_CHECK(require_content(job.examples, job.examples_sha256, "examples"));
  if (!job.start.empty()) VALENCE_CHECK(require_content(job.start, job.start_sha256, "checkpoint"));
  VALENCE_TRY(work.examples, read_examples(job.examples));
  if (!job.held_out.empty()) {
    VALENCE_TRY(work.held_out, read_examples(job.held_out));
    VALENCE_TRY(const auto content, sha256_file(job.held_out));
    work.held_out_key = Hasher().add(job.digest()).add(content).finish();
  }
  VALENCE_TRY(work.task, train::make_task(job.operation, job.settings));
  VALENCE_CHECK(check_full_tuning(job));
  VALENCE_TRY(work.processes, train::Processes::join(place, patience));
  VALENCE_CHECK(require_one_job(work.processes, job));
  if (!job.store.empty() && work.processes.first()) {
    VALENCE_TRY(work.store, Store::open(job.store));
  }
  return work;
}

/// When what threads do while they wait should change, with how much else the machine has to do (waiting.h). Of several
/// processes none starts anew: the others would lose it.
train::StartAnew anew_of(char** arguments, const train::Processes& processes, Progress& progress) {
  const auto now = waiting();
  if (arguments == nullptr || !processes.alone() || now == Waiting::kAsTold) return {};
  const bool spin = now == Waiting::kSpin;
  return {[spin, crowding = Crowding()]() mutable { return spin ? crowding.is_felt() : crowding.is_long_over(); },
          [spin, arguments, &progress] {
            progress.note(spin ? "other work wants the cores: starting anew with threads that sleep while they wait"
                               : "the cores are free again: starting anew with threads that spin while they wait");
            return start_anew(spin ? Waiting::kSleep : Waiting::kSpin, arguments);
          }};
}

train::TrainerContext context_of(Work& work, Progress& progress, std::stop_token stop, const train::StartAnew& anew) {
  train::TrainerContext context{work.job.output, work.job.digest(), work.job.start,  {},
                                &progress,       std::move(stop),   &work.processes, anew};
  if (work.store) {
    context.record = [&work](const TrainingStep& step) { return work.store->put_training_step(work.job.run, step); };
  }
  return context;
}

/// Loss and figures of the held-out examples. Started anew, it looks at all of them again.
Result<HeldOutFigures> look_at_held_out(train::Policy& policy, Work& work, Progress& progress,
                                        const std::stop_token& stop, const train::StartAnew& anew) {
  const auto pass_tokens = static_cast<std::size_t>(work.job.settings.integer("pass_tokens"));
  const train::KeptAt kept{work.job.output / "held_out_reference.bin", work.held_out_key};
  VALENCE_TRY(const auto evaluation,
              train::evaluate(policy, *work.task, work.held_out,
                              {pass_tokens, &work.held_out_reference, &progress, stop, &work.processes, anew, kept}));
  return figures_of(evaluation);
}

/// The same of the weights as they are, kept for a run that goes on.
Result<HeldOutFigures> before_training(train::Policy& policy, Work& work, Progress& progress,
                                       const std::stop_token& stop, const train::StartAnew& anew) {
  const auto file = work.job.output / "before.json";
  const bool keeps = work.processes.alone();  // else all must look, or none
  if (auto kept = keeps ? read_held_out(file, work.held_out_key) : std::nullopt) return *std::move(kept);
  VALENCE_TRY(const auto figures, look_at_held_out(policy, work, progress, stop, anew));
  if (keeps) VALENCE_CHECK(write_file(file, to_text(figures, work.held_out_key)));
  return figures;
}

/// Tokens of another model's vocabulary would be looked up beyond this one's.
Result<void> require_known_tokens(std::span<const TrainingExample> examples, const fs::path& file,
                                  std::int64_t vocabulary) {
  for (const auto& example : examples) {
    for (const auto& path : example.paths) {
      const auto unknown = std::ranges::find_if(path.tokens, [&](TokenId t) { return t < 0 || t >= vocabulary; });
      if (unknown == path.tokens.end()) continue;
      return fail(
          ErrorCode::kInvalid,
          "{}: example \"{}\": token {} is outside the model's vocabulary of {}; render the data for this model "
          "(valence align does)",
          file.string(), example.id, *unknown, vocabulary);
    }
  }
  return {};
}

/// The model with an adapter and the task's head as they begin, checked against the engine. `tolerance`: of that check.
Result<train::TransformerPolicy> open_policy(Work& work, int threads, Progress& progress,
                                             std::optional<double> tolerance = {}) {
  auto& outcome = work.outcome;
  VALENCE_TRY(const auto device, device_of(work.job));
  VALENCE_TRY(const auto machine, machine_for(work, threads));
  VALENCE_TRY(auto options, transformer_options(work.job, machine));
  options.device = device;
  VALENCE_TRY(auto transformer, Transformer::load(work.job.model, options));
  const auto vocabulary = transformer->shape().vocabulary;
  VALENCE_CHECK(require_known_tokens(work.examples, work.job.examples, vocabulary));
  VALENCE_CHECK(require_known_tokens(work.held_out, work.job.held_out, vocabulary));
  VALENCE_TRY(const auto parity, check_parity(*transformer, work.examples, work.job, threads, tolerance));
  outcome.parity = parity.describe();
  if (!work.processes.alone()) progress.note(fmt::format("{} processes; this is the first", work.processes.count()));
  progress.note(outcome.machine);
  progress.note(outcome.parity);
  return train::TransformerPolicy(std::move(transformer), work.job.model_name, head_for(*work.task));
}

Json rewards_json(const std::vector<train::ScoredExample>& rated) {
  Json rewards = Json::array();
  for (const auto& example : rated) rewards.push_back(doubles_of(example.rewards));
  return rewards;
}

Result<void> leave_outcome(const Work& work, TrainingOutcome outcome, const train::TrainerReport& report) {
  outcome.adapter = report.adapter;
  outcome.whole = work.job.settings.text("tuning") == "full";
  VALENCE_TRY(const auto sha256, sha256_file(report.adapter));
  outcome.adapter_sha256 = sha256.hex();
  outcome.steps = report.steps;
  outcome.resumed_from = report.resumed_from;
  outcome.tokens = report.tokens;
  outcome.seconds = report.seconds;
  return write_file(work.job.output / "outcome.json", to_text(outcome));
}

/// Held by whoever trains into a folder: two at once would write over each other's checkpoints. One that is left over
/// from a killed command is waited for: it ends after its step.
Result<FileLock> lock_folder(const fs::path& folder, Progress& progress, const std::stop_token& stop) {
  constexpr auto kPoll = std::chrono::milliseconds(100);
  for (bool told = false;; told = true) {
    VALENCE_TRY(auto lock, FileLock::try_acquire(folder / "lock", 0));
    if (lock) return std::move(*lock);
    if (!told) progress.note(fmt::format("another training works in {}: waiting for its end", folder.string()));
    if (stop.stop_requested())
      return fail(ErrorCode::kStopped, "stopped while it waited for another training in {}", folder.string());
    std::this_thread::sleep_for(kPoll);
  }
}

Result<void> carry_out_at(const train::ProcessPlace& place, const fs::path& path, Progress& progress,
                          const CarryOutOptions& options) {
  VALENCE_TRY(auto work, prepare(path, place, options.patience));
  VALENCE_CHECK(check_idle_settings(work.job));
  VALENCE_TRY(const int threads, share_threads(threads_of(work.job, place)));
  VALENCE_TRY(auto policy, open_policy(work, threads, progress, options.tolerance));
  std::optional<FileLock> lock;
  if (work.processes.first()) {
    VALENCE_TRY(lock, lock_folder(work.job.output, progress, options.stop));
  }
  const auto anew = anew_of(options.arguments, work.processes, progress);
  auto& outcome = work.outcome;
  outcome.has_held_out = !work.held_out.empty();
  if (outcome.has_held_out) {
    VALENCE_TRY(outcome.before, before_training(policy, work, progress, options.stop, anew));
  }
  VALENCE_TRY(const auto report,
              train::train(policy, *work.task, work.examples, train::trainer_options(work.job.settings, work.job.seed),
                           context_of(work, progress, options.stop, anew)));
  if (outcome.has_held_out) {
    VALENCE_TRY(outcome.after, look_at_held_out(policy, work, progress, options.stop, anew));
  }
  return work.processes.first() ? leave_outcome(work, outcome, report) : Result<void>();
}

/// The checkpoint that a job rates by, which must be the end of a training: beside it lie the job that it is of and the
/// outcome of that job.
Result<train::Checkpoint> finished_reward_model(const fs::path& start) {
  const auto folder = start.parent_path();
  VALENCE_TRY(auto checkpoint, train::read_checkpoint(start));
  const auto job = read_job(folder / "job.json");
  if (!job) {
    return tl::unexpected(with_context(
        job.error(), fmt::format("reward model {}: job.json should lie beside its checkpoint", folder.string())));
  }
  const auto of_two = [&](std::string_view other) {
    return fail(ErrorCode::kMismatch,
                "reward model {}: {} and {} are of two trainings, of which the later one began in the folder of the "
                "earlier; train the reward model anew in a folder of its own (valence align reward --out)",
                folder.string(), start.filename().string(), other);
  };
  if (checkpoint.job != job->digest()) return of_two("job.json");
  std::error_code error;
  if (!fs::exists(folder / "outcome.json", error)) {
    return fail(ErrorCode::kUsage,
                "reward model {}: its training was not finished (there is no outcome.json); run the command that began "
                "it again",
                folder.string());
  }
  VALENCE_TRY(const auto outcome, read_outcome(folder / "outcome.json"));
  VALENCE_TRY(const auto made, sha256_file(folder / outcome.adapter.filename()));
  if (made.hex() != outcome.adapter_sha256) return of_two("outcome.json");
  return checkpoint;
}

Result<void> rate_at(const fs::path& path, Progress& progress, const std::stop_token& stop) {
  VALENCE_TRY(auto work, prepare(path, {}, {}));
  if (!work.task->reads_rewards() || work.job.start.empty()) {
    return fail(ErrorCode::kUsage, "{}: rating takes a job of the operation reward that starts from a checkpoint",
                path.string());
  }
  VALENCE_TRY(const auto checkpoint, finished_reward_model(work.job.start));
  VALENCE_TRY(const int threads, share_threads(work.job.threads));
  VALENCE_TRY(auto policy, open_policy(work, threads, progress));
  VALENCE_CHECK(train::restore_parameters(checkpoint, work.job.start, policy.parameters()));
  policy.set_training(false, 0);
  VALENCE_TRY(const auto rated,
              train::score_all(policy, *work.task, work.examples, train::costs_of(policy, work.examples),
                               static_cast<std::size_t>(work.job.settings.integer("pass_tokens")), {}, stop));
  const Json json = {{"job", work.job.digest().hex()}, {"rewards", rewards_json(rated)}};
  return write_file(work.job.output / "rewards.json", to_text(json) + "\n");
}

Result<void> export_at(const fs::path& path, const std::string& form, const fs::path& out) {
  VALENCE_TRY(const auto job, read_job(path));
  const bool peft = form == "peft";
  if (peft && job.settings.text("tuning") == "full")
    return fail(ErrorCode::kUsage, "{}: all weights were trained, there is no adapter; write the merged model instead",
                path.string());
  if (peft && !job.adapters.empty()) {
    return fail(
        ErrorCode::kUsage,
        "{}: was trained on top of {}: a PEFT folder would be loaded without it. Write the merged model instead",
        path.string(), job.adapters.front().path.string());
  }
  VALENCE_CHECK(require_weights(job));
  VALENCE_TRY(const auto task, train::make_task(job.operation, job.settings));
  // On the CPU whatever the job was trained on: a device would be no faster at this, and need not be there.
  VALENCE_TRY(const auto options, transformer_options(job, {}));
  VALENCE_TRY(auto transformer, Transformer::load(job.model, options));
  const auto& model = *transformer;
  train::TransformerPolicy policy(std::move(transformer), job.model_name, head_for(*task));
  const auto kept = path.parent_path() / "checkpoint.bin";
  VALENCE_TRY(const auto checkpoint, train::read_checkpoint(kept));
  if (checkpoint.job != job.digest())
    return fail(ErrorCode::kMismatch, "{}: is a checkpoint of another job than {}", kept.string(), path.string());
  VALENCE_CHECK(train::restore_parameters(checkpoint, kept, policy.parameters()));
  const ExportNote note{.name = {},
                        .description = fmt::format("{} after {} (valence)", job.model_name, job.operation),
                        .base = job.model_name};
  return peft ? export_peft(model, out, note) : export_merged_gguf(model, out, form, note);
}

/// Runs what one process alone does, in the first of several: the others would write the same file.
template <class Call>
Result<void> in_first_process(Call&& call) {
  VALENCE_TRY(const auto place, train::process_place(environment));
  return place.rank == 0 ? without_exceptions(std::forward<Call>(call)) : Result<void>();
}

}  // namespace

Result<void> start_training_process(char** arguments) {
  VALENCE_TRY(const auto place, train::process_place(environment));
  return set_up_process(arguments, place.count == 1);
}

Result<void> carry_out(const fs::path& path, Progress& progress, const CarryOutOptions& options) {
  VALENCE_TRY(const auto place, train::process_place(environment));
  const auto silent = silent_progress();
  auto done =
      without_exceptions([&] { return carry_out_at(place, path, place.rank == 0 ? progress : *silent, options); });
  if (done || place.count == 1) return done;
  return tl::unexpected(
      with_context(std::move(done).error(), fmt::format("process {} of {}", place.rank, place.count)));
}

Result<void> export_trained(const fs::path& path, const std::string& form, const fs::path& out) {
  return in_first_process([&] { return export_at(path, form, out); });
}

Result<void> rate(const fs::path& path, Progress& progress, std::stop_token stop) {
  return in_first_process([&] { return rate_at(path, progress, stop); });
}

}  // namespace valence
