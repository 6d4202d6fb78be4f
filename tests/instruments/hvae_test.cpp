// The whole chain Examiner → AnswerTable → Estimator against subjects whose truth is known.
#include "valence/instruments/hvae.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "valence/exam/examiner.h"
#include "valence/instruments/svo.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

const SvoMeasure& coins() {
  static const auto loaded = load_svo_measure().value();
  return loaded;
}

std::pair<long, long> numbers_of(const std::string& text) {
  std::vector<long> numbers;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!std::isdigit(static_cast<unsigned char>(text[i]))) continue;
    numbers.push_back(std::stol(text.substr(i)));
    while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i]))) ++i;
  }
  if (numbers.size() != 2) return {-1, -1};
  return {numbers[0], numbers[1]};
}

std::pair<long, long> rounded(const Allocation& allocation) {
  return {std::lround(allocation.self), std::lround(allocation.other)};
}

/// Which primary or secondary item offers these divisions, in whatever order.
std::size_t item_of(const std::vector<std::string>& contents) {
  std::multiset<std::pair<long, long>> shown;
  for (const auto& content : contents) shown.insert(numbers_of(content));
  for (std::size_t i = 0; i < coins().items.size(); ++i) {
    std::multiset<std::pair<long, long>> offered;
    for (const auto& option : coins().items[i].options) offered.insert(rounded(option));
    if (offered == shown) return i;
  }
  return coins().items.size();
}

/// Answers each item by content: the letter of a string, whatever order and labels it is shown in.
class TypedSubject : public ScriptedBehaviour {
 public:
  explicit TypedSubject(std::string letters) : letters_(std::move(letters)) {}

  std::vector<double> choose(const ScriptedChoice& choice) const override {
    seen.push_back(choice.conversation);
    std::vector<double> p(choice.contents.size(), 0.0);
    const auto item = item_of(choice.contents);
    EXPECT_LT(item, letters_.size()) << choice.conversation.messages.back().text;
    if (item >= letters_.size()) return p;
    const auto& wanted = coins().items[item].options[static_cast<std::size_t>(letters_[item] - 'A')];
    std::size_t hits = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (numbers_of(choice.contents[i]) != rounded(wanted)) continue;
      p[i] = 1.0;
      ++hits;
    }
    EXPECT_EQ(hits, 1u);
    return p;
  }

  std::string reply(const Conversation&, std::uint64_t) const override { return said; }

  std::string said = "I take what serves me best.";
  mutable std::vector<Conversation> seen;

 private:
  std::string letters_;
};

/// Always the first label of the list.
class LetterA : public ScriptedBehaviour {
 public:
  std::vector<double> choose(const ScriptedChoice& choice) const override {
    std::vector<double> p(choice.labels.size(), 0.0);
    p[static_cast<std::size_t>(std::ranges::find(choice.labels, "A") - choice.labels.begin())] = 1.0;
    return p;
  }
  std::string reply(const Conversation&, std::uint64_t) const override { return "A"; }
};

Subject subject_of(std::shared_ptr<const ScriptedBehaviour> behaviour) {
  Subject subject;
  subject.name = "scripted";
  subject.model = scripted_model("scripted", "test", std::move(behaviour));
  return subject;
}

using Given = std::vector<std::pair<std::string, std::string>>;

Result<AnswerTable> administered(const Instrument& instrument, std::shared_ptr<const ScriptedBehaviour> behaviour,
                                 const Given& given, std::uint64_t seed = 1) {
  VALENCE_TRY(const auto settings, Settings::resolve(instrument.settings(), given));
  const auto subject = subject_of(std::move(behaviour));
  Examiner examiner(subject, nullptr, 0, {.seed = seed});
  Examination examination{examiner, seed};
  return instrument.administer(examination, settings);
}

std::map<std::string, double> figures_of(const Instrument& instrument, const AnswerTable& table, const Given& given) {
  const auto settings = Settings::resolve(instrument.settings(), given).value();
  const auto estimator = instrument.prepare(table, settings).value();
  const auto values = estimator->estimate(std::vector<double>(estimator->units().size(), 1.0));
  std::map<std::string, double> by_id;
  for (std::size_t i = 0; i < values.size(); ++i) by_id[estimator->estimands()[i].id] = values[i];
  return by_id;
}

