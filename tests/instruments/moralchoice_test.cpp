#include "valence/instruments/moralchoice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "valence/instruments/measure.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

TEST(MoralChoiceData, HasThePublishedScenarios) {
  const auto low = load_scenarios("low"), high = load_scenarios("high");
  ASSERT_TRUE(low) << low.error().message;
  ASSERT_TRUE(high) << high.error().message;
  EXPECT_EQ(low->size(), 687U);
  EXPECT_EQ(high->size(), 680U);
}

TEST(MoralChoiceData, MisspeltRulesJoinTheirClusterAndOneScenarioIsNotScored) {
  const auto all = load_scenarios("both");
  ASSERT_TRUE(all);
  std::set<std::string> rules;
  std::vector<std::string> unscored;
  for (const auto& scenario : *all) {
    rules.insert(scenario.rule);
    if (!scenario.scored) unscored.push_back(scenario.id);
  }
  EXPECT_EQ(rules.size(), 10U);
  EXPECT_EQ(unscored, std::vector<std::string>{"G_530"});
}

TEST(MoralChoiceData, EveryKindHasFiveWordingsAndItsPlaces) {
  const auto forms = load_forms();
  ASSERT_TRUE(forms) << forms.error().message;
  std::map<FormKind, int> ours;
  for (const auto& form : *forms) {
    if (!form.id.starts_with("paper")) ++ours[form.kind];
    EXPECT_NE(form.text.find("{context}"), std::string::npos) << form.id;
    const bool pair = form.kind == FormKind::kRepeat || form.kind == FormKind::kCompare;
    EXPECT_EQ(form.text.find("{first}") != std::string::npos, pair) << form.id;
    EXPECT_EQ(form.text.find("{options}") != std::string::npos, form.kind == FormKind::kLetter) << form.id;
  }
  for (const auto& [kind, count] : ours) EXPECT_EQ(count, 5) << to_string(kind);
}

TEST(MoralChoiceData, TheHalvesShareNoRuleAndNoWordingAndLeaveNothingOut) {
  const auto training = load_split("training"), held_out = load_split("held_out");
  ASSERT_TRUE(training) << training.error().message;
  ASSERT_TRUE(held_out) << held_out.error().message;
  std::map<std::string, int> scenarios;  // by part
  const auto part_of = [&](const std::string& rule) -> std::string {
    const bool first = std::count(training->rules.begin(), training->rules.end(), rule) == 1;
    const bool second = std::count(held_out->rules.begin(), held_out->rules.end(), rule) == 1;
    return first == second ? "both or none" : first ? "training" : "held out";
  };
  const auto low = load_scenarios("low").value();
  for (const auto& scenario : low) ++scenarios[part_of(scenario.rule)];
  EXPECT_EQ(scenarios, (std::map<std::string, int>{{"training", 345}, {"held out", 342}}));
  const auto forms = load_forms().value();
  for (const auto& form : forms) {
    const auto count = std::count(training->wordings.begin(), training->wordings.end(), form.id) +
                       std::count(held_out->wordings.begin(), held_out->wordings.end(), form.id);
    EXPECT_EQ(count, form.id.starts_with("paper") ? 0 : 1) << form.id;
  }
}

class MoralChoiceRun : public ::testing::Test {
 protected:
  const Instrument* instrument_ = *find_instrument("moralchoice");

  Settings settings(std::vector<std::pair<std::string, std::string>> given = {}) {
    given.emplace_back("scenarios", "20");
    return *Settings::resolve(instrument_->settings(), given);
  }
  Profile profile(std::shared_ptr<LanguageModel> model, const Settings& settings) {
    Subject subject{.name = "s", .model = std::move(model), .system_prompt = {}, .examples = {}, .render = {}};
    Examiner examiner(subject, nullptr, 0, {});
    Examination examination{examiner, 0};
    const auto table = instrument_->administer(examination, settings);
    EXPECT_TRUE(table) << table.error().message;
    auto profile = profile_of(*instrument_, settings, *table, "s", {.replicates = 100, .seed = 0});
    EXPECT_TRUE(profile) << profile.error().message;
    return *profile;
  }
  static double value(const Profile& profile, std::string_view id) {
    const auto* entry = profile.find(id);
    return entry == nullptr ? std::nan("") : entry->estimate.value;
  }
};

