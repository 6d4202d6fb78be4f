#include <algorithm>
#include <nlohmann/json.hpp>

#include "llama_backend.h"
#include "llama_context.h"
#include "llama_engine.h"
#include "llama_quantise.h"
#include "llama_timing.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/model/tune.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTogether = 16;       // sequences of the timed generation

fs::path folder_of(const Digest& identity) { return cache_folder() / "tuned" / identity.hex().substr(0, 32); }

fs::path choices_file(const Digest& identity) { return folder_of(identity) / "choices.json"; }

Result<llama_ftype> ftype_of(std::string_view format) {
  if (format == "f32") return LLAMA_FTYPE_ALL_F32;
  if (format == "f16") return LLAMA_FTYPE_MOSTLY_F16;
  if (format == "q8_0") return LLAMA_FTYPE_MOSTLY_Q8_0;
  return fail(ErrorCode::kUsage, "compute format \"{}\" is unknown; choose as_is, f32, f16 or q8_0", format);
}

Result<void> decode_wave(EngineContext& context, std::span<const TokenId> tokens, std::size_t position) {
  Batch batch;
  for (std::size_t s = 0; s < kTogether; ++s) {
    const auto id = static_cast<llama_seq_id>(s);
    batch.add(tokens[s % tokens.size()], position, std::span(&id, 1), true);
  }
  return context.decode(batch, ignore_rows, {});
}

/// One engine under test, with its context.
struct TimedFormat {
  FormatTiming timing;
  Engine engine;
  EngineContext* context = nullptr;
};

/// One round of prefill and decode; the best of all rounds counts.
Result<void> time_round(TimedFormat& candidate, std::span<const TokenId> tokens, int steps) {
  Result<void> status;
  auto& context = *candidate.context;
  context.clear();
  const auto prefill = seconds_of([&] { return context.decode(prompt_batch(tokens), ignore_rows, {}); }, status);
  for (std::size_t s = 1; s < kTogether; ++s) context.copy(0, static_cast<llama_seq_id>(s));
  const auto decode = seconds_of(
      [&]() -> Result<void> {
        for (int i = 0; i < steps; ++i) VALENCE_CHECK(decode_wave(context, tokens, tokens.size() + static_cast<std::size_t>(i)));
        return {};
      },
      status);
  VALENCE_CHECK(status);
  auto& best = candidate.timing;
  best.prefill = std::max(best.prefill, static_cast<double>(tokens.size()) / prefill);
  best.decode = std::max(best.decode, static_cast<double>(steps) * static_cast<double>(kTogether) / decode);
  return {};
}

Result<std::vector<TimedFormat>> load_candidates(const CheckedFile& file, const TuneOptions& options,
                                               const EngineOptions& engine) {
  ContextShape shape;
  shape.cells = static_cast<std::size_t>(options.tokens) + kTogether * static_cast<std::size_t>(options.decode_steps);
  shape.sequences = shape.outputs = kTogether;
  shape.micro_batch = engine.micro_batch;
  shape.threads = engine.threads;
  std::vector<TimedFormat> candidates;
  candidates.reserve(options.formats.size());
  for (const auto& format : options.formats) {
    VALENCE_TRY(auto loaded, Engine::load(file, format, {}, engine));
    candidates.push_back({{format, 0, 0}, std::move(loaded)});
    VALENCE_TRY(candidates.back().context, candidates.back().engine.context(shape));
  }
  return candidates;
}

/// The fastest; the file as it is when nothing is clearly faster.
std::string fastest(const std::vector<FormatTiming>& timings, double FormatTiming::* speed) {
  const auto best = std::ranges::max_element(timings, {}, speed);
  const auto as_is = std::ranges::find(timings, "as_is", &FormatTiming::format);
  if (as_is != timings.end() && (*best).*speed < kClearlyFaster * (*as_is).*speed) return "as_is";
  return best->format;
}

std::string key_of(std::string_view cpu, std::string_view backend, int threads) {
  return fmt::format("{} | {} | {} threads", cpu, backend, threads);
}

Json to_json(const Tuning& tuning) {
  Json timings = Json::array();
  for (const auto& t : tuning.timings) timings.push_back({{"format", t.format}, {"prefill", t.prefill}, {"decode", t.decode}});
  return {{"cpu", tuning.cpu},         {"backend", tuning.backend},       {"threads", tuning.threads},
          {"scoring", tuning.scoring}, {"generation", tuning.generation}, {"tokens_per_second", timings}};
}

