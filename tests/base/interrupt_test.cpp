#include "valence/base/interrupt.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

namespace valence {
namespace {

bool stops_within_five_seconds(const std::stop_token& token) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!token.stop_requested() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return token.stop_requested();
}

void stop_and_exit(int signal) {
  const auto token = stop_on_signal();
  if (token.stop_requested()) std::_Exit(1);
  ::raise(signal);
  std::exit(stops_within_five_seconds(stop_on_signal()) && token.stop_requested() ? 42 : 1);
}

// Each runs in a process of its own: the handlers stay for a process's life.
class StopOnSignal : public ::testing::Test {
 protected:
  void SetUp() override { ::testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(StopOnSignal, TheFirstSignalAsksToStop) {
  EXPECT_EXIT(stop_and_exit(SIGINT), ::testing::ExitedWithCode(42), "");
  EXPECT_EXIT(stop_and_exit(SIGTERM), ::testing::ExitedWithCode(42), "");
}

TEST_F(StopOnSignal, TheFirstIsAcknowledgedAtOnce) {
  const auto once = [] {
    stop_on_signal("stopping");
    ::raise(SIGINT);
    std::_Exit(42);
  };
  EXPECT_EXIT(once(), ::testing::ExitedWithCode(42), "^stopping$");
}

TEST_F(StopOnSignal, TheSecondEndsTheProcess) {
  const auto twice = [] {
    stop_on_signal();
    ::raise(SIGINT);
    ::raise(SIGTERM);
    std::_Exit(1);
  };
  EXPECT_EXIT(twice(), ::testing::KilledBySignal(SIGTERM), "");
}

TEST_F(StopOnSignal, WithoutASignalTheProcessEndsNormally) {
  EXPECT_EXIT((stop_on_signal(), std::exit(0)), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace valence