std::map<std::string, double> measured(const Instrument& instrument, std::shared_ptr<const ScriptedBehaviour> behaviour,
                                       const Given& given) {
  const auto table = administered(instrument, std::move(behaviour), given);
  EXPECT_TRUE(table) << table.error().message;
  return table ? figures_of(instrument, *table, given) : std::map<std::string, double>{};
}

struct Truth {
  std::string letters;
  double angle;
};
const std::vector<Truth>& truths() {
  static const std::vector<Truth> all = {{"AIAAII", 61.389540334034790},
                                         {"AIIAEI", 45.0},
                                         {"EIIIAA", 0.0},
                                         {"IAIIAA", -16.260204708311957},
                                         {"AIIDEI", 37.482411427718468}};
  return all;
}
double true_angle(const std::string& letters) { return *svo_angle(*svo_allocations(coins().primary(), letters)); }

TEST(HvaeChain, TypedSubjectsAreRecoveredInAllSliderLayoutsAndLabelSets) {
  const auto instrument = make_hvae();
  for (const auto& truth : truths()) {
    ASSERT_NEAR(true_angle(truth.letters), truth.angle, 1e-6);
    const auto found = measured(*instrument, std::make_shared<TypedSubject>(truth.letters), {{"dialogues", "12"}});
    for (const auto* condition : {"altruistic", "prosocial", "individualistic", "competitive", "plain"}) {
      EXPECT_NEAR(found.at(fmt::format("{}.angle", condition)), true_angle(truth.letters), 1e-9) << truth.letters;
      EXPECT_NEAR(found.at(fmt::format("{}.mean_dialogue_angle", condition)), true_angle(truth.letters), 1e-9);
    }
  }
}

TEST(HvaeChain, TypedSubjectsAreRecoveredInTextInSequenceAndUnderRotation) {
  const auto instrument = make_hvae();
  const std::vector<Given> manners = {{{"format", "text"}},
                                      {{"format", "text"}, {"normalisation", "none"}, {"histories", "sampled"}},
                                      {{"histories", "sampled"}},
                                      {{"layouts", "rotation"}},
                                      {{"layouts", "paper"}},
                                      {{"goal", "false"}}};
  for (auto given : manners) {
    const auto manner = given.front().first + "=" + given.front().second;
    given.emplace_back("dialogues", "3");
    given.emplace_back("values", "competitive, plain");
    const auto found = measured(*instrument, std::make_shared<TypedSubject>("AIIDEI"), given);
    EXPECT_NEAR(found.at("competitive.angle"), true_angle("AIIDEI"), 1e-9) << manner;
    EXPECT_NEAR(found.at("plain.angle"), true_angle("AIIDEI"), 1e-9) << manner;
    EXPECT_NEAR(found.at("plain.category.prosocial"), 1.0, 1e-9) << manner;
  }
}

TEST(SvoChain, TypedSubjectsAreRecoveredInEveryWordingLayoutAndLabelSet) {
  const auto instrument = make_svo();
  for (const auto& truth : truths()) {
    const auto found = measured(*instrument, std::make_shared<TypedSubject>(truth.letters), {});
    EXPECT_NEAR(found.at("angle"), true_angle(truth.letters), 1e-9) << truth.letters;
  }
}

TEST(SvoChain, SecondaryItemsAndTextAreRecoveredToo) {
  const auto instrument = make_svo();
  for (const auto* format : {"letter", "text"}) {
    const Given given = {{"items", "all"}, {"format", format}};
    const auto found = measured(*instrument, std::make_shared<TypedSubject>("AIIAEIFEDGEHECB"), given);
    EXPECT_NEAR(found.at("angle"), 45.0, 1e-9) << format;
    EXPECT_NEAR(found.at("secondary.index"), 0.0, 1e-9) << format;
  }
}

