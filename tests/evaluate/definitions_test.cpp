#include "valence/evaluate/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "valence/values/space.h"

namespace valence {
namespace {

using ::testing::HasSubstr;

TEST(Definitions, SpeakOfEveryValueInTheSpacesOrder) {
  const auto definitions = load_definitions("schwartz10").value();
  const auto space = load_space("schwartz10").value();
  ASSERT_EQ(definitions.values.size(), space.dimensions.size());
  for (std::size_t d = 0; d < space.dimensions.size(); ++d) {
    EXPECT_EQ(definitions.values[d].id, space.dimensions[d].id);
    EXPECT_FALSE(definitions.values[d].upholds.empty());
    EXPECT_FALSE(definitions.values[d].opposes.empty());
  }
}

TEST(Definitions, OtherWordsAreOtherDefinitions) {
  const auto one = load_definitions("schwartz10").value();
  auto other = one;
  other.values[3].upholds.front() += "!";
  EXPECT_NE(one.digest(), other.digest());
  EXPECT_EQ(one.digest(), load_definitions("schwartz10").value().digest());
}

TEST(Definitions, ASpaceThatNobodyDefinedIsNamed) {
  EXPECT_THAT(load_definitions("touche20").error().message,
              HasSubstr("nothing says what the values of touche20 mean: features \"definitions\" need "));
}

TEST(Definitions, MistakesAreNamedByPlace) {
  EXPECT_EQ(parse_definitions("space = \"schwartz10\"\n[[value]]\nid = \"power\"\n", "d.toml").error().message,
            "d.toml:2:1: \"value\" should have 10 entries, one per value of schwartz10, got 1");
}

}  // namespace
}  // namespace valence
