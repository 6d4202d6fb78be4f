#include "dumbbell.h"

#include <fmt/format.h>

#include <cmath>

#include "svg.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence::report {
namespace {

constexpr double kDumbbellLeft = 6, kDumbbellRight = 354, kDumbbellAxisRight = 346, kDumbbellHead = 14,
                 kDumbbellFoot = 36;
constexpr double kDumbbellLine = 16, kDumbbellBar = 20, kDumbbellGap = 8;
constexpr std::size_t kBefore = mark_of(0, 2, true), kAfter = mark_of(1, 2, true);
constexpr std::size_t kDumbbellColumns = 42;

std::vector<std::string> heading(const DumbbellRow& row) {
  auto lines = wrap(row.label, kDumbbellColumns);
  for (auto& line : wrap("change " + figure_text(row.change), kDumbbellColumns)) lines.push_back(std::move(line));
  return lines;
}

double row_height(const DumbbellRow& row) {
  return kDumbbellLine * static_cast<double>(heading(row).size()) + kDumbbellBar + kDumbbellGap;
}

double legend_height(const Dumbbell& dumbbell) {
  const double both = legend_entry_height(dumbbell.before) + legend_entry_height(dumbbell.after);
  return 6 + both + (dumbbell.target_label.empty() ? 0.0 : legend_entry_height(dumbbell.target_label));
}

double draw_name(Svg& svg, const std::string& name, bool filled, double y) {
  draw_mark(svg, filled ? kAfter : kBefore, 14, y - 4, 4.2);
  for (const auto& line : wrap(name, kDumbbellColumns)) {
    svg.text(30, y, line, "small");
    y += kDumbbellLine;
  }
  return y + 3;
}

double draw_legend(Svg& svg, const Dumbbell& dumbbell) {
  double y = draw_name(svg, dumbbell.before, false, kDumbbellHead);
  y = draw_name(svg, dumbbell.after, true, y);
  return dumbbell.target_label.empty() ? y : draw_legend_entry(svg, kReferenceMark, dumbbell.target_label, y);
}

void draw_row(Svg& svg, const Axis& axis, const DumbbellRow& row, double y) {
  const auto lines = heading(row);
  const auto names = wrap(row.label, kDumbbellColumns).size();
  for (std::size_t i = 0; i < lines.size(); ++i)
    svg.text(kDumbbellLeft, (y += kDumbbellLine) - 4, lines[i], i < names ? "strong" : "small soft");
  const double bar = y + kDumbbellBar / 2;
  svg.line(axis.start, bar, axis.end, bar, "grid");
  if (std::isfinite(row.target)) svg.line(axis.at(row.target), bar - 8, axis.at(row.target), bar + 8, "reference");
  const bool both = std::isfinite(row.before.value) && std::isfinite(row.after.value);
  if (both) svg.line(axis.at(row.before.value), bar, axis.at(row.after.value), bar, "join");
  if (std::isfinite(row.before.value)) draw_mark(svg, kBefore, axis.at(row.before.value), bar, 4.4);
  if (std::isfinite(row.after.value)) draw_mark(svg, kAfter, axis.at(row.after.value), bar, 4.2);
}

void draw_scale(Svg& svg, const Dumbbell& dumbbell, const Axis& axis, double y) {
  svg.line(axis.start, y, axis.end, y, "axis");
  const double step = tick_step(dumbbell.high - dumbbell.low);
  for (double index = std::ceil(dumbbell.low / step - 1e-9); index * step <= dumbbell.high + 1e-9 * step; ++index) {
    svg.line(axis.at(index * step), y, axis.at(index * step), y + 4, "axis");
    svg.text(axis.at(index * step), y + 17, significant(index * step, 2), "small soft", Anchor::kMiddle);
  }
  svg.text(kDumbbellRight, y + 31, dumbbell.unit, "small soft", Anchor::kEnd);
}

}  // namespace

std::string draw_dumbbell(const Dumbbell& dumbbell) {
  double height = kDumbbellHead + legend_height(dumbbell) + kDumbbellFoot;
  for (const auto& row : dumbbell.rows) height += row_height(row);
  Svg svg(dumbbell.id, height, dumbbell.title, dumbbell.description);
  const Axis axis{dumbbell.low, dumbbell.high, kDumbbellLeft + 8, kDumbbellAxisRight};
  double y = draw_legend(svg, dumbbell) - 8;
  for (const auto& row : dumbbell.rows) {
    draw_row(svg, axis, row, y);
    y += row_height(row);
  }
  draw_scale(svg, dumbbell, axis, y + 2);
  return svg.str();
}

}  // namespace valence::report