TEST(HvaeChain, TheIdealSubjectReachesEveryTargetInEveryWording) {
  const auto instrument = make_hvae();
  const auto settings = Settings::resolve(instrument->settings(), Given{{"dialogues", "12"}}).value();
  Subject subject;
  subject.name = "ideal";
  auto model = open_scripted("ideal");
  ASSERT_TRUE(model) << model.error().message;
  subject.model = std::move(*model);
  Examiner examiner(subject, nullptr, 0, {.seed = 1});
  Examination examination{examiner, 1};
  const auto table = instrument->administer(examination, settings);
  ASSERT_TRUE(table) << table.error().message;
  const auto found = figures_of(*instrument, *table, {{"dialogues", "12"}});
  EXPECT_NEAR(found.at("altruistic.angle"), true_angle("AIAAII"), 1e-9);
  EXPECT_NEAR(found.at("prosocial.angle"), 45.0, 1e-9);
  EXPECT_NEAR(found.at("individualistic.angle"), 0.0, 0.1);  // item 1 is free: half a coin from even, on average
  EXPECT_NEAR(found.at("competitive.angle"), true_angle("IAIIAA"), 1e-9);
  EXPECT_NEAR(found.at("individualistic.lambda.individualistic"), 1.0, 1e-9);
  EXPECT_NEAR(found.at("competitive.lambda.competitive"), 1.0, 1e-9);
}

TEST(HvaeChain, AlwaysTheLetterAScoresThirtyInThePublishedLayout) {
  const auto instrument = make_hvae();
  const Given exact = {{"layouts", "paper"}, {"dialogues", "3"}};
  EXPECT_NEAR(measured(*instrument, std::make_shared<LetterA>(), exact).at("altruistic.angle"), 30.4655, 5e-5);
  const Given paper = {{"protocol", "paper"}, {"dialogues", "2"}};
  EXPECT_NEAR(measured(*instrument, std::make_shared<LetterA>(), paper).at("competitive.angle"), 30.4655, 5e-5);
}

TEST(HvaeChain, ThePaperProtocolIsTenSampledDialoguesInOneOrderAndInSequence) {
  const auto instrument = make_hvae();
  const auto table = administered(*instrument, std::make_shared<LetterA>(), {{"protocol", "paper"}}).value();
  EXPECT_EQ(table.units().size(), 10u);
  std::map<std::string, std::size_t> conditions;
  for (const auto& row : table.rows) {
    if (row.probability.empty()) continue;
    ++conditions[row.condition];
    EXPECT_EQ(row.route, Route::kSampled);
    EXPECT_EQ(row.draws, 1u);
    EXPECT_EQ(row.text, "A");
    EXPECT_EQ(row.place.front(), 0u);
  }
  EXPECT_EQ(conditions, (std::map<std::string, std::size_t>{
                            {"altruistic", 60}, {"competitive", 60}, {"individualistic", 60}, {"prosocial", 60}}));
}

/// The conversations of the choices, in the order in which the subject met them.
std::vector<Conversation> choices_seen(const Given& given, const std::string& reply = "Fine.") {
  auto subject = std::make_shared<TypedSubject>("AIIDEI");
  subject->said = reply;
  const auto table = administered(*make_hvae(), subject, given);
  EXPECT_TRUE(table) << table.error().message;
  return subject->seen;
}

TEST(HvaeDialogue, IndependentItemsSeeInductionOnly) {
  for (const auto& conversation : choices_seen({{"dialogues", "1"}, {"values", "prosocial"}})) {
    EXPECT_EQ(conversation.messages.size(), 7u);  // three exchanges, then the question
    EXPECT_THAT(conversation.messages.front().text, ::testing::HasSubstr("prosocial"));
  }
}

TEST(HvaeDialogue, SampledHistoriesShowEveryEarlierAnswer) {
  const auto seen = choices_seen({{"dialogues", "1"}, {"values", "prosocial"}, {"histories", "sampled"}});
  std::set<std::size_t> lengths;
  for (const auto& conversation : seen) lengths.insert(conversation.messages.size());
  EXPECT_EQ(lengths, (std::set<std::size_t>{7, 9, 11, 13, 15, 17}));
}

TEST(HvaeDialogue, WithoutGoalNoGoalIsAskedAndTheValueIsNamedInTheQuestion) {
  for (const auto& conversation : choices_seen({{"dialogues", "1"}, {"values", "altruistic"}, {"goal", "false"}})) {
    EXPECT_EQ(conversation.messages.size(), 5u);
    EXPECT_THAT(conversation.messages.back().text, ::testing::HasSubstr("altruistic"));
  }
}

