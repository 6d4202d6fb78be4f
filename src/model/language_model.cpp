#include "valence/model/language_model.h"

namespace valence {

Result<std::vector<TokenId>> LanguageModel::continuation(const Prompt&, std::string_view) const {
  return fail(ErrorCode::kUnsupported,
              "model {}: it has no tokens to go on with; only models whose weights are here have", card().name);
}

Result<TokenId> LanguageModel::end_of_turn() const {
  return fail(ErrorCode::kUnsupported,
              "model {}: it has no tokens to end a turn with; only models whose weights are here have", card().name);
}

}  // namespace valence
