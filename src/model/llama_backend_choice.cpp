// Which of the two CPU backends is used: measured in processes of their own, chosen, remembered.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "llama_engine.h"
#include "llama_timing.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/model/tune.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

constexpr double kAgreement = 0.5;          // largest difference of centred logits between two backends

fs::path backend_file() { return engine_folder() / "native" / "chosen.json"; }

std::vector<float> centred(std::vector<float> values) {
  const auto mean = static_cast<float>(std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()));
  for (auto& value : values) value -= mean;
  return values;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.empty() || a.size() != b.size()) return INFINITY;
  const auto x = centred(a), y = centred(b);
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) largest = std::max(largest, static_cast<double>(std::abs(x[i] - y[i])));
  return std::isnan(largest) ? INFINITY : largest;
}

/// Best prefill of the rounds, in tokens per second, and the last token's logits.
Result<std::pair<double, std::vector<float>>> measure_format(const CheckedFile& file, const std::string& format,
                                                             const EngineOptions& options) {
  constexpr int kRounds = 4;  // the first warms up, and the best counts
  VALENCE_TRY(auto engine, Engine::load(file, format, {}, options));
  ContextShape shape;
  shape.threads = options.threads;
  VALENCE_TRY(auto* context, engine.context(shape));
  const auto vocabulary = static_cast<std::size_t>(llama_vocab_n_tokens(engine.weights().vocab()));
  const auto tokens = random_tokens(256, vocabulary);
  std::pair<double, std::vector<float>> measured;
  const auto keep = [&](auto rows) { measured.second.assign(rows.front().second, rows.front().second + vocabulary); };
  for (int round = 0; round < kRounds; ++round) {
    Result<void> status;
    context->clear();
    const auto seconds = seconds_of([&] { return context->decode(prompt_batch(tokens), keep, {}); }, status);
    VALENCE_CHECK(status);
    measured.first = std::max(measured.first, static_cast<double>(tokens.size()) / seconds);
  }
  return measured;
}

}  // namespace

Result<BackendMeasurement> measure_backend(const fs::path& model, std::string_view backend, int threads) {
  EngineOptions wanted;
  wanted.backend = backend;
  wanted.threads = threads;
  VALENCE_TRY(const auto file, check_model_file(model));
  VALENCE_TRY(const auto facts, start_engine(backend, "cpu"));
  VALENCE_TRY(const auto options, settle(wanted));
  BackendMeasurement best{facts.backend, facts.cpu, 0, {}};
  for (const std::string format : {"as_is", "f16"}) {  // the logits of the latter round less
    VALENCE_TRY(auto measured, measure_format(file, format, options));
    best.prefill = std::max(best.prefill, measured.first);
    best.logits = std::move(measured.second);
  }
  return best;
}

std::string to_json(const BackendMeasurement& measurement) {
  return to_text(Json{{"backend", measurement.backend},
                      {"cpu", measurement.cpu},
                      {"prefill", measurement.prefill},
                      {"logits", measurement.logits}});
}

Result<BackendMeasurement> backend_measurement_from_json(std::string_view text) {
  VALENCE_TRY(const auto json, parse_json(text, "backend measurement"));
  try {
    return BackendMeasurement{json.at("backend"), json.at("cpu"), json.at("prefill"), json.at("logits")};
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kInvalid, "backend measurement: {}", error.what());
  }
}

BackendChoice choose_backend(const BackendMeasurement& native, const BackendMeasurement& prebuilt) {
  BackendChoice choice{"prebuilt", native.cpu, native.prefill, prebuilt.prefill,
                       largest_difference(native.logits, prebuilt.logits), {}};
  const bool agrees = choice.largest_difference <= kAgreement;
  const bool faster = native.prefill >= kClearlyFaster * prebuilt.prefill;
  if (agrees && faster) choice.chosen = "native";
  choice.reason = !agrees ? "the native backend computes something else"
                  : faster ? "the native backend is faster and agrees"
                           : "the native backend is not faster";
  return choice;
}

Result<void> remember_backend(const BackendChoice& choice) {
  if (engine_folder().empty()) {
    return fail(ErrorCode::kUnsupported, "the engine is linked in: there is no backend to choose");
  }
  return write_file(backend_file(), to_text(Json{{"chosen", choice.chosen},
                                                 {"cpu", choice.cpu},
                                                 {"native_tokens_per_second", choice.native_prefill},
                                                 {"prebuilt_tokens_per_second", choice.prebuilt_prefill},
                                                 {"largest_logit_difference", choice.largest_difference},
                                                 {"reason", choice.reason}},
                                            2));
}

bool native_is_chosen() {
  const auto text = read_file(backend_file());
  if (!text) return false;
  const auto json = parse_json(*text, backend_file().string());
  if (!json || !json->is_object()) return false;
  return json->value("chosen", "") == "native" && json->value("cpu", "") == cpu_name();
}

}  // namespace valence