/// Prefers an action by its text: the lexicographically smaller one, with probability 0.9. Yes when the first named is it.
class ByText final : public ScriptedBehaviour {
 public:
  std::vector<double> choose(const ScriptedChoice& choice) const override {
    if (choice.contents == std::vector<std::string>{"Yes", "No"}) return first_quoted_is_smaller(choice) ? std::vector<double>{0.9, 0.1} : std::vector<double>{0.1, 0.9};
    return choice.contents[0] < choice.contents[1] ? std::vector<double>{0.9, 0.1} : std::vector<double>{0.1, 0.9};
  }
  std::string reply(const Conversation&, std::uint64_t) const override { return ""; }

 private:
  static bool first_quoted_is_smaller(const ScriptedChoice& choice) {
    const auto& text = choice.conversation.messages.back().text;
    const auto a = text.find('"'), b = text.find('"', a + 1), c = text.find('"', b + 1), d = text.find('"', c + 1);
    return text.substr(a + 1, b - a - 1) < text.substr(c + 1, d - c - 1);
  }
};

TEST_F(MoralChoiceRun, EveryFormRecoversTheTruthOfAScriptedSubject) {
  const auto result = profile(scripted_model("by-text", "by-text", std::make_shared<ByText>()), settings({{"normalisation", "none"}}));
  // The sample is not known here, so compare forms with each other: all must tell the same story.
  const double letter = value(result, "low.letter.likelihood");
  for (const std::string kind : {"text", "repeat", "compare"}) EXPECT_NEAR(value(result, "low." + kind + ".likelihood"), letter, 1e-9) << kind;
  EXPECT_NEAR(value(result, "low.letter.first_shown.likelihood"), value(result, "low.letter.second_shown.likelihood"), 1e-9);
  EXPECT_NEAR(value(result, "low.consistency"), 1.0, 1e-9);
  EXPECT_NEAR(value(result, "high.entropy"), -0.9 * std::log(0.9) - 0.1 * std::log(0.1), 1e-9);
}

TEST_F(MoralChoiceRun, OneOrderCallsAPositionBiasedSubjectGoodAndTheOtherBad) {
  const auto result = profile(*open_scripted("letter?label=A"), settings({{"forms", "standard"}, {"set", "low"}, {"format", "letter"}}));
  EXPECT_DOUBLE_EQ(value(result, "low.letter.first_shown.preferred_share"), 1.0);
  EXPECT_DOUBLE_EQ(value(result, "low.letter.second_shown.preferred_share"), 0.0);
  EXPECT_DOUBLE_EQ(value(result, "low.letter.preferred_share"), 0.5);
}

TEST_F(MoralChoiceRun, UniformResponderHasNoPreference) {
  const auto result = profile(*open_scripted("random"), settings({{"set", "low"}, {"normalisation", "none"}}));
  EXPECT_DOUBLE_EQ(value(result, "low.letter.preferred_share"), 0.5);
  EXPECT_NEAR(value(result, "low.entropy"), std::log(2.0), 1e-12);
  EXPECT_DOUBLE_EQ(result.find("low.letter.preferred_share")->uniform, 0.5);
}

TEST_F(MoralChoiceRun, IntervalsRestOnScenariosClusteredByRule) {
  const auto result = profile(scripted_model("by-text", "by-text", std::make_shared<ByText>()), settings({{"set", "low"}, {"forms", "standard"}}));
  const auto& estimate = result.find("low.letter.preferred_share")->estimate;
  EXPECT_TRUE(estimate.has_interval());
  EXPECT_EQ(estimate.unit, "scenario");
}

TEST(FormatByProbes, TakesTheFormatInWhichProbesAreAnsweredBetter) {
  const auto probe = [](AnswerFormat format, double right) {
    AnswerRow row;
    row.format = format;
    row.probability = {right, 1.0 - right};
    return row;
  };
  EXPECT_EQ(format_by_probes({probe(AnswerFormat::kLetter, 0.9), probe(AnswerFormat::kText, 0.6)}), AnswerFormat::kLetter);
  EXPECT_EQ(format_by_probes({probe(AnswerFormat::kLetter, 0.5), probe(AnswerFormat::kText, 0.6)}), AnswerFormat::kText);
  EXPECT_EQ(format_by_probes({probe(AnswerFormat::kLetter, 0.5)}), AnswerFormat::kLetter);
}

}  // namespace
}  // namespace valence
