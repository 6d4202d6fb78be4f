#include <gtest/gtest.h>

#include <algorithm>
#include <stop_token>

#include "model/llama_tiny.h"
#include "valence/base/files.h"

namespace valence::test {
namespace {

std::vector<Request> questions() {
  std::vector<Request> requests;
  for (std::uint64_t i = 0; i < 6; ++i) requests.push_back(ScoreRequest{random_prompt(i, 20), {"yes", "no", "A"}, ""});
  GenerateRequest generate{random_prompt(9, 20), {}, {}};
  generate.sampling.max_tokens = 8;
  requests.push_back(generate);
  return requests;
}

class LlamaModel : public ::testing::Test {
 protected:
  void SetUp() override { write_tiny({}, path_); }

  std::string refusal(const EngineOptions& options, const std::vector<AdapterSpec>& adapters = {}) {
    const auto model = open_llama("tiny", path_, adapters, options);
    return model ? "" : model.error().message;
  }
  std::vector<std::string> digests(const LanguageModel& model, const std::vector<Request>& requests) {
    std::vector<std::string> texts;
    for (const auto& group : plan_of(model, requests).groups) texts.push_back(group.digest.hex());
    return texts;
  }

  ScratchCache cache_;
  ScratchFolder folder_;
  std::filesystem::path path_ = folder_ / "tiny.gguf";
};

TEST_F(LlamaModel, CardNamesWhatMayChangeNumbers) {
  const auto model = open_tiny(path_);
  const auto& card = model->card();
  EXPECT_EQ(card.backend, "llama");
  EXPECT_EQ(card.architecture, "qwen2");
  EXPECT_EQ(card.identity, *sha256_file(path_));
  EXPECT_EQ(card.context_limit, 4096U);
  std::vector<std::string> keys;
  for (const auto& [key, value] : card.facts) {
    keys.push_back(key);
    EXPECT_FALSE(value.empty()) << key;
  }
  for (const auto* key : {"engine", "cpu backend", "cpu features", "threads", "scoring format", "generation format",
                          "flash attention", "micro-batch", "template"}) {
    EXPECT_NE(std::ranges::find(keys, key), keys.end()) << key;
  }
}

TEST_F(LlamaModel, EveryRequestIsAnsweredOnceAndProgressAddsUp) {
  const auto model = open_tiny(path_);
  const auto plan = plan_of(*model, questions());
  std::vector<int> answered(plan.requests.size(), 0);
  for (const auto& group : plan.groups) {
    EXPECT_GT(group.cost, 0U);
    for (const auto request : group.requests) ++answered[request];
  }
  EXPECT_EQ(answered, std::vector<int>(plan.requests.size(), 1));
  EXPECT_EQ(run_all(*model, plan).commits, all_groups(plan));
}

TEST_F(LlamaModel, TheSameRequestsHaveTheSameDigestsInAnotherProcessOrOrder) {
  auto requests = questions();
  const auto a = digests(*open_tiny(path_), requests);
  EXPECT_EQ(a, digests(*open_tiny(path_), requests));
  std::reverse(requests.begin(), requests.end() - 1);
  EXPECT_EQ(a.size(), digests(*open_tiny(path_), requests).size());
}

TEST_F(LlamaModel, DigestsChangeWithAllThatCanChangeANumber) {
  const auto model = open_tiny(path_);
  const auto base = digests(*model, questions());
  auto options = exact_options();
  options.threads = 2;
  EXPECT_NE(digests(*open_tiny(path_, options), questions()), base);
  options = exact_options();
  options.micro_batch = 256;
  EXPECT_NE(digests(*open_tiny(path_, options), questions()), base);
  options = exact_options();
  options.cache = "f16";
  EXPECT_NE(digests(*open_tiny(path_, options), questions()), base);
  options = exact_options();
  options.format = "f16";
  EXPECT_NE(digests(*open_tiny(path_, options), questions()), base);

  auto requests = questions();
  std::get<GenerateRequest>(requests.back()).sampling.seed = 1;
  const auto reseeded = digests(*model, requests);
  EXPECT_EQ(reseeded.front(), base.front());
  EXPECT_NE(reseeded.back(), base.back());
  requests = questions();
  std::get<ScoreRequest>(requests.front()).continuations[0] = "Yes";
  EXPECT_NE(digests(*model, requests).front(), base.front());
}

TEST_F(LlamaModel, ARequestTooLongIsRefusedByItself) {
  TinyModel tiny;
  tiny.trained_context = 64;
  write_tiny(tiny, path_);
  const auto model = open_tiny(path_);
  const auto plan = plan_of(*model, {ScoreRequest{random_prompt(1, 90), {"yes"}, ""}, ScoreRequest{random_prompt(2, 20), {"no"}, ""}});
  const auto collected = run_all(*model, plan);
  ASSERT_FALSE(collected.responses[0]);
  EXPECT_EQ(collected.responses[0].error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(collected.responses[0].error().message,
            "request 1: it takes 92 tokens; the model was trained for 64. Shorten the conversation");
  EXPECT_EQ(collected.scores(1).continuations.size(), 1U);
}

TEST_F(LlamaModel, AStoppedRunSaysSoAndKeepsWhatWasDone) {
  const auto model = open_tiny(path_);
  const auto plan = plan_of(*model, questions());
  std::stop_source source;
  source.request_stop();
  Collector collector(plan);
  RunControl control;
  control.stop = source.get_token();
  const auto stopped = model->run(plan, all_groups(plan), collector, control);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kStopped);
  EXPECT_TRUE(collector.commits.empty());
}

TEST_F(LlamaModel, AnErrorOfTheSinkStopsTheRun) {
  struct Full : Sink {
    Result<void> done(std::size_t, std::span<const Result<Response>>) override { return fail(ErrorCode::kDiskFull, "full"); }
  } sink;
  const auto model = open_tiny(path_);
  const auto plan = plan_of(*model, questions());
  const auto stopped = model->run(plan, all_groups(plan), sink, {});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "full");
}

TEST_F(LlamaModel, WrongRequestsAreNamed) {
  const auto model = open_tiny(path_);
  const auto refused = [&](Request request) { return model->plan({std::move(request)}).error().message; };
  EXPECT_EQ(refused(ScoreRequest{{}, {"a"}, ""}), "request 1: its context has no tokens: render it with this model");
  EXPECT_EQ(refused(ScoreRequest{random_prompt(1, 3), {}, ""}), "request 1: it has no continuations to score");
  EXPECT_EQ(refused(ScoreRequest{random_prompt(1, 3), {""}, ""}), "request 1: its continuation \"\" has no tokens");
  EXPECT_EQ(refused(ScoreRequest{{{900}, {}}, {"a"}, ""}),
            "request 1: token 900 is not of this model's 258: render the context with this model");
}

TEST_F(LlamaModel, AContinuationThatBeginsAnotherHasItsTerminatorApart) {
  const auto model = open_tiny(path_);
  const auto plan = plan_of(*model, {ScoreRequest{random_prompt(1, 9), {"1", "10", "2"}, ""},
                                     ScoreRequest{random_prompt(1, 9), {"1", "10", "2"}, "\n\n"}});
  const auto collected = run_all(*model, plan);
  for (const std::size_t request : {0, 1}) {
    const auto& scores = collected.scores(request).continuations;
    ASSERT_TRUE(scores[0].terminator_logprob);
    EXPECT_FALSE(scores[1].terminator_logprob);
    EXPECT_FALSE(scores[2].terminator_logprob);
    EXPECT_EQ(scores[0].token_logprobs.size(), 1U);
    EXPECT_EQ(scores[0].token_logprobs[0], scores[1].token_logprobs[0]);
  }
  EXPECT_LT(*collected.scores(1).continuations[0].terminator_logprob, 0);
  EXPECT_NE(collected.scores(0).continuations[0].terminator_logprob, collected.scores(1).continuations[0].terminator_logprob);
}

// ---- adapters

TEST_F(LlamaModel, AnAdapterAtScaleZeroChangesNothingAndAtOneItDoes) {
  write_tiny_adapter("qwen2", folder_ / "adapter.gguf");
  const auto path = (folder_ / "adapter.gguf").string();
  const auto scores = [&](const std::vector<AdapterSpec>& adapters) {
    const auto model = open_tiny(path_, exact_options(), adapters);
    std::vector<Request> requests = questions();
    requests.pop_back();
    return run_all(*model, plan_of(*model, requests)).scores(0).continuations[0].token_logprobs;
  };
  const auto plain = scores({});
  EXPECT_EQ(scores({{path, 0.0}}), plain);
  EXPECT_NE(scores({{path, 1.0}}), plain);
  EXPECT_NE(scores({{path, 1.0}}), scores({{path, 0.5}}));
}

TEST_F(LlamaModel, AnAdapterOfAnotherArchitectureIsRefusedNamingBoth) {
  write_tiny_adapter("llama", folder_ / "adapter.gguf");
  const auto path = (folder_ / "adapter.gguf").string();
  EXPECT_EQ(refusal(exact_options(), {{path, 1.0}}),
            path + " is an adapter for the architecture \"llama\", the model is \"qwen2\". Use an adapter made for this model");
}

TEST_F(LlamaModel, AnAdapterOfAnotherWidthIsRefusedWithTheEnginesWords) {
  write_tiny_adapter("qwen2", folder_ / "adapter.gguf", 32);
  const auto path = (folder_ / "adapter.gguf").string();
  EXPECT_TRUE(refusal(exact_options(), {{path, 1.0}}).starts_with(path + ": the adapter does not fit the model"));
}

TEST_F(LlamaModel, AModelIsNoAdapterAndAnAdapterIsNoModel) {
  write_tiny_adapter("qwen2", folder_ / "adapter.gguf");
  EXPECT_EQ(refusal(exact_options(), {{path_.string(), 1.0}}),
            path_.string() + " is not an adapter: its general.type is \"\", expected \"adapter\"");
  const auto opened = open_llama("x", folder_ / "adapter.gguf", {}, exact_options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, (folder_ / "adapter.gguf").string() +
                                        " is an adapter, not a model. Give it with --adapter, beside the model it was made for");
}

// ---- options

TEST_F(LlamaModel, OptionsOutOfRangeAreRefused) {
  auto options = exact_options();
  options.format = "f8";
  EXPECT_EQ(refusal(options), "compute format \"f8\" is unknown; choose auto, as_is, f32, f16 or q8_0");
  options = exact_options();
  options.sequences = 1000;
  EXPECT_EQ(refusal(options), "1000 sequences: choose 2 to 256");
  options = exact_options();
  options.micro_batch = 10;
  EXPECT_EQ(refusal(options), "a micro-batch of 10 tokens: choose 64 (the number of sequences) to 8192");
  options = exact_options();
  options.threads = -1;
  EXPECT_EQ(refusal(options), "-1 threads: choose 1 to 512, or 0 for the cores this process may use");
  options = exact_options();
  options.cache = "q4";
  EXPECT_EQ(refusal(options), "attention cache \"q4\" is unknown; choose f16 or f32");
  options = exact_options();
  options.sharing = "all";
  EXPECT_EQ(refusal(options), "sharing \"all\" is unknown; choose tree, request or none");
}

TEST_F(LlamaModel, ATruncatedFileNeverReachesTheEngine) {
  auto bytes = *read_file(path_);
  bytes.resize(bytes.size() - 1000);
  ASSERT_TRUE(write_file(path_, bytes));
  const auto opened = open_llama("tiny", path_, {}, exact_options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace valence::test
