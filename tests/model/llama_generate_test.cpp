#include "llama_generate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "model/llama_tiny.h"
#include "valence/base/text.h"

namespace valence::test {
namespace {

GenerateRequest writing(Prompt prompt, int tokens, double temperature, std::uint64_t seed = 0) {
  GenerateRequest request{std::move(prompt), {}, {}};
  request.sampling.temperature = temperature;
  request.sampling.max_tokens = tokens;
  request.sampling.seed = seed;
  return request;
}

class Generation : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    TinyModel tiny;
    tiny.architecture = GetParam();
    write_tiny(tiny, folder_ / "tiny.gguf");
  }
  std::unique_ptr<LanguageModel> open(bool reference = false, std::size_t context = 0) {
    auto options = exact_options();
    options.reference = reference;
    options.context = context;
    return open_tiny(folder_ / "tiny.gguf", options);
  }
  ScratchFolder folder_;
};

/// With a memory for each, and in one memory: a context of 1,500 cells holds no group's sequences apart.
TEST_P(Generation, ManyTogetherWriteWhatEachWritesAlone) {
  const auto alone = open(true);
  std::vector<Request> requests;
  const auto shared = random_prompt(1, 40).tokens;
  for (std::uint64_t i = 0; i < 70; ++i) {
    requests.push_back(writing(random_prompt(i % 7, i % 7, shared), 2 + static_cast<int>(i * 5 % 11), i % 2 == 0 ? 0.0 : 1.0, i));
  }
  const auto other = plan_of(*alone, requests);
  EXPECT_EQ(other.groups.size(), 70U);
  const auto expected = run_all(*alone, other);
  for (const std::size_t context : {std::size_t{0}, std::size_t{1500}}) {
    const auto together = open(false, context);
    const auto plan = plan_of(*together, requests);
    EXPECT_GT(plan.groups.size(), 1U);
    EXPECT_LT(plan.groups.size(), 10U);
    const auto got = run_all(*together, plan);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      ASSERT_EQ(got.completion(i).tokens, expected.completion(i).tokens) << "request " << i << ", context " << context;
      for (std::size_t t = 0; t < got.completion(i).logprobs.size(); ++t) {
        ASSERT_NEAR(got.completion(i).logprobs[t], expected.completion(i).logprobs[t], 1e-4);
      }
    }
  }
}

TEST_P(Generation, RepeatsBitForBitWithTheSameSeed) {
  const auto model = open();
  const std::vector<Request> requests{writing(random_prompt(4, 20), 20, 1.0, 9), writing(random_prompt(4, 20), 20, 1.0, 10)};
  const auto plan = plan_of(*model, requests);
  const auto a = run_all(*model, plan), b = run_all(*model, plan);
  EXPECT_EQ(a.completion(0).tokens, b.completion(0).tokens);
  EXPECT_EQ(a.completion(0).logprobs, b.completion(0).logprobs);
  EXPECT_NE(a.completion(0).tokens, a.completion(1).tokens);
}

