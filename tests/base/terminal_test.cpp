#include "valence/base/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace valence {
namespace {

/// The program's end of a pseudo-terminal of 100 columns.
class TerminalOf : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto* name : {"NO_COLOR", "LC_ALL", "LC_CTYPE"}) ::unsetenv(name);
    ::setenv("LANG", "C.UTF-8", 1);
    ::setenv("TERM", "xterm-256color", 1);
    controller_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    if (controller_ < 0) GTEST_SKIP() << "no pseudo-terminals here: /dev/ptmx cannot be opened";
    ASSERT_TRUE(::grantpt(controller_) == 0 && ::unlockpt(controller_) == 0);
    descriptor_ = ::open(::ptsname(controller_), O_RDWR | O_NOCTTY);
    struct winsize size {};
    size.ws_col = 100;
    size.ws_row = 40;
    ASSERT_EQ(::ioctl(descriptor_, TIOCSWINSZ, &size), 0);
  }
  void TearDown() override {
    if (controller_ < 0) return;
    ::close(descriptor_);
    ::close(controller_);
  }

  int controller_ = -1;
  int descriptor_ = -1;
};

TEST_F(TerminalOf, KnowsATerminal) {
  const auto terminal = terminal_of(descriptor_);
  EXPECT_TRUE(terminal.interactive);
  EXPECT_TRUE(terminal.colour);
  EXPECT_TRUE(terminal.unicode);
  EXPECT_EQ(terminal.width, 100U);
}

TEST_F(TerminalOf, NoColorIsObeyed) {
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(terminal_of(descriptor_).colour);
  EXPECT_TRUE(terminal_of(descriptor_).interactive);
  ::setenv("NO_COLOR", "", 1);  // the convention: only when not empty
  EXPECT_TRUE(terminal_of(descriptor_).colour);
}

TEST_F(TerminalOf, ADumbTerminalIsNotInteractive) {
  ::setenv("TERM", "dumb", 1);
  EXPECT_FALSE(terminal_of(descriptor_).interactive);
}

TEST_F(TerminalOf, TheFirstLocaleVariableDecides) {
  ::setenv("LC_CTYPE", "C", 1);
  EXPECT_FALSE(terminal_of(descriptor_).unicode);
  ::setenv("LC_ALL", "de_DE.utf8", 1);
  EXPECT_TRUE(terminal_of(descriptor_).unicode);
  for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) ::unsetenv(name);
  EXPECT_FALSE(terminal_of(descriptor_).unicode);
}

TEST_F(TerminalOf, AFileHasNoColourAndEightyColumns) {
  const int file = ::open("/dev/null", O_WRONLY);
  const auto terminal = terminal_of(file);
  ::close(file);
  EXPECT_FALSE(terminal.interactive);
  EXPECT_FALSE(terminal.colour);
  EXPECT_EQ(terminal.width, 80U);
}

TEST(Styled, ColoursOnlyWhereColourIsShown) {
  Terminal terminal;
  EXPECT_EQ(styled("x", Style::kBad, terminal), "x");
  terminal.colour = true;
  EXPECT_EQ(styled("x", Style::kBad, terminal), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(styled("x", Style::kGood, terminal), "\x1b[32mx\x1b[0m");
  EXPECT_EQ(styled("x", Style::kBold, terminal), "\x1b[1mx\x1b[0m");
  EXPECT_EQ(styled("x", Style::kDim, terminal), "\x1b[2mx\x1b[0m");
  EXPECT_EQ(styled("x", Style::kPlain, terminal), "x");
}

}  // namespace
}  // namespace valence
