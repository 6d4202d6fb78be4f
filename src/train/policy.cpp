#include "policy.h"

namespace valence::train {

Result<torch::Tensor> Policy::rewards(std::span<const AnswerPath* const>) {
  return fail(ErrorCode::kUnsupported, "this model has no reward head");
}

}  // namespace valence::train
