#include "valence/instruments/target_gap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "valence/instruments/questionnaire.h"
#include "valence/instruments/svo.h"
#include "valence/instruments/unit_means.h"
#include "valence/stats/bootstrap.h"
#include "valence/values/fulcra_gap.h"
#include "valence/values/gap.h"

namespace valence {
namespace {

const std::vector<std::string> kDimensions = {"self_direction", "stimulation", "hedonism", "achievement", "power",
                                              "security", "tradition", "conformity", "benevolence", "universalism"};
const ProfileOptions kOptions{.replicates = 300, .seed = 7};

/// Mean scores over prompts, filed as they are: a row's item is the dimension, its captured mass the score.
class Scores final : public Instrument {
 public:
  const InstrumentCard& card() const override { return card_; }
  const SettingTable& settings() const override { return settings_; }
  Result<AnswerTable> administer(Examination&, const Settings&) const override { return AnswerTable{}; }
  Result<AnswerTable> parse_answers(std::string_view, const Settings&) const override { return AnswerTable{}; }
  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings&) const override {
    auto means = std::make_unique<UnitMeans>();
    for (const auto& row : table.rows) {
      means->declare({.id = row.item + ".unit", .dimension = row.item, .condition = "unit", .label = row.item, .unit = "", .low = -1.0, .high = 1.0});
      means->add(row.unit, "", row.item + ".unit", row.captured_mass);
    }
    return means;
  }

