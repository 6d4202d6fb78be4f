#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/model/open.h"

namespace valence {

/// How fast one compute format of a model is on this machine, in tokens per second.
struct FormatTiming {
  std::string format;  ///< as_is, q8_0, f16, f32
  double prefill = 0;  ///< what scoring needs
  double decode = 0;   ///< what generation needs; 16 sequences at once
};

/// What was measured and chosen, for one model, processor, backend and number of threads.
struct Tuning {
  std::string cpu, backend;
  int threads = 0;
  std::vector<FormatTiming> timings;
  std::string scoring;     ///< fastest prefill
  std::string generation;  ///< fastest decode
};

struct TuneOptions {
  std::vector<std::string> formats{"as_is", "q8_0", "f16", "f32"};
  int rounds = 3;        ///< the best of so many counts
  int tokens = 512;      ///< of the timed prompt
  int decode_steps = 16;
  bool once = false;     ///< what is remembered for this machine is not measured again
  EngineOptions engine;

  /// For a first run: as_is, f16 and f32, short rounds. Which of the latter scores faster depends on the processor.
  static TuneOptions quick();
};

/// Times the formats, keeps the chosen ones under cache_folder()/tuned, removes the others, remembers the choice.
/// Formats are made from the file itself by llama.cpp's quantiser; the model's identity stays the file's hash.
Result<Tuning> tune_model(const std::filesystem::path& source, const TuneOptions& options, Progress& progress);

/// What `tune_model` chose on this machine for the file with this hash.
std::optional<Tuning> remembered_tuning(const Digest& identity, std::string_view backend, int threads);

/// The file to load for a format: `source` for as_is, else a file in the cache, made now if it is missing.
Result<std::filesystem::path> prepare_format(const std::filesystem::path& source, const Digest& identity,
                                             std::string_view format);

/// Set-up decides between the CPU backend compiled for the machine and the prebuilt one like this, since a process
/// keeps the backend it began with: `measure_backend` in a process of its own for each of "native" and "prebuilt"
/// (the command line prints the measurement as JSON), with nothing else running, then `choose_backend` on both, then `remember_backend`.
struct BackendMeasurement {
  std::string backend;
  std::string cpu;
  double prefill = 0;         ///< tokens per second, best of the rounds, of the file as it is and as f16
  std::vector<float> logits;  ///< of the last token of the prompt
};
/// With one thread by default: how several wait for each other tells more of what else the machine does.
Result<BackendMeasurement> measure_backend(const std::filesystem::path& model, std::string_view backend, int threads = 1);
std::string to_json(const BackendMeasurement& measurement);
Result<BackendMeasurement> backend_measurement_from_json(std::string_view text);

struct BackendChoice {
  std::string chosen;            ///< native when it is faster and agrees, else prebuilt
  std::string cpu;
  double native_prefill = 0, prebuilt_prefill = 0;
  double largest_difference = 0; ///< between the two logit vectors, after removing their means
  std::string reason;
};
/// The backends agree when no centred logit differs by more than 0.5 (quantised files round differently).
BackendChoice choose_backend(const BackendMeasurement& native, const BackendMeasurement& prebuilt);
Result<void> remember_backend(const BackendChoice& choice);
/// Whether `remember_backend` chose the native one on this processor.
bool native_is_chosen();

}  // namespace valence
