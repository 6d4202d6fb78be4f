#pragma once

#include "valence/values/space.h"

namespace valence::testing {

inline const Space& schwartz() {
  static const auto space = load_space("schwartz10").value();
  return space;
}

}  // namespace valence::testing
