#include "llama_engine.h"

#include <algorithm>

namespace valence {

Result<Engine> Engine::load(const CheckedFile& file, std::string_view format, const std::vector<AdapterSpec>& adapters,
                            const EngineOptions& options, Use use) {
  Engine engine;
  VALENCE_TRY(engine.weights_, load_weights(file, format, options.gpu_layers));
  if (use == Use::kLanguage) VALENCE_CHECK(check_language(*engine.weights_, file));
  for (const auto& spec : adapters) {
    VALENCE_TRY(auto adapter, load_adapter(*engine.weights_, file.info.architecture(), spec));
    if (adapter.scale != 0) engine.adapters_.push_back(std::move(adapter));
  }
  return engine;
}

Result<EngineContext*> Engine::context(const ContextShape& shape) {
  auto& context = shape.apart ? apart_ : together_;
  if (!context || !context->shape().covers(shape)) {
    context.reset();
    VALENCE_TRY(context, EngineContext::make(weights_, shape, adapters_));
  }
  return context.get();
}

void Engine::add_to_digest(Hasher& hasher) const {
  hasher.add(weights_->format);
  for (const auto& adapter : adapters_) hasher.add(adapter.identity).add(static_cast<double>(adapter.scale));
}

Result<Sharing> sharing_of(const EngineOptions& options) {
  if (options.reference || options.sharing == "none") return Sharing::kNone;
  if (options.sharing == "request") return Sharing::kRequest;
  if (options.sharing == "tree") return Sharing::kTree;
  return fail(ErrorCode::kUsage, "sharing \"{}\" is unknown; choose tree, request or none", options.sharing);
}

Result<EngineOptions> settle(EngineOptions options) {
  VALENCE_CHECK(sharing_of(options));
  const std::vector<std::string> formats{"auto", "as_is", "f32", "f16", "q8_0"};
  if (std::ranges::find(formats, options.format) == formats.end()) {
    return fail(ErrorCode::kUsage, "compute format \"{}\" is unknown; choose auto, as_is, f32, f16 or q8_0", options.format);
  }
  if (options.cache != "f16" && options.cache != "f32") {
    return fail(ErrorCode::kUsage, "attention cache \"{}\" is unknown; choose f16 or f32", options.cache);
  }
  if (options.reference) options.cache = "f32";
  const auto most = llama_max_parallel_sequences();
  if (options.sequences < 2 || options.sequences > most) {
    return fail(ErrorCode::kUsage, "{} sequences: choose 2 to {}", options.sequences, most);
  }
  if (options.micro_batch < options.sequences || options.micro_batch > 8192) {
    return fail(ErrorCode::kUsage, "a micro-batch of {} tokens: choose {} (the number of sequences) to 8192",
                options.micro_batch, options.sequences);
  }
  if (options.rows < 1) return fail(ErrorCode::kUsage, "0 rows: a decode must return at least one distribution");
  if (options.threads < 0 || options.threads > 512) {
    return fail(ErrorCode::kUsage, "{} threads: choose 1 to 512, or 0 for the cores this process may use", options.threads);
  }
  if (options.threads == 0) options.threads = usable_cores();
  return options;
}

}  // namespace valence
