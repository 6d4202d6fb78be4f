#include "valence/base/threads.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace valence {

void in_threads(std::size_t threads, std::size_t count, const std::function<void(std::size_t)>& work) {
  const auto used = std::min(std::max<std::size_t>(threads, 1), count);
  const auto do_some = [&](std::size_t first) {
    for (auto i = first; i < count; i += used) work(i);
  };
  std::vector<std::jthread> helpers;
  for (std::size_t t = 1; t < used; ++t) helpers.emplace_back(do_some, t);
  if (used > 0) do_some(0);
}

}  // namespace valence
