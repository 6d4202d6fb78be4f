#pragma once

#include <string>
#include <vector>

namespace valence {

enum class Align { kLeft, kRight };

/// A text table for the terminal: aligned by display width, two spaces between columns, no frame.
class TextTable {
 public:
  explicit TextTable(std::vector<std::pair<std::string, Align>> columns);
  void add(std::vector<std::string> cells);
  /// Indented by `indent` spaces; a header line unless every column name is empty.
  std::string text(int indent = 2) const;

 private:
  std::vector<std::pair<std::string, Align>> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// An interval on a common axis: `├──●──┤` with a reference mark `|`, or `|--o--|` with `:` in ASCII. Ends beyond
/// the axis are arrowheads. Nothing but blanks when the value or the axis is not finite.
struct IntervalBar {
  double low, value, high;     ///< the interval and its estimate
  double axis_low, axis_high;  ///< the axis
  double reference;            ///< NaN for none
};
std::string draw(const IntervalBar& bar, std::size_t width, bool ascii);

}  // namespace valence
