#include "valence/instruments/match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "valence/instruments/questionnaire.h"

namespace valence {
namespace {

using ::testing::HasSubstr;

const Instrument& questionnaire() { return **find_instrument("questionnaire"); }

Settings usual() { return Settings::resolve(questionnaire().settings(), std::vector<std::pair<std::string, std::string>>{}).value(); }

GapGoal goal(const std::string& id) { return goal_of(load_target(id).value()); }

/// Six people who answer each item where a country's centred mean puts its value, the middle of the scale in the middle.
AnswerTable people_of(const std::string& country) {
  const auto target = load_target(country).value();
  const auto pvq = load_questionnaire("pvq40").value();
  AnswerTable table;
  for (int person = 1; person <= 6; ++person) {
    for (const auto& item : pvq.items) {
      AnswerRow row;
      row.unit = fmt::format("person-{}", person);
      row.item = item.id;
      row.route = Route::kGiven;
      const double place = 2.5 + *target.value(item.dimension);
      const auto below = static_cast<std::size_t>(place);
      row.probability.assign(6, 0.0);
      row.probability[below] = 1.0 - (place - static_cast<double>(below));
      row.probability[below + 1] = place - static_cast<double>(below);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

TEST(Match, FindsTheCountryThatTheAnswersAreMadeOf) {
  const auto table = people_of("ess11_fr");
  const auto settings = usual();
  ProfileOptions options;
  options.replicates = 200;
  const std::vector<GapGoal> goals = {goal("ess11_bg"), goal("ess11_fr"), goal("ess11_pl")};
  const auto matching = match_targets(questionnaire(), {&settings, &table}, goals, options);
  ASSERT_TRUE(matching) << matching.error().message;
  ASSERT_EQ(matching->matches.size(), 3u);
  const auto& best = matching->matches.front();
  EXPECT_EQ(best.target, "ess11_fr");
  EXPECT_NEAR(best.spearman.value, 1.0, 1e-9);
  EXPECT_EQ(best.rank.value, 1.0);
  EXPECT_EQ(best.rank.high, 1.0);
  EXPECT_TRUE(best.tied_with_best);
  EXPECT_FALSE(matching->matches.back().tied_with_best);
  EXPECT_LT(matching->matches.back().p_holm, 0.05);
  EXPECT_EQ(matching->dimensions.size(), 10u);
}

TEST(Match, RefusesWhatCannotBeRanked) {
  const auto table = people_of("ess11_fr");
  const auto settings = usual();
  const auto refused = [&](const std::vector<GapGoal>& goals) { return match_targets(questionnaire(), {&settings, &table}, goals, {}).error().message; };
  EXPECT_EQ(refused({goal("ess11_fr")}), "a match needs at least two targets in the run's convention (valence target list)");
  EXPECT_EQ(refused({goal("ess11_fr"), goal("fulcra_uk")}), "targets ess11_fr and fulcra_uk are centred and unit scores: match those of one convention");
  EXPECT_EQ(refused({goal("svo_ideal"), goal("svo_reachable")}), "target svo_ideal lives in svo_ring, the run in schwartz10");
}

}  // namespace
}  // namespace valence
