#include "valence/evaluate/dictionary.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/scratch.h"
#include "support/shared_data.h"
#include "toy.h"
#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/evaluate/features.h"
#include "valence/stats/classification.h"

namespace valence {
namespace {

DimensionNames schwartz() { return dimension_names(load_space("schwartz10").value()).value(); }

// 1,069 entries: "muslim" stands in tradition's list twice, so there are 1,068 words.
TEST(Dictionary, HasThePublishedEntries) {
  const auto dictionary = english_dictionary(schwartz()).value();
  std::vector<std::size_t> counts(10, 0);
  for (const auto& [word, dimensions] : dictionary.words) {
    EXPECT_EQ(dimensions.size(), 1u) << word;
    for (const auto d : dimensions) ++counts[d];
  }
  EXPECT_EQ(counts, (std::vector<std::size_t>{140, 120, 97, 88, 102, 85, 109, 129, 95, 103}));
}

TEST(Dictionary, CountsWordFormsWithoutPunctuation) {
  testing::Scratch scratch;
  testing::put_file(scratch / "d.json", R"({"Order": ["rules"], "Care": ["help", "selfless"]})");
  const auto dictionary = read_dictionary(scratch / "d.json", testing::toy_names()).value();
  EXPECT_EQ(dictionary.hits("Rules, “HELP” self-less helping help!"), (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(dictionary.hits(""), (std::vector<std::size_t>{0, 0}));
}

TEST(Dictionary, RefusesUnknownDimensions) {
  testing::Scratch scratch;
  testing::put_file(scratch / "d.json", R"({"Carre": ["help"]})");
  EXPECT_EQ(read_dictionary(scratch / "d.json", testing::toy_names()).error().message,
            "space toy has no dimension \"Carre\"; did you mean \"care\"?");
}

TEST(DictionaryFeatures, MarkPromptAndResponseApart) {
  const auto family = find_family(text_feature_families().value(), "dictionary").value();
  const auto map = family->fit({}).value();
  const auto row = map->apply(std::vector<PromptedText>{{"obey", "obey obey business"}}).value();
  std::vector<std::string> names;
  for (const auto c : row.column) names.push_back(map->column_name(c));
  EXPECT_EQ(names,
            (std::vector<std::string>{"word for conformity in the prompt", "word for achievement in the response",
                                      "word for conformity in the response"}));
  EXPECT_EQ(family->restore({{"words", 3}}).error().message,
            "the evaluator was trained with a dictionary of 3 words, this one has 1068");
}

/// Macro-F1 over ten dimensions of "any word of the premise is in the dictionary", on Touché's arguments.
double touche_figure(const std::filesystem::path& folder, const std::string& split) {
  const auto names = schwartz();
  const auto dictionary = english_dictionary(names).value();
  const CsvOptions tabs{'\t', false};
  const auto arguments = read_csv(folder / ("arguments-" + split + ".tsv"), tabs).value();
  const auto labels = read_csv(folder / ("labels-" + split + ".tsv"), tabs).value();
  std::unordered_map<std::string, std::vector<std::size_t>> truth;
  for (const auto& row : labels.rows) {
    auto& on = truth[row[0]];
    on.assign(10, 0);
    for (std::size_t c = 1; c < row.size(); ++c) {
      if (row[c] == "1") on[names.at(labels.columns[c]).value()] = 1;
    }
  }
  std::vector<stats::Confusion> confusions(10, stats::Confusion(2));
  for (const auto& row : arguments.rows) {
    const auto hits = dictionary.hits(row[arguments.column("Premise").value()]);
    for (std::size_t d = 0; d < 10; ++d) confusions[d].add(truth.at(row[0])[d], hits[d] > 0 ? 1 : 0);
  }
  double sum = 0.0;
  for (const auto& confusion : confusions) sum += stats::class_figures(confusion, 1).f1;
  return sum / 10.0;
}

// The folder of Touché's tables is not shipped: its cards name two licences.
TEST(Dictionary, ReproducesTheKnownFiguresOnTouche) {
  const auto folder = testing::shared_data("touche23");
  VALENCE_NEED_SHARED(folder);
  EXPECT_NEAR(touche_figure(folder, "training"), 0.3291, 5e-5);
  EXPECT_NEAR(touche_figure(folder, "validation"), 0.3372, 5e-5);
}

}  // namespace
}  // namespace valence
