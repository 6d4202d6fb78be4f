#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/evaluator.h"

namespace valence {

/// A recipe that is shipped, by name, or of a TOML file (`name` ends in .toml). Keys in docs/formats.md. An unknown
/// name is kNotFound and names those there are; a malformed file is kUsage with file, line and key.
Result<EvaluatorRecipe> load_recipe(std::string_view name);
Result<EvaluatorRecipe> parse_recipe(std::string_view toml, std::string_view name);

/// Everything in it, as one line: recipes with the same text train the same evaluator.
std::string recipe_text(const EvaluatorRecipe& recipe);

/// A shipped recipe, for people.
struct RecipeCard {
  std::string name;
  std::string title;
};
/// All that are shipped, in alphabetical order.
Result<std::vector<RecipeCard>> list_recipes();

}  // namespace valence
