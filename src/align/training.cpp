#include "valence/align/training.h"

#include <cctype>
#include <nlohmann/json.hpp>

#include "valence/base/files.h"
#include "valence/base/json.h"
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

TrainingJob job_of(const TrainingRequest& request, const std::string& examples, const std::string& held_out,
                   const Store& store) {
  TrainingJob job;
  job.operation = request.operation.id;
  job.settings = request.settings;
  job.model_name = request.model.name;
  job.model = fs::absolute(request.model.path);
  job.model_sha256 = request.model.sha256;
  job.examples_sha256 = sha256(examples);
  job.seed = request.seed;
  job.threads = request.threads;
  job.compute = request.compute;
  job.store = fs::absolute(store.path());
  const auto folder = fs::path("out") / "align" /
                      fmt::format("{}-{}-{}", job.operation, plain(request.model.name), job.digest().brief());
  job.output = fs::absolute(request.folder.empty() ? folder : request.folder);
  job.examples = job.output / "examples.jsonl";
  if (!held_out.empty()) job.held_out = job.output / "held_out.jsonl";
  return job;
}

Json provenance_of(const TrainingRequest& request, const TrainingJob& job) {
  return {{"model", request.model.name},
          {"model_sha256", request.model.sha256.hex()},
          {"data", request.data},
          {"examples", request.examples.size()},
          {"held_out", request.held_out.size()},
          {"examples_sha256", job.examples_sha256.hex()},
          {"seed", request.seed},
          {"threads", request.threads},
          {"compute", request.compute},
          {"folder", job.output.string()}};
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

Result<void> carry_out(const fs::path& trainer, const fs::path& job, const fs::path& folder, RunId run,
                       const TrainingControl& control) {
  Program program;
  program.arguments = {trainer.string(), job.string()};
  if (control.quiet) program.arguments.push_back("--quiet");
  program.output = folder / "trainer.txt";
  program.keeps_stderr = true;
  program.own_group = true;
  program.patience = kPatience;
  VALENCE_TRY(const int status, run_program(program, control.stop, {}));
  return check_status(status, run, folder);
}

Result<void> file_outcome(Store& store, RunId run, const TrainingRequest& request, const TrainingOutcome& outcome) {
  VALENCE_CHECK(store.put_artefact(run, {"adapter", outcome.adapter.string(), outcome.adapter_sha256}));
  return store.finish(run, AnswerTable{"align/" + request.operation.id, {}, {}}, to_text(outcome));
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

Result<TrainingRun> run_training(const TrainingRequest& request, Store& store, const TrainingControl& control) {
  VALENCE_TRY(const auto trainer, find_trainer());
  const auto examples = to_jsonl(request.examples);
  const auto held_out = to_jsonl(request.held_out);
  auto job = job_of(request, examples, held_out, store);
  VALENCE_TRY(job.run, run_for(request, job, store));
  VALENCE_CHECK(write_file(job.examples, examples));
  if (!held_out.empty()) VALENCE_CHECK(write_file(job.held_out, held_out));
  const auto file = job.output / "job.json";
  VALENCE_CHECK(write_file(file, to_text(job)));
  if (auto done = carry_out(trainer, file, job.output, job.run, control); !done) {
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

}  // namespace valence