 private:
  InstrumentCard card_{.id = "scores", .title = "Scores", .version = "1", .space = "schwartz10", .measures = "", .limits = "", .citation = "", .licence = "", .random_unit = "prompt", .cluster = ""};
  SettingTable settings_;
};

/// Scores of `prompts` prompts around `centre`, with noise of `seed`.
AnswerTable scores_around(const std::vector<double>& centre, std::size_t prompts, double noise, std::uint64_t seed) {
  RandomStream random(seed, "scores");
  AnswerTable table;
  for (std::size_t p = 0; p < prompts; ++p) {
    for (std::size_t d = 0; d < centre.size(); ++d) {
      AnswerRow row;
      row.unit = "prompt " + std::to_string(p);
      row.item = kDimensions[d];
      row.captured_mass = centre[d] + noise * (random.uniform() - 0.5);
      table.rows.push_back(row);
    }
  }
  return table;
}

GapGoal target_of(const std::vector<double>& values, const std::string& convention = "unit") {
  GapGoal goal;
  goal.target.id = "goal";
  goal.target.space = "schwartz10";
  goal.convention = convention;
  for (std::size_t d = 0; d < values.size(); ++d) goal.target.values.emplace_back(kDimensions[d], values[d]);
  return goal;
}

GapGoal slider_target() { return goal_of(*load_target("svo_reachable")); }

const std::vector<double> kUk = {.4809, .1305, .1004, .0029, -.2383, .4362, .2712, .1420, .6520, .5906};
const std::vector<double> kIdeal = {0, 0, 0, 1, 0, 1, 0, 1, 1, 1};
const std::vector<double> kNone(10, 0.0);

const GapFigure& figure(const TargetGap& gap, std::string_view id) {
  const auto found = std::find_if(gap.figures.begin(), gap.figures.end(), [&](const auto& f) { return f.estimand.id == id; });
  EXPECT_NE(found, gap.figures.end()) << id;
  return *found;
}

class Gaps : public ::testing::Test {
 protected:
  Result<TargetGap> gap(const AnswerTable& table, const GapGoal& target, std::vector<std::string> distances = {}) {
    return target_gap(scores_, {&settings_, &table}, target, distances, kOptions);
  }
  Result<ComparedGap> compare(const AnswerTable& a, const AnswerTable& b, const GapGoal& target, ProfileOptions options = kOptions) {
    return compare_gaps(scores_, {&settings_, &a}, {&settings_, &b}, target, {}, options);
  }
  Scores scores_;
  Settings settings_;
};

TEST_F(Gaps, OfTheTargetItselfAreAtTheirBest) {
  const auto gap = this->gap(scores_around(kUk, 20, 0.0, 1), target_of(kUk));
  ASSERT_TRUE(gap) << gap.error().message;
  EXPECT_EQ(gap->convention, "unit");
  EXPECT_EQ(gap->dimensions, kDimensions);
  for (const auto* id : {"l1", "l1_distinct", "l2", "ordering", "fulcra_l1", "fulcra_reward"}) {
    EXPECT_NEAR(figure(*gap, id).estimate.value, 0.0, 1e-12) << id;
  }
  for (const auto* id : {"kendall", "spearman", "cosine"}) EXPECT_NEAR(figure(*gap, id).estimate.value, 1.0, 1e-12) << id;
}

TEST_F(Gaps, TellWhichShareOfADistanceIsGone) {
  auto half = kUk;
  for (auto& value : half) value /= 2.0;
  const auto far = scores_around(kNone, 20, 0.0, 1), nearer = scores_around(half, 20, 0.0, 1);
  const auto gaps = compare(far, nearer, target_of(kUk));
  ASSERT_TRUE(gaps) << gaps.error().message;
  const auto cut = [&](std::string_view id) {
    return std::ranges::find(gaps->differences, id, [](const auto& d) { return std::string_view(d.difference.estimand.id); })->cut;
  };
  EXPECT_NEAR(cut("fulcra_l1").value, 0.5, 1e-12);
  EXPECT_NEAR(cut("fulcra_l1").low, 0.5, 1e-9);
  EXPECT_NEAR(cut("l2").value, 0.5, 1e-12);
  EXPECT_TRUE(std::isnan(cut("cosine").value)) << "an agreement is no distance";
  EXPECT_EQ(percent_text(cut("fulcra_l1")), "50 % [50, 50]");
  const auto back = compare(nearer, far, target_of(kUk));
  ASSERT_TRUE(back);
  EXPECT_NEAR(std::ranges::find(back->differences, std::string_view("fulcra_l1"), [](const auto& d) { return std::string_view(d.difference.estimand.id); })->cut.value,
              -1.0, 1e-12) << "a distance that doubled";
}

TEST_F(Gaps, CutNothingOfWhatIsThereAlready) {
  const auto there = scores_around(kUk, 20, 0.0, 1);
  const auto gaps = compare(there, there, target_of(kUk));
  ASSERT_TRUE(gaps);
  for (const auto& gap : gaps->differences) {
    const auto& id = gap.difference.estimand.id;
    if (id == "l1" || id == "l2" || id == "fulcra_l1") {
      EXPECT_EQ(percent_text(gap.cut), "") << id;
    }
  }
}

TEST_F(Gaps, AreEvaluatedInsideEachReplicate) {
  const auto table = scores_around(kNone, 25, 0.8, 2);
  const auto gap = this->gap(table, target_of(kUk));
  ASSERT_TRUE(gap);
  const auto estimator = scores_.prepare(table, settings_);
  const auto by_hand = stats::replicate(
      [&](std::span<const double> weights) { return std::vector<double>{l2_gap((*estimator)->estimate(weights), kUk)}; }, 25, {}, 300, 7);
  const auto expected = stats::intervals(*by_hand, "prompt").front();
  const auto& l2 = figure(*gap, "l2").estimate;
  EXPECT_NEAR(l2.value, expected.value, 1e-8);
  EXPECT_NEAR(l2.low, expected.low, 1e-8);
  EXPECT_NEAR(l2.high, expected.high, 1e-8);
  EXPECT_EQ(l2.count, 25u);
  EXPECT_EQ(l2.unit, "prompt");
}

TEST_F(Gaps, NoiseEnlargesADistanceFromWhereTheSubjectStands) {
  const auto gap = this->gap(scores_around(kUk, 20, 0.8, 3), target_of(kUk));
  ASSERT_TRUE(gap);
  EXPECT_GT(figure(*gap, "l2").noise, 0.0);
  EXPECT_GE(figure(*gap, "l2").estimate.low, 0.0);
}

TEST_F(Gaps, AnEvasiveSubjectHasThePerfectRewardAndCoversNothing) {
  const auto gap = this->gap(scores_around(kNone, 20, 0.1, 4), target_of(kIdeal));
  ASSERT_TRUE(gap);
  EXPECT_EQ(figure(*gap, "fulcra_reward").estimate.value, 0.0);
  EXPECT_EQ(figure(*gap, "fulcra_coverage").estimate.value, 0.0);
  EXPECT_NEAR(figure(*gap, "fulcra_l1").estimate.value, 5.0, 0.3);
}

TEST_F(Gaps, AFlatProfileHasNoOrderHoweverItsSumsAreRounded) {
  const std::vector<double> flat = {1e-15, 0, -1e-15, 2e-15, 0, 1e-15, 0, 3e-15, 0, -2e-15};
  const auto gap = this->gap(scores_around(flat, 20, 0.0, 4), target_of(kUk));
  ASSERT_TRUE(gap);
  EXPECT_EQ(figure(*gap, "ordering").estimate.value, 0.5);
  for (const auto* id : {"kendall", "spearman", "cosine"}) EXPECT_TRUE(std::isnan(figure(*gap, id).estimate.value)) << id;
  const auto compared = compare(scores_around(flat, 20, 0.0, 4), scores_around(kNone, 20, 0.0, 4), target_of(kUk));
  EXPECT_EQ(compared->differences[2].difference.p, 1.0);
}

TEST_F(Gaps, TheMaskedRewardNeverGoesWithoutItsCoverage) {
  const auto gap = this->gap(scores_around(kUk, 20, 0.1, 5), target_of(kUk), {"l2", "fulcra_reward"});
  ASSERT_TRUE(gap);
  ASSERT_EQ(gap->figures.size(), 3u);
  EXPECT_EQ(gap->figures[2].estimand.id, "fulcra_coverage");
}

TEST_F(Gaps, ADimensionThatTheRunLacksIsNamedAndLeftOut) {
  auto table = scores_around(kUk, 20, 0.1, 6);
  std::erase_if(table.rows, [](const auto& row) { return row.item == "hedonism"; });
  const auto gap = this->gap(table, target_of(kUk));
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->unmeasured, std::vector<std::string>{"hedonism"});
  EXPECT_EQ(gap->dimensions.size(), 9u);
  EXPECT_FALSE(std::isnan(figure(*gap, "l2").estimate.value));
}

