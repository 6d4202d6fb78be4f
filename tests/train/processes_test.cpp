// Several processes that train together, here as threads that talk over the loopback address.
#include "processes.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "bigram_policy.h"
#include "free_port.h"
#include "support/scratch.h"
#include "trainer.h"
#include "valence/train/operations.h"

namespace valence::train {
namespace {

using testing::BigramPolicy;
using testing::kVocabulary;
using testing::task_of;
using valence::testing::content_of;
using valence::testing::free_port;
using valence::testing::Scratch;
using Variables = std::map<std::string, std::string>;

Result<ProcessPlace> place_of(const Variables& variables) {
  return process_place([&](const char* name) { return variables.contains(name) ? variables.at(name) : std::string(); });
}

TEST(ProcessPlaces, AreReadFromTheVariablesOfTorchrunAndOpenMpi) {
  const auto alone = place_of({}).value();
  EXPECT_EQ(alone.count, 1U);
  const auto torchrun =
      place_of(
          {{"RANK", "3"}, {"WORLD_SIZE", "4"}, {"LOCAL_WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "7"}})
          .value();
  EXPECT_EQ(torchrun.rank, 3U);
  EXPECT_EQ(torchrun.count, 4U);
  EXPECT_EQ(torchrun.local_count, 2U);
  EXPECT_EQ(torchrun.host, "a");
  EXPECT_EQ(torchrun.port, 7);
  const auto mpi =
      place_of({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}})
          .value();
  EXPECT_EQ(mpi.rank, 1U);
  EXPECT_EQ(mpi.host, "127.0.0.1");  // all on this machine
  EXPECT_EQ(mpi.port, 29500);
}

TEST(ProcessPlaces, LeaveTorchrunItsOwnPort) {
  const auto place = place_of({{"RANK", "0"},
                               {"WORLD_SIZE", "2"},
                               {"MASTER_ADDR", "a"},
                               {"MASTER_PORT", "29500"},
                               {"TORCHELASTIC_USE_AGENT_STORE", "True"}});
  EXPECT_EQ(place->port, 29501);
}

TEST(ProcessPlaces, ThatMakeNoSenseAreRefusedByName) {
  const std::vector<std::pair<Variables, std::string>> cases{
      {{{"RANK", "1"}}, "WORLD_SIZE is not set, though its fellow variables are"},
      {{{"WORLD_SIZE", "2"}}, "RANK is not set, though its fellow variables are"},
      {{{"RANK", "2"}, {"WORLD_SIZE", "2"}}, "RANK is \"2\": a number from 0 to 1 was expected"},
      {{{"RANK", "0"}, {"WORLD_SIZE", "two"}}, "WORLD_SIZE is \"two\": a number from 1 to 4096 was expected"},
      {{{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"}},
       "MASTER_ADDR is not set: name the machine of process 0 as all others reach it (mpirun -x MASTER_ADDR=ADDRESS)"}};
  for (const auto& [variables, message] : cases) {
    const auto place = place_of(variables);
    ASSERT_FALSE(place) << message;
    EXPECT_EQ(place.error().code, ErrorCode::kUsage);
    EXPECT_EQ(place.error().message, message);
  }
}

TEST(ProcessPlaces, ShareAMachinesCores) {
  EXPECT_EQ(share_of_cores(8, 8, 2), 4);
  EXPECT_EQ(share_of_cores(8, 8, 1), 8);
  EXPECT_EQ(share_of_cores(1, 8, 2), 1);  // bound to one core already
  EXPECT_EQ(share_of_cores(2, 2, 5), 1);
}

TEST(Deals, GiveEveryPieceToOneProcessAndAboutTheSameToEach) {
  const std::vector<std::size_t> costs{100, 7, 90, 30, 30, 30, 20, 5, 0};
  std::vector<std::size_t> all, loads;
  for (std::size_t rank = 0; rank < 3; ++rank) {
    const auto own = deal(costs, rank, 3);
    std::size_t load = 0;
    for (const auto piece : own) load += costs[piece];
    all.insert(all.end(), own.begin(), own.end());
    loads.push_back(load);
    EXPECT_TRUE(std::ranges::is_sorted(own));
  }
  std::ranges::sort(all);
  EXPECT_EQ(all, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_LE(std::ranges::max(loads) - std::ranges::min(loads), 15U);
  EXPECT_TRUE(deal({10}, 1, 2).empty());
}

/// Runs `call(processes)` in `count` threads that have joined.
template <class Call>
void together(std::size_t count, Call call) {
  const auto port = free_port();
  std::vector<std::jthread> threads;
  for (std::size_t rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] {
      auto processes = Processes::join({rank, count, count, "127.0.0.1", port}, std::chrono::seconds(20));
      ASSERT_TRUE(processes) << processes.error().message;
      call(*processes);
    });
  }
}

TEST(ProcessesTogether, SumVoteGatherAndTakeTheFirstOnesText) {
  together(3, [](Processes& processes) {
    auto values = torch::full({5}, static_cast<double>(processes.rank() + 1));
    ASSERT_TRUE(processes.sum(values));
    EXPECT_TRUE(torch::equal(values, torch::full({5}, 6.0)));
    EXPECT_TRUE(*processes.any(processes.rank() == 2));
    EXPECT_FALSE(*processes.any(false));
    const std::string own(processes.rank(), 'x');
    EXPECT_EQ(*processes.gather(own), (std::vector<std::string>{"", "x", "xx"}));
    EXPECT_EQ(*processes.from_first(fmt::format("of {}", processes.rank())), "of 0");
    const auto failed = processes.from_first(fail(ErrorCode::kDiskFull, "no space at {}", processes.rank()));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kDiskFull);
    EXPECT_EQ(failed.error().message, "no space at 0");
  });
}

TEST(ProcessesTogether, AGradientThatNobodyHasStaysAway) {
  together(2, [](Processes& processes) {
    const auto mine = torch::ones({2}, torch::requires_grad()), nobodys = torch::ones({2}, torch::requires_grad());
    if (processes.first()) (mine * torch::tensor({2.0F, 3.0F})).sum().backward();
    ASSERT_TRUE(sum_gradients(processes, {mine, nobodys}));
    EXPECT_TRUE(torch::equal(mine.grad(), torch::tensor({2.0F, 3.0F})));
    EXPECT_FALSE(nobodys.grad().defined());
  });
}

TEST(ProcessesTogether, ThatDoNotComeAreNotWaitedForLonger) {
  const auto port = free_port();
  const auto processes = Processes::join({0, 2, 2, "127.0.0.1", port}, std::chrono::milliseconds(600));
  ASSERT_FALSE(processes);
  EXPECT_EQ(processes.error().code, ErrorCode::kNetwork);
  EXPECT_TRUE(processes.error().message.starts_with(
      fmt::format("the 2 processes of this job did not come together at 127.0.0.1:{} within 0.6 s (", port)))
      << processes.error().message;
}

// ---- training

std::vector<TrainingExample> examples_of(const std::string& operation) {
  std::vector<TrainingExample> examples;
  for (TokenId q = 0; q < 9; ++q) {
    const AnswerPath better{{q, q + 1, q + 2}, 1, 0, 1.0}, worse{{q, q + 2}, 1, 0, 0.0};
    auto other = worse;
    other.group = 1;
    if (operation == "kto") {
      examples.push_back({fmt::format("answer {}", q), {q % 2 == 0 ? better : worse, other}});
    } else {
      examples.push_back({fmt::format("pair {}", q), {better, worse}});
    }
  }
  return examples;
}

TrainerOptions options_of(std::size_t steps) {
  TrainerOptions options;
  options.optimiser = Optimiser::kSgd;
  options.learning_rate = .5;
  options.steps = steps;
  options.batch = 9;
  options.pass_tokens = 12;
  options.checkpoint_every = 2;
  options.seed = 3;
  return options;
}

/// What training on `count` processes leaves, by rank.
struct Trained {
  std::vector<torch::Tensor> tables;
  std::vector<std::vector<TrainingStep>> rows;
};

Trained train_together(std::size_t count, const std::string& operation, const TrainerOptions& options,
                       const std::filesystem::path& folder) {
  const auto examples = examples_of(operation);
  const auto task = task_of(operation);
  std::vector<BigramPolicy> policies;
  for (std::size_t rank = 0; rank < count; ++rank) policies.emplace_back(kVocabulary);
  Trained trained{std::vector<torch::Tensor>(count), std::vector<std::vector<TrainingStep>>(count)};
  together(count, [&](Processes& processes) {
    const auto rank = processes.rank();
    TrainerContext context{.output = folder / fmt::format("{}", rank), .processes = &processes};
    context.record = [&, rank](const TrainingStep& step) -> Result<void> {
      trained.rows[rank].push_back(step);
      return {};
    };
    const auto done = train(policies[rank], *task, examples, options, context);
    ASSERT_TRUE(done) << done.error().message;
    trained.tables[rank] = policies[rank].parameters().front().second.detach();
  });
  return trained;
}

double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>() / b.abs().max().item<double>();
}

TEST(TrainingTogether, TakesTheStepsOfOneProcess) {
  for (const std::string operation : {"sft", "dpo", "kto", "reward"}) {
    const Scratch scratch;
    const auto one = train_together(1, operation, options_of(5), scratch / "one");
    const auto three = train_together(3, operation, options_of(5), scratch / "three");
    for (const auto& table : three.tables) EXPECT_LT(largest_difference(table, one.tables[0]), 1e-6) << operation;
    EXPECT_TRUE(torch::equal(three.tables[0], three.tables[2])) << operation;
    for (std::size_t i = 0; i < 5; ++i) {
      const auto &own = three.rows[0][i], &expected = one.rows[0][i];
      EXPECT_NEAR(own.loss, expected.loss, 1e-6) << operation;
      EXPECT_NEAR(own.gradient_norm, expected.gradient_norm, 1e-5 * expected.gradient_norm) << operation;
      EXPECT_EQ(own.tokens, expected.tokens) << operation;
      EXPECT_EQ(own.examples, 9) << operation;
      EXPECT_EQ(own.kl.has_value(), expected.kl.has_value()) << operation;
      EXPECT_NEAR(own.kl.value_or(0), expected.kl.value_or(0), 1e-6) << operation;
      EXPECT_NEAR(own.accuracy.value_or(0), expected.accuracy.value_or(0), 1e-9) << operation;
    }
  }
}

TEST(TrainingTogether, KtosReferencePointIsTakenOverAllProcesses) {
  const auto examples = examples_of("kto");
  const auto task = task_of("kto");
  std::vector<BigramPolicy> policies;
  for (int i = 0; i < 4; ++i) {
    policies.emplace_back(kVocabulary);
    const auto table = policies.back().parameters().front().second.data();
    for (TokenId q = 0; q < 9; ++q) table[q][q + 2].add_(.5 * q);  // the mismatched answers, each by another amount
  }
  const auto point_of = [&](BigramPolicy& policy, Processes* processes) {
    const auto looked = evaluate(policy, *task, examples, {.pass_tokens = 12, .processes = processes});
    return looked ? looked->figures.mean("reference_point") : -1.0;
  };
  const double alone = point_of(policies[3], nullptr);
  ASSERT_GT(alone, .1);
  together(3,
           [&](Processes& processes) { EXPECT_NEAR(point_of(policies[processes.rank()], &processes), alone, 1e-6); });
}

TEST(TrainingTogether, WritesInTheFirstProcessOnlyAndGoesOnFromIt) {
  const Scratch whole, halves;
  const auto never = train_together(2, "dpo", options_of(6), whole.path());
  EXPECT_TRUE(std::filesystem::exists(whole / "0" / "checkpoint.bin"));
  EXPECT_FALSE(std::filesystem::exists(whole / "1"));
  auto half = options_of(3);
  train_together(2, "dpo", half, halves.path());
  const auto rest = train_together(2, "dpo", options_of(6), halves.path());
  EXPECT_EQ(rest.rows[0].size(), 3U);
  EXPECT_TRUE(torch::equal(rest.tables[1], never.tables[1]));
  EXPECT_EQ(content_of(halves / "0" / "adapter.bin"), content_of(whole / "0" / "adapter.bin"));
}

TEST(TrainingTogether, RefusesTheCheckpointOfAnotherNumberOfProcesses) {
  const Scratch scratch;
  train_together(2, "dpo", options_of(3), scratch.path());
  BigramPolicy policy(kVocabulary);
  const auto examples = examples_of("dpo");
  const auto done = train(policy, *task_of("dpo"), examples, options_of(6), {.output = scratch / "0"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kMismatch);
  EXPECT_EQ(
      done.error().message,
      fmt::format("{} was written by 2 processes, this run has 1: its sums would be rounded otherwise. Go on with "
                  "2, or name another output folder or remove it",
                  (scratch / "0" / "checkpoint.bin").string()));
}

TEST(TrainingTogether, StopsEverywhereAfterTheSameStepWhenOneIsAskedTo) {
  const Scratch scratch;
  const auto examples = examples_of("dpo");
  const auto task = task_of("dpo");
  std::stop_source source;
  std::vector<BigramPolicy> policies;
  for (int i = 0; i < 2; ++i) policies.emplace_back(kVocabulary);
  std::vector<std::string> messages(2);
  together(2, [&](Processes& processes) {
    const auto rank = processes.rank();
    TrainerContext context{.output = scratch.path(), .processes = &processes};
    if (rank == 1) {
      context.stop = source.get_token();
      context.record = [&](const TrainingStep& step) -> Result<void> {
        if (step.step == 4) source.request_stop();
        return {};
      };
    }
    const auto done = train(policies[rank], *task, examples, options_of(50), context);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kStopped);
    messages[rank] = done.error().message;
  });
  EXPECT_EQ(messages[0], "stopped after step 4 of 50; run the same command to go on");
  EXPECT_EQ(messages[1], messages[0]);
}

TEST(TrainingTogether, ALostProcessEndsTheRunAndKeepsTheLastAdapter) {
  const Scratch scratch;
  const auto examples = examples_of("dpo");
  const auto task = task_of("dpo");
  std::vector<BigramPolicy> policies;
  for (int i = 0; i < 2; ++i) policies.emplace_back(kVocabulary);
  std::string message;
  together(2, [&](Processes& processes) {
    const auto rank = processes.rank();
    TrainerContext context{.output = scratch.path(), .processes = &processes};
    if (rank == 1) {
      context.record = [](const TrainingStep& step) -> Result<void> {
        if (step.step == 5) return fail(ErrorCode::kIo, "gone");
        return {};
      };
    }
    const auto done = train(policies[rank], *task, examples, options_of(50), context);
    ASSERT_FALSE(done);
    if (rank == 0) message = done.error().message;
  });
  EXPECT_TRUE(message.starts_with("step 6: another process of this job ended or was not heard of in time ("))
      << message;
  EXPECT_TRUE(message.ends_with(fmt::format("; the adapter of step 4 is kept in {}. Start all processes again to go on",
                                            scratch.path().string())))
      << message;
}

}  // namespace
}  // namespace valence::train
