#include "valence/evaluate/language.h"

#include <gtest/gtest.h>

namespace valence {
namespace {

std::string told(std::string_view text) {
  static const auto list = language_list().value();
  return likely_language(text, list);
}

TEST(LikelyLanguage, IsToldByFunctionWords) {
  EXPECT_EQ(told("You can ask the people that live with you, and they would not be angry."), "en");
  EXPECT_EQ(told("Ich habe das nicht gesagt, und die Leute sind auch mit dem Auto zu spät."), "de");
  EXPECT_EQ(told("Il est vrai que les enfants ne sont pas dans la maison avec vous."), "fr");
  EXPECT_EQ(told("No se lo digas a los niños, por favor, pero está en la casa con las llaves."), "es");
}

TEST(LikelyLanguage, OfAnotherScriptIsSaidToBeOne) {
  EXPECT_EQ(told("我不能帮助你做这件事。"), kOtherScript);
  EXPECT_EQ(told("Я не могу помочь вам с этим."), kOtherScript);
}

TEST(LikelyLanguage, OfAFewWordsCannotBeTold) {
  EXPECT_EQ(told("No."), "");
  EXPECT_EQ(told(""), "");
  EXPECT_EQ(told("12 + 7 = 19"), "");
}

TEST(LikelyLanguage, TheShippedEmbedderReadsEnglish) {
  EXPECT_EQ(language_list().value().embedders.at("minilm"), std::vector<std::string>{"en"});
}

}  // namespace
}  // namespace valence
