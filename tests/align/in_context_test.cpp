#include "valence/align/in_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "search_objective.h"
#include "support/scratch.h"
#include "valence/base/json.h"
#include "valence/instruments/measure.h"
#include "valence/instruments/svo.h"
#include "valence/values/space_map.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using testing::Scratch;

Settings settings_of(const SettingTable& table, const std::vector<std::pair<std::string, std::string>>& given = {}) {
  return Settings::resolve(table, given).value();
}

Target prosocial() {
  const std::vector<std::string> only = {"prosocial"};
  return narrowed(load_target("svo_reachable").value(), only).value();
}

/// Everything that an alignment of a scripted subject needs.
struct Bench {
  explicit Bench(const std::string& model, const std::string& id = "svo",
                 const std::vector<std::pair<std::string, std::string>>& asking = {{"labels", "letters"}})
      : instrument(find_instrument(id).value()),
        asked(settings_of(instrument->settings(), asking)),
        store(Store::open(scratch / "v.db").value()) {
    base.model.name = model;
  }
  Result<AlignedSubject> run(const Target& target, const std::vector<std::pair<std::string, std::string>>& given = {}) {
    const auto* aligner = find_aligner("in_context").value();
    const auto settings = settings_of(aligner->settings(), given);
    return align(*aligner, {.base = base,
                            .target = &target,
                            .instrument = instrument,
                            .asked = &asked,
                            .settings = settings,
                            .store = *store,
                            .folder = scratch.path(),
                            .seed = 0,
                            .stop = {},
                            .progress = nullptr});
  }
  Scratch scratch;
  const Instrument* instrument;
  Settings asked;
  std::unique_ptr<Store> store;
  SubjectSpec base;
};

TEST(PromptCandidates, ThereAreAtLeastFiveWordingsWithAndWithoutExamples) {
  const auto candidates = prompt_candidates(prosocial(), true).value();
  EXPECT_GE(candidates.size(), 10U);
  EXPECT_EQ(candidates.size() % 2, 0U);
  EXPECT_TRUE(candidates[0].examples.empty());
  EXPECT_EQ(candidates[1].examples.size(), 2U);
  EXPECT_EQ(prompt_candidates(prosocial(), false).value().size(), candidates.size() / 2);
}

TEST(PromptCandidates, AScoreTargetIsToldByWhatItPutsFirstAndLast) {
  Target target = load_target("ess11_ie").value();
  const auto candidates = prompt_candidates(target, false).value();
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [dimension, value] : target.values) order.emplace_back(value, dimension);
  std::sort(order.rbegin(), order.rend());
  const std::vector<std::pair<std::string, std::string>> words = {{"benevolence", "the welfare of the people"},
                                                                  {"power", "status, wealth and control"}};
  ASSERT_EQ(order.front().second, "benevolence");
  EXPECT_THAT(candidates[0].system, HasSubstr("benevolence (the welfare of the people"));
  EXPECT_THAT(candidates[0].system, HasSubstr("What matters least to you is"));
}

TEST(PromptCandidates, ARingTargetOfSeveralDirectionsIsRefused) {
  const auto candidates = prompt_candidates(load_target("svo_reachable").value(), true);
  ASSERT_FALSE(candidates);
  EXPECT_EQ(candidates.error().message,
            "target svo_reachable holds an angle for altruistic, prosocial, individualistic, competitive; a subject "
            "can be brought to one: name it "
            "(dimensions = [\"altruistic\"], or --direction)");
}