TEST(HvaeDialogue, ThePlainConditionInducesNothing) {
  for (const auto& conversation : choices_seen({{"dialogues", "6"}, {"values", "plain"}})) {
    ASSERT_EQ(conversation.messages.size(), 1u);
    const auto& text = conversation.messages.front().text;
    for (const auto category : kSvoCategories) {
      EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr(std::string(to_string(category)))));
    }
  }
}

TEST(HvaeDialogue, AGoalIsQuotedLiterallyWhateverItSays) {
  const std::string goal = R"(Give "all" {options} to {labels}, {{goal}} and {value}.)";
  for (const auto* format : {"letter", "text"}) {
    for (const auto& conversation :
         choices_seen({{"dialogues", "6"}, {"values", "altruistic"}, {"format", format}}, goal)) {
      EXPECT_THAT(conversation.messages.back().text, ::testing::HasSubstr("\"" + goal + "\"")) << format;
    }
  }
}

TEST(HvaeDialogue, TheCompetitiveValueIsCalledHyperCompetitiveAsPublished) {
  const auto plain = choices_seen({{"dialogues", "1"}, {"values", "competitive"}});
  EXPECT_THAT(plain.front().messages.front().text, ::testing::Not(::testing::HasSubstr("hyper-competitive")));
  const auto published =
      choices_seen({{"dialogues", "1"}, {"values", "competitive"}, {"competitive_name", "hyper-competitive"}});
  EXPECT_THAT(published.front().messages.front().text, ::testing::HasSubstr("hyper-competitive"));
}

TEST(HvaePlan, DialoguesAreTheSameUnderEveryConditionAndBalancedOverLayouts) {
  const auto table = administered(*make_hvae(), std::make_shared<TypedSubject>("AIIDEI"), {}).value();
  std::map<std::pair<std::string, std::string>, std::string> layout_of;  // (unit, condition) → layout
  std::map<std::string, std::size_t> dialogues_with;
  std::map<std::string, std::set<std::string>> wordings;
  for (const auto& row : table.rows) {
    if (row.item != "1") continue;
    layout_of[{row.unit, row.condition}] = row.layout;
    wordings[row.condition].insert(row.variant);
    if (row.condition == "altruistic") ++dialogues_with[row.layout];
  }
  EXPECT_EQ(table.units().size(), 30u);
  for (const auto& unit : table.units()) {
    for (const auto* condition : {"prosocial", "individualistic", "competitive", "plain"}) {
      EXPECT_EQ((layout_of.at({unit, condition})), (layout_of.at({unit, "altruistic"}))) << unit;
    }
  }
  std::size_t reversed = 0, letters = 0;
  for (const auto& [layout, count] : dialogues_with) {
    if (layout.starts_with("reversed")) reversed += count;
    if (layout.ends_with("A–I")) letters += count;
  }
  EXPECT_EQ(reversed, 15u);
  EXPECT_EQ(letters, 10u);
  for (const auto& [condition, used] : wordings) EXPECT_GE(used.size(), 5u) << condition;
}

TEST(HvaePlan, VersionBAsksTheItemsInReverse) {
  std::map<std::string, std::size_t> first_items;
  const auto table = administered(*make_hvae(), std::make_shared<TypedSubject>("AIIDEI"), {{"values", "plain"}}).value();
  std::string unit;
  for (const auto& row : table.rows) {
    if (row.unit != unit) ++first_items[row.item];
    unit = row.unit;
  }
  EXPECT_EQ(first_items, (std::map<std::string, std::size_t>{{"1", 15}, {"6", 15}}));
}

TEST(HvaePlan, TheSameSeedAsksTheSame) {
  const Given given = {{"dialogues", "5"}, {"values", "plain"}};
  const auto layouts = [&](std::uint64_t seed) {
    const auto table = administered(*make_hvae(), std::make_shared<TypedSubject>("AIIDEI"), given, seed).value();
    std::string all;
    for (const auto& row : table.rows) all += row.variant + row.layout + ";";
    return all;
  };
  EXPECT_EQ(layouts(3), layouts(3));
  EXPECT_NE(layouts(3), layouts(4));
}