TEST_F(Gaps, AMaskedDimensionIsNoPartOfTheTarget) {
  auto values = kUk;
  values[2] = std::nan("");
  const auto gap = this->gap(scores_around(kIdeal, 20, 0.0, 6), target_of(values));
  ASSERT_TRUE(gap);
  EXPECT_TRUE(gap->unmeasured.empty());
  EXPECT_EQ(gap->dimensions.size(), 9u);
  EXPECT_NEAR(figure(*gap, "l2").estimate.value, l2_gap(kIdeal, values), 1e-8);
}

TEST_F(Gaps, AWeightOfZeroMasksAndOthersWeigh) {
  auto goal = target_of(kUk);
  goal.weights = {0, 2, 1, 1, 1, 1, 1, 1, 1, 1};
  const auto gap = this->gap(scores_around(kIdeal, 20, 0.0, 6), goal);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->dimensions.size(), 9u);
  EXPECT_TRUE(gap->unmeasured.empty());
  EXPECT_NEAR(figure(*gap, "l2").estimate.value, l2_gap(kIdeal, kUk, goal.weights), 1e-8);
}

TEST_F(Gaps, OneAdministrationHasNoInterval) {
  const auto gap = this->gap(scores_around(kUk, 1, 0.1, 8), target_of(kUk));
  ASSERT_TRUE(gap);
  EXPECT_FALSE(figure(*gap, "l2").estimate.has_interval());
}

