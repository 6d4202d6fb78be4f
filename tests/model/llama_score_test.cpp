#include "llama_score.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/llama_tiny.h"
#include "valence/base/random.h"

namespace valence::test {
namespace {

/// Of F32 weights with an F32 cache, in nats: only the order of sums differs between batch shapes.
constexpr double kTolerance = 1e-4;

/// Items that share an instruction, with options of all sorts: one token, several, one that begins another.
std::vector<Request> questionnaire(std::size_t items, std::size_t instruction, std::size_t item) {
  std::vector<Request> requests;
  const auto shared = random_prompt(7, instruction).tokens;
  for (std::size_t i = 0; i < items; ++i) {
    ScoreRequest request{random_prompt(100 + i, item, shared), {}, "."};
    request.continuations = {"A", "B", "1", "10", random_text(i, 8), random_text(i + 1000, 6)};
    requests.push_back(request);
  }
  return requests;
}

class ScoresOf : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    TinyModel tiny;
    tiny.architecture = GetParam();
    write_tiny(tiny, folder_ / "tiny.gguf");
  }

  std::unique_ptr<LanguageModel> open(EngineOptions options = exact_options()) {
    return open_tiny(folder_ / "tiny.gguf", options);
  }

  std::unique_ptr<LanguageModel> reference() {
    auto options = exact_options();
    options.reference = true;
    return open(options);
  }

  double difference_from_reference(LanguageModel& model, const std::vector<Request>& requests) {
    const auto exact = reference();
    const auto plan = plan_of(model, requests), exact_plan = plan_of(*exact, requests);
    return largest_difference(run_all(model, plan), run_all(*exact, exact_plan));
  }

  ScratchFolder folder_;
};

TEST_P(ScoresOf, SharedPrefixesEqualReferenceMode) {
  const auto model = open();
  EXPECT_LT(difference_from_reference(*model, questionnaire(8, 60, 12)), kTolerance);
}

TEST_P(ScoresOf, APlanTenTimesTheCacheEqualsReferenceMode) {
  auto options = exact_options();
  options.context = 256;
  options.micro_batch = 64;
  options.sequences = 16;
  const auto model = open(options);
  const auto requests = questionnaire(110, 100, 12);
  std::size_t tokens = 0;
  for (const auto& group : plan_of(*model, requests).groups) tokens += group.cost;
  EXPECT_GT(tokens, 10 * options.context);
  EXPECT_LT(difference_from_reference(*model, requests), kTolerance);
}

TEST_P(ScoresOf, MoreOptionsThanSequencesEqualReferenceMode) {
  auto options = exact_options();
  options.sequences = 6;
  const auto model = open(options);
  ScoreRequest request{random_prompt(1, 30), {}, ""};
  for (std::size_t i = 0; i < 40; ++i) request.continuations.push_back(random_text(i, 3 + i % 5));
  EXPECT_LT(difference_from_reference(*model, {request, ScoreRequest{random_prompt(2, 20), {"yes", "no"}, ""}}),
            kTolerance);
}

TEST_P(ScoresOf, ContextsThatContinueOrRepeatEachOtherEqualReferenceMode) {
  auto options = exact_options();
  options.micro_batch = 32;
  options.sequences = 8;
  const auto model = open(options);
  std::vector<Request> requests;
  auto history = random_prompt(3, 20).tokens;
  for (std::size_t turn = 0; turn < 12; ++turn) {
    requests.push_back(ScoreRequest{{history, {}}, {"abc", "zyx", "m", random_text(turn, 5)}, ""});
    requests.push_back(ScoreRequest{{history, {}}, {"q", "r"}, ""});
    requests.push_back(ScoreRequest{{history, {}}, {random_text(turn + 50, 9)}, ""});
    const auto more = random_prompt(turn + 20, 5);
    history.insert(history.end(), more.tokens.begin(), more.tokens.end());
  }
  EXPECT_LT(difference_from_reference(*model, requests), kTolerance);
}

TEST_P(ScoresOf, AnyMissingGroupsAreBitIdenticalToTheWholeRun) {
  auto options = exact_options();
  options.micro_batch = 64;
  options.sequences = 16;
  const auto model = open(options);
  const auto plan = plan_of(*model, questionnaire(30, 40, 10));
  ASSERT_GE(plan.groups.size(), 10U);
  const auto whole = run_all(*model, plan);
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    RandomStream random(seed, "missing");
    const auto missing = random.sample(plan.groups.size(), 1 + random.below(plan.groups.size()));
    Collector resumed(plan);
    const auto fresh = open(options);
    ASSERT_TRUE(fresh->run(plan, missing, resumed, {}));
    for (const auto group : missing) {
      for (const auto request : plan.groups[group].requests) {
        const auto &a = whole.scores(request).continuations, &b = resumed.scores(request).continuations;
        for (std::size_t k = 0; k < a.size(); ++k) {
          ASSERT_EQ(a[k].token_logprobs, b[k].token_logprobs) << "request " << request;
          ASSERT_EQ(a[k].terminator_logprob, b[k].terminator_logprob);
        }
      }
    }
  }
}

TEST_P(ScoresOf, ReferenceModeIsBitIdenticalWithOneAndTwoThreads) {
  auto one = exact_options();
  one.reference = true;
  auto both = one;
  both.threads = 2;
  const std::vector<Request> requests{ScoreRequest{random_prompt(1, 530), {"yes", "no", "perhaps"}, ""}};
  const auto single = open(one), two = open(both);
  const auto plan = plan_of(*single, requests), other = plan_of(*two, requests);
  EXPECT_EQ(largest_difference(run_all(*single, plan), run_all(*two, other)), 0.0);
}

INSTANTIATE_TEST_SUITE_P(Architectures, ScoresOf, ::testing::Values("llama", "qwen2", "gemma3", "mamba"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(LogSoftmax, AgreesWithDoublePrecisionToAMillionth) {
  RandomStream random(5, "logits");
  std::vector<float> logits(50'003);
  for (auto& logit : logits) logit = static_cast<float>(8.0 * random.normal());
  double largest = -INFINITY, sum = 0;
  for (const float logit : logits) largest = std::max(largest, static_cast<double>(logit));
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  EXPECT_NEAR(log_sum_exp(logits), largest + std::log(sum), 1e-6);
  const std::vector<TokenId> tokens{0, 77, 50'002};
  const auto values = log_softmax_at(logits, tokens);
  EXPECT_NEAR(values[1], static_cast<double>(logits[77]) - largest - std::log(sum), 1e-6);
}

TEST(LogSoftmax, OfEqualLogitsIsUniform) {
  const std::vector<float> logits(256, -3.5F);
  const std::vector<TokenId> tokens{9};
  EXPECT_NEAR(log_softmax_at(logits, tokens)[0], -std::log(256.0), 1e-7);
}

}  // namespace
}  // namespace valence::test
