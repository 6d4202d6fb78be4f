#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "valence/base/terminal.h"

namespace valence {

/// Long work reports here; whoever shows it decides how. Calls come from one thread.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void start(std::string_view what, std::size_t total, std::string_view unit) = 0;
  virtual void advance(std::size_t count) = 0;
  virtual void note(std::string_view line) = 0;  ///< a line that stays
  virtual void finish() = 0;
};

/// Says nothing.
std::unique_ptr<Progress> silent_progress();

/// On standard error: a bar that redraws in place on a terminal (after two seconds: what, done/total, rate, time
/// left), plain lines every ten seconds elsewhere.
std::unique_ptr<Progress> terminal_progress();

/// Work under way. `total` 0: not known beforehand.
struct WorkState {
  std::string what, unit;
  std::size_t done = 0, total = 0;
  std::chrono::duration<double> elapsed{0};
};

/// One line on the work: with a bar when the terminal is interactive and wide enough.
std::string progress_line(const WorkState& work, const Terminal& terminal);

/// The same on any stream and clock. `sink` gets text as it is to be written.
using ProgressSink = std::function<void(std::string_view)>;
using ProgressClock = std::function<std::chrono::steady_clock::time_point()>;
std::unique_ptr<Progress> progress_on(const Terminal& terminal, ProgressSink sink, ProgressClock clock);

/// "1 min 20 s", "3 h 05 min".
std::string duration_text(std::chrono::duration<double> seconds);

}  // namespace valence
