#include "valence/instruments/svo.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "valence/base/json.h"
#include "valence/instruments/measure.h"

namespace valence {
namespace {

const SvoMeasure& slider() {
  static const auto loaded = load_svo_measure().value();
  return loaded;
}

std::vector<Allocation> chosen_by(std::string_view letters) { return svo_allocations(slider().primary(), letters).value(); }
double slider_angle(std::string_view letters) { return svo_angle(chosen_by(letters)).value(); }
SvoCategory category_at(double degrees, BoundaryRule rule) { return svo_category(degrees, slider().boundaries, rule); }

std::vector<std::size_t> options_from(std::string_view digits) {
  std::vector<std::size_t> options;
  for (const char digit : digits) options.push_back(static_cast<std::size_t>(digit - '0'));
  return options;
}

SecondaryIndex option_index(std::string_view digits) { return svo_secondary(slider(), options_from(digits)).value(); }

Settings plain_settings(const std::vector<std::pair<std::string, std::string>>& given = {}) {
  return Settings::resolve(make_svo()->settings(), given).value();
}

Json details_of(std::string_view letters) {
  const auto table = make_svo()->parse_answers(letters, plain_settings()).value();
  return svo_details(table).value().at(0);
}

// Worked numbers: specs, hvae §5.1 and §1.
TEST(SvoAngle, MatchesIdealResponders) {
  EXPECT_NEAR(slider_angle("AIAAII"), 61.38954, 5e-6);
  EXPECT_NEAR(slider_angle("IAIIAA"), -16.26020, 5e-6);
  EXPECT_NEAR(slider_angle("AIIIAA"), 7.81529, 5e-6);
  EXPECT_NEAR(slider_angle("IIIIAA"), -7.81529, 5e-6);
  EXPECT_NEAR(slider_angle("AIIDEI"), 37.48241, 5e-6);
  EXPECT_NEAR(slider_angle("AIIAEI"), 45.0, 1e-12);
  EXPECT_NEAR(slider_angle("EEEEEE"), 22.93210, 5e-6);
  EXPECT_NEAR(slider_angle("EIIIAA"), 0.0, 1e-12);
}

TEST(SvoAngle, FollowsTheLetterWhenTheSubjectDoes) {
  EXPECT_NEAR(slider_angle("AAAAAA"), 30.4655, 5e-5);
  EXPECT_NEAR(slider_angle("IIIIII"), 14.7436, 5e-5);
}

TEST(SvoAngle, FiveAnswersHaveNoAngle) {
  const auto angle = svo_angle(chosen_by("AIAAI"));
  ASSERT_FALSE(angle);
  EXPECT_EQ(angle.error().code, ErrorCode::kWrongCount);
  EXPECT_EQ(angle.error().message, "the slider's angle needs 6 primary answers, got 5");
}

/// Calls `visit` with the angle of every one of the 9^6 answer vectors.
template <class Visit>
void for_every_answer_vector(Visit&& visit) {
  std::array<std::size_t, kPrimaryItems> option{};
  std::vector<Allocation> chosen(kPrimaryItems);
  for (std::size_t vector = 0; vector < 531441; ++vector) {
    auto rest = vector;
    for (std::size_t i = 0; i < kPrimaryItems; ++i, rest /= kSliderOptions) {
      option[i] = rest % kSliderOptions;
      chosen[i] = slider().primary()[i].options[option[i]];
    }
    visit(*svo_angle(chosen));
  }
}

// Specs, hvae §5.2 and §5.3; no vector lies on a boundary, so both tie rules give these counts.
TEST(SvoAngle, EveryAnswerVectorFallsAsCounted) {
  double smallest = 90.0, largest = -90.0;
  std::array<std::array<std::size_t, kOrientations>, 2> counts{};
  for_every_answer_vector([&](double angle) {
    smallest = std::min(smallest, angle);
    largest = std::max(largest, angle);
    ++counts[0][static_cast<std::size_t>(category_at(angle, BoundaryRule::kUpper))];
    ++counts[1][static_cast<std::size_t>(category_at(angle, BoundaryRule::kLower))];
  });
  EXPECT_NEAR(smallest, -16.2602, 5e-5);
  EXPECT_NEAR(largest, 61.3895, 5e-5);
  const std::array<std::size_t, kOrientations> expected = {260, 269348, 261605, 228};
  EXPECT_EQ(counts[0], expected);
  EXPECT_EQ(counts[1], expected);
}

TEST(SvoCategory, ScorersDisagreeOnTheBoundaryOnly) {
  EXPECT_EQ(category_at(57.15, BoundaryRule::kUpper), SvoCategory::kAltruistic);
  EXPECT_EQ(category_at(57.15, BoundaryRule::kLower), SvoCategory::kProsocial);
  EXPECT_EQ(category_at(57.16, BoundaryRule::kLower), SvoCategory::kAltruistic);
  EXPECT_EQ(category_at(22.45, BoundaryRule::kUpper), SvoCategory::kProsocial);
  EXPECT_EQ(category_at(22.45, BoundaryRule::kLower), SvoCategory::kIndividualistic);
  EXPECT_EQ(category_at(-12.04, BoundaryRule::kUpper), SvoCategory::kIndividualistic);
  EXPECT_EQ(category_at(-12.04, BoundaryRule::kLower), SvoCategory::kCompetitive);
}

TEST(SvoCategory, BoundariesAreMidpointsBetweenNeighbouringIdealResponders) {
  const auto midpoint = [](std::string_view a, std::string_view b) { return (slider_angle(a) + slider_angle(b)) / 2; };
  EXPECT_NEAR(slider().boundaries.altruistic_prosocial, midpoint("AIAAII", "AIIAII"), 0.005);
  EXPECT_NEAR(slider().boundaries.prosocial_individualistic, midpoint("AIIAAI", "AIIIAA"), 0.005);
  EXPECT_NEAR(slider().boundaries.individualistic_competitive, midpoint("IIIIAA", "IAIIAA"), 0.005);
}

TEST(SvoCategory, UnknownNamesSayWhatIsExpected) {
  EXPECT_EQ(svo_category_from("selfish").error().message,
            "unknown orientation \"selfish\"; expected altruistic, prosocial, individualistic or competitive");
  EXPECT_EQ(boundary_rule_from("middle").error().message, "unknown tie rule \"middle\"; expected upper or lower");
}

// Specs, hvae §5.6.
TEST(SvoItems, ConstantSumSlidersKeepTheirSum) {
  for (const auto& [item, sum] : {std::pair{5, 150.0}, {8, 190.0}, {11, 170.0}, {13, 150.0}}) {
    for (const auto& coins : slider().items[static_cast<std::size_t>(item - 1)].options) {
      EXPECT_NEAR(coins.self + coins.other, sum, 1.0) << "item " << item;
    }
  }
}

TEST(SvoItems, AreFoundByTheirNumbers) {
  EXPECT_EQ(slider().find("15"), 14u);
  EXPECT_FALSE(slider().find("16"));
}

TEST(SvoRanking, OrdersTheScorersExample) {
  const auto ranking = svo_ranking(slider().primary(), chosen_by("AIIAEI")).value();
  const std::array<double, kOrientations> expected = {1.5, 3.0, 1.5, 0.0};
  EXPECT_EQ(ranking.score, expected);
  EXPECT_TRUE(ranking.transitive);
  const std::vector<std::vector<SvoCategory>> order = {
      {SvoCategory::kProsocial}, {SvoCategory::kAltruistic, SvoCategory::kIndividualistic}, {SvoCategory::kCompetitive}};
  EXPECT_EQ(ranking.order, order);
}

TEST(SvoRanking, ACycleHasNoOrder) {
  // C beats P (1), I beats C (2), P beats I (6): a circle.
  const auto ranking = svo_ranking(slider().primary(), chosen_by("IIEEEI")).value();
  EXPECT_FALSE(ranking.transitive);
  EXPECT_TRUE(ranking.order.empty());
}

TEST(SvoRanking, SixPointsAreAlwaysGiven) {
  for (const auto* letters : {"AIAAII", "EEEEEE", "BCDFGH"}) {
    const auto ranking = svo_ranking(slider().primary(), chosen_by(letters)).value();
    double sum = 0.0;
    for (const double score : ranking.score) sum += score;
    EXPECT_EQ(sum, 6.0) << letters;
  }
}

void expect_distances(const SecondaryIndex& index, const std::array<double, 4>& expected) {
  for (std::size_t m = 0; m < expected.size(); ++m) EXPECT_NEAR(index.distance[m], expected[m], 5e-5) << "motive " << m;
}

// Specs, hvae §1, "Examples".
TEST(SvoSecondary, IdealInequalityAversionIsZero) {
  const auto index = option_index("654758532");
  expect_distances(index, {0.0, 0.25, 0.5, 0.5});
  EXPECT_EQ(index.index, 0.0);
  EXPECT_EQ(index.type, "inequality_aversion");
}

TEST(SvoSecondary, TheMiddleOptionThroughoutIsAQuarter) {
  const auto index = option_index("555555555");
  expect_distances(index, {0.1667, 0.5, 0.5, 0.5});
  EXPECT_NEAR(index.index, 0.25, 1e-12);
}

TEST(SvoSecondary, JointGainIsOne) {
  const auto index = option_index("951959511");
  expect_distances(index, {0.1667, 0.0, 0.5, 0.5});
  EXPECT_EQ(index.index, 1.0);
  EXPECT_EQ(index.type, "joint_gain");
}

TEST(SvoSecondary, APureIndividualistHasNone) {
  const auto index = option_index("191199919");
  expect_distances(index, {0.5, 0.5, 0.0, 1.0});
  EXPECT_TRUE(std::isnan(index.index));
  EXPECT_EQ(index.type, "");
}

TEST(SvoSecondary, EquallyNearIsHalf) {
  const auto index = secondary_index(slider(), {0.2, 0.2, 0.5, 0.5});
  EXPECT_EQ(index.index, 0.5);
  EXPECT_EQ(index.type, "tie");
}

TEST(SvoSecondary, ContinuousFormatMeasuresToTrueEqualPayoffs) {
  // Item 15 runs from (90, 100) to (100, 50): both get 91 2/3 a sixth of the way along; option 2 lies at an eighth.
  std::vector<Allocation> equal;
  for (const auto& item : slider().secondary()) {
    const double first = item.options[0].self - item.options[0].other;
    const double last = item.options[8].self - item.options[8].other;
    const double t = first / (first - last);
    const double coins = item.options[0].self + t * (item.options[8].self - item.options[0].self);
    equal.push_back({coins, coins});
  }
  const auto continuous = svo_secondary_continuous(slider(), equal).value();
  EXPECT_NEAR(continuous.distance[0], 0.0, 1e-12);
  EXPECT_NEAR(continuous.index, 0.0, 1e-12);
  // Four ideals of joint gain lie at the far end, two at the near one: items 7, 10, 12 and 9, 14, 15.
  EXPECT_NEAR(continuous.distance[1], (0.375 + 0.375 + 0.25 + 1.0 / 6 + 0.25 + 1.0 / 6) / 6, 1e-12);
}

TEST(SvoSecondary, NeedsNineAnswersFromOneToNine) {
  EXPECT_EQ(svo_secondary(slider(), options_from("12345678")).error().message,
            "the secondary index needs 9 secondary answers, got 8");
  EXPECT_EQ(svo_secondary(slider(), options_from("123456780")).error().message,
            "secondary answer 9 is option 0; expected 1 to 9");
}

TEST(SvoAnswers, LettersAreReadInEitherCaseAndVersion) {
  const auto instrument = make_svo();
  const auto a = instrument->parse_answers("aiaaii", plain_settings()).value();
  const auto b = instrument->parse_answers("IIAAIA", plain_settings({{"version", "b"}})).value();
  ASSERT_EQ(a.rows.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(a.rows[i].item, std::to_string(i + 1));
    EXPECT_EQ(a.rows[i].probability, b.rows[i].probability);
  }
  EXPECT_EQ(svo_details(b).value().at(0).at("answers"), "AIAAII");
}

TEST(SvoAnswers, AWrongNumberOrLetterIsExplained) {
  const auto instrument = make_svo();
  EXPECT_EQ(instrument->parse_answers("AIAAI", plain_settings()).error().message,
            "\"AIAAI\" has 5 answers; expected 6 letters from A to I for the primary items, or 15 with the secondary ones: "
            "--answers AIAAII");
  EXPECT_EQ(instrument->parse_answers("AIAKII", plain_settings()).error().message,
            "answer 4 of \"AIAKII\" is 'K'; expected a letter from A to I");
}

TEST(SvoDetails, ReportWhatTheScorersReport) {
  const auto details = details_of("AIIAEIFEDGEHECB");
  EXPECT_EQ(details.at("answers"), "AIIAEI");
  EXPECT_NEAR(details.at("angle").get<double>(), 45.0, 1e-12);
  EXPECT_EQ(details.at("category").at("upper"), "prosocial");
  EXPECT_EQ(details.at("transitive"), true);
  EXPECT_EQ(details.at("scores").at("prosocial"), 3.0);
  EXPECT_EQ(details.at("rank_order").dump(), R"([["prosocial"],["altruistic","individualistic"],["competitive"]])");
  EXPECT_EQ(details.at("secondary").at("option_format").at("index"), 0.0);
  EXPECT_EQ(details.at("secondary").at("option_format").at("type"), "inequality_aversion");
  EXPECT_LT(details.at("secondary").at("continuous_format").at("index").get<double>(), 0.15);
}

TEST(SvoDetails, PrimaryAnswersAloneHaveNoSecondaryIndex) { EXPECT_TRUE(details_of("AIAAII").at("secondary").is_null()); }

TEST(SvoDetails, AnUncertainAnswerHasNoAngle) {
  auto table = make_svo()->parse_answers("AIAAII", plain_settings()).value();
  table.rows[2].probability.assign(kSliderOptions, 1.0 / kSliderOptions);
  const auto details = svo_details(table).value().at(0);
  EXPECT_TRUE(details.at("angle").is_null());
  EXPECT_EQ(details.at("reason"), "item 3 has no certain answer; an angle needs all six");
}

TEST(UnitValues, AreWhatEachUnitAloneWouldGive) {
  const auto instrument = make_svo();
  auto table = instrument->parse_answers("AIAAII", plain_settings()).value();
  auto other = instrument->parse_answers("EIIIAA", plain_settings()).value();
  for (auto& row : other.rows) row.unit = "another";
  table.rows.insert(table.rows.end(), other.rows.begin(), other.rows.end());
  const auto values = unit_values(*instrument, plain_settings(), table).value();
  const auto angle = std::ranges::find_if(values, [](const auto& entry) { return entry.first.ends_with("angle"); });
  ASSERT_NE(angle, values.end());
  ASSERT_EQ(angle->second.size(), 2U);
  EXPECT_NEAR(angle->second[0], slider_angle("AIAAII"), 1e-9);
  EXPECT_NEAR(angle->second[1], 0.0, 1e-9);
}

}  // namespace
}  // namespace valence
