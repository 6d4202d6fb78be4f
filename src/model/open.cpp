#include "valence/model/open.h"

#include "valence/base/text.h"
#include "valence/model/llama.h"
#include "valence/model/registry.h"
#include "valence/model/scripted.h"

namespace valence {

Result<std::unique_ptr<LanguageModel>> open_model(const ModelSpec& spec) {
  constexpr std::string_view kScripted = "scripted:";
  if (spec.name.starts_with(kScripted)) {
    if (!spec.adapters.empty()) {
      return fail(ErrorCode::kUsage, "{} is a scripted subject and takes no adapters", spec.name);
    }
    return open_scripted(std::string_view(spec.name).substr(kScripted.size()));
  }
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  VALENCE_TRY(const auto file, registry.resolve(spec.name));
  return open_llama(spec.name, file.path, spec.adapters, spec.engine, file.sha256);
}

}  // namespace valence
