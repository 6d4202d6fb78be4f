// Choice alignment towards a target, from the file of a tiny random model to its adapter, by the trainer itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/scratch.h"
#include "trained.h"
#include "valence/align/choice.h"
#include "valence/base/json.h"
#include "valence/instruments/content_test.h"
#include "valence/instruments/measure.h"
#include "valence/stats/distribution.h"
#include "valence/values/opinions.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using Given = std::vector<std::pair<std::string, std::string>>;

class ChoiceAlignment : public testing::Trained {
 protected:
  Result<AlignedSubject> align_to(const std::string& instrument, const Given& asked, const Target* target,
                                  const Given& given = {}) {
    const auto* found = find_instrument(instrument).value();
    const auto* aligner = find_aligner("choice").value();
    const auto resolved = Settings::resolve(found->settings(), asked).value();
    const auto settings = Settings::resolve(aligner->settings(), given).value();
    auto request = context(settings);
    request.target = target;
    request.instrument = found;
    request.asked = &resolved;
    return align(*aligner, request);
  }

  /// A subject's answers to the same questions.
  AnswerTable answers(const SubjectSpec& spec, const Instrument& instrument, const Settings& settings) {
    const auto subject = open_subject(spec).value();
    Examiner examiner(subject, nullptr, 0, {.seed = 1});
    Examination examination{examiner, 1, nullptr, {}, false};
    return instrument.administer(examination, settings).value();
  }

  double accuracy(const SubjectSpec& spec, const std::string& id, const Given& asked, const Target& target) {
    const auto* instrument = find_instrument(id).value();
    const auto settings = Settings::resolve(instrument->settings(), asked).value();
    const auto table = answers(spec, *instrument, settings);
    return content_test(*instrument, {&settings, &table}, target, {})->scores.front().accuracy.value;
  }

  const Target prosocial_ =
      narrowed(load_target("svo_reachable").value(), std::vector<std::string>{"prosocial"}).value();
};

#ifdef VALENCE_TRAINER
TEST_F(ChoiceAlignment, TrainsTowardsTheTargetItselfAndTheAdapterAnswersAsItDoes) {
  const Given asked = {
      {"items", "generated"}, {"lines", "1"}, {"wordings", "1"}, {"labels", "letters"}, {"layouts", "paper"}};
  const auto aligned = align_to("svo", asked, &prosocial_, {{"steps", "15"}, {"learning_rate", "0.02"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  ASSERT_EQ(aligned->subject.model.adapters.size(), 1U);
  const auto record = parse_json(aligned->record, "record").value();
  EXPECT_EQ(record["questions"], 1);
  EXPECT_EQ(record["layouts"], 1);
  EXPECT_EQ(record["unanswered"], 0);
  EXPECT_EQ(record["steps"], 15);
  EXPECT_EQ(record["toward"], "target svo_reachable");
  EXPECT_THAT(aligned->subject.name, HasSubstr("aligned to target svo_reachable"));
  EXPECT_THAT(record["rule"].get<std::string>(), HasSubstr("worth most in the prosocial direction"));
  EXPECT_LT(accuracy(base_, "svo", asked, prosocial_), 0.4);
  EXPECT_GT(accuracy(aligned->subject, "svo", asked, prosocial_), 0.9);
  // It is filed, and found again by its run.
  EXPECT_EQ(load_aligned(*store_, aligned->run)->subject.model.adapters.size(), 1U);
  EXPECT_EQ(store_->run(aligned->run)->instrument, "align/choice");
}

// The first of two questions is of the survey that the target is of.
TEST_F(ChoiceAlignment, LearnsHowAPopulationSharesOutItsAnswers) {
  const OpinionQuestion warm{"Is it warm?", {"yes", "no", "sometimes", "perhaps"}, {0.7, 0.1, 0.1, 0.1}, 0.0};
  const OpinionQuestion late{"Is it late?", {"yes", "no"}, {0.5, 0.5}, 0.0};
  const OpinionTarget survey{"survey", "a survey", "some", false, {"made up", "none", ""}, {warm, late}};
  const OpinionTarget people{"people", "people", "people", false, {"made up", "none", ""}, {warm}};
  const auto file = (folder_ / "survey.json").string();
  testing::put_file(file, to_text(to_json(survey)));
  const Given asked = {{"questions", file}, {"wordings", "1"}, {"orders", "paper"}};
  const auto target = as_target(people);
  const auto aligned =
      align_to("opinions", asked, &target, {{"steps", "40"}, {"learning_rate", "0.02"}, {"schedule", "linear"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto record = parse_json(aligned->record, "record").value();
  EXPECT_EQ(record["questions"], 1);
  EXPECT_EQ(record["unanswered"], 1);
  EXPECT_EQ(record["not_in_target"], Json::array({late.id()}));
  EXPECT_EQ(record["not_put"], Json::array());
  EXPECT_EQ(record["rule"], "each question's answers as people distributed them (people)");
  const auto* instrument = find_instrument("opinions").value();
  const auto settings = Settings::resolve(instrument->settings(), asked).value();
  const auto distance = [&](const SubjectSpec& spec) {
    return stats::jensen_shannon_distance(answers(spec, *instrument, settings).rows.front().probability, warm.share);
  };
  const double before = distance(base_), after = distance(aligned->subject);
  EXPECT_LT(after, before / 2) << before;
  EXPECT_LT(after, 0.12);  // so narrow a model cannot put all their probability on four labels
}

TEST_F(ChoiceAlignment, LearnsTheAnswersOfAnotherSubjectWhereOneIsNamed) {
  const Given asked = {{"set", "low"}, {"scenarios", "1"}, {"forms", "standard"}};
  const auto aligned = align_to("moralchoice", asked, nullptr, {{"toward", "scripted:ideal"}, {"steps", "2"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto record = parse_json(aligned->record, "record").value();
  EXPECT_EQ(record["toward"], "scripted:ideal");
  EXPECT_EQ(record["rule"], "");
  EXPECT_EQ(record["questions"], 1);
}
#endif

TEST_F(ChoiceAlignment, WithoutATargetSomebodyMustBeNamed) {
  const auto aligned = align_to("svo", {}, nullptr);
  ASSERT_FALSE(aligned);
  EXPECT_EQ(aligned.error().code, ErrorCode::kUsage);
  EXPECT_EQ(aligned.error().message,
            "choice: say whose answers are learned: name a target, or a model or scripted subject with toward");
  EXPECT_TRUE(store_->runs()->empty());
}

TEST_F(ChoiceAlignment, TwoTeachersAreOneTooMany) {
  const auto aligned = align_to("svo", {}, &prosocial_, {{"toward", "scripted:ideal"}});
  ASSERT_FALSE(aligned);
  EXPECT_EQ(
      aligned.error().message,
      "choice: both the target svo_reachable and toward = \"scripted:ideal\" say whose answers are learned; leave one "
      "out");
}

TEST_F(ChoiceAlignment, ATargetThatTheInstrumentCannotExpressIsRefusedBeforeAnything) {
  const auto ess = load_target("ess11_fr").value();
  const auto aligned = align_to("svo", {}, &ess);
  ASSERT_FALSE(aligned);
  EXPECT_THAT(aligned.error().message, HasSubstr("cannot answer for target ess11_fr, which lives in schwartz10"));
  EXPECT_TRUE(store_->runs()->empty());
}

}  // namespace
}  // namespace valence
