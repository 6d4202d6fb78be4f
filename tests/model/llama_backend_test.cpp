#include "llama_backend.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "llama.h"

namespace valence::test {
namespace {

TEST(Engine, ReportsWhatItComputesWith) {
  const auto facts = start_engine("auto", "cpu");
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_TRUE(facts->version.starts_with(kEngineVersion));
  EXPECT_FALSE(facts->features.empty());
  EXPECT_EQ(facts->device, "cpu");
  EXPECT_GE(usable_cores(), 1);
}

TEST(Engine, RefusesNamesItDoesNotKnow) {
  EXPECT_EQ(start_engine("fast", "cpu").error().message, "backend \"fast\" is unknown; choose auto, native or prebuilt");
  EXPECT_EQ(start_engine("auto", "tpu").error().message, "device \"tpu\" is unknown; choose cpu, cuda, vulkan or metal");
}

TEST(Engine, KeepsTheBackendItBeganWith) {
  const auto facts = start_engine("auto", "cpu");
  ASSERT_TRUE(facts);
  const std::string other = facts->backend == "native" ? "prebuilt" : "native";
  if (facts->backend == "built in") GTEST_SKIP() << "the engine is linked in";
  EXPECT_EQ(start_engine(other, "cpu").error().message,
            "backend " + other + " was asked for, but this process already computes with " + facts->backend);
  EXPECT_EQ(start_engine("auto", "cuda").error().message,
            "device cuda was asked for, but this process already computes on cpu");
}

TEST(Engine, QuotesItsErrorsOnceAndPrintsNothing) {
  ASSERT_TRUE(start_engine("auto", "cpu"));
  take_engine_errors();
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(llama_model_load_from_file("/nonexistent/model.gguf", llama_model_default_params()), nullptr);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(engine_failure("it failed").find("it failed: "), std::string::npos);
  EXPECT_EQ(engine_failure("it failed"), "it failed");
}

TEST(CapturedStderr, TakesWhatIsWrittenAndGivesItBack) {
  ::testing::internal::CaptureStderr();
  {
    const CapturedStderr captured;
    std::fputs("inside\n", stderr);
    EXPECT_EQ(captured.text(), "inside");
  }
  std::fputs("outside\n", stderr);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "outside\n");
}

}  // namespace
}  // namespace valence::test
