#include "valence/base/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace valence {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> words(std::string_view text, bool lowercase = true, bool strip_accents = true) {
  return bert_words(text, {lowercase, strip_accents});
}

TEST(BertWords, WhiteSpaceSeparatesAndPunctuationStandsAlone) {
  EXPECT_THAT(words("Wait -- what?"), ElementsAre("wait", "-", "-", "what", "?"));
  EXPECT_THAT(words(" a\tb\r\nc\u00A0d\u3000e "), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(words("x^2=$5"), ElementsAre("x", "^", "2", "=", "$", "5"));
  EXPECT_THAT(words("«¿Qué?»"), ElementsAre("«", "¿", "que", "?", "»"));
}

TEST(BertWords, SymbolsBeyondAsciiStayInTheirWord) {
  EXPECT_THAT(words("5€ a→b ½"), ElementsAre("5€", "a→b", "½"));
  EXPECT_THAT(words("😀😀 ok👍"), ElementsAre("😀😀", "ok👍"));
}

TEST(BertWords, IdeographsAreWordsOfTheirOwnAndKanaAreNot) {
  EXPECT_THAT(words("中文English混合"), ElementsAre("中", "文", "english", "混", "合"));
  EXPECT_THAT(words("𠮷野"), ElementsAre("𠮷", "野"));
  EXPECT_THAT(words("カナ"), ElementsAre("カナ"));
}

TEST(BertWords, AccentsAndCapitalsGoByRule) {
  EXPECT_THAT(words("Café ÅNGSTRÖM"), ElementsAre("cafe", "angstrom"));
  EXPECT_THAT(words("Café", true, false), ElementsAre("café"));
  EXPECT_THAT(words("Café", false, true), ElementsAre("Cafe"));
  EXPECT_THAT(words("Café", false, false), ElementsAre("Café"));
  EXPECT_THAT(words("cafe\u0301"), ElementsAre("cafe"));
  EXPECT_THAT(words("\u0130I"), ElementsAre("ii"));
  EXPECT_THAT(words("\u0130", true, false), ElementsAre("i\u0307"));
}

TEST(BertWords, SpacingMarksStayAsInThePublishedTokenizer) { EXPECT_THAT(words("\u0915\u093E"), ElementsAre("\u0915\u093E")); }

TEST(BertWords, ControlFormatAndPrivateCharactersVanish) {
  EXPECT_THAT(words("be\u0007ll so\u00ADft ze\u200Bro \uE000"), ElementsAre("bell", "soft", "zero"));
  EXPECT_THAT(words("a\u0085b \uFFFDc"), ElementsAre("ab", "c"));
  EXPECT_THAT(words("a\xFF\x62"), ElementsAre("ab"));
  EXPECT_THAT(words(std::string_view("a\0b", 3)), ElementsAre("ab"));
}

TEST(BertWords, NothingHasNoWords) {
  EXPECT_THAT(words(""), IsEmpty());
  EXPECT_THAT(words(" \n\u200B"), IsEmpty());
}

}  // namespace
}  // namespace valence
