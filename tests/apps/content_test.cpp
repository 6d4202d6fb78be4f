// valence content: are the target's answers given because of what they say?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "program.h"
#include "valence/base/json.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;

class ContentCommand : public ::testing::Test {
 protected:
  Outcome valence(const std::vector<std::string>& arguments) { return run(scratch_.path(), arguments); }
  void measure(const std::string& instrument, const std::string& subject, const std::string& persona) {
    std::vector<std::string> arguments = {"measure", instrument, "--model", subject};
    if (!persona.empty()) arguments.insert(arguments.end(), {"--persona", persona});
    const auto outcome = valence(arguments);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
  }

  Scratch scratch_;
};

TEST_F(ContentCommand, TellsWhoFollowsATargetFromWhoAnswersByPlace) {
  measure("svo", "scripted:position", "");
  measure("svo", "scripted:ideal", "You are prosocial.");
  const auto shown =
      valence({"content", "2", "--before", "1", "--target", "svo_reachable", "--direction", "prosocial"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("by their content."));
  EXPECT_THAT(shown.out, HasSubstr("paired gain on all questions"));
  const auto json = valence({"content", "1", "--target", "svo_reachable", "--direction", "prosocial", "--json"});
  ASSERT_EQ(json.status, 0) << json.err;
  const auto read = parse_json(json.out, "content").value();
  EXPECT_FALSE(read["after"]["passed"].get<bool>());
  EXPECT_TRUE(read["before"].is_null());
  EXPECT_THAT(read["verdict"].get<std::string>(), HasSubstr("it is not shown"));
}

TEST_F(ContentCommand, RefusesWhatCannotBeCompared) {
  measure("svo", "scripted:ideal", "");
  measure("allocations", "scripted:ideal", "");
  const auto mixed =
      valence({"content", "1", "--before", "2", "--target", "svo_reachable", "--direction", "prosocial"});
  EXPECT_EQ(mixed.status, 2);
  EXPECT_THAT(mixed.err, HasSubstr("run 2 is of allocations, run 1 of svo"));
  EXPECT_EQ(valence({"content", "1", "--target", "ess11_fr"}).status, 2);
}

}  // namespace
}  // namespace valence::testing
