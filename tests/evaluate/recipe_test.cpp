#include "valence/evaluate/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace valence {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kTwoParts = R"(
title = "two"
own_from = 30
sharpness = [1.0, 1.5]
[[part]]
features = ["tfidf"]
head = "logistic"
l2 = [0.03, 0.1]
[[part]]
features = ["minilm", "states:smollm2@15"]
head = "mlp"
hidden = 64
members = 3
)";

TEST(Recipe, PartsAreReadWithTheirHeads) {
  const auto recipe = parse_recipe(kTwoParts, "r.toml").value();
  ASSERT_EQ(recipe.parts.size(), 2u);
  EXPECT_EQ(recipe.parts[0].l2_grid, (std::vector{0.03, 0.1}));
  EXPECT_EQ(recipe.parts[1].head.kind, HeadKind::kMlp);
  EXPECT_EQ(recipe.parts[1].head.hidden, 64u);
  EXPECT_EQ(recipe.parts[1].head.members, 3u);
  EXPECT_EQ(recipe.parts[1].head.dropout, HeadOptions{}.dropout);
  EXPECT_EQ(recipe.thresholds.own_from, 30u);
  EXPECT_EQ(recipe.sharpness_grid, (std::vector{1.0, 1.5}));
  EXPECT_EQ(recipe.features(), (std::vector<std::string>{"tfidf", "minilm", "states:smollm2@15"}));
}

TEST(Recipe, EveryShippedOneCanBeReadAndSaysWhatItIs) {
  const auto cards = list_recipes().value();
  ASSERT_FALSE(cards.empty());
  for (const auto& [name, title] : cards) {
    EXPECT_FALSE(title.empty());
    const auto recipe = load_recipe(name);
    EXPECT_TRUE(recipe) << recipe.error().message;
  }
}

TEST(Recipe, WordsNeedNoModel) {
  EXPECT_EQ(load_recipe("words").value().features(), (std::vector<std::string>{"tfidf"}));
}

TEST(Recipe, TheSameTextIsTheSameRecipe) {
  const auto one = parse_recipe(kTwoParts, "a").value();
  auto other = one;
  EXPECT_EQ(recipe_text(one), recipe_text(other));
  other.parts[1].head.hidden = 65;
  EXPECT_NE(recipe_text(one), recipe_text(other));
}

TEST(Recipe, MistakesAreNamedByPlace) {
  const auto message = [](std::string_view toml) { return parse_recipe(toml, "r.toml").error().message; };
  EXPECT_THAT(message("title = \"t\"\npart = []\n"), HasSubstr("\"part\" should have at least one entry"));
  EXPECT_THAT(message("title = \"t\"\n[[part]]\nfeatures = []\nhead = \"mlp\"\n"),
              HasSubstr("should name at least one family"));
  EXPECT_THAT(message("title = \"t\"\n[[part]]\nfeatures = [\"tfidf\"]\nhead = \"mlp\"\nhidden = 0\n"),
              HasSubstr("should be a whole number from 1"));
  EXPECT_THAT(message("title = \"t\"\n[[part]]\nfeatures = [\"tfidf\"]\nhead = \"mlp\"\nhiden = 3\n"),
              HasSubstr("hiden"));
  EXPECT_THAT(message("title = \"t\"\nsharpness = [0]\n[[part]]\nfeatures = [\"tfidf\"]\nhead = \"mlp\"\n"),
              HasSubstr("should be one or more numbers above 0"));
  EXPECT_THAT(
      message("title = \"t\"\nthresholds = \"luck\"\n[[part]]\nfeatures = [\"tfidf\"]\nhead = \"mlp\"\n"),
      HasSubstr("r.toml:2:14: unknown goal of thresholds \"luck\"; it should be one of none, macro_f1, balanced"));
}

TEST(Recipe, UnknownNamesListThoseThereAre) {
  EXPECT_THAT(load_recipe("wrods").error().message, HasSubstr("no recipe is called \"wrods\"; there are "));
}

}  // namespace
}  // namespace valence
