#include "valence/align/training.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/base/process.h"
#include "valence/base/text.h"
#include "valence/train/job.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{120};  // a step under way is finished and written first

/// A name that is safe as part of a folder's.
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ? c : '-';
  return out.substr(0, 40);
}

Result<TrainingJob> job_of(const TrainingRequest& request, const std::string& examples, const std::string& held_out,
                           const Store& store) {
  TrainingJob job;
  job.operation = request.operation.id;
  job.settings = request.settings;
  job.model_name = request.model.name;
  job.model = fs::absolute(request.model.path);
  job.model_sha256 = request.model.sha256;
  for (const auto& adapter : request.adapters) {
    const auto path = fs::absolute(adapter.path);
    VALENCE_TRY(const auto digest, sha256_file(path));
    job.adapters.push_back({path, adapter.scale, digest});
  }
  job.examples_sha256 = sha256(examples);
  if (!request.start.empty()) {
    job.start = fs::absolute(request.start / "checkpoint.bin");
    VALENCE_TRY(job.start_sha256, sha256_file(job.start));
  }
  job.seed = request.seed;
  job.threads = request.threads;
  job.store = fs::absolute(store.path());
  const auto folder = fs::path("out") / "align" /
                      fmt::format("{}-{}-{}", job.operation, plain(request.model.name), job.digest().brief());
  job.output = fs::absolute(request.folder.empty() ? folder : request.folder);
  job.examples = job.output / "examples.jsonl";
  if (!held_out.empty()) job.held_out = job.output / "held_out.jsonl";
  return job;
}

Json adapters_json(const TrainingJob& job) {
  Json adapters = Json::array();
  for (const auto& adapter : job.adapters)
    adapters.push_back({{"sha256", adapter.sha256.hex()}, {"scale", adapter.scale}});
  return adapters;
}

Json provenance_of(const TrainingRequest& request, const TrainingJob& job) {
  return {{"model", request.model.name},
          {"model_sha256", request.model.sha256.hex()},
          {"adapters", adapters_json(job)},
          {"data", request.data},
          {"examples", request.examples.size()},
          {"held_out", request.held_out.size()},
          {"examples_sha256", job.examples_sha256.hex()},
          {"seed", request.seed},
          {"threads", request.threads},
          {"start", job.start.string()},
          {"folder", job.output.string()}};
}

/// Nothing is written over a training of another job.
Result<void> check_folder(const TrainingJob& job) {
  std::error_code error;
  if (!fs::exists(job.output / "checkpoint.bin", error) || !fs::exists(job.output / "job.json", error)) return {};
  VALENCE_TRY(const auto there, read_job(job.output / "job.json"));
  if (there.digest() == job.digest()) return {};
  return fail(ErrorCode::kUsage,
              "{} holds another training (of other data, settings or weights); name another --out, or remove it",
              job.output.string());
}

/// The run to go on with, or a new one.
Result<RunId> run_for(const TrainingRequest& request, const TrainingJob& job, Store& store) {
  const auto key = job.digest().hex();
  VALENCE_TRY(const auto unfinished, store.unfinished(key));
  if (unfinished) {
    VALENCE_CHECK(store.set_state(unfinished->id, RunState::kRunning));
    return unfinished->id;
  }
  RunRecord record;
  record.key = key;
  record.instrument = "align/" + request.operation.id;
  record.subject = request.model.name;
  record.settings = to_text(request.settings.to_json());
  record.provenance = to_text(provenance_of(request, job));
  return store.create_run(record);
}

/// What the trainer's exit status means; its own message is on standard error.
Result<void> check_status(int status, RunId run, const fs::path& folder) {
  if (status == 0) return {};
  const auto code = status == 2 ? ErrorCode::kUsage : ErrorCode::kModel;
  if (status > 128)
    return fail(code, "the trainer was ended by signal {}; run {} goes on from {} when the same command is run again",
                status - 128, run, folder.string());
  return fail(code, "the training run {} ended before its time; what there is lies in {}", run, folder.string());
}

