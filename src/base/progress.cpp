#include "valence/base/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "valence/base/text.h"

namespace valence {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr Seconds kQuietFor{2.0};       // work that is done by then needs no bar
constexpr Seconds kRedrawEvery{0.1};    // on a terminal
constexpr Seconds kPlainLineEvery{10};  // elsewhere
constexpr std::size_t kWidestBar = 30;
constexpr std::size_t kNarrowestBar = 8;

class Silent final : public Progress {
 public:
  void start(std::string_view, std::size_t, std::string_view) override {}
  void advance(std::size_t) override {}
  void note(std::string_view) override {}
  void finish() override {}
};

std::string bar_of(double share, std::size_t width, bool unicode) {
  const auto full = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(width));
  std::string bar;
  for (std::size_t i = 0; i < width; ++i) bar += i < full ? (unicode ? "█" : "#") : (unicode ? "░" : ".");
  return bar;
}

class OnStream final : public Progress {
 public:
  OnStream(const Terminal& terminal, ProgressSink sink, ProgressClock clock)
      : terminal_(terminal), sink_(std::move(sink)), clock_(std::move(clock)) {}

  ~OnStream() override { finish(); }

  void start(std::string_view what, std::size_t total, std::string_view unit) override {
    finish();
    work_ = {std::string(what), std::string(unit), 0, total, Seconds(0)};
    began_ = clock_();
    running_ = true;
    shown_ = false;
    last_shown_ = began_;
  }

  void advance(std::size_t count) override {
    work_.done += count;
    const auto now = clock_();
    const auto since = Seconds(now - last_shown_);
    const bool due = terminal_.interactive ? now - began_ >= kQuietFor && (!shown_ || since >= kRedrawEvery)
                                           : since >= kPlainLineEvery;
    if (running_ && due) show(now);
  }

  void note(std::string_view line) override {
    erase_bar();
    sink_(fmt::format("{}\n", line));
    if (running_ && shown_) show(clock_());
  }

  void finish() override {
    if (!running_) return;
    running_ = false;
    if (!shown_) return;
    erase_bar();
    const auto elapsed = Seconds(clock_() - began_);
    sink_(fmt::format("{}: {} {} in {}\n", work_.what, with_thousands(work_.done), work_.unit, duration_text(elapsed)));
  }

 private:
  void show(std::chrono::steady_clock::time_point now) {
    work_.elapsed = now - began_;
    const auto line = progress_line(work_, terminal_);
    sink_(terminal_.interactive ? fmt::format("\r{}\x1b[K", line) : line + "\n");
    bar_stands_ = terminal_.interactive;
    shown_ = true;
    last_shown_ = now;
  }

  void erase_bar() {
    if (bar_stands_) sink_("\r\x1b[K");
    bar_stands_ = false;
  }

  Terminal terminal_;
  ProgressSink sink_;
  ProgressClock clock_;
  WorkState work_;
  std::chrono::steady_clock::time_point began_, last_shown_;
  bool running_ = false;
  bool shown_ = false;       // this work has been shown at all
  bool bar_stands_ = false;  // the cursor's line holds a bar
};

std::string rate_of(const WorkState& work) {
  return fmt::format("{} {}/s", significant(static_cast<double>(work.done) / work.elapsed.count()), work.unit);
}

std::string time_left(const WorkState& work) {
  const auto left = work.elapsed * (static_cast<double>(work.total - work.done) / static_cast<double>(work.done));
  return fmt::format("{} left", duration_text(left));
}

/// "420/1,000 dialogues", "3.5 dialogues/s", "2 min 46 s left": what is known of it.
std::string progress_facts(const WorkState& work) {
  const auto total = work.total > 0 ? fmt::format("/{}", with_thousands(work.total)) : std::string();
  std::vector<std::string> facts = {fmt::format("{}{} {}", with_thousands(work.done), total, work.unit)};
  if (work.done > 0 && work.elapsed.count() > 0.0) facts.push_back(rate_of(work));
  if (work.done > 0 && work.done < work.total) facts.push_back(time_left(work));
  return join(facts, ", ");
}

}  // namespace

std::string progress_line(const WorkState& work, const Terminal& terminal) {
  const auto facts = progress_facts(work);
  const auto text = fmt::format("{}: {}", work.what, facts);
  if (!terminal.interactive) return text;
  const auto used = display_width(text) + 2;  // a space beside the bar, and a column free so that nothing wraps
  if (work.total == 0 || terminal.width < used + kNarrowestBar) {
    return display_width(text) < terminal.width ? text : facts;
  }
  const auto share = static_cast<double>(work.done) / static_cast<double>(work.total);
  const auto bar = bar_of(share, std::min(kWidestBar, terminal.width - used), terminal.unicode);
  return fmt::format("{}: {} {}", work.what, bar, facts);
}

std::unique_ptr<Progress> silent_progress() { return std::make_unique<Silent>(); }

std::unique_ptr<Progress> progress_on(const Terminal& terminal, ProgressSink sink, ProgressClock clock) {
  return std::make_unique<OnStream>(terminal, std::move(sink), std::move(clock));
}

std::unique_ptr<Progress> terminal_progress() {
  const auto to_stderr = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
  };
  return progress_on(terminal_of(STDERR_FILENO), to_stderr, std::chrono::steady_clock::now);
}

std::string duration_text(std::chrono::duration<double> seconds) {
  if (seconds < Seconds(0.95)) return fmt::format("{:.1f} s", std::max(0.0, seconds.count()));
  const auto whole = std::llround(std::min(seconds.count(), 1e15));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  const auto minutes = std::llround(static_cast<double>(whole) / 60.0);
  if (minutes < 24 * 60) return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
  const auto hours = std::llround(static_cast<double>(whole) / 3600.0);
  return fmt::format("{} d {:02} h", hours / 24, hours % 24);
}

}  // namespace valence
