// valence-train as a program: killed and started again, and as several processes with the variables that torchrun sets.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "checkpoint.h"
#include "free_port.h"
#include "tiny_runs.h"
#include "valence/base/files.h"
#include "valence/base/random.h"
#include "valence/store/store.h"
#include "valence/train/outcome.h"

namespace valence {
namespace {

using test::Given;
using testing::content_of;
using testing::put_file;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// One process of several, or the only one; ended with the test at the latest.
class Child {
 public:
  Child(const fs::path& job, const fs::path& log, int rank, int count, std::uint16_t port, int patience) : log_(log) {
    const auto text = [](auto number) { return fmt::format("{}", number); };
    const auto seconds = text(patience);
    pid_ = ::fork();
    if (pid_ != 0) return;
    for (const auto& [name, value] : Given{{"RANK", text(rank)},
                                           {"WORLD_SIZE", text(count)},
                                           {"LOCAL_WORLD_SIZE", text(count)},
                                           {"MASTER_ADDR", "127.0.0.1"},
                                           {"MASTER_PORT", text(port)}})
      ::setenv(name.c_str(), value.c_str(), 1);
    std::freopen(log.c_str(), "w", stderr);
    ::execl(VALENCE_TRAIN_PROGRAM, "valence-train", job.c_str(), "--quiet", "--patience", seconds.c_str(), nullptr);
    ::_exit(127);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) end(SIGKILL), status();
  }

  void end(int signal) const { ::kill(pid_, signal); }
  /// Waits for its end; 128 + signal when one ended it.
  int status() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  std::string message() const { return content_of(log_); }

 private:
  fs::path log_;
  pid_t pid_ = -1;
};

/// Runs of the program on pairs. Within the test, OpenBLAS might round by other kernels than the program chooses.
class ProgramRuns : public test::TinyRuns {
 protected:
  ProgramRuns() : TinyRuns(pairs()) {}

  static std::string pairs() {
    std::string lines;
    for (const std::string word : {"a", "b", "c", "d", "e", "f"})
      lines += fmt::format(R"({{"prompt": "{0}?", "chosen": "yes {0}", "rejected": "no"}})", word) + "\n";
    return lines;
  }

  std::unique_ptr<Child> start(const TrainingJob& job, int rank, std::uint16_t port, int patience = 60,
                               int count = 2) const {
    return std::make_unique<Child>(written(job), folder_ / fmt::format("log{}", rank), rank, count, port, patience);
  }

  std::unique_ptr<Child> start_alone(const TrainingJob& job) const {
    return start(job, 0, testing::free_port(), /*patience=*/60, /*count=*/1);
  }

