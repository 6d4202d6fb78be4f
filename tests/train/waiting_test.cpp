#include "waiting.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "valence/base/files.h"
#include "valence/model/llama.h"

namespace valence {
namespace {

using namespace std::chrono_literals;

TEST(IdleCores, AreCountedBetweenTwoReadings) {
  const auto before =
      "cpu  300 0 100 1000 50 0 0 0 0 0\n"
      "cpu0 150 0 50 500 25 0 0 0 0 0\n"
      "cpu1 150 0 50 500 25 0 0 0 0 0\n"
      "intr 12345 0 0 0 0 0 0 0 0\n";
  const auto after =
      "cpu  308 0 102 1009 51 0 0 0 0 0\n"
      "cpu0 150 0 50 509 26 0 0 0 0 0\n"  // nothing but waiting
      "cpu1 157 0 52 501 25 0 0 0 0 0\n"  // one tick of ten
      "intr 12350 0 0 0 0 0 0 0 0\n";
  EXPECT_NEAR(idle_cores(before, after), 1.1, 1e-12);
}

TEST(IdleCores, AreNoneWhereNothingCanBeRead) {
  EXPECT_EQ(idle_cores("", ""), 0.0);
  EXPECT_EQ(idle_cores("cpu0 1 2\n", "cpu0 3 x\n"), 0.0);
  const auto same = "cpu0 1 0 1 1 0 0 0 0 0 0\n";
  EXPECT_EQ(idle_cores(same, same), 0.0);  // no tick has passed
}

TEST(WaitedForACore, IsTheSecondFigureOfTheSystem) {
  EXPECT_EQ(waited_for_core("368175168203 7626286693 461520\n"), 7626286693ns);
  EXPECT_EQ(waited_for_core(""), 0ns);
  EXPECT_EQ(waited_for_core("0\n"), 0ns);
}

/// Threads that never rest, for a while.
class Busy {
 public:
  explicit Busy(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { while (!over_) {} });
  }
  ~Busy() {
    over_ = true;
    for (auto& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> over_ = false;
  std::vector<std::thread> threads_;
};

TEST(Crowding, IsWhatThreadsThatWantToRunWaitFor) {
  const auto told = read_file("/proc/self/schedstat");
  if (!told || told->starts_with("0 0")) GTEST_SKIP() << "this system does not tell how long threads wait for a core";
  Crowding crowding;
  const Busy busy(3 * usable_cores());  // each has a core for a third of the time at most
  std::this_thread::sleep_for(300ms);
  EXPECT_GT(crowding.share(), 1.0);     // two of three threads wait, in threads per core
}

TEST(Crowding, IsNotFeltWithinAStretchNorLongOverAtOnce) {
  Crowding crowding;
  EXPECT_FALSE(crowding.is_felt());
  EXPECT_FALSE(crowding.is_long_over());
}

TEST(WaitingOfThreads, IsWhatTheEnvironmentOfTheProgramSays) {
  const auto before = waiting();
  set_waiting(Waiting::kSpin);
  EXPECT_EQ(waiting(), Waiting::kSpin);
  EXPECT_STREQ(::getenv("OMP_WAIT_POLICY"), "passive");
  EXPECT_STREQ(::getenv("GOMP_SPINCOUNT"), "20000");
  set_waiting(Waiting::kSleep);
  EXPECT_EQ(waiting(), Waiting::kSleep);
  EXPECT_STREQ(::getenv("GOMP_SPINCOUNT"), "0");
  ::unsetenv("VALENCE_TRAIN_THREADS");
  EXPECT_EQ(waiting(), Waiting::kAsTold);
  EXPECT_EQ(before, Waiting::kAsTold) << "the tests' own environment";
}

TEST(SpinningPays, NotWhereOthersTakeTheCores) {
  const Busy busy(2 * usable_cores());
  EXPECT_FALSE(spinning_pays(200ms));
}

}  // namespace
}  // namespace valence
