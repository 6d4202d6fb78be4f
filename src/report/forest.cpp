#include "forest.h"

#include <fmt/format.h>

#include <cmath>

#include "svg.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence::report {
namespace {

constexpr double kForestLeft = 6, kForestRight = 354, kAxisRight = 196;
constexpr double kForestHead = 14, kForestFoot = 38;
constexpr double kLabelLine = 16, kSeriesLine = 17, kRowGap = 8, kGroupLine = 26;
constexpr std::size_t kLabelColumns = 42;

double label_height(const ForestRow& row) { return kLabelLine * static_cast<double>(wrap(row.label, kLabelColumns).size()); }

double row_height(const ForestRow& row) {
  return label_height(row) + kSeriesLine * static_cast<double>(row.points.size()) + kRowGap;
}

bool opens_group(const Forest& forest, std::size_t row) {
  return !forest.rows[row].group.empty() && (row == 0 || forest.rows[row].group != forest.rows[row - 1].group);
}

double legend_height(const Forest& forest) {
  double height = 6;
  for (const auto& name : forest.series) height += legend_entry_height(name);
  return height + (forest.reference_label.empty() ? 0 : legend_entry_height(forest.reference_label));
}

double forest_height(const Forest& forest) {
  double height = kForestHead + legend_height(forest) + kForestFoot;
  for (std::size_t i = 0; i < forest.rows.size(); ++i) height += row_height(forest.rows[i]) + (opens_group(forest, i) ? kGroupLine : 0);
  return height;
}

void draw_point(Svg& svg, const Axis& axis, const ForestPoint& point, double y) {
  const auto& e = point.estimate;
  if (!std::isfinite(e.value)) return svg.text(kForestLeft, y + 4, "undefined", "small soft");
  if (e.has_interval() && point.systematic > 0.0) {
    svg.line(axis.at(e.low - point.systematic), y, axis.at(e.high + point.systematic), y, fmt::format("thin s{}", point.series % 4));
  }
  if (e.has_interval()) {
    const double low = axis.at(e.low), high = axis.at(e.high);
    svg.line(low, y, high, y, fmt::format("interval s{}", point.series % 4));
    for (const double end : {low, high}) svg.line(end, y - 4, end, y + 4, fmt::format("mark s{}", point.series % 4));
  }
  draw_mark(svg, point.series, axis.at(e.value), y, 4.2);
}

void draw_row(Svg& svg, const Axis& axis, const ForestRow& row, double top) {
  double y = top;
  for (const auto& part : wrap(row.label, kLabelColumns)) svg.text(kForestLeft, (y += kLabelLine) - 4, part, "strong");
  if (std::isfinite(row.reference)) {
    svg.line(axis.at(row.reference), y, axis.at(row.reference), y + kSeriesLine * static_cast<double>(row.points.size()), "reference");
  }
  y += kSeriesLine / 2;
  for (const auto& point : row.points) {
    if (std::isfinite(point.estimate.value)) svg.line(axis.start, y, axis.end, y, "grid");
    draw_point(svg, axis, point, y);
    svg.text(kForestRight, y + 4, figure_text(point.estimate), "small", Anchor::kEnd);
    y += kSeriesLine;
  }
}

void draw_scale(Svg& svg, const Forest& forest, const Axis& axis, double y) {
  svg.line(axis.start, y, axis.end, y, "axis");
  const double step = tick_step(forest.high - forest.low);
  for (double index = std::ceil(forest.low / step - 1e-9); index * step <= forest.high + 1e-9 * step; ++index) {
    const double value = index * step;
    svg.line(axis.at(value), y, axis.at(value), y + 4, "axis");
    svg.text(axis.at(value), y + 17, significant(value, 2), "small soft", Anchor::kMiddle);
  }
  svg.text(kForestRight, y + 17, forest.unit, "small soft", Anchor::kEnd);
}

double draw_legend(Svg& svg, const Forest& forest) {
  double y = kForestHead;
  for (std::size_t s = 0; s < forest.series.size(); ++s) y = draw_legend_entry(svg, s, forest.series[s], y);
  return forest.reference_label.empty() ? y : draw_legend_entry(svg, kReferenceMark, forest.reference_label, y);
}

double draw_group(Svg& svg, const std::string& group, double y) {
  svg.line(kForestLeft, y + 2, kForestRight, y + 2, "axis");
  svg.text(kForestLeft, y + 18, "condition: " + group, "small soft");
  return y + kGroupLine;
}

}  // namespace

std::string draw_forest(const Forest& forest) {
  Svg svg(forest.id, forest_height(forest), forest.title, forest.description);
  const Axis axis{forest.low, forest.high, kForestLeft + 8, kAxisRight};
  double y = draw_legend(svg, forest) - 8;
  for (std::size_t i = 0; i < forest.rows.size(); ++i) {
    if (opens_group(forest, i)) y = draw_group(svg, forest.rows[i].group, y);
    draw_row(svg, axis, forest.rows[i], y);
    y += row_height(forest.rows[i]);
  }
  draw_scale(svg, forest, axis, y + 2);
  return svg.str();
}

}  // namespace valence::report