/// Runs the trainer on a job file; gives its exit status. `more`: further arguments.
Result<int> run_trainer(const fs::path& job, const TrainingControl& control,
                        const std::vector<std::string>& more = {}) {
  VALENCE_TRY(const auto trainer, find_trainer());
  Program program;
  program.arguments = {trainer.string(), job.string()};
  program.arguments.insert(program.arguments.end(), more.begin(), more.end());
  if (control.quiet) program.arguments.push_back("--quiet");
  program.arguments.push_back("--with-parent");
  program.output = job.parent_path() / "trainer.txt";
  program.keeps_stderr = true;
  program.own_group = true;
  program.patience = kPatience;
  return run_program(program, control.stop, {});
}

Result<void> carry_out(const fs::path& job, RunId run, const TrainingControl& control) {
  VALENCE_TRY(const int status, run_trainer(job, control));
  return check_status(status, run, job.parent_path());
}

/// The finished run of the same job, if what it made is still there.
Result<std::optional<TrainingRun>> finished_run(const TrainingJob& job, const Store& store) {
  VALENCE_TRY(const auto run, store.finished(job.digest().hex()));
  std::error_code error;
  const bool rates = job.operation == "reward";  // by its checkpoint
  if (!run || (rates && !fs::exists(job.output / "checkpoint.bin", error))) return std::nullopt;
  auto outcome = read_outcome(job.output / "outcome.json");
  if (!outcome) return std::nullopt;
  const auto adapter = sha256_file(outcome->adapter);
  if (!adapter || adapter->hex() != outcome->adapter_sha256) return std::nullopt;
  VALENCE_TRY(const auto artefacts, store.artefacts(*run));
  const bool its =
      std::ranges::any_of(artefacts, [&](const Artefact& a) { return a.sha256 == outcome->adapter_sha256; });
  if (!its) return std::nullopt;
  return TrainingRun{*run, job.output, *std::move(outcome)};
}

Result<void> file_outcome(Store& store, RunId run, const TrainingRequest& request, const TrainingOutcome& outcome) {
  VALENCE_CHECK(store.put_artefact(run, {"adapter", outcome.adapter.string(), outcome.adapter_sha256}));
  return store.finish(run, AnswerTable{"align/" + request.operation.id, {}, {}}, to_text(outcome));
}

/// What rating left; kNotFound, kMismatch or kCorrupt unless it is of this job.
Result<std::vector<std::vector<double>>> rewards_of(const fs::path& path, const TrainingJob& job) {
  VALENCE_TRY(const auto text, read_file(path));
  VALENCE_TRY(const auto node, parse_json_node(text, path.string()));
  VALENCE_TRY(const auto digest, node.string_at("job"));
  if (digest != job.digest().hex()) return fail(ErrorCode::kMismatch, "{} belongs to other answers", path.string());
  VALENCE_TRY(const auto rewards, node.at("rewards"));
  VALENCE_TRY(const auto entries, rewards.as_array());
  std::vector<std::vector<double>> read;
  for (const auto& entry : entries) {
    VALENCE_TRY(auto numbers, entry.as_numbers());
    read.push_back(std::move(numbers));
  }
  return read;
}

}  // namespace

Result<fs::path> find_trainer() {
  if (const auto named = environment("VALENCE_TRAIN"); !named.empty()) return fs::path(named);
  std::error_code error;
  const auto here = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto& place : {here / "valence-train", here.parent_path() / "valence-train" / "valence-train"}) {
    if (fs::is_regular_file(place, error)) return place;
  }
  return fail(ErrorCode::kNotFound,
              "the trainer valence-train is not beside this program: build it (cmake -DVALENCE_TRAINING=ON, needs "
              "libtorch: ./scripts/setup --for all) "
              "or name it with VALENCE_TRAIN");
}

Result<void> require_weights(const SubjectSpec& subject) {
  if (!subject.model.name.starts_with("scripted:")) return {};
  return fail(ErrorCode::kUsage, "{} is simulated and has no weights to train; name a model (valence model list)",
              printable(subject.model.name));
}

