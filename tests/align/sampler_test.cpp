#include "valence/align/sampler.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "exam/fake_model.h"
#include "toy_values.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

using testing::Scratch;

std::vector<OpenPrompt> prompts(std::size_t count) {
  std::vector<OpenPrompt> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back({fmt::format("p{}", i), {}, testing::toy_prompts()[i], {}});
  return all;
}

RunId new_run(Store& store) {
  RunRecord record;
  record.key = "key";
  record.instrument = "align/test";
  record.settings = record.provenance = "{}";
  return store.create_run(record).value();
}

TEST(Sampler, DrawsEachPromptSeveralTimesAndAnewInAnotherPhase) {
  const Scratch scratch;
  const auto subject = open_subject(testing::says(scratch / "replies.jsonl", {"one", "two", "three", "four"})).value();
  Examiner examiner(subject, nullptr, 0, {.seed = 3});
  const auto asked = prompts(30);
  const auto first = sample_responses(examiner, asked, {4, 16, "round 1"}).value();
  ASSERT_EQ(first.size(), 120u);
  EXPECT_EQ(first[5].prompt, 1u);
  EXPECT_EQ(first[5].number, 1u);
  std::set<std::string> texts;
  std::size_t same = 0;
  const auto second = sample_responses(examiner, asked, {4, 16, "round 2"}).value();
  for (std::size_t i = 0; i < first.size(); ++i) {
    texts.insert(first[i].text);
    same += first[i].text == second[i].text ? 1 : 0;
  }
  EXPECT_EQ(texts.size(), 4u);
  EXPECT_NEAR(static_cast<double>(same), 30.0, 20.0);  // a quarter by chance
}

TEST(Sampler, DrawsFromTheWholeDistribution) {
  std::set<std::uint64_t> seeds;
  const auto subject = testing::subject_of(std::make_shared<testing::FakeModel>([&](const Request& request) {
    const auto& asked = std::get<GenerateRequest>(request);
    // All that a request can say of sampling: nothing cuts tokens off (top-k, min-p) or makes them dearer (penalties).
    const auto& [temperature, top_p, max_tokens, seed, stop] = asked.sampling;
    EXPECT_EQ(temperature, 1.0);
    EXPECT_EQ(top_p, 1.0);
    EXPECT_EQ(max_tokens, 16);
    EXPECT_TRUE(stop.empty());
    EXPECT_EQ(asked.constraint.kind, Constraint::Kind::kNone);
    seeds.insert(seed);
    return Result<Response>(Completion{"yes", {1}, {-0.5}, FinishReason::kEndOfTurn});
  }));
  Examiner examiner(subject, nullptr, 0, {.seed = 3});
  ASSERT_TRUE(sample_responses(examiner, prompts(3), {2, 16, "round 1"}));
  EXPECT_EQ(seeds.size(), 6u) << "a stream of its own for each of two responses to three prompts";
}

TEST(Sampler, CountsRefusalsAndSilence) {
  const Scratch scratch;
  const auto subject =
      open_subject(testing::says(scratch / "replies.jsonl", {"I refuse to answer that.", " ", "yes"})).value();
  Examiner examiner(subject, nullptr, 0, {.seed = 1});
  const auto samples = sample_responses(examiner, prompts(60), {2, 16, "round 1"}).value();
  const auto counts = count_of(samples);
  EXPECT_EQ(counts.asked, 120u);
  EXPECT_EQ(counts.failed, 0u);
  EXPECT_GT(counts.refused, 20u);
  EXPECT_GT(counts.empty, 20u);
  const auto said = std::ranges::count_if(samples, [](const Sample& sample) { return sample.said(); });
  EXPECT_EQ(static_cast<std::size_t>(said), counts.asked - counts.empty);  // a refusal is an answer
}

// The process that samples is killed; another goes on in the same store.
TEST(Sampler, AKilledRunGoesOnAndGivesTheSame) {
  const Scratch scratch;
  const auto spec = testing::says(scratch / "replies.jsonl", {"one", "two", "three"});
  const auto asked = prompts(100);
  const SamplerOptions options{32, 16, "round 1"};
  const auto draw = [&](Store& store, RunId run) {
    const auto subject = open_subject(spec).value();
    Examiner examiner(subject, &store, run, {.seed = 7});
    auto samples = sample_responses(examiner, asked, options).value();
    return std::pair(std::move(samples), examiner.statistics().groups_replayed);
  };
  RunId run = 0;
  {
    auto store = Store::open(scratch / "killed.db").value();
    run = new_run(*store);
  }
  const auto child = ::fork();
  if (child == 0) {
    auto store = Store::open(scratch / "killed.db").value();
    draw(*store, run);
    ::_exit(0);
  }
  for (std::size_t groups = 0; groups < 2;) {  // until something is kept
    const auto store = Store::open(scratch / "killed.db", Store::Access::kReadOnly);
    if (store) groups = (*store)->count_groups(run).value_or(0);
    if (groups < 2) {
      ASSERT_EQ(::waitpid(child, nullptr, WNOHANG), 0) << "it ended and kept nothing";
    }
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  auto killed = Store::open(scratch / "killed.db").value();
  auto whole = Store::open(scratch / "whole.db").value();
  const auto [resumed, replayed] = draw(*killed, run);
  const auto [fresh, none] = draw(*whole, new_run(*whole));
  EXPECT_GT(replayed, 0u);
  EXPECT_EQ(none, 0u);
  ASSERT_EQ(resumed.size(), fresh.size());
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    EXPECT_EQ(resumed[i].text, fresh[i].text);
    EXPECT_EQ(resumed[i].digest, fresh[i].digest);
    EXPECT_EQ(resumed[i].logprob, fresh[i].logprob);
  }
}

}  // namespace
}  // namespace valence
