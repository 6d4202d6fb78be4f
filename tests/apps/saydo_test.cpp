#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;

/// A questionnaire run (1) and an svo run (2): no fulcra run, which needs an evaluator.
class SayDoCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(valence({"measure", "questionnaire", "--model", "scripted:ideal", "--wordings", "2"}).status, 0);
    ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:ideal"}).status, 0);
  }
  Outcome valence(const std::vector<std::string>& arguments) { return run(scratch_.path(), arguments); }

  Scratch scratch_;
};

TEST_F(SayDoCommand, RefusesRunsThatCannotStandForASide) {
  const auto wrong = valence({"saydo", "2", "1"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("svo has no centred scores per value, so it cannot stand for what a subject says of itself: first a run of questionnaire, then one of fulcra"));
  const auto other = valence({"saydo", "1", "2"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("svo has no unit scores per value, so it cannot stand for what a subject does"));
  EXPECT_EQ(valence({"saydo", "1"}).status, 2);
}

}  // namespace
}  // namespace valence::testing