// On a slider that offers 0 to 100 towards the direction, the loss is the share that is not taken.
TEST(SearchLoss, IsNoughtForTheIdealAndOneForItsOpposite) {
  const auto measure = load_svo_measure().value();
  const auto* svo = find_instrument("svo").value();
  const auto settings = settings_of(svo->settings());
  AnswerTable best, worst;
  for (const auto& item : measure.items) {
    double low = 1e9, high = -1e9;
    std::size_t low_at = 0, high_at = 0;
    for (std::size_t i = 0; i < kSliderOptions; ++i) {
      const double joint = item.options[i].self + item.options[i].other;
      if (joint > high) {
        high = joint;
        high_at = i;
      }
      if (joint < low) {
        low = joint;
        low_at = i;
      }
    }
    for (auto [table, at] : {std::pair{&best, high_at}, std::pair{&worst, low_at}}) {
      AnswerRow row;
      row.item = item.id;
      row.probability.assign(kSliderOptions, 0.0);
      row.probability[at] = 1.0;
      table->rows.push_back(row);
    }
  }
  EXPECT_NEAR(search_loss(*svo, settings, best, prosocial()).value(), 0.0, 1e-12);
  EXPECT_NEAR(search_loss(*svo, settings, worst, prosocial()).value(), 1.0, 1e-12);
}

TEST(SearchLoss, WithoutAnyAnswerThereIsNone) {
  const auto* svo = find_instrument("svo").value();
  const auto loss = search_loss(*svo, settings_of(svo->settings()), {}, prosocial());
  ASSERT_FALSE(loss);
  EXPECT_EQ(loss.error().message, "no item that can tell towards prosocial was answered");
}

TEST(InContext, ASubjectThatFollowsItsPromptIsBroughtToTheTarget) {
  Bench bench("scripted:ideal");
  const auto aligned = bench.run(prosocial());
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto record = parse_json(aligned->record, "record").value();
  EXPECT_TRUE(record["improved"].get<bool>());
  EXPECT_GT(record["base_loss"].get<double>(), 0.1);
  EXPECT_THAT(aligned->subject.persona, HasSubstr("prosocial"));
  // Shown on the primary sliders, which the search never put.
  const auto subject = open_subject(aligned->subject).value();
  const auto measured = measure(*bench.instrument, bench.asked, subject, *bench.store, {}).value();
  EXPECT_NEAR(measured.profile.find("angle")->estimate.value, 45.0, 1e-6);
}

TEST(InContext, OnlyItemsOfTheSearchedHalfArePut) {
  Bench bench("scripted:ideal");
  ASSERT_TRUE(bench.run(prosocial(), {{"prompt_wordings", "1"}}));
  const auto record = parse_json(bench.store->run(1)->profile, "run 1").value();
  EXPECT_EQ(record["record"]["searched"].size(), 9U);
  EXPECT_EQ(record["record"]["held_out"].size(), 6U);
  // Three candidates, 9 items, 6 wordings, 2 orders: the number of requests says that nothing else was asked.
  std::size_t scored = 0;
  for (const auto& candidate : record["record"]["candidates"]) scored += candidate["loss"].is_number() ? 1 : 0;
  EXPECT_EQ(scored, 3U);
}

TEST(InContext, ASubjectThatHeedsNoPromptIsLeftAsItIs) {
  Bench bench("scripted:letter?label=A");
  const auto aligned = bench.run(prosocial());
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto record = parse_json(aligned->record, "record").value();
  EXPECT_FALSE(record["improved"].get<bool>());
  EXPECT_EQ(record["chosen"], "as it is");
  EXPECT_EQ(aligned->subject.persona, "");
}

TEST(InContext, WorksForAQuestionnaireAndATargetInItsSpace) {
  Bench bench("scripted:ideal", "questionnaire", {{"wordings", "1"}, {"format", "text"}});
  const auto aligned =
      bench.run(load_target("ess11_ie").value(), {{"prompt_wordings", "2"}, {"prompt_examples", "never"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto record = parse_json(aligned->record, "record").value();
  EXPECT_EQ(record["candidates"].size(), 3U);
  EXPECT_EQ(record["searched"].size(), 20U);
}

TEST(InContext, TheBasesOwnPersonaStaysInFront) {
  Bench bench("scripted:ideal");
  bench.base.persona = "You are a nurse.";
  const auto aligned = bench.run(prosocial()).value();
  EXPECT_TRUE(aligned.subject.persona.starts_with("You are a nurse.\n\n"));
}

}  // namespace
}  // namespace valence
