#include "trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "svg.h"
#include "valence/base/text.h"

namespace valence {
namespace report {
namespace {

constexpr double kTraceLeft = 46, kTraceRight = 346, kTraceTop = 58, kTraceBottom = 248, kTraceHeight = 292;

using TracePoint = OptimisationTrace::Point;

double drift_of(const TracePoint& point) { return std::sqrt(std::max(0.0, point.kl)); }

struct TraceRange {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// Never of no width, so that an axis can be drawn.
  TraceRange widened() const {
    if (!(low <= high)) return {0.0, 1.0};
    const double pad = high > low ? 0.06 * (high - low) : 0.5;
    return {low - pad, high + pad};
  }
};

void draw_reward(Svg& svg, const std::vector<TracePoint>& points, const Axis& x, const Axis& y,
                 double TracePoint::*value, std::size_t series) {
  std::string path;
  for (const auto& point : points) {
    if (!std::isfinite(point.*value)) continue;
    path += fmt::format("{}{:.2f} {:.2f}", path.empty() ? "M" : "L", x.at(drift_of(point)), y.at(point.*value));
  }
  if (path.empty()) return;
  svg.path(path, fmt::format("trace s{}{}", series, series == 1 ? " dashed" : ""));
  const std::size_t every = std::max<std::size_t>(1, points.size() / 12);  // marks where there is room for them
  for (std::size_t i = 0; i < points.size(); i += every) {
    if (std::isfinite(points[i].*value)) draw_mark(svg, series, x.at(drift_of(points[i])), y.at(points[i].*value), 3.2);
  }
}

void draw_trace_axes(Svg& svg, const TraceRange& drift, const TraceRange& reward, const Axis& x, const Axis& y) {
  svg.line(kTraceLeft, kTraceBottom, kTraceRight, kTraceBottom, "axis");
  svg.line(kTraceLeft, kTraceTop, kTraceLeft, kTraceBottom, "axis");
  for (double step = tick_step(drift.high - drift.low), v = std::ceil(drift.low / step) * step; v <= drift.high;
       v += step) {
    svg.line(x.at(v), kTraceBottom, x.at(v), kTraceBottom + 4, "axis");
    svg.text(x.at(v), kTraceBottom + 17, significant(v, 2), "small soft", Anchor::kMiddle);
  }
  for (double step = tick_step(reward.high - reward.low), v = std::ceil(reward.low / step) * step; v <= reward.high;
       v += step) {
    svg.line(kTraceLeft, y.at(v), kTraceRight, y.at(v), "grid");
    svg.text(kTraceLeft - 5, y.at(v) + 4, significant(v, 2), "small soft", Anchor::kEnd);
  }
  svg.text(kTraceRight, kTraceBottom + 34, "√KL from the start (nats)", "small soft", Anchor::kEnd);
}

std::string trace_description(const OptimisationTrace& trace) {
  const auto& last = trace.points.back();
  return fmt::format("{} points; at the last the optimised reward is {}, the held-out one {}, the drift √KL {}",
                     trace.points.size(), significant(last.proxy), significant(last.held_out),
                     significant(drift_of(last)));
}

}  // namespace

std::string draw_trace(const OptimisationTrace& trace, const std::string& id) {
  Svg svg(id, kTraceHeight, "Over-optimisation: " + trace.name, trace_description(trace));
  TraceRange drift, reward;
  for (const auto& point : trace.points) {
    drift.add(drift_of(point));
    reward.add(point.proxy);
    reward.add(point.held_out);
  }
  drift = drift.widened();
  drift.low = std::max(0.0, drift.low);
  reward = reward.widened();
  const Axis x{drift.low, drift.high, kTraceLeft, kTraceRight}, y{reward.low, reward.high, kTraceBottom, kTraceTop};
  const auto next = draw_legend_entry(svg, 0, "reward that is optimised", 14);
  draw_legend_entry(svg, 1, "held-out reward (dashed)", next);
  draw_trace_axes(svg, drift, reward, x, y);
  draw_reward(svg, trace.points, x, y, &TracePoint::proxy, 0);
  draw_reward(svg, trace.points, x, y, &TracePoint::held_out, 1);
  if (const auto turn = turning_point(trace)) {
    const double at = x.at(drift_of(trace.points[*turn]));
    svg.line(at, kTraceTop, at, kTraceBottom, "reference");
    svg.text(std::min(at + 3, kTraceRight - 90), kTraceTop - 4,
             fmt::format("turn: step {:.0f}", trace.points[*turn].step), "small");
  }
  return svg.str();
}

}  // namespace report

std::optional<std::size_t> turning_point(const OptimisationTrace& trace) {
  for (std::size_t i = 0; trace.turn && i < trace.points.size(); ++i) {
    if (trace.points[i].step == *trace.turn) return i;
  }
  if (trace.tested) return std::nullopt;
  std::optional<std::size_t> best, last;
  for (std::size_t i = 0; i < trace.points.size(); ++i) {
    const double value = trace.points[i].held_out;
    if (!std::isfinite(value)) continue;
    last = i;
    if (!best || value > trace.points[*best].held_out) best = i;
  }
  if (!best || *best == *last) return std::nullopt;
  return trace.points[*last].proxy > trace.points[*best].proxy ? best : std::nullopt;
}

}  // namespace valence
