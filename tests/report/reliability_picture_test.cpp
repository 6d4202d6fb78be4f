#include "valence/report/reliability_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/markup.h"
#include "report/sample_runs.h"

namespace valence {
namespace {

using ::testing::HasSubstr;

stats::ReliabilityBin bin(double promised, double happened, double reach) {
  return {promised, promised, promised, testing::estimate_of(happened, reach, 50, "case")};
}

TEST(ReliabilityPicture, AMarkStandsWherePromiseAndOutcomeMeet) {
  const auto svg =
      reliability_picture({{"upheld", {bin(0.0, 0.0, 0.0), bin(1.0, 0.5, 0.1)}, 0.25}}, "Calibration of <x>");
  ASSERT_TRUE(svg) << svg.error().message;
  EXPECT_EQ(testing::unbalanced(testing::markup_of(*svg)), "");
  EXPECT_THAT(*svg, HasSubstr("Calibration of &lt;x&gt;"));
  EXPECT_THAT(*svg, HasSubstr("upheld: promised 0, happened 0; promised 1.0, happened 0.50"));
  EXPECT_THAT(*svg, HasSubstr("error 0.25"));
  // One panel is 316 wide from 34 on and as high from 38 on: probability 1 with share 0.5 is at its right, half way up.
  EXPECT_THAT(*svg, HasSubstr("cx=\"350.00\" cy=\"196.00\""));
  EXPECT_THAT(*svg, HasSubstr("cx=\"34.00\" cy=\"354.00\""));
}

TEST(ReliabilityPicture, NothingToDrawIsSaid) {
  const auto none = reliability_picture({}, "Calibration");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace valence
