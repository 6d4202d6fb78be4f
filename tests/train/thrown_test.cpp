#include "thrown.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdint>
#include <new>
#include <stdexcept>
#include <vector>

namespace valence {
namespace {

/// The error that `call` ends with.
template <class Call>
Error error_after(Call call) {
  const auto done = without_exceptions([&]() -> Result<void> {
    call();
    return {};
  });
  return done ? Error{ErrorCode::kStopped, "nothing was thrown"} : done.error();
}

TEST(Thrown, ALackOfMemoryComesWithWhatToDoAboutIt) {
  const std::vector<std::int64_t> more_than_there_is{std::int64_t{1} << 50};
  const auto of_torch = error_after([&] { torch::empty(more_than_there_is); });
  const auto of_the_library = error_after([] { throw std::bad_alloc(); });
  for (const auto& error : {of_torch, of_the_library}) {
    EXPECT_EQ(error.code, ErrorCode::kModel);
    EXPECT_TRUE(error.message.starts_with("memory ran out (")) << error.message;
    EXPECT_TRUE(
        error.message.ends_with("); what was saved is kept. Free memory and run the same command to go on, or "
                                "lower --pass-tokens and name another output folder"))
        << error.message;
    EXPECT_EQ(error.message.find('\n'), std::string::npos) << "no stack";
  }
}

TEST(Thrown, WhateverElseLibtorchRefusesIsToldInItsOwnWords) {
  const auto error = error_after([] { torch::mm(torch::ones({2, 3}), torch::ones({2, 3})); });
  EXPECT_EQ(error.code, ErrorCode::kModel);
  EXPECT_TRUE(error.message.starts_with("the trainer failed while computing (")) << error.message;
  EXPECT_NE(error.message.find("2x3"), std::string::npos) << error.message;
  EXPECT_EQ(error.message.find('\n'), std::string::npos) << "no stack";
  EXPECT_EQ(
      error_after([] { throw std::runtime_error("first line\nsecond"); }).message,
      "the trainer failed while computing (first line); what was saved is kept. Run the same command to go on; if "
      "it fails again, report this with the job file");
}

TEST(Thrown, ErrorsThatAreReturnedStayWhatTheyAre) {
  const auto failed = without_exceptions([] { return Result<void>(fail(ErrorCode::kDiskFull, "no space")); });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kDiskFull);
  EXPECT_EQ(failed.error().message, "no space");
}

}  // namespace
}  // namespace valence
