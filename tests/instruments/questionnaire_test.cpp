#include "valence/instruments/questionnaire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/scratch.h"
#include "valence/instruments/measure.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using testing::Scratch;
using testing::put_file;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

constexpr std::string_view kPrompts = R"(
[[wording]]
id = "w1"
letter = "One. {item}\n{options}\nAnswer {labels}."
text = "One. {item}"
[[wording]]
id = "w2"
letter = "Two. {item}\n{options}\nAnswer {labels}."
text = "Two. {item}"
[[wording]]
id = "w3"
letter = "Three. {item}\n{options}\nAnswer {labels}."
text = "Three. {item}"
[[wording]]
id = "w4"
letter = "Four. {item}\n{options}\nAnswer {labels}."
text = "Four. {item}"
[[wording]]
id = "w5"
letter = "Five. {item}\n{options}\nAnswer {labels}."
text = "Five. {item}"
)";

constexpr std::string_view kTwoItems = R"(
id = "two"
title = "Two items"
space = "schwartz10"
source = { citation = "test", licence = "none" }
prompts = "prompts.toml"
[scale]
from = 1
to = 3
direction = "1 no, 3 yes"
labels = ["no", "so-so", "yes"]
[[item]]
number = 1
text = "I like {braces} and power."
dimension = "power"
[[item]]
number = 2
text = "I do not like power."
dimension = "power"
reversed = true
)";

std::filesystem::path write_two_items(const Scratch& scratch, std::string_view toml = kTwoItems) {
  put_file(scratch / "prompts.toml", kPrompts);
  put_file(scratch / "questionnaire.toml", toml);
  return scratch / "questionnaire.toml";
}

TEST(Questionnaire, ShippedPvqHasTheTenValuesWithTheirItems) {
  const auto pvq = load_questionnaire("pvq40");
  ASSERT_TRUE(pvq) << pvq.error().message;
  EXPECT_EQ(pvq->items.size(), 40U);
  EXPECT_EQ(pvq->dimensions().size(), 10U);
  const auto count = [&](const std::string& d) { return std::count_if(pvq->items.begin(), pvq->items.end(), [&](const auto& i) { return i.dimension == d; }); };
  EXPECT_EQ(count("universalism"), 6);
  EXPECT_EQ(count("security"), 5);
  EXPECT_EQ(count("stimulation"), 3);
}

TEST(QuestionnaireScores, ReversedItemsAreTurnedAndMissingOnesLeftOut) {
  const Scratch scratch;
  const auto two = read_questionnaire(write_two_items(scratch));
  ASSERT_TRUE(two) << two.error().message;
  EXPECT_DOUBLE_EQ(questionnaire_scores(*two, std::vector<double>{3, 1}, false)[0], 3.0);
  EXPECT_DOUBLE_EQ(questionnaire_scores(*two, std::vector<double>{3, 3}, false)[0], 2.0);
  EXPECT_DOUBLE_EQ(questionnaire_scores(*two, std::vector<double>{kMissing, 1}, false)[0], 3.0);
  EXPECT_DOUBLE_EQ(questionnaire_scores(*two, std::vector<double>{3, 1}, true)[0], 1.0);  // 3 − mean answer 2
}

TEST(Questionnaire, UnknownDimensionSuggestsTheNearest) {
  const Scratch scratch;
  std::string toml(kTwoItems);
  toml.replace(toml.find("\"power\""), 7, "\"powr\"");
  const auto two = read_questionnaire(write_two_items(scratch, toml));
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().message, HasSubstr("item 1: the space \"schwartz10\" has no dimension \"powr\"; did you mean \"power\"?"));
}

TEST(Questionnaire, LabelsMustMatchTheScale) {
  const Scratch scratch;
  std::string toml(kTwoItems);
  toml.replace(toml.find("to = 3"), 6, "to = 4");
  const auto two = read_questionnaire(write_two_items(scratch, toml));
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().message, HasSubstr("4 answers need 4 labels, got 3"));
}

TEST(Questionnaire, FewerThanFiveWordingsAreRefused) {
  const Scratch scratch;
  const auto file = write_two_items(scratch);
  put_file(scratch / "prompts.toml", kPrompts.substr(0, kPrompts.find("[[wording]]\nid = \"w5\"")));
  const auto two = read_questionnaire(file);
  ASSERT_FALSE(two);
  EXPECT_THAT(two.error().message, HasSubstr("at least 5 parallel wordings are needed, got 4"));
}

TEST(Questionnaire, UnknownNameListsWhatThereIs) {
  const auto none = load_questionnaire("pvq4");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "unknown questionnaire \"pvq4\"; did you mean \"pvq40\"? Known: pvq40; or give the path of a questionnaire.toml");
}

/// Says yes to "I like" and no to everything else, whatever label stands where.
class Keen final : public ScriptedBehaviour {
 public:
  std::vector<double> choose(const ScriptedChoice& choice) const override {
    const bool likes = choice.conversation.messages.back().text.find("I like") != std::string::npos;
    std::vector<double> p(choice.contents.size(), 0.0);
    for (std::size_t i = 0; i < p.size(); ++i) p[i] = choice.contents[i] == (likes ? "yes" : "no") ? 1.0 : 0.0;
    return p;
  }
  std::string reply(const Conversation&, std::uint64_t) const override { return ""; }
};

TEST(Questionnaire, AFileOfOnesOwnIsMeasuredWithoutCode) {
  const Scratch scratch;
  const auto* instrument = *find_instrument("questionnaire");
  const auto settings = Settings::resolve(instrument->settings(), {{"questionnaire", write_two_items(scratch).string()}, {"format", "letter"}});
  ASSERT_TRUE(settings) << settings.error().message;
  Subject subject{.name = "keen", .model = scripted_model("keen", "keen", std::make_shared<Keen>()), .system_prompt = {}, .examples = {}, .render = {}};
  Examiner examiner(subject, nullptr, 0, {});
  Examination examination{examiner, 0};
  const auto table = instrument->administer(examination, *settings);
  ASSERT_TRUE(table) << table.error().message;
  const auto profile = profile_of(*instrument, *settings, *table, "keen", {.replicates = 200, .seed = 0});
  ASSERT_TRUE(profile) << profile.error().message;
  const auto* power = profile->find("power.raw");
  ASSERT_NE(power, nullptr);
  EXPECT_NEAR(power->estimate.value, 3.0, 1e-9);  // yes to item 1, no to the reversed item 2
  EXPECT_EQ(power->estimate.count, 5U);
  EXPECT_NEAR(power->uniform, 2.0, 1e-9);
}

TEST(Questionnaire, GivenNumbersAreScored) {
  const Scratch scratch;
  const auto* instrument = *find_instrument("questionnaire");
  const auto settings = Settings::resolve(instrument->settings(), {{"questionnaire", write_two_items(scratch).string()}});
  const auto table = instrument->parse_answers("3, 2", *settings);
  ASSERT_TRUE(table) << table.error().message;
  const auto estimator = instrument->prepare(*table, *settings);
  ASSERT_TRUE(estimator) << estimator.error().message;
  EXPECT_DOUBLE_EQ((*estimator)->estimate(std::vector<double>{1.0})[0], 2.5);
  const auto wrong = instrument->parse_answers("3 9", *settings);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "answer 2: 9 should be a whole number from 1 to 3");
}

}  // namespace
}  // namespace valence
