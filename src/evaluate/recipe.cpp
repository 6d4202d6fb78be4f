#include "valence/evaluate/recipe.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

Result<std::size_t> count_or(const Node& table, std::string_view key, std::size_t fallback) {
  VALENCE_TRY(const auto count, table.integer_or(key, static_cast<std::int64_t>(fallback)));
  if (count > 0) return static_cast<std::size_t>(count);
  return tl::unexpected(table.find(key)->error("should be a whole number from 1"));
}

/// What `read` makes of the text at `key`, with its place in the error.
template <class Read>
auto named_at(const Node& table, std::string_view key, std::string_view fallback, Read read) -> decltype(read(key)) {
  VALENCE_TRY(const auto name, table.string_or(key, fallback));
  auto value = read(name);
  if (value) return value;
  const auto* node = table.find(key);
  return tl::unexpected(with_context(value.error(), to_string((node ? *node : table).position())));
}

/// The rest is checked where heads are fitted.
Result<HeadOptions> head_of(const Node& part) {
  HeadOptions head;
  VALENCE_CHECK(part.at("head"));
  VALENCE_TRY(head.kind, named_at(part, "head", "", head_kind));
  VALENCE_TRY(head.hidden, count_or(part, "hidden", head.hidden));
  VALENCE_TRY(head.members, count_or(part, "members", head.members));
  VALENCE_TRY(head.epochs, count_or(part, "epochs", head.epochs));
  VALENCE_TRY(head.patience, count_or(part, "patience", head.patience));
  VALENCE_TRY(head.batch, count_or(part, "batch", head.batch));
  VALENCE_TRY(head.learning_rate, part.number_or("learning_rate", head.learning_rate));
  VALENCE_TRY(head.dropout, part.number_or("dropout", head.dropout));
  VALENCE_TRY(head.inner_share, part.number_or("inner_share", head.inner_share));
  return head;
}

Result<EvaluatorPart> part_of(const Node& node) {
  VALENCE_CHECK(node.allow_only({"features", "head", "l2", "hidden", "members", "epochs", "patience", "batch",
                                 "learning_rate", "dropout", "inner_share"}));
  EvaluatorPart part;
  VALENCE_TRY(const auto features, node.at("features"));
  VALENCE_TRY(part.features, features.as_strings());
  if (part.features.empty()) return tl::unexpected(features.error("should name at least one family"));
  VALENCE_TRY(part.head, head_of(node));
  if (const auto* l2 = node.find("l2")) {
    VALENCE_TRY(part.l2_grid, l2->as_numbers());
    if (part.l2_grid.empty()) return tl::unexpected(l2->error("should name at least one penalty"));
  }
  return part;
}

Result<ThresholdOptions> thresholds_of(const Node& document) {
  ThresholdOptions options;
  VALENCE_TRY(options.own_from, count_or(document, "own_from", options.own_from));
  VALENCE_TRY(options.goal, named_at(document, "thresholds", to_string(options.goal), tuning_goal));
  return options;
}

/// None when the key is absent.
Result<std::vector<double>> sharpness_of(const Node& document) {
  const auto* node = document.find("sharpness");
  if (node == nullptr) return std::vector<double>{};
  VALENCE_TRY(auto grid, node->as_numbers());
  const auto fits = [](double one) { return one > 0.0 && std::isfinite(one); };
  if (!grid.empty() && std::ranges::all_of(grid, fits)) return grid;
  return tl::unexpected(node->error("should be one or more numbers above 0"));
}

Result<EvaluatorRecipe> recipe_of(const Node& document) {
  VALENCE_CHECK(document.allow_only({"title", "part", "inner_folds", "thresholds", "own_from", "sharpness"}));
  VALENCE_CHECK(document.string_at("title"));
  EvaluatorRecipe recipe;
  recipe.parts.clear();
  VALENCE_TRY(const auto list, document.at("part"));
  VALENCE_TRY(const auto parts, list.as_array());
  for (const auto& node : parts) {
    VALENCE_TRY(auto part, part_of(node));
    recipe.parts.push_back(std::move(part));
  }
  if (recipe.parts.empty()) return tl::unexpected(list.error("\"part\" should have at least one entry"));
  VALENCE_TRY(recipe.inner_folds, count_or(document, "inner_folds", recipe.inner_folds));
  VALENCE_TRY(recipe.thresholds, thresholds_of(document));
  VALENCE_TRY(recipe.sharpness_grid, sharpness_of(document));
  return recipe;
}

Result<std::filesystem::path> recipe_folder() {
  VALENCE_TRY(const auto data, data_folder());
  return data / "evaluate" / "recipes";
}

Result<std::vector<std::string>> recipe_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  if (error) return fail(ErrorCode::kIo, "{}: {}", folder.string(), error.message());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Result<EvaluatorRecipe> parse_recipe(std::string_view toml, std::string_view name) {
  VALENCE_TRY(const auto document, parse_toml(toml, name));
  return recipe_of(document);
}

Result<EvaluatorRecipe> load_recipe(std::string_view name) {
  if (name.ends_with(".toml")) {
    VALENCE_TRY(const auto document, read_toml(std::filesystem::path(name)));
    return recipe_of(document);
  }
  VALENCE_TRY(const auto folder, recipe_folder());
  VALENCE_TRY(const auto names, recipe_names(folder));
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return fail(ErrorCode::kNotFound, "no recipe is called \"{}\"; there are {}, or name a TOML file", name,
                join(names, ", "));
  }
  VALENCE_TRY(const auto document, read_toml(folder / fmt::format("{}.toml", name)));
  return recipe_of(document);
}

Result<std::vector<RecipeCard>> list_recipes() {
  VALENCE_TRY(const auto folder, recipe_folder());
  VALENCE_TRY(const auto names, recipe_names(folder));
  std::vector<RecipeCard> cards;
  for (const auto& name : names) {
    VALENCE_TRY(const auto document, read_toml(folder / fmt::format("{}.toml", name)));
    VALENCE_TRY(auto title, document.string_at("title"));
    cards.push_back({name, std::move(title)});
  }
  return cards;
}

}  // namespace valence
