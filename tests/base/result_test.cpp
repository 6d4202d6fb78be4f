#include "valence/base/result.h"

#include <gtest/gtest.h>

namespace valence {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(ErrorCode::kInvalid, "{} is odd", number);
  return number / 2;
}

Result<int> quarter(int number) {
  VALENCE_TRY(const int once, half(number));
  VALENCE_TRY(const int twice, half(once));
  return twice;
}

Result<void> check_even(int number) {
  VALENCE_CHECK(half(number));
  return {};
}

TEST(Result, TryHandsTheValueOn) { EXPECT_EQ(quarter(12), 3); }

TEST(Result, TryHandsTheFirstErrorOn) {
  const auto result = quarter(6);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(result.error().message, "3 is odd");
}

TEST(Result, CheckReturnsOnlyErrors) {
  EXPECT_TRUE(check_even(4));
  ASSERT_FALSE(check_even(5));
  EXPECT_EQ(check_even(5).error().message, "5 is odd");
}

TEST(Result, ContextStandsBeforeTheMessage) {
  const auto error = with_context({ErrorCode::kIo, "cannot read"}, "model smollm2");
  EXPECT_EQ(error.code, ErrorCode::kIo);
  EXPECT_EQ(error.message, "model smollm2: cannot read");
}

TEST(Result, OnlyWhatTheUserWroteExitsWithTwo) {
  EXPECT_EQ(exit_status(ErrorCode::kUsage), 2);
  for (const auto code : {ErrorCode::kNotFound, ErrorCode::kWrongCount, ErrorCode::kInvalid, ErrorCode::kIo,
                          ErrorCode::kDiskFull, ErrorCode::kCorrupt, ErrorCode::kUnsupported, ErrorCode::kMismatch,
                          ErrorCode::kNetwork, ErrorCode::kModel, ErrorCode::kStopped}) {
    EXPECT_EQ(exit_status(code), 1);
  }
}

}  // namespace
}  // namespace valence
