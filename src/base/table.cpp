#include "valence/base/table.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::string_view kBetweenColumns = "  ";

std::string padded(const std::string& cell, std::size_t width, Align align) {
  const auto taken = display_width(cell);
  const std::string blanks(width > taken ? width - taken : 0, ' ');
  return align == Align::kLeft ? cell + blanks : blanks + cell;
}

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

struct BarGlyphs {
  std::string line, left, right, value, reference, beyond_left, beyond_right;
};

const BarGlyphs& bar_glyphs(bool ascii) {
  static const BarGlyphs plain{"-", "|", "|", "o", ":", "<", ">"};
  static const BarGlyphs drawn{"─", "├", "┤", "●", "|", "◂", "▸"};
  return ascii ? plain : drawn;
}

/// Cell of a point on the axis, which spans `width` cells; points beyond it fall on the last one.
std::size_t cell_of(double point, const IntervalBar& bar, std::size_t width) {
  const double share = (point - bar.axis_low) / (bar.axis_high - bar.axis_low);
  const auto last = static_cast<double>(width - 1);
  return static_cast<std::size_t>(std::lround(std::clamp(share, 0.0, 1.0) * last));
}

}  // namespace

TextTable::TextTable(std::vector<std::pair<std::string, Align>> columns) : columns_(std::move(columns)) {}

void TextTable::add(std::vector<std::string> cells) {
  assert(cells.size() <= columns_.size());
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::text(int indent) const {
  std::vector<std::vector<std::string>> lines = rows_;
  std::vector<std::string> header;
  for (const auto& column : columns_) header.push_back(column.first);
  const bool named = std::any_of(header.begin(), header.end(), [](const auto& name) { return !name.empty(); });
  if (named) lines.insert(lines.begin(), header);
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], display_width(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    std::vector<std::string> cells;
    for (std::size_t i = 0; i < widths.size(); ++i) cells.push_back(padded(line[i], widths[i], columns_[i].second));
    const std::string margin(static_cast<std::size_t>(std::max(indent, 0)), ' ');
    out += without_trailing_blanks(margin + join(cells, kBetweenColumns)) + "\n";
  }
  return out;
}

std::string draw(const IntervalBar& bar, std::size_t width, bool ascii) {
  const bool drawable = width > 0 && bar.axis_high > bar.axis_low && std::isfinite(bar.value);
  std::vector<std::string> cells(width, " ");
  if (!drawable) return join(cells, "");
  const auto& glyphs = bar_glyphs(ascii);
  if (bar.low <= bar.high) {
    const auto first = cell_of(bar.low, bar, width);
    const auto last = cell_of(bar.high, bar, width);
    for (auto i = first; i <= last; ++i) cells[i] = glyphs.line;
    cells[first] = bar.low < bar.axis_low ? glyphs.beyond_left : glyphs.left;
    cells[last] = bar.high > bar.axis_high ? glyphs.beyond_right : glyphs.right;
  }
  if (std::isfinite(bar.reference)) cells[cell_of(bar.reference, bar, width)] = glyphs.reference;
  cells[cell_of(bar.value, bar, width)] = glyphs.value;
  return join(cells, "");
}

}  // namespace valence