TEST(HvaeRows, OpenRepliesAreKeptAndNotScored) {
  const Given given = {{"dialogues", "1"}, {"values", "altruistic"}};
  const auto instrument = make_hvae();
  const auto table = administered(*instrument, std::make_shared<TypedSubject>("AIAAII"), given).value();
  ASSERT_EQ(table.rows.size(), 9u);
  EXPECT_EQ(table.rows[2].item, "goal");
  EXPECT_EQ(table.rows[2].text, "I take what serves me best.");
  EXPECT_NEAR(figures_of(*instrument, table, given).at("altruistic.angle"), true_angle("AIAAII"), 1e-9);
}

TEST(HvaeRows, TheGateJudgesTheSliderAnswersOnly) {
  const Given given = {{"dialogues", "2"}, {"values", "altruistic,plain"}};
  const auto instrument = make_hvae();
  const auto settings = Settings::resolve(instrument->settings(), given).value();
  const auto table = administered(*instrument, std::make_shared<TypedSubject>("AIAAII"), given).value();
  EXPECT_EQ(table.rows.size(), 30u);
  const auto judged = instrument->headline(table, settings);
  EXPECT_EQ(judged.rows.size(), 24u);
  for (const auto& row : judged.rows) EXPECT_EQ(row.probability.size(), kSliderOptions);
}

TEST(HvaeRows, DrawnHistoriesSayWhatWasDrawn) {
  const Given given = {{"dialogues", "4"}, {"values", "altruistic"}, {"histories", "sampled"}};
  const auto table = administered(*make_hvae(), std::make_shared<TypedSubject>("AIAAII"), given).value();
  for (const auto& row : table.rows) {
    if (row.probability.empty()) continue;
    EXPECT_FALSE(row.text.empty()) << row.item;
  }
}

/// Declines whatever is asked.
class Mute : public ScriptedBehaviour {
 public:
  std::vector<double> choose(const ScriptedChoice& choice) const override {
    return std::vector<double>(choice.labels.size(), 0.0);
  }
  std::string reply(const Conversation&, std::uint64_t) const override { return "I cannot help with that."; }
};

TEST(HvaeRows, RefusalsAreCountedAndLeaveTheAngleUndefined) {
  const auto instrument = make_hvae();
  const Given given = {{"protocol", "paper"}, {"dialogues", "1"}, {"values", "altruistic"}};
  const auto table = administered(*instrument, std::make_shared<Mute>(), given).value();
  std::size_t refused = 0;
  for (const auto& row : table.rows) refused += row.status == Status::kRefused ? 1 : 0;
  EXPECT_EQ(refused, 9u);
  EXPECT_TRUE(std::isnan(figures_of(*instrument, table, given).at("altruistic.angle")));
}

TEST(HvaeSettings, AnUnknownValueSuggestsTheNearest) {
  const auto table = administered(*make_hvae(), std::make_shared<LetterA>(), {{"values", "altruistc"}});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().message,
            "setting \"values\": unknown value \"altruistc\"; did you mean \"altruistic\"?; expected some of altruistic, "
            "prosocial, individualistic, competitive, plain, separated by commas");
  EXPECT_EQ(administered(*make_hvae(), std::make_shared<LetterA>(), {{"values", "plain,plain"}}).error().message,
            "setting \"values\": \"plain\" is named twice");
}

TEST(HvaeSettings, TextCannotBeSampled) {
  const auto table =
      administered(*make_hvae(), std::make_shared<LetterA>(), {{"protocol", "paper"}, {"format", "text"}});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().message,
            "format = text needs exact probabilities, and protocol = paper draws answers; use format = letter or protocol = "
            "default");
}

TEST(HvaeAnswers, ThereIsNoShortForm) {
  const auto instrument = make_hvae();
  const auto settings = Settings::resolve(instrument->settings(), Given{}).value();
  EXPECT_EQ(instrument->parse_answers("AIAAII", settings).error().message,
            "hvae has no short form of answers, since its answers belong to induced values: give a CSV or JSONL file, or "
            "score one slider with: valence score svo --answers AIAAII");
}

}  // namespace
}  // namespace valence
