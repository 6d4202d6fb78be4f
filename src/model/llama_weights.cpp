#include "llama_weights.h"

#include <map>
#include <mutex>

#include "llama_backend.h"
#include "valence/model/tune.h"

namespace valence {
namespace {

using WeightsKey = std::tuple<Digest, std::string, int, Layout>;

std::mutex& loaded_mutex() {
  static std::mutex mutex;
  return mutex;
}

std::map<WeightsKey, std::weak_ptr<const LlamaWeights>>& loaded_weights() {
  static std::map<WeightsKey, std::weak_ptr<const LlamaWeights>> loaded;
  return loaded;
}

std::string description_of(const llama_model* model) {
  char text[256];
  const int length = llama_model_desc(model, text, sizeof(text));
  return length > 0 ? std::string(text) : std::string();
}

Result<void> check_vocabulary(const llama_model* model, const std::filesystem::path& path) {
  if (llama_vocab_type(llama_model_get_vocab(model)) == LLAMA_VOCAB_TYPE_NONE) {
    return fail(ErrorCode::kUnsupported, "{}: the file has no vocabulary, so text cannot be put to it", path.string());
  }
  return {};
}

Result<std::shared_ptr<const LlamaWeights>> load_now(const CheckedFile& file, std::string_view format, int gpu_layers, Layout layout) {
  VALENCE_TRY(const auto path, prepare_format(file.path, file.identity, format));
  if (path != file.path) VALENCE_CHECK(read_gguf_header(path));
  auto devices = engine_devices();
  auto params = llama_model_default_params();
  params.devices = devices.data();
  params.n_gpu_layers = gpu_layers;
  params.use_extra_bufts = layout == Layout::kFast;
  take_engine_errors();
  llama_model_ptr model(llama_model_load_from_file(path.c_str(), params));
  if (!model) {
    return fail(ErrorCode::kModel, "{}", engine_failure(fmt::format("{}: llama.cpp could not load it", path.string())));
  }
  VALENCE_CHECK(check_vocabulary(model.get(), file.path));
  auto description = description_of(model.get());
  return std::make_shared<LlamaWeights>(LlamaWeights{std::string(format), std::move(description), std::move(model)});
}

}  // namespace

Result<CheckedFile> check_model_file(const std::filesystem::path& path, std::optional<Digest> identity) {
  VALENCE_TRY(auto info, read_gguf_header(path));
  if (info.is_adapter()) {
    return fail(ErrorCode::kUsage, "{} is an adapter, not a model. Give it with --adapter, beside the model it was made for",
                path.string());
  }
  if (!identity) {
    VALENCE_TRY(identity, sha256_file(path));
  }
  return CheckedFile{path, *identity, std::move(info)};
}

bool is_causal(const GgufInfo& info) {
  const auto found = info.metadata.find(info.architecture() + ".attention.causal");
  const auto* causal = found == info.metadata.end() ? nullptr : std::get_if<bool>(&found->second);
  return causal == nullptr || *causal;
}

Result<void> check_language(const LlamaWeights& weights, const CheckedFile& file) {
  const auto* model = weights.model.get();
  if (llama_model_has_decoder(model) && !llama_model_has_encoder(model) && !llama_model_is_diffusion(model) &&
      is_causal(file.info)) {
    return {};
  }
  return fail(ErrorCode::kUnsupported, "{}: Valence examines models that read and write left to right; this is not one",
              file.path.string());
}

Result<std::shared_ptr<const LlamaWeights>> load_weights(const CheckedFile& file, std::string_view format, int gpu_layers,
                                                         Layout layout) {
  const std::lock_guard lock(loaded_mutex());
  auto& entry = loaded_weights()[{file.identity, std::string(format), gpu_layers, layout}];
  if (auto weights = entry.lock()) return weights;
  VALENCE_TRY(auto weights, load_now(file, format, gpu_layers, layout));
  entry = weights;
  return weights;
}

Result<LlamaAdapter> load_adapter(const LlamaWeights& weights, std::string_view architecture, const AdapterSpec& spec) {
  VALENCE_TRY(const auto info, read_gguf_header(spec.path));
  if (!info.is_adapter()) {
    return fail(ErrorCode::kUsage, "{} is not an adapter: its general.type is \"{}\", expected \"adapter\"", spec.path,
                info.text("general.type"));
  }
  if (info.architecture() != architecture) {
    return fail(ErrorCode::kMismatch,
                "{} is an adapter for the architecture \"{}\", the model is \"{}\". Use an adapter made for this model",
                spec.path, info.architecture(), architecture);
  }
  VALENCE_TRY(const auto identity, sha256_file(spec.path));
  take_engine_errors();
  llama_adapter_lora_ptr adapter(llama_adapter_lora_init(weights.model.get(), spec.path.c_str()));
  if (!adapter) {
    return fail(ErrorCode::kMismatch, "{}",
                engine_failure(fmt::format("{}: the adapter does not fit the model", spec.path)));
  }
  return LlamaAdapter{identity, static_cast<float>(spec.scale), std::move(adapter)};
}

}  // namespace valence
