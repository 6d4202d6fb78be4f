#include "valence/base/segment.h"

#include <gtest/gtest.h>

namespace valence {
namespace {

using Strings = std::vector<std::string>;
using Views = std::vector<std::string_view>;

TEST(Words, AreFoldedRunsOfLettersAndDigits) {
  EXPECT_EQ(words("Be HONEST, always: 100 %!"), (Strings{"be", "honest", "always", "100"}));
  EXPECT_EQ(words("STRASSE straße Élan"), (Strings{"strasse", "strasse", "élan"}));
  EXPECT_EQ(words(" … \n"), Strings{});
}

TEST(Words, KeepAnApostropheInside) {
  EXPECT_EQ(words("don't, don’t 'quoted' dogs'"), (Strings{"don't", "don't", "quoted", "dogs"}));
  EXPECT_EQ(words("rock''n"), (Strings{"rock", "n"}));
}

TEST(WithoutPunctuation, JoinsWhatItSeparated) {
  EXPECT_EQ(without_punctuation("self-interest, “yes” — 5$"), "selfinterest yes  5$");
}

TEST(SplitAtSpace, KnowsUnicodeSpaces) {
  EXPECT_EQ(split_at_space("  a\tb\u00A0c\u3000"), (Views{"a", "b", "c"}));
  EXPECT_TRUE(split_at_space(" ").empty());
}

TEST(Sentences, JoinedAreTheText) {
  EXPECT_EQ(sentences("No. I can't help with that!  Ask\u00A0someone."),
            (Views{"No. ", "I can't help with that!  ", "Ask\u00A0someone."}));
  EXPECT_TRUE(sentences("").empty());
}

}  // namespace
}  // namespace valence
