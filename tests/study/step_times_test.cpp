#include "step_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/environment.h"
#include "support/scratch.h"

namespace valence::study {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StepTimes : public ::testing::Test {
 protected:
  valence::testing::Scratch folder_;
  valence::testing::Environment cache_{"VALENCE_CACHE", (folder_ / "cache").string()};
};

TEST_F(StepTimes, AreThoseOfTheSameWorkTheLatestLast) {
  EXPECT_THAT(step_times("measure", "svo · smollm2"), IsEmpty());
  keep_step_time("measure", "svo · smollm2", 12.5);
  keep_step_time("measure", "svo · smollm2", 9);
  keep_step_time("measure", "svo · qwen", 99);
  EXPECT_THAT(step_times("measure", "svo · smollm2"), ElementsAre(12.5, 9));
  EXPECT_THAT(step_times("align", "svo · smollm2"), IsEmpty());
}

TEST_F(StepTimes, OnlyTheLastFiveAreKept) {
  for (int seconds = 1; seconds <= 7; ++seconds) keep_step_time("measure", "svo", seconds);
  EXPECT_THAT(step_times("measure", "svo"), ElementsAre(3, 4, 5, 6, 7));
}

TEST_F(StepTimes, AFileOfAnotherShapeIsPassedOverAndReplaced) {
  for (const std::string content :
       {"[1, 2]", "{", "{\"measure: svo\": {\"a\": 1}}", "{\"measure: svo\": [\"long\"]}"}) {
    valence::testing::put_file(folder_ / "cache/step_times.json", content);
    EXPECT_THAT(step_times("measure", "svo"), IsEmpty()) << content;
    keep_step_time("measure", "svo", 4);
    EXPECT_THAT(step_times("measure", "svo"), ElementsAre(4)) << content;
  }
}

}  // namespace
}  // namespace valence::study
