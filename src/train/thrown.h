#pragma once

#include <exception>
#include <utility>

#include "valence/base/result.h"

namespace valence {

/// What an exception of libtorch or of the standard library says, without the stack that libtorch appends, and what to
/// do about it: kModel. Running out of memory is told from the rest.
Error error_of(const std::exception& thrown);

/// What `work` gives; what it throws becomes an error. The edge at which exceptions of a training end.
template <class Work>
Result<void> without_exceptions(Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const std::exception& thrown) {
    return tl::unexpected(error_of(thrown));
  }
}

}  // namespace valence