Tuning tuning_from(const Json& json) {
  Tuning tuning{json.at("cpu"), json.at("backend"), json.at("threads"), {}, json.at("scoring"), json.at("generation")};
  for (const auto& t : json.at("tokens_per_second")) tuning.timings.push_back({t.at("format"), t.at("prefill"), t.at("decode")});
  return tuning;
}

/// All choices for a model by machine; an unreadable file counts as none, since tuning can be repeated.
Json read_choices(const Digest& identity) {
  const auto path = choices_file(identity);
  const auto text = read_file(path);
  if (!text) return Json::object();
  auto json = parse_json(*text, path.string());
  return json && json->is_object() ? *json : Json::object();
}

/// Files of formats that no remembered choice uses.
void remove_unused(const Digest& identity, const Json& choices) {
  for (const std::string format : {"q8_0", "f16", "f32"}) {
    const bool used = std::ranges::any_of(
        choices, [&](const Json& choice) { return choice.value("scoring", "") == format || choice.value("generation", "") == format; });
    std::error_code ignored;
    if (!used) fs::remove(folder_of(identity) / (format + ".gguf"), ignored);
  }
}

}  // namespace

TuneOptions TuneOptions::quick() {
  TuneOptions options;
  options.formats = {"as_is", "f16", "f32"};
  options.tokens = 256;
  options.decode_steps = 4;
  return options;
}

Result<fs::path> prepare_format(const fs::path& source, const Digest& identity, std::string_view format) {
  if (format == "as_is") return source;
  VALENCE_TRY(const auto type, ftype_of(format));
  const auto target = folder_of(identity) / fmt::format("{}.gguf", format);
  if (fs::exists(target)) return target;
  VALENCE_TRY(const auto lock, FileLock::acquire(folder_of(identity) / "lock"));
  if (!fs::exists(target)) VALENCE_CHECK(quantise(source, target, type, /*pure=*/true));
  return target;
}

Result<Tuning> tune_model(const fs::path& source, const TuneOptions& options, Progress& progress) {
  VALENCE_TRY(const auto file, check_model_file(source));
  VALENCE_TRY(const auto facts, start_engine(options.engine.backend, options.engine.device));
  VALENCE_TRY(const auto engine, settle(options.engine));
  if (options.formats.empty() || options.rounds < 1 || options.tokens < 16 || options.decode_steps < 1) {
    return fail(ErrorCode::kUsage, "tuning needs a format, a round, 16 tokens and a decoding step at least");
  }
  if (options.once) {
    if (auto known = remembered_tuning(file.identity, facts.variant, engine.threads)) return *std::move(known);
  }
  progress.start("timing compute formats", options.formats.size() * static_cast<std::size_t>(options.rounds), "rounds");
  VALENCE_TRY(auto candidates, load_candidates(file, options, engine));
  const auto tokens = random_tokens(static_cast<std::size_t>(options.tokens),
                                    static_cast<std::size_t>(llama_vocab_n_tokens(candidates.front().engine.weights().vocab())));
  for (auto& candidate : candidates) VALENCE_CHECK(time_round(candidate, std::span(tokens).first(16), 1));  // warms up
  for (auto& candidate : candidates) candidate.timing.prefill = candidate.timing.decode = 0;
  for (int round = 0; round < options.rounds; ++round) {
    for (auto& candidate : candidates) {  // interleaved: a busy machine disturbs all alike
      VALENCE_CHECK(time_round(candidate, tokens, options.decode_steps));
      progress.advance(1);
    }
  }
  progress.finish();
  Tuning tuning{facts.cpu, facts.variant, engine.threads, {}, {}, {}};
  for (const auto& candidate : candidates) tuning.timings.push_back(candidate.timing);
  tuning.scoring = fastest(tuning.timings, &FormatTiming::prefill);
  tuning.generation = fastest(tuning.timings, &FormatTiming::decode);
  auto choices = read_choices(file.identity);
  choices[key_of(tuning.cpu, tuning.backend, tuning.threads)] = to_json(tuning);
  VALENCE_CHECK(write_file(choices_file(file.identity), to_text(choices, 2)));
  candidates.clear();
  remove_unused(file.identity, choices);
  return tuning;
}

std::optional<Tuning> remembered_tuning(const Digest& identity, std::string_view backend, int threads) {
  const auto choices = read_choices(identity);
  const auto found = choices.find(key_of(cpu_name(), backend, threads));
  if (found == choices.end()) return std::nullopt;
  try {
    return tuning_from(*found);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // written by another version: as if it were not there
  }
}

}  // namespace valence
