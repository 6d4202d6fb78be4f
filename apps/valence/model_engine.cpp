#include "model_engine.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "subject_options.h"
#include "valence/base/files.h"
#include "valence/base/process.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/model/registry.h"
#include "valence/model/tune.h"

namespace valence {
namespace {

Result<ModelFile> resolve(const std::string& name) {
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  return registry.resolve(name);
}

struct TuneCommand {
  std::string name = "smollm2";
  bool quick = false, once = false;
  EngineOptions engine;

  Result<void> run(const Session& session) const {
    VALENCE_TRY(const auto file, resolve(name));
    auto options = quick ? TuneOptions::quick() : TuneOptions{};
    options.engine = engine;
    options.once = once;
    const auto progress = session.progress();
    VALENCE_TRY(const auto tuning, tune_model(file.path, options, *progress));
    show(session, tuning);
    return {};
  }

  void show(const Session& session, const Tuning& tuning) const {
    if (session.json) {
      Json document = {{"name", name}, {"cpu", tuning.cpu}, {"backend", tuning.backend}, {"threads", tuning.threads},
                       {"scoring", tuning.scoring}, {"generation", tuning.generation}, {"timings", Json::array()}};
      for (const auto& timing : tuning.timings) {
        document["timings"].push_back({{"format", timing.format}, {"prefill_tokens_per_second", timing.prefill},
                                       {"decode_tokens_per_second", timing.decode}});
      }
      return session.print(document);
    }
    TextTable table({{"format", Align::kLeft}, {"prefill tokens/s", Align::kRight}, {"decode tokens/s", Align::kRight}});
    for (const auto& timing : tuning.timings) {
      table.add({timing.format, fmt::format("{:.0f}", timing.prefill), fmt::format("{:.0f}", timing.decode)});
    }
    fmt::print("{} on {} ({} backend, {} threads)\n\n{}\n  chosen: {} for scoring, {} for generation\n", name, tuning.cpu,
               tuning.backend, tuning.threads, table.text(), tuning.scoring, tuning.generation);
  }
};

/// A backend stays in its process until the end: each is measured in a process of its own, this program again.
Result<BackendMeasurement> measure_in_child(const std::string& name, const std::string& backend, const std::stop_token& stop) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail(ErrorCode::kUnsupported, "this program cannot find itself (/proc is not mounted): {}", error.message());
  VALENCE_TRY(const auto scratch, TemporaryFolder::inside(cache_folder()));
  const auto output = scratch.path() / "measurement.json";
  const Program program{{self.string(), "model", "backend", "--measure", backend, "--", name}, {}, output, /*keeps_stderr=*/true};
  VALENCE_TRY(const auto status, run_program(program, stop, {}));
  if (status != 0) return fail(ErrorCode::kModel, "the {} backend could not be measured; the lines above say why", backend);
  VALENCE_TRY(const auto text, read_file(output));
  return backend_measurement_from_json(text);
}

struct BackendCommand {
  std::string name = "smollm2";
  std::string measured;
  bool choose = false;

  Result<void> run(const Session& session) const {
    VALENCE_TRY(const auto file, resolve(name));
    // On F16 weights: there a backend compiled for the machine shows what it can do; made once, here, before the children.
    VALENCE_TRY(const auto weights, prepare_format(file.path, file.sha256, "f16"));
    if (!measured.empty()) {
      VALENCE_TRY(const auto measurement, measure_backend(weights, measured));
      fmt::print("{}\n", to_json(measurement));
      return {};
    }
    VALENCE_TRY(const auto native, measure_in_child(name, "native", session.stop));
    VALENCE_TRY(const auto prebuilt, measure_in_child(name, "prebuilt", session.stop));
    const auto choice = choose_backend(native, prebuilt);
    if (choose) VALENCE_CHECK(remember_backend(choice));
    show(session, choice);
    return {};
  }

  static void show(const Session& session, const BackendChoice& choice) {
    if (session.json) {
      return session.print({{"chosen", choice.chosen}, {"cpu", choice.cpu}, {"native_prefill", choice.native_prefill},
                            {"prebuilt_prefill", choice.prebuilt_prefill},
                            {"largest_difference", choice.largest_difference}, {"reason", choice.reason}});
    }
    fmt::print("{}: {} (native {:.0f}, prebuilt {:.0f} tokens/s prefill; largest difference of a logit {:.3g})\n", choice.chosen,
               choice.reason, choice.native_prefill, choice.prebuilt_prefill, choice.largest_difference);
  }
};

}  // namespace

void add_model_engine(CLI::App& model, Session& session) {
  auto tune = std::make_shared<TuneCommand>();
  auto* time = model.add_subcommand("tune", "Time the compute formats on this machine and remember the fastest");
  time->add_option("name", tune->name, "registry name or path")->capture_default_str();
  time->add_flag("--quick", tune->quick, "as_is, f16 and f32 only, short rounds");
  time->add_flag("--once", tune->once, "only if no choice is remembered for this machine");
  time->add_option("--backend", tune->engine.backend, "CPU backend: auto, native, prebuilt")
      ->check(CLI::IsMember({"auto", "native", "prebuilt"}))->capture_default_str();
  time->add_option("--threads", tune->engine.threads, "threads, 0 = the cores that this process may use")->capture_default_str();
  time->footer(examples({"valence model tune smollm2", "valence model tune ./my-model.gguf --json"}));
  time->callback([tune, &session] { session.finish(tune->run(session)); });

  auto backend = std::make_shared<BackendCommand>();
  auto* pick = model.add_subcommand("backend", "Compare the CPU backend compiled for this machine with the prebuilt one");
  pick->add_option("name", backend->name, "model to compare them on")->capture_default_str();
  pick->add_flag("--choose", backend->choose, "remember the better one for this machine");
  pick->add_option("--measure", backend->measured, "only measure this one, and print it as JSON")->check(CLI::IsMember({"native", "prebuilt"}));
  pick->footer(examples({"valence model backend --choose"}));
  pick->callback([backend, &session] { session.finish(backend->run(session)); });
}

}  // namespace valence
