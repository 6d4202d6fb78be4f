#include "valence/base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace valence {
namespace {

TEST(InThreads, EveryItemIsDoneOnce) {
  for (const std::size_t threads : {1, 2, 3, 50}) {
    for (const std::size_t count : {0, 1, 7}) {
      std::vector<std::atomic<int>> done(count);
      in_threads(threads, count, [&](std::size_t i) { ++done[i]; });
      for (const auto& times : done) EXPECT_EQ(times, 1);
    }
  }
}

}  // namespace
}  // namespace valence
