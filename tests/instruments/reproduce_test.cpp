#include "valence/instruments/reproduce.h"

#include <cmath>

#include "valence/instruments/published.h"

namespace valence {
namespace {

TEST(Reproduce, EveryPublishedFactOfTheSliderIsMet) {
  const auto facts = reproduce("svo");
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_GE(facts->size(), 30u);
  for (const auto& fact : *facts) {
    EXPECT_TRUE(fact.agrees()) << fact.id << ": published " << fact.published << ", ours " << fact.ours;
    EXPECT_FALSE(fact.source.empty()) << fact.id;
  }
}

ComputationTable one_computation(double value) {
  return {{"constant", [value](const Node&) -> Result<double> { return value; }}};
}

Result<std::vector<ReproducedFact>> reproduce_text(std::string_view toml, const ComputationTable& table) {
  return reproduce(parse_toml(toml, "facts.toml").value(), table);
}

constexpr std::string_view kFact = R"(
[[fact]]
id = "x"
what = "a constant"
compute = "constant"
published = 2.0
tolerance = 0.1
source = "nobody"
reason = "for the test"
)";

TEST(Reproduce, ADifferenceBeyondTheToleranceIsShownWithItsReason) {
  const auto fact = reproduce_text(kFact, one_computation(2.5)).value().front();
  EXPECT_FALSE(fact.agrees());
  EXPECT_DOUBLE_EQ(fact.difference(), 0.5);
  EXPECT_EQ(fact.reason, "for the test");
  EXPECT_TRUE(reproduce_text(kFact, one_computation(2.05)).value().front().agrees());
  EXPECT_FALSE(reproduce_text(kFact, one_computation(std::nan(""))).value().front().agrees());
}

TEST(Reproduce, AnUnknownComputationIsNamedWithItsPlace) {
  const auto facts = reproduce_text(kFact, {{"constants", one_computation(1.0).front().second}});
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().message,
            "facts.toml:2:1: unknown computation \"constant\"; did you mean \"constants\"?; there are constants");
}

TEST(Reproduce, AnUnknownNameSuggestsTheNearest) {
  const auto facts = reproduce("svp");
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().message, "nothing recorded to reproduce for \"svp\"; did you mean \"svo\"?; there is svo");
}

// Specs, hvae §3, "v1 radar values".
TEST(PublishedFigures, TheRadarOfHvaeIsReadAsDigitised) {
  const auto figures = published_figures("hvae");
  ASSERT_TRUE(figures) << figures.error().message;
  EXPECT_EQ(figures->columns, (std::vector<std::string>{"altruistic", "prosocial", "individualistic", "competitive"}));
  ASSERT_EQ(figures->series.size(), 16u);
  const auto& vicuna = figures->series[12];
  EXPECT_EQ(vicuna.label, "Vicuna-13B");
  EXPECT_EQ(vicuna.arm, "with");
  EXPECT_EQ(vicuna.values, (std::vector<double>{25.8, 43.3, 32.0, 8.0}));
  EXPECT_EQ(figures->axis_high, 60.0);
  EXPECT_EQ(figures->source.licence, "MIT");
}

TEST(PublishedFigures, AnInstrumentWithoutThemSaysSo) {
  const auto figures = published_figures("svo");
  ASSERT_FALSE(figures);
  EXPECT_EQ(figures.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(figures.error().message, "no published figures are recorded for svo");
}

}  // namespace
}  // namespace valence