TEST_P(Generation, LogprobsAreThoseOfScoringTheSameTokens) {
  const auto model = open();
  const auto prompt = random_prompt(5, 25);
  const auto plan = plan_of(*model, {writing(prompt, 6, 0.0)});
  const auto written = run_all(*model, plan).completion(0);
  auto context = prompt;
  context.tokens.insert(context.tokens.end(), written.tokens.begin(), written.tokens.end() - 1);
  ASSERT_TRUE(is_valid_utf8(written.text));
  const auto last = model->view({{written.tokens.back()}, {}});
  ASSERT_TRUE(last);
  if (!is_valid_utf8(last->front().text) || last->front().control) GTEST_SKIP() << "the last token is no text by itself";
  const auto scored = plan_of(*model, {ScoreRequest{context, {last->front().text}, ""}});
  EXPECT_NEAR(run_all(*model, scored).scores(0).continuations[0].token_logprobs[0], written.logprobs.back(), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Architectures, Generation, ::testing::Values("llama", "gemma3", "mamba"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(ReferenceGeneration, GreedyTokensAreEqualWithOneAndTwoThreads) {
  ScratchFolder folder;
  write_tiny({}, folder / "tiny.gguf");
  auto options = exact_options();
  options.reference = true;
  const auto one = open_tiny(folder / "tiny.gguf", options);
  options.threads = 2;
  const auto two = open_tiny(folder / "tiny.gguf", options);
  const std::vector<Request> requests{writing(random_prompt(1, 520), 64, 0.0)};
  const auto a = run_all(*one, plan_of(*one, requests)), b = run_all(*two, plan_of(*two, requests));
  EXPECT_EQ(a.completion(0).tokens, b.completion(0).tokens);
  EXPECT_EQ(a.completion(0).logprobs, b.completion(0).logprobs);
}

class Constraints : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny({}, folder_ / "tiny.gguf");
    model_ = open_tiny(folder_ / "tiny.gguf");
  }
  Completion write(const GenerateRequest& request) { return run_all(*model_, plan_of(*model_, {request})).completion(0); }
  std::string refusal(const GenerateRequest& request) {
    const auto plan = model_->plan({request});
    return plan ? "" : plan.error().message;
  }

  ScratchFolder folder_;
  std::unique_ptr<LanguageModel> model_;
};

TEST_F(Constraints, AGrammarIsKeptAtEveryTemperatureAndNucleus) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    auto request = writing(random_prompt(seed, 10), 30, seed % 3 == 0 ? 0.0 : 1.0, seed);
    request.sampling.top_p = seed % 2 == 0 ? 1.0 : 0.8;
    request.constraint = {Constraint::Kind::kGrammar, "root ::= (\"yes\" | \"no\") \"!\""};
    const auto text = write(request).text;
    EXPECT_TRUE(text == "yes!" || text == "no!") << text;
  }
}

TEST_F(Constraints, AGrammarOnlyRenormalisesTheModelsProbabilities) {
  // Two tokens are allowed: their frequencies must be the model's, restricted to them.
  const auto prompt = random_prompt(3, 10);
  const auto scores = run_all(*model_, plan_of(*model_, {ScoreRequest{prompt, {"a", "b"}, ""}})).scores(0);
  const auto a = std::exp(scores.continuations[0].total()), b = std::exp(scores.continuations[1].total());
  std::vector<Request> requests;
  for (std::uint64_t seed = 0; seed < 800; ++seed) {
    auto request = writing(prompt, 1, 1.0, seed);
    request.constraint = {Constraint::Kind::kGrammar, "root ::= [ab]"};
    requests.push_back(request);
  }
  const auto drawn = run_all(*model_, plan_of(*model_, requests));
  double count = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) count += drawn.completion(i).text == "a" ? 1 : 0;
  const double expected = a / (a + b), error = std::sqrt(expected * (1 - expected) / 800);
  EXPECT_NEAR(count / 800, expected, 4 * error);
}

TEST_F(Constraints, AJsonSchemaGivesJsonOfThatShape) {
  auto request = writing(random_prompt(2, 10), 60, 1.0, 3);
  request.constraint = {Constraint::Kind::kJsonSchema, R"({"type":"object","properties":{"choice":{"enum":["A","B"]}},
                        "required":["choice"],"additionalProperties":false})"};
  const auto text = write(request).text;
  EXPECT_NE(text.find("\"choice\""), std::string::npos) << text;
  EXPECT_EQ(text.back(), '}') << text;
}

TEST_F(Constraints, BrokenOnesAreRefusedBeforeAnythingRuns) {
  auto request = writing(random_prompt(1, 5), 5, 1.0);
  request.constraint = {Constraint::Kind::kGrammar, "root ::= (\"yes\""};
  EXPECT_TRUE(refusal(request).starts_with("request 1: the grammar is not GBNF with a rule \"root\"")) << refusal(request);
  request.constraint = {Constraint::Kind::kGrammar, "answer ::= \"yes\""};
  EXPECT_TRUE(refusal(request).starts_with("request 1: the grammar is not GBNF with a rule \"root\"")) << refusal(request);
  request.constraint = {Constraint::Kind::kJsonSchema, "{\"type\":"};
  EXPECT_TRUE(refusal(request).starts_with("request 1: the JSON schema cannot be made a grammar: ")) << refusal(request);
}

TEST_F(Constraints, SamplingOutOfRangeIsRefused) {
  auto request = writing(random_prompt(1, 5), 5, -0.5);
  EXPECT_EQ(refusal(request), "request 1: its temperature is -0.5, expected 0 or more");
  request = writing(random_prompt(1, 5), 0, 1.0);
  EXPECT_EQ(refusal(request), "request 1: its max_tokens is 0, expected 1 or more");
  request = writing(random_prompt(1, 5), 5, 1.0);
  request.sampling.top_p = 0;
  EXPECT_EQ(refusal(request), "request 1: its top_p is 0, expected above 0, at most 1");
}

