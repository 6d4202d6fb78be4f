#include "policy.h"

namespace valence::train {

Result<PolicyReading> Policy::read(std::span<const AnswerPath* const> paths, bool) {
  VALENCE_TRY(auto found, logprobs(paths));
  return PolicyReading{std::move(found), {}, {}};
}

Result<torch::Tensor> Policy::rewards(std::span<const AnswerPath* const>) {
  return fail(ErrorCode::kUnsupported, "this model has no reward head");
}

}  // namespace valence::train
