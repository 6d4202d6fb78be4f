#pragma once

#include <string>
#include <string_view>

#include "valence/base/result.h"

namespace valence::report {

/// Every picture is this wide, in units of its viewBox: one unit is about a pixel on a phone, so text keeps its size.
constexpr double kPictureWidth = 360;

enum class Anchor { kStart, kMiddle, kEnd };

/// A picture being drawn: viewBox only, text as text, everything foreign escaped. Classes are those of
/// data/report/style.css.
class Svg {
 public:
  /// `id` must be unique in the file; it names title and description.
  Svg(std::string_view id, double height, std::string_view title, std::string_view description);

  void line(double x1, double y1, double x2, double y2, std::string_view style);
  void circle(double x, double y, double radius, std::string_view style);
  void rectangle(double x, double y, double width, double height, std::string_view style);
  void path(std::string_view data, std::string_view style);
  void text(double x, double y, std::string_view content, std::string_view style = {}, Anchor anchor = Anchor::kStart);
  std::string str() const;

 private:
  std::string body_;
};

/// A picture of the report as a file of its own: styles inside, nothing loaded.
Result<std::string> standalone(std::string picture);

/// The mark of a series: filled circle, open square, filled diamond, open triangle; shape tells them apart, colour helps.
void draw_mark(Svg& svg, std::size_t series, double x, double y, double size);

/// The mark of a run in a picture: its place, but of one subject before and after the first is open and the last filled.
constexpr std::size_t mark_of(std::size_t series, std::size_t runs, bool moved) { return moved ? runs - 1 - series : series; }

/// One entry of a legend per line: the mark of a series, or (kReferenceMark) a dashed line, then the wrapped text.
constexpr std::size_t kReferenceMark = static_cast<std::size_t>(-1);
/// Returns the y of the next line.
double draw_legend_entry(Svg& svg, std::size_t mark, std::string_view text, double y);
double legend_entry_height(std::string_view text);

struct Point {
  double x, y;
};
/// Degrees run counter-clockwise from the right; the picture's y runs downwards.
Point polar(Point centre, double degrees, double radius);
/// Path of the arc from one angle up to another, at most 180 degrees on.
std::string arc_path(Point centre, double from, double to, double radius);

/// An arrow from one mark to another, ending short of the second; nothing where they lie on each other.
void draw_arrow(Svg& svg, Point from, Point to);

/// The smallest round number that is at least `most`, at most `limit`: the ends of an axis around 0.
double round_bound(double most, double limit);

/// Where a value lies between two ends of an axis, clamped to it.
struct Axis {
  double low, high;      ///< values
  double start, end;     ///< places
  double at(double value) const;
};

/// A round step that gives about four ticks over a range above 0.
double tick_step(double range);

}  // namespace valence::report
