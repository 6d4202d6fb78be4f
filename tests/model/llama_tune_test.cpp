#include "valence/model/tune.h"

#include <gtest/gtest.h>

#include "model/llama_tiny.h"
#include "valence/base/files.h"

namespace valence::test {
namespace {

class Tuning : public ::testing::Test {
 protected:
  void SetUp() override {
    TinyModel tiny;
    tiny.embedding = 128;
    write_tiny(tiny, path_);
  }

  ScratchCache cache_;
  ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "tiny.gguf";
};

TEST_F(Tuning, TimesEveryFormatAndRemembersTheChoiceForThisMachine) {
  TuneOptions options;
  options.rounds = 1;
  options.tokens = 32;
  options.decode_steps = 1;
  options.engine.threads = 1;
  const auto silent = silent_progress();
  const auto tuned = tune_model(path_, options, *silent);
  ASSERT_TRUE(tuned) << tuned.error().message;
  ASSERT_EQ(tuned->timings.size(), 4U);
  for (const auto& timing : tuned->timings) {
    EXPECT_GT(timing.prefill, 0) << timing.format;
    EXPECT_GT(timing.decode, 0) << timing.format;
  }
  const auto remembered = remembered_tuning(*sha256_file(path_), tuned->backend, 1);
  ASSERT_TRUE(remembered);
  EXPECT_EQ(remembered->scoring, tuned->scoring);
  EXPECT_EQ(remembered->generation, tuned->generation);
  EXPECT_FALSE(remembered_tuning(*sha256_file(path_), tuned->backend, 7)) << "threads are part of the machine";
  const auto model = open_tiny(path_, [] {
    EngineOptions auto_format;
    auto_format.threads = 1;
    return auto_format;
  }());
  for (const auto& [key, value] : model->card().facts) {
    if (key == "scoring format") {
      EXPECT_EQ(value, tuned->scoring);
    }
    if (key == "generation format") {
      EXPECT_EQ(value, tuned->generation);
    }
  }
  EXPECT_EQ(model->card().identity, *sha256_file(path_)) << "identity is the source file's";
}

TEST_F(Tuning, AFormatIsMadeOnceAndScoresLikeTheFile) {
  const auto identity = *sha256_file(path_);
  const auto made = prepare_format(path_, identity, "f16");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(std::filesystem::exists(*made));
  EXPECT_EQ(*prepare_format(path_, identity, "f16"), *made);
  EXPECT_EQ(*prepare_format(path_, identity, "as_is"), path_);
  EXPECT_EQ(prepare_format(path_, identity, "f8").error().message,
            "compute format \"f8\" is unknown; choose as_is, f32, f16 or q8_0");

  auto half = exact_options();
  half.format = "f16";
  const std::vector<Request> requests{ScoreRequest{random_prompt(1, 30), {"yes", "no"}, ""}};
  const auto a = open_tiny(path_), b = open_tiny(path_, half);
  const auto difference = largest_difference(run_all(*a, plan_of(*a, requests)), run_all(*b, plan_of(*b, requests)));
  EXPECT_GT(difference, 0);
  EXPECT_LT(difference, 0.05);
}

TEST_F(Tuning, AFailedConversionLeavesNothingBehind) {
  const auto identity = *sha256_file(path_);
  const auto failed = prepare_format(folder_ / "absent.gguf", identity, "f16");
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("could not be converted"), std::string::npos) << failed.error().message;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(cache_.path())) {
    EXPECT_NE(entry.path().extension(), ".part");
    EXPECT_NE(entry.path().extension(), ".gguf");
  }
}

TEST(BackendChoice, TheNativeOneMustBeFasterAndAgree) {
  const BackendMeasurement native{"native", "cpu", 300, {1.0F, 2.0F, 3.0F}};
  BackendMeasurement prebuilt{"prebuilt", "cpu", 150, {1.1F, 2.1F, 3.1F}};
  auto choice = choose_backend(native, prebuilt);
  EXPECT_EQ(choice.chosen, "native");
  EXPECT_EQ(choice.reason, "the native backend is faster and agrees");
  EXPECT_NEAR(choice.largest_difference, 0.0, 1e-6) << "a shift of all logits is no difference";
  prebuilt.prefill = 299;
  EXPECT_EQ(choose_backend(native, prebuilt).reason, "the native backend is not faster");
  prebuilt.prefill = 150;
  prebuilt.logits[2] = 9.0F;
  choice = choose_backend(native, prebuilt);
  EXPECT_EQ(choice.chosen, "prebuilt");
  EXPECT_EQ(choice.reason, "the native backend computes something else");
  prebuilt.logits.clear();
  EXPECT_EQ(choose_backend(native, prebuilt).chosen, "prebuilt");
}

TEST(BackendChoice, MeasurementsTravelAsJson) {
  const BackendMeasurement measured{"native", "cpu", 300.5, {1.0F, -2.25F}};
  const auto read = backend_measurement_from_json(to_json(measured));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->backend, "native");
  EXPECT_EQ(read->prefill, 300.5);
  EXPECT_EQ(read->logits, measured.logits);
  EXPECT_FALSE(backend_measurement_from_json("{\"backend\":1}"));
}

TEST(BackendChoice, AMeasurementHasSpeedAndLogits) {
  const ScratchCache cache;
  ScratchFolder folder;
  write_tiny({}, folder / "tiny.gguf");
  const auto measured = measure_backend(folder / "tiny.gguf", "auto", 1);
  ASSERT_TRUE(measured) << measured.error().message;
  EXPECT_GT(measured->prefill, 0);
  EXPECT_EQ(measured->logits.size(), 258U);
}

}  // namespace
}  // namespace valence::test