TEST(Candidates, TemperatureZeroKeepsTheFirstOfTheMostProbable) {
  const std::vector<float> logits{1.0F, 3.0F, 3.0F, 0.0F};
  Sampling sampling;
  sampling.temperature = 0;
  const auto kept = candidates(logits, sampling);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].token, 1);
}

TEST(Candidates, TheNucleusIsTheSmallestSetThatHoldsItsShare) {
  const std::vector<float> logits{std::log(0.1F), std::log(0.5F), std::log(0.15F), std::log(0.25F)};
  Sampling sampling;
  sampling.top_p = 0.7;
  const auto kept = candidates(logits, sampling);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].token, 1);
  EXPECT_EQ(kept[1].token, 3);
}

TEST(GrowingText, EndsBeforeTheEarliestStopString) {
  GrowingText text({"END", "\n\n"});
  EXPECT_FALSE(text.append("one E"));
  EXPECT_FALSE(text.append("N"));
  EXPECT_TRUE(text.append("D two"));
  EXPECT_EQ(text.finish(), "one ");
}

TEST(GrowingText, DropsACharacterThatWasCutAndReplacesDamage) {
  GrowingText cut({});
  cut.append("na\xC3");
  EXPECT_EQ(cut.finish(), "na");
  GrowingText damaged({});
  damaged.append("a\xFF" "b");
  EXPECT_EQ(damaged.finish(), "a\xEF\xBF\xBD" "b");
}

TEST(SharedPrompts, CountEachBeginningOnce) {
  const std::vector<std::vector<TokenId>> prompts{{1, 2}, {1, 2}, {1, 2, 3}, {1, 4}};
  const auto tokens = share_prompts(prompts);
  ASSERT_EQ(tokens.size(), 4U);
  EXPECT_EQ(tokens[0].sequences, (std::vector<llama_seq_id>{0, 1, 2, 3}));
  EXPECT_EQ(tokens[1].sequences, (std::vector<llama_seq_id>{0, 1, 2}));
  EXPECT_EQ(tokens[2].sequences, (std::vector<llama_seq_id>{2}));
  EXPECT_EQ(tokens[3].sequences, (std::vector<llama_seq_id>{3}));
  EXPECT_EQ(tokens[3].position, 1U);
}

TEST(GenerationGroups, AreBoundedBySequencesAndCells) {
  std::vector<TokenGeneration> requests;
  for (std::size_t i = 0; i < 5; ++i) requests.push_back({i, {1, 2, static_cast<TokenId>(9 - i)}, 10});
  const auto by_sequences = group_generations(requests, {.sequences = 2, .cells = 1000});
  ASSERT_EQ(by_sequences.size(), 3U);
  EXPECT_EQ(by_sequences[0].requests, (std::vector<std::size_t>{4, 3}));
  EXPECT_EQ(by_sequences[0].cells, 24U);
  EXPECT_EQ(by_sequences[0].longest, 13U);
  EXPECT_FALSE(by_sequences[0].apart);
  EXPECT_EQ(group_generations(requests, {.sequences = 16, .cells = 30}).size(), 3U);
}

TEST(GenerationGroups, LieApartWhereTheyFitAndAreCutWhereThatPays) {
  std::vector<TokenGeneration> requests;
  for (std::size_t i = 0; i < 48; ++i) requests.push_back({i, {1, 2, static_cast<TokenId>(100 + i)}, 300});
  const auto groups = [&](std::size_t apart) {
    return group_generations(requests, {.sequences = 64, .cells = 100'000, .apart = apart});
  };
  const auto whole = groups(48 * 512);
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_TRUE(whole[0].apart);
  const auto cut = groups(48 * 512 - 1);
  ASSERT_EQ(cut.size(), 2U);
  EXPECT_EQ(cut[0].requests.size(), 24U);
  EXPECT_TRUE(cut[1].apart);
  EXPECT_EQ(cut[0].cells, 303U + 23 * 301U);
  EXPECT_EQ(groups(16 * 512).size(), 3U);
  for (const std::size_t too_little : {15 * 512, 0}) {
    ASSERT_EQ(groups(too_little).size(), 1U);
    EXPECT_FALSE(groups(too_little)[0].apart);
  }
}

}  // namespace
}  // namespace valence::test