ModelSpec trained_model(ModelSpec base, const TrainingOutcome& outcome) {
  if (!outcome.whole) {
    base.adapters.push_back({outcome.adapter.string(), 1.0});
    return base;
  }
  base.name = outcome.adapter.string();
  base.adapters.clear();  // they are in it
  return base;
}

Result<Settings> settings_of_operation(const Operation& operation, const Settings& settings) {
  std::vector<std::pair<std::string, std::string>> given;
  for (const auto& spec : operation.settings) given.emplace_back(spec.name, settings.text(spec.name));
  return Settings::resolve(operation.settings, given);
}

Result<TrainingRun> run_training(const TrainingRequest& request, Store& store, const TrainingControl& control) {
  VALENCE_CHECK(find_trainer());
  const auto examples = to_jsonl(request.examples);
  const auto held_out = to_jsonl(request.held_out);
  VALENCE_TRY(auto job, job_of(request, examples, held_out, store));
  if (held_out.empty()) {  // which takes no part in what identifies a job
    VALENCE_TRY(auto before, finished_run(job, store));
    if (before) return *std::move(before);
  }
  VALENCE_CHECK(check_folder(job));
  VALENCE_TRY(job.run, run_for(request, job, store));
  VALENCE_CHECK(write_file(job.examples, examples));
  if (!held_out.empty()) VALENCE_CHECK(write_file(job.held_out, held_out));
  const auto file = job.output / "job.json";
  VALENCE_CHECK(write_file(file, to_text(job)));
  if (auto done = carry_out(file, job.run, control); !done) {
    const bool stopped = done.error().code == ErrorCode::kStopped;
    VALENCE_CHECK(store.set_state(job.run, stopped ? RunState::kStopped : RunState::kFailed));
    VALENCE_CHECK(store.log(job.run, stopped ? "info" : "error", done.error().message));
    return tl::unexpected(std::move(done).error());
  }
  TrainingRun run{job.run, job.output, {}};
  VALENCE_TRY(run.outcome, read_outcome(job.output / "outcome.json"));
  VALENCE_CHECK(file_outcome(store, job.run, request, run.outcome));
  return run;
}

Result<void> export_training(const fs::path& folder, const std::string& form, const fs::path& out,
                             const TrainingControl& control) {
  const auto job = fs::absolute(folder) / "job.json";
  std::error_code error;
  if (!fs::exists(job, error)) {
    return fail(ErrorCode::kNotFound,
                "{}: holds no training (no job.json); name the folder that valence align left the adapter in",
                folder.string());
  }
  VALENCE_TRY(const int status, run_trainer(job, control, {"--export", form, fs::absolute(out).string()}));
  if (status == 0) return {};
  return fail(status == 2 ? ErrorCode::kUsage : ErrorCode::kModel, "{}: was not written as {}", out.string(), form);
}

Result<std::vector<std::vector<double>>> rate_answers(const fs::path& reward_model,
                                                      std::span<const TrainingExample> answers, const fs::path& folder,
                                                      const TrainingControl& control) {
  const auto text = to_jsonl(answers);
  VALENCE_TRY(auto job, read_job(reward_model / "job.json"));
  job.start = fs::absolute(reward_model / "checkpoint.bin");
  VALENCE_TRY(job.start_sha256, sha256_file(job.start));
  job.examples_sha256 = sha256(text);
  job.output = fs::absolute(folder / job.digest().brief());
  job.examples = job.output / "examples.jsonl";
  job.held_out = job.store = "";
  job.run = 0;
  const auto rewards = job.output / "rewards.json";
  if (auto done = rewards_of(rewards, job); done) return done;
  VALENCE_CHECK(write_file(job.examples, text));
  VALENCE_CHECK(write_file(job.output / "job.json", to_text(job)));
  VALENCE_TRY(const int status, run_trainer(job.output / "job.json", control, {"--rate"}));
  if (status != 0) {
    return fail(status == 2 ? ErrorCode::kUsage : ErrorCode::kModel,
                "the reward model {} did not rate the answers; what there is lies in {}", reward_model.string(),
                job.output.string());
  }
  return rewards_of(rewards, job);
}

}  // namespace valence
