#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "valence/base/result.h"

// OpenMP threads that wait for each other may look for work for a while (spin) or sleep at once. A training step is
// thousands of small parallel regions: where nothing else runs, spinning makes it a quarter to a third faster; where
// something does, a thread that only waits keeps the one that works off its core, and a step takes seven times as long.
// So threads spin while the machine has nothing else to do, and the program starts itself anew, from its checkpoint,
// when that changes. The numbers are the same either way.

namespace valence {

/// Cores that did nothing between two readings of /proc/stat; 0 when they cannot be read.
double idle_cores(std::string_view before, std::string_view after);

/// Whether threads should spin now: Linux, and nearly all of the cores that this process may use were idle for `sample`.
bool spinning_pays(std::chrono::milliseconds sample = std::chrono::milliseconds(100));

/// Time that a thread was ready to run but had no core, from its /proc/self/task/N/schedstat; 0 when it cannot be read.
std::chrono::nanoseconds waited_for_core(std::string_view schedstat);

/// Whether other work takes the cores.
class Crowding {
 public:
  /// Of the threads' time since the last look (or since this was made), the share for which they were ready to run and
  /// had no core: 0 on an idle machine, about one half where as many others want the same cores.
  double share();
  /// Whether spinning costs more than it gains by now. Looks at stretches of two seconds at least.
  bool is_felt();
  /// Whether nothing was felt for five minutes, so that spinning would pay again.
  bool is_long_over();

 private:
  using Clock = std::chrono::steady_clock;
  static std::chrono::nanoseconds waited();
  /// The share of a stretch that is over; nothing within one.
  std::optional<double> stretch();

  Clock::time_point looked_ = Clock::now(), calm_since_ = looked_;
  std::chrono::nanoseconds waited_ = waited();
};

/// What threads do while they wait for each other.
enum class Waiting {
  kAsTold,  ///< whoever started the program said so (OMP_WAIT_POLICY, GOMP_SPINCOUNT)
  kSpin,
  kSleep
};
/// How this program was started; the other way to start it sets the environment that its libraries read.
Waiting waiting();
void set_waiting(Waiting waiting);
/// Starts the program anew in that way; does not return. kIo when the system refuses.
Result<void> start_anew(Waiting waiting, char** arguments);

}  // namespace valence