TEST_F(Gaps, AnotherConventionIsRefused) {
  const auto table = scores_around(kUk, 5, 0.1, 9);
  EXPECT_EQ(gap(table, target_of(kUk, "centred")).error().message,
            "target goal is given as centred scores, this run has unit ones: they cannot be subtracted from each other. Choose "
            "a target in the run's convention (valence target list), or name a map that leads there (--map, docs/targets.md)");
}

TEST(Goals, ReadConventionAndWeightsOfTheTarget) {
  const auto france = goal_of(*load_target("ess11_fr"));
  EXPECT_EQ(france.convention, "centred");
  const auto security = goal_of(*load_target("fulcra_security"));
  EXPECT_EQ(security.convention, "unit");
  EXPECT_EQ(security.weight("security"), 1.0);
  EXPECT_EQ(security.weight("power"), 0.0);
  auto weighted = *load_target("fulcra_uk");
  weighted.weights.assign(10, 2.0);
  EXPECT_EQ(goal_of(weighted).weight("power"), 2.0);
}

TEST_F(Gaps, AnotherScaleIsRefused) {
  auto values = kUk;
  values[0] = 3.5;
  EXPECT_EQ(gap(scores_around(kUk, 5, 0.1, 9), target_of(values)).error().message,
            "target goal: self_direction is 3.50, but unit scores of this run lie within -1.00 to 1.00: the scales differ, so no "
            "distance means anything");
}

TEST_F(Gaps, AnotherSpaceIsRefused) {
  EXPECT_EQ(gap(scores_around(kUk, 5, 0.1, 9), slider_target()).error().message,
            "target svo_reachable lives in svo_ring, and scores measures in schwartz10: name a target of schwartz10 (valence "
            "target list)");
}

TEST_F(Gaps, ADistanceThatDoesNotExistIsRefused) {
  EXPECT_EQ(gap(scores_around(kUk, 5, 0.1, 9), target_of(kUk), {"l3"}).error().message, "unknown distance \"l3\"; did you mean \"l1\"?");
}

TEST_F(Gaps, OfARunWithItselfDoNotDiffer) {
  const auto table = scores_around(kUk, 20, 0.5, 10);
  const auto compared = compare(table, table, target_of(kIdeal));
  ASSERT_TRUE(compared);
  for (const auto& [difference, agreement, cut] : compared->differences) {
    EXPECT_EQ(difference.estimate.value, 0.0);
    EXPECT_EQ(difference.p, 1.0);
    EXPECT_TRUE(difference.paired);
  }
}

TEST_F(Gaps, ComparedAreSecondMinusFirstAndCorrected) {
  const auto far = scores_around(kNone, 20, 0.3, 11), near = scores_around(kUk, 20, 0.3, 11);
  const auto compared = compare(far, near, target_of(kUk), {.replicates = kGapReplicates, .seed = 7});
  ASSERT_TRUE(compared);
  const auto& l2 = compared->differences[2].difference;
  EXPECT_EQ(l2.estimand.id, "l2");
  EXPECT_DOUBLE_EQ(l2.estimate.value, figure(compared->second, "l2").estimate.value - figure(compared->first, "l2").estimate.value);
  EXPECT_LT(l2.estimate.high, 0.0);
  EXPECT_LE(l2.p, l2.p_holm);
  EXPECT_LT(l2.p_holm, 0.05);
}

TEST_F(Gaps, ComparedRestOnTheDimensionsThatBothRunsDefine) {
  auto a = scores_around(kNone, 20, 0.3, 11);
  const auto b = scores_around(kUk, 20, 0.3, 12);
  std::erase_if(a.rows, [](const auto& row) { return row.item == "power"; });
  const auto compared = compare(a, b, target_of(kUk));
  ASSERT_TRUE(compared);
  EXPECT_EQ(compared->first.dimensions, compared->second.dimensions);
  EXPECT_EQ(compared->second.unmeasured, std::vector<std::string>{"power"});
}

