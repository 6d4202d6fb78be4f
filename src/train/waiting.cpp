#include "waiting.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <thread>
#include <vector>

#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/model/llama.h"

namespace valence {
namespace {

constexpr double kFree = 0.85;  // of the cores that may be used; the rest is noise
constexpr double kCrowded = 0.08, kCalm = 0.04;  // of the threads' time; an idle machine has about 0.02
constexpr auto kLong = std::chrono::minutes(5);   // starting anew costs some seconds
constexpr auto kStretch = std::chrono::seconds(2);
constexpr const char* kSpins = "20000";  // about a millisecond: longer than between two parallel regions
constexpr const char* kChosen = "VALENCE_TRAIN_THREADS";  // what this program chose for itself
constexpr std::string_view kSpinning = "spin", kSleeping = "sleep";

std::int64_t number(std::string_view word) {
  std::int64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

struct CoreTime {
  std::int64_t idle = 0, all = 0;  // ticks
};

/// "cpu0 user nice system idle iowait irq softirq steal guest guest_nice": guests are in user already.
std::map<std::string, CoreTime> core_times(std::string_view stat) {
  constexpr std::size_t kIdle = 4, kWaiting = 5, kLast = 8;
  std::map<std::string, CoreTime> times;
  for (const auto& line : split(stat, "\n")) {
    const auto words = split(line, " ");
    if (!line.starts_with("cpu") || words.front() == "cpu" || words.size() <= kLast) continue;
    auto& time = times[words.front()];
    for (std::size_t i = 1; i <= kLast; ++i) time.all += number(words[i]);
    time.idle = number(words[kIdle]) + number(words[kWaiting]);
  }
  return times;
}

}  // namespace

double idle_cores(std::string_view before, std::string_view after) {
  const auto first = core_times(before);
  double idle = 0.0;
  for (const auto& [core, now] : core_times(after)) {
    const auto then = first.find(core);
    if (then == first.end() || now.all <= then->second.all) continue;
    idle += static_cast<double>(now.idle - then->second.idle) / static_cast<double>(now.all - then->second.all);
  }
  return idle;
}

bool spinning_pays(std::chrono::milliseconds sample) {
  const auto before = read_file("/proc/stat");
  if (!before) return false;
  std::this_thread::sleep_for(sample);
  const auto after = read_file("/proc/stat");
  return after && idle_cores(*before, *after) >= kFree * usable_cores();
}

std::chrono::nanoseconds waited_for_core(std::string_view schedstat) {
  const auto words = split(trim(schedstat), " ");  // time on a core, time waited for one, slices
  return std::chrono::nanoseconds(words.size() == 3 ? number(words[1]) : 0);
}

std::chrono::nanoseconds Crowding::waited() {
  std::chrono::nanoseconds sum{0};
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", error)) {
    if (const auto text = read_file(thread.path() / "schedstat")) sum += waited_for_core(*text);
  }
  return sum;
}

double Crowding::share() {
  const auto now = Clock::now();
  const auto waited = Crowding::waited();
  const auto passed = std::chrono::duration<double>(now - looked_) * usable_cores();
  const double share = passed.count() > 0 ? std::chrono::duration<double>(waited - waited_) / passed : 0.0;
  looked_ = now;
  waited_ = waited;
  return std::max(0.0, share);
}

std::optional<double> Crowding::stretch() {
  if (Clock::now() - looked_ < kStretch) return std::nullopt;
  return share();
}

bool Crowding::is_felt() { return stretch().value_or(0.0) > kCrowded; }

bool Crowding::is_long_over() {
  if (const auto share = stretch(); share && *share > kCalm) calm_since_ = looked_;
  return Clock::now() - calm_since_ >= kLong;
}

Waiting waiting() {
  const auto chosen = environment(kChosen);
  if (chosen == kSpinning) return Waiting::kSpin;
  return chosen == kSleeping ? Waiting::kSleep : Waiting::kAsTold;
}

void set_waiting(Waiting waiting) {
  const bool spin = waiting == Waiting::kSpin;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::setenv("GOMP_SPINCOUNT", spin ? kSpins : "0", 1);
  ::setenv(kChosen, (spin ? kSpinning : kSleeping).data(), 1);
}

Result<void> start_anew(Waiting waiting, char** arguments) {
  set_waiting(waiting);
  ::execv("/proc/self/exe", arguments);
  return fail(ErrorCode::kIo, "the program could not start itself anew: {}. Set OMP_WAIT_POLICY=passive and run it again",
              std::strerror(errno));
}

}  // namespace valence
