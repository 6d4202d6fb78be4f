#include "valence/base/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "valence/base/text.h"

namespace valence {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

TEST(TextTable, AlignsByDisplayWidth) {
  TextTable table({{"value", Align::kLeft}, {"angle", Align::kRight}});
  table.add({"価値", "7.5"});
  table.add({"altruistic", "61.4"});
  table.add({"x"});
  EXPECT_EQ(table.text(),
            "  value       angle\n"
            "  価値          7.5\n"
            "  altruistic   61.4\n"
            "  x\n");
}

TEST(TextTable, HasNoHeaderWithoutNames) {
  TextTable table({{"", Align::kLeft}, {"", Align::kLeft}});
  table.add({"a", "b"});
  EXPECT_EQ(table.text(0), "a  b\n");
  EXPECT_EQ(TextTable({{"", Align::kLeft}}).text(), "");
}

TEST(TextTable, ColourTakesNoColumns) {
  TextTable table({{"", Align::kLeft}, {"", Align::kLeft}});
  table.add({"\x1b[32mok\x1b[0m", "x"});
  table.add({"bad", "y"});
  EXPECT_EQ(table.text(0), "\x1b[32mok\x1b[0m   x\nbad  y\n");
}

TEST(IntervalBar, ShowsIntervalEstimateAndReference) {
  const IntervalBar bar{.low = 2, .value = 5, .high = 8, .axis_low = 0, .axis_high = 10, .reference = 9};
  EXPECT_EQ(draw(bar, 11, false), "  ├──●──┤| ");
  EXPECT_EQ(draw(bar, 11, true), "  |--o--|: ");
}

TEST(IntervalBar, PointsOutwardsBeyondTheAxis) {
  const IntervalBar bar{.low = -5, .value = 5, .high = 20, .axis_low = 0, .axis_high = 10, .reference = kNone};
  EXPECT_EQ(draw(bar, 11, false), "◂────●────▸");
  EXPECT_EQ(draw(bar, 11, true), "<----o---->");
}

TEST(IntervalBar, WithoutAnIntervalIsAPoint) {
  const IntervalBar bar{.low = kNone, .value = 0, .high = kNone, .axis_low = 0, .axis_high = 10, .reference = 5};
  EXPECT_EQ(draw(bar, 5, true), "o :  ");
}

TEST(IntervalBar, IsBlankWhenThereIsNothingToDraw) {
  EXPECT_EQ(draw({0, kNone, 1, 0, 10, kNone}, 4, true), "    ");
  EXPECT_EQ(draw({0, 1, 2, 3, 3, kNone}, 4, true), "    ");
  EXPECT_EQ(draw({0, 1, 2, 0, 3, kNone}, 0, true), "");
}

TEST(IntervalBar, AlwaysTakesItsWidth) {
  for (std::size_t width = 1; width < 40; ++width) {
    EXPECT_EQ(display_width(draw({1, 2, 3, 0, 3, 2.5}, width, false)), width);
  }
}

}  // namespace
}  // namespace valence