  void run_one(const TrainingJob& job) const {
    const auto only = start_alone(job);
    EXPECT_EQ(only->status(), 0) << only->message();
  }
};

/// When a file was written last; the earliest time when there is none.
fs::file_time_type time_of(const fs::path& file) {
  std::error_code error;
  return fs::last_write_time(file, error);
}

/// Waits until the file was written again, `longest` at most; false when that time is over.
bool wait_for_another(const fs::path& file, fs::file_time_type last, Seconds longest) {
  const auto begin = Clock::now();
  while (time_of(file) == last) {
    if (Clock::now() - begin > longest) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

TEST_F(ProgramRuns, KilledTenTimesEndWithTheAdapterOfOneThatNeverWas) {
  constexpr int kKills = 10;
  constexpr Seconds kFar(60);  // not reached: nothing is waited for that long unless something is wrong
  const Given given{{"steps", "80"}, {"learning_rate", "0.01"}, {"rank", "4"}, {"dropout", "0.1"},
                    {"batch", "2"},  {"checkpoint_every", "1"}};
  const auto through = job_of("dpo", "through", given), killed = job_of("dpo", "killed", given);
  const auto begin = Clock::now();
  const auto only = start_alone(through);
  ASSERT_TRUE(wait_for_another(through.output / "checkpoint.bin", fs::file_time_type::min(), kFar)) << only->message();
  const Seconds first = Clock::now() - begin;  // until something is kept
  ASSERT_EQ(only->status(), 0) << only->message();
  const auto whole = read_outcome(through.output / "outcome.json").value();
  const auto step = Seconds(whole.seconds) / static_cast<double>(whole.steps);

  RandomStream random(1, "kills");
  const auto checkpoint = killed.output / "checkpoint.bin";
  std::uint64_t reached = 0;
  int went_on = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    const auto last = time_of(checkpoint);
    const auto child = start_alone(killed);
    const bool at_work = kill % 3 > 0;  // else while it starts, before it keeps more than one step
    if (at_work) {
      ASSERT_TRUE(wait_for_another(checkpoint, last, kFar)) << child->message();
      std::this_thread::sleep_for(random.uniform() * 5 * step);
    } else {
      wait_for_another(checkpoint, last, random.uniform() * first);
    }
    child->end(SIGKILL);
    ASSERT_EQ(child->status(), 128 + SIGKILL) << "it ended before it was killed: give it more steps\n"
                                              << child->message();
    const auto now = fs::exists(checkpoint) ? train::read_checkpoint(checkpoint).value().step : 0;
    EXPECT_GE(now, reached) << "a start forgot what was done before it";
    if (reached > 0 && now > reached) ++went_on;
    reached = now;
  }
  run_one(killed);
  EXPECT_GE(went_on, 5);  // of the six kills at work all but the first, before which nothing may have been kept
  EXPECT_GT(reached, 0U);
  EXPECT_EQ(read_outcome(killed.output / "outcome.json").value().resumed_from, reached);
  EXPECT_EQ(content_of(killed.output / "adapter.gguf"), content_of(through.output / "adapter.gguf"));
}

class TwoProcesses : public ProgramRuns {
 protected:
  /// DPO by plain gradient steps, an example a pass.
  TrainingJob job(const std::string& name, Given given) const {
    given.insert(given.end(), {{"update_rule", "sgd"},
                               {"max_gradient_norm", "0"},
                               {"warmup", "0"},
                               {"batch", "6"},
                               {"pass_tokens", "16"},
                               {"beta", "1"}});
    return job_of("dpo", name, given);
  }

  /// Starts both, the second one with folders of its own, and expects both to end well.
  void run_two(const TrainingJob& job) const {
    auto other = job;
    other.output = job.output.string() + "-other";
    other.store = folder_ / "other.db";
    const auto port = testing::free_port();
    const auto first = start(job, 0, port), second = start(other, 1, port);
    EXPECT_EQ(first->status(), 0) << first->message();
    EXPECT_EQ(second->status(), 0) << second->message();
    EXPECT_FALSE(fs::exists(other.output));
    EXPECT_FALSE(fs::exists(other.store));
  }

  /// Largest difference of the parameters left, relative to the largest of each tensor. With one step of rate 1, which
  /// leaves minus the gradient in what began at 0 (B), and what began otherwise (A) where it was: its gradient is 0.
  double largest_difference(const fs::path& a, const fs::path& b) const {
    const auto first = train::read_checkpoint(a / "checkpoint.bin").value(),
               second = train::read_checkpoint(b / "checkpoint.bin").value();
    EXPECT_EQ(first.tensors.size(), second.tensors.size());
    double largest = 0;
    for (std::size_t i = 0; i < first.tensors.size(); ++i) {
      const auto &left = first.tensors[i].second, &right = second.tensors[i].second;
      const auto scale = right.abs().max().item<double>();
      EXPECT_GT(scale, 0) << first.tensors[i].first;
      largest = std::max(largest, (left - right).abs().max().item<double>() / scale);
    }
    RecordProperty("largest_difference", fmt::format("{:.1e}", largest));
    return largest;
  }

  void wait_for(const fs::path& file) const {
    for (int i = 0; i < 600 && !fs::exists(file); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ASSERT_TRUE(fs::exists(file));
  }
};

TEST_F(TwoProcesses, HaveTheFirstGradientsOfOne) {
  const Given one_step{{"steps", "1"}, {"learning_rate", "1"}};
  run_one(job("one", one_step));
  run_two(job("two", one_step));
  EXPECT_LT(largest_difference(folder_ / "two", folder_ / "one"), 1e-6);
}

TEST_F(TwoProcesses, HaveTheParametersOfOneAfterManySteps) {
  const auto store = Store::open(folder_ / "v.db").value();
  RunRecord record;
  record.key = "k";
  record.settings = record.provenance = "{}";
  const Given steps{{"steps", "12"}, {"learning_rate", "0.05"}};
  auto two = job("two", steps);
  two.store = folder_ / "v.db";
  two.run = store->create_run(record).value();
  run_one(job("one", steps));
  run_two(two);
  EXPECT_LT(largest_difference(folder_ / "two", folder_ / "one"), 1e-5);
  const auto one_outcome = read_outcome(folder_ / "one" / "outcome.json").value(),
             two_outcome = read_outcome(folder_ / "two" / "outcome.json").value();
  EXPECT_LT(one_outcome.after.loss, one_outcome.before.loss - .01);
  EXPECT_NEAR(two_outcome.after.loss, one_outcome.after.loss, 1e-5);
  EXPECT_EQ(two_outcome.tokens, one_outcome.tokens);
  EXPECT_EQ(store->training_steps(two.run)->size(), 12U);
}

TEST_F(TwoProcesses, WhenOneIsKilledTheOtherEndsAndKeepsTheCheckpoint) {
  const auto endless = job("out", {{"steps", "1000000"}, {"learning_rate", "0.001"}, {"checkpoint_every", "5"}});
  const auto port = testing::free_port();
  const auto first = start(endless, 0, port), second = start(endless, 1, port);
  wait_for(endless.output / "checkpoint.bin");
  second->end(SIGKILL);
  EXPECT_EQ(first->status(), 1);
  const auto message = first->message();
  EXPECT_NE(message.find("valence-train: process 0 of 2: step "), std::string::npos) << message;
  EXPECT_NE(message.find("another process of this job ended or was not heard of in time"), std::string::npos)
      << message;
  EXPECT_NE(message.find("is kept in " + endless.output.string()), std::string::npos) << message;
  const auto kept = train::read_checkpoint(endless.output / "checkpoint.bin");
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->processes, 2U);
  EXPECT_EQ(kept->step % 5, 0U);
}

TEST_F(TwoProcesses, WhenOneIsSilentTheOtherWaitsNoLongerThanItsPatience) {
  const auto endless = job("out", {{"steps", "1000000"}, {"learning_rate", "0.001"}, {"checkpoint_every", "5"}});
  const auto port = testing::free_port();
  const auto first = start(endless, 0, port, /*patience=*/3), second = start(endless, 1, port, /*patience=*/3);
  wait_for(endless.output / "checkpoint.bin");
  second->end(SIGSTOP);
  EXPECT_EQ(first->status(), 1);
  EXPECT_NE(first->message().find("was not heard of in time"), std::string::npos) << first->message();
}

TEST_F(TwoProcesses, ThatWouldLookAtDifferentHeldOutExamplesAreRefused) {
  const auto port = testing::free_port();
  const auto own = job("out", {{"steps", "1"}});
  auto other = own;
  other.output = folder_ / "more";
  other.held_out = folder_ / "held_out.jsonl";
  put_file(other.held_out, to_jsonl(std::span(examples_).first(2)));
  const auto first = start(own, 0, port), second = start(other, 1, port);
  EXPECT_EQ(first->status(), 1);
  EXPECT_EQ(second->status(), 1);
  EXPECT_EQ(
      first->message(),
      "valence-train: process 0 of 2: process 1 was given other held-out examples than process 0 (compare the files "
      "that the jobs name as held_out)\n");
}

TEST_F(TwoProcesses, OfDifferentJobsAreRefused) {
  const auto port = testing::free_port();
  const auto first = start(job("out", {{"steps", "1"}}), 0, port),
             second = start(job("more", {{"steps", "2"}}), 1, port);
  EXPECT_EQ(first->status(), 1);
  EXPECT_EQ(second->status(), 1);
  EXPECT_EQ(first->message(),
            "valence-train: process 0 of 2: process 1 was given another job than process 0 (other data, settings or "
            "weights)\n");
}

}  // namespace
}  // namespace valence
