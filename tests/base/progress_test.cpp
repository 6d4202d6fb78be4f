#include "valence/base/progress.h"

#include <gtest/gtest.h>

namespace valence {
namespace {

using std::chrono::milliseconds;

Terminal interactive(std::size_t width) {
  return {.interactive = true, .colour = false, .unicode = true, .width = width};
}

/// Progress that writes into a string and goes by a clock that the test moves.
struct Shown {
  std::string text;
  std::chrono::steady_clock::time_point now{};
  std::unique_ptr<Progress> progress;

  explicit Shown(const Terminal& terminal)
      : progress(progress_on(terminal, [this](std::string_view piece) { text += piece; }, [this] { return now; })) {}

  void advance(std::size_t count, milliseconds by) {
    now += by;
    progress->advance(count);
  }
};

TEST(ProgressLine, ShowsDoneRateAndTimeLeft) {
  WorkState work{"measuring", "dialogues", 250, 1000, std::chrono::seconds(10)};
  EXPECT_EQ(progress_line(work, Terminal{}), "measuring: 250/1,000 dialogues, 25.0 dialogues/s, 30 s left");
  EXPECT_EQ(progress_line(work, interactive(90)),
            "measuring: ███████░░░░░░░░░░░░░░░░░░░░░░ 250/1,000 dialogues, 25.0 dialogues/s, 30 s left");
  EXPECT_EQ(progress_line(work, interactive(72)),
            "measuring: ██░░░░░░░░░ 250/1,000 dialogues, 25.0 dialogues/s, 30 s left");
  EXPECT_EQ(progress_line(work, interactive(62)), "measuring: 250/1,000 dialogues, 25.0 dialogues/s, 30 s left");
  EXPECT_EQ(progress_line(work, interactive(50)), "250/1,000 dialogues, 25.0 dialogues/s, 30 s left");
}

TEST(ProgressLine, ClaimsNothingItDoesNotKnow) {
  EXPECT_EQ(progress_line({"reading", "rows", 0, 10, std::chrono::seconds(3)}, Terminal{}), "reading: 0/10 rows");
  EXPECT_EQ(progress_line({"reading", "rows", 30, 0, std::chrono::seconds(3)}, Terminal{}),
            "reading: 30 rows, 10.0 rows/s");
  EXPECT_EQ(progress_line({"reading", "rows", 10, 10, std::chrono::seconds(2)}, Terminal{}),
            "reading: 10/10 rows, 5.00 rows/s");
}

TEST(Progress, ShortWorkIsNotShown) {
  Shown shown(interactive(80));
  shown.progress->start("a", 10, "steps");
  for (int i = 0; i < 10; ++i) shown.advance(1, milliseconds(199));
  shown.progress->finish();
  EXPECT_EQ(shown.text, "");
}

TEST(Progress, ABarRedrawsInPlaceAndLeavesASummary) {
  Shown shown(interactive(40));
  shown.progress->start("a", 4, "steps");
  shown.advance(1, milliseconds(2000));
  shown.advance(1, milliseconds(50));   // too soon to redraw
  shown.advance(1, milliseconds(2000));
  shown.progress->note("a line");
  shown.progress->finish();
  EXPECT_EQ(shown.text,
            "\ra: 1/4 steps, 0.500 steps/s, 6 s left\x1b[K"
            "\ra: 3/4 steps, 0.741 steps/s, 1 s left\x1b[K"
            "\r\x1b[Ka line\n"
            "\ra: 3/4 steps, 0.741 steps/s, 1 s left\x1b[K"
            "\r\x1b[Ka: 3 steps in 4 s\n");
}

TEST(Progress, PlainLinesEveryTenSeconds) {
  Shown shown(Terminal{});
  shown.progress->start("a", 100, "steps");
  for (int i = 0; i < 25; ++i) shown.advance(1, milliseconds(1000));
  shown.progress->finish();
  EXPECT_EQ(shown.text,
            "a: 10/100 steps, 1.00 steps/s, 1 min 30 s left\n"
            "a: 20/100 steps, 1.00 steps/s, 1 min 20 s left\n"
            "a: 25 steps in 25 s\n");
}

TEST(Progress, NotesAreShownAtAnyTime) {
  Shown shown(Terminal{});
  shown.progress->note("before");
  shown.progress->start("a", 2, "steps");
  shown.progress->note("during");
  EXPECT_EQ(shown.text, "before\nduring\n");
}

TEST(Progress, NewWorkEndsTheOldAndDestructionTheLast) {
  std::string text;
  {
    Shown shown(interactive(80));
    shown.progress->start("first", 2, "steps");
    shown.advance(1, milliseconds(3000));
    shown.text.clear();
    shown.progress->start("second", 2, "steps");
    EXPECT_EQ(shown.text, "\r\x1b[Kfirst: 1 steps in 3 s\n");
    shown.advance(1, milliseconds(5000));
    shown.text.clear();
    shown.progress.reset();
    text = shown.text;
  }
  EXPECT_EQ(text, "\r\x1b[Ksecond: 1 steps in 5 s\n");
}

TEST(Progress, SilenceSaysNothingAndNeedsNoStart) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const auto progress = silent_progress();
  progress->advance(1);
  progress->note("x");
  progress->finish();
  EXPECT_EQ(::testing::internal::GetCapturedStdout() + ::testing::internal::GetCapturedStderr(), "");
}

TEST(Duration, ReadsLikeAClock) {
  const auto text = [](double seconds) { return duration_text(std::chrono::duration<double>(seconds)); };
  EXPECT_EQ(text(0.42), "0.4 s");
  EXPECT_EQ(text(-1), "0.0 s");
  EXPECT_EQ(text(0.97), "1 s");
  EXPECT_EQ(text(59.4), "59 s");
  EXPECT_EQ(text(59.6), "1 min 00 s");
  EXPECT_EQ(text(80), "1 min 20 s");
  EXPECT_EQ(text(3599.7), "1 h 00 min");
  EXPECT_EQ(text(11100), "3 h 05 min");
  EXPECT_EQ(text(86399), "1 d 00 h");
  EXPECT_EQ(text(97200), "1 d 03 h");
}

}  // namespace
}  // namespace valence