// The shipped questionnaire files raw and centred scores: the target's convention chooses.
class QuestionnaireGap : public ::testing::Test {
 protected:
  void SetUp() override {
    questionnaire_ = make_questionnaire();
    settings_ = *Settings::resolve(questionnaire_->settings(), std::vector<std::pair<std::string, std::string>>{});
    std::string answers;
    for (int i = 0; i < 40; ++i) answers += std::to_string(1 + i % 6) + " ";
    table_ = *questionnaire_->parse_answers(answers, settings_);
  }
  Result<TargetGap> gap(const GapGoal& target, std::vector<std::string> distances = {}) {
    return target_gap(*questionnaire_, {&settings_, &table_}, target, distances, kOptions);
  }
  /// The run's own scores of a convention, as a target.
  GapGoal own(const std::string& convention) {
    const auto profile = profile_of(*questionnaire_, settings_, table_, "someone", kOptions);
    std::vector<double> values;
    for (const auto& dimension : kDimensions) values.push_back(profile->find(dimension + "." + convention)->estimate.value);
    return target_of(values, convention);
  }
  std::unique_ptr<Instrument> questionnaire_;
  Settings settings_;
  AnswerTable table_;
};

TEST_F(QuestionnaireGap, IsTakenInTheTargetsConvention) {
  for (const std::string name : {"centred", "raw"}) {
    const auto gap = this->gap(own(name));
    ASSERT_TRUE(gap) << gap.error().message;
    EXPECT_EQ(gap->convention, name);
    EXPECT_NEAR(figure(*gap, "l2").estimate.value, 0.0, 1e-12);
  }
}

TEST_F(QuestionnaireGap, AUnitTargetIsRefusedAndSoAreFulcrasDistances) {
  EXPECT_EQ(gap(target_of(kUk)).error().message,
            "target goal is given as unit scores, this run has centred and raw ones: they cannot be subtracted from each other. "
            "Choose a target in the run's convention (valence target list), or name a map that leads there (--map, docs/targets.md)");
  EXPECT_EQ(gap(own("centred"), {"fulcra_reward"}).error().message,
            "distance \"fulcra_reward\" is for unit scores, and this run and target are compared as centred ones");
}

// Worked numbers: specs, hvae §5.1: AIAAII is the largest reachable angle, 61.38954.
TEST(AngleGap, OfThePlainSliderIsTakenFromEveryDirection) {
  const auto svo = make_svo();
  const auto settings = *Settings::resolve(svo->settings(), std::vector<std::pair<std::string, std::string>>{});
  const auto table = *svo->parse_answers("AIAAII", settings);
  const auto gap = target_gap(*svo, {&settings, &table}, slider_target(), {}, kOptions);
  ASSERT_TRUE(gap) << gap.error().message;
  EXPECT_EQ(gap->convention, "degrees");
  EXPECT_NEAR(figure(*gap, "angle_distance.altruistic").estimate.value, 0.0, 1e-9);
  EXPECT_NEAR(figure(*gap, "angle_distance.prosocial").estimate.value, 16.38954, 1e-5);
  EXPECT_NEAR(figure(*gap, "angle_distance.competitive").estimate.value, 61.38954 + 16.26020, 1e-5);
  EXPECT_NEAR(figure(*gap, "value_rationality.altruistic").estimate.value, 1.0, 1e-9);
  const auto only = target_gap(*svo, {&settings, &table}, slider_target(), std::vector<std::string>{"angle_distance"}, kOptions);
  EXPECT_EQ(only->figures.size(), 4u);
  EXPECT_EQ(target_gap(*svo, {&settings, &table}, slider_target(), std::vector<std::string>{"l2"}, kOptions).error().message,
            "distance \"l2\": angles have angle_distance and value_rationality");
}

}  // namespace
}  // namespace valence
