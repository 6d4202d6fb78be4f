#pragma once

#include <cstddef>
#include <functional>

namespace valence {

/// Calls work(0) … work(count − 1), item i on thread i mod `threads`, the caller's included. Returns when all are done.
/// The calls must not depend on each other and must not throw.
void in_threads(std::size_t threads, std::size_t count, const std::function<void(std::size_t)>& work);

}  // namespace valence
