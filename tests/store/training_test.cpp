#include <gtest/gtest.h>

#include <limits>

#include "support/scratch.h"
#include "valence/store/store.h"

namespace valence {
namespace {

using testing::Scratch;

RunRecord choice_run() {
  RunRecord run;
  run.key = "k";
  run.instrument = "align/choice";
  run.subject = "smollm2";
  run.settings = run.provenance = "{}";
  return run;
}

struct TrainingRun {
  Scratch scratch;
  std::unique_ptr<Store> store = Store::open(scratch / "v.db").value();
  RunId run = store->create_run(choice_run()).value();
};

TrainingStep step_with(std::int64_t number, double loss) {
  TrainingStep step;
  step.step = number;
  step.examples = 8;
  step.tokens = 1200;
  step.loss = loss;
  step.learning_rate = 5e-4;
  step.gradient_norm = 1.5;
  step.seconds = 3.0;
  step.accuracy = 0.75;
  step.phases = {{"forward", 1.0}, {"backward", 2.0}};
  step.others = {{"captured_mass", 0.9}};
  return step;
}

TEST(TrainingSteps, ComeBackInOrderWithWhatAnObjectiveHas) {
  const TrainingRun it;
  ASSERT_TRUE(it.store->put_training_step(it.run, step_with(2, 0.5)));
  ASSERT_TRUE(it.store->put_training_step(it.run, step_with(1, 0.75)));
  const auto steps = it.store->training_steps(it.run).value();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].step, 1);
  EXPECT_EQ(steps[0].loss, 0.75);
  EXPECT_EQ(steps[1].accuracy, 0.75);
  EXPECT_FALSE(steps[1].margin.has_value());
  EXPECT_EQ(steps[1].phases.at("backward"), 2.0);
  EXPECT_EQ(steps[1].others.at("captured_mass"), 0.9);
  EXPECT_EQ(steps[1].tokens_per_second(), 400.0);
}

TEST(TrainingSteps, AStepThatIsDoneAgainTakesThePlaceOfTheFirst) {
  const TrainingRun it;
  ASSERT_TRUE(it.store->put_training_step(it.run, step_with(1, 0.75)));
  ASSERT_TRUE(it.store->put_training_step(it.run, step_with(1, 0.5)));
  const auto steps = it.store->training_steps(it.run).value();
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].loss, 0.5);
}

TEST(TrainingSteps, ANumberThatIsNotFiniteIsRefused) {
  const TrainingRun it;
  auto step = step_with(3, 0.5);
  step.others["z0"] = std::numeric_limits<double>::quiet_NaN();
  const auto done = it.store->put_training_step(it.run, step);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "training step 3 holds a number that is not finite");
}

TEST(Artefacts, TheLaterOfAKindTakesThePlaceOfTheEarlier) {
  const TrainingRun it;
  ASSERT_TRUE(it.store->put_artefact(it.run, {"adapter", "out/a.gguf", "aa"}));
  ASSERT_TRUE(it.store->put_artefact(it.run, {"peft", "out/peft", ""}));
  ASSERT_TRUE(it.store->put_artefact(it.run, {"adapter", "out/b.gguf", "bb"}));
  const auto artefacts = it.store->artefacts(it.run).value();
  ASSERT_EQ(artefacts.size(), 2U);
  EXPECT_EQ(artefacts[0].path, "out/b.gguf");
  EXPECT_EQ(artefacts[1].kind, "peft");
}

TEST(Artefacts, GoWithTheirRun) {
  const TrainingRun it;
  ASSERT_TRUE(it.store->put_artefact(it.run, {"adapter", "out/a.gguf", "aa"}));
  ASSERT_TRUE(it.store->put_training_step(it.run, step_with(1, 0.5)));
  ASSERT_TRUE(it.store->remove_run(it.run));
  EXPECT_TRUE(it.store->artefacts(it.run)->empty());
  EXPECT_TRUE(it.store->training_steps(it.run)->empty());
}

}  // namespace
}  // namespace valence
