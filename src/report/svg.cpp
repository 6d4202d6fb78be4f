#include "svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "valence/base/files.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence::report {
namespace {

constexpr double kLegendLine = 16, kLegendGap = 3;
constexpr std::size_t kLegendColumns = 42;

}  // namespace

Svg::Svg(std::string_view id, double height, std::string_view title, std::string_view description)
    : body_(fmt::format("<svg role=\"img\" viewBox=\"0 0 {:.0f} {:.0f}\" aria-labelledby=\"{}-title {}-desc\">\n"
                        "<title id=\"{}-title\">{}</title>\n<desc id=\"{}-desc\">{}</desc>\n",
                        kPictureWidth, height, id, id, id, html_escape(title), id, html_escape(description))) {}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view style) {
  body_ += fmt::format("<line x1=\"{:.2f}\" y1=\"{:.2f}\" x2=\"{:.2f}\" y2=\"{:.2f}\" class=\"{}\"/>\n", x1, y1, x2, y2, style);
}

void Svg::circle(double x, double y, double radius, std::string_view style) {
  body_ += fmt::format("<circle cx=\"{:.2f}\" cy=\"{:.2f}\" r=\"{:.2f}\" class=\"{}\"/>\n", x, y, radius, style);
}

void Svg::rectangle(double x, double y, double width, double height, std::string_view style) {
  body_ += fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" class=\"{}\"/>\n", x, y, width, height, style);
}

void Svg::path(std::string_view data, std::string_view style) {
  body_ += fmt::format("<path d=\"{}\" class=\"{}\"/>\n", data, style);
}

void Svg::text(double x, double y, std::string_view content, std::string_view style, Anchor anchor) {
  const auto where = anchor == Anchor::kStart ? "start" : anchor == Anchor::kMiddle ? "middle" : "end";
  body_ += fmt::format("<text x=\"{:.2f}\" y=\"{:.2f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, where,
                       style.empty() ? "" : fmt::format(" class=\"{}\"", style), html_escape(content));
}

std::string Svg::str() const { return body_ + "</svg>\n"; }

Result<std::string> standalone(std::string picture) {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto style, read_file(data / "report" / "style.css"));
  const auto body = picture.find('>') + 1;
  picture.insert(body, fmt::format("\n<style><![CDATA[\n{}svg {{ background: var(--ground); }}\n]]></style>", style));
  picture.insert(std::string_view("<svg").size(), " xmlns=\"http://www.w3.org/2000/svg\"");
  return picture;
}

void draw_mark(Svg& svg, std::size_t series, double x, double y, double size) {
  const auto colour = series % 4;
  const auto filled = fmt::format("mark s{} f{}", colour, colour);
  const auto open = fmt::format("mark open s{}", colour);
  switch (colour) {
    case 0: return svg.circle(x, y, size, filled);
    case 1: return svg.rectangle(x - size, y - size, 2 * size, 2 * size, open);
    case 2: return svg.path(fmt::format("M{:.2f} {:.2f}l{} {}l{} {}l{} {}z", x, y - 1.2 * size, 1.2 * size, 1.2 * size, -1.2 * size, 1.2 * size, -1.2 * size, -1.2 * size), filled);
    default: return svg.path(fmt::format("M{:.2f} {:.2f}l{} {}h{}z", x, y - 1.2 * size, 1.2 * size, 2.1 * size, -2.4 * size), open);
  }
}

double draw_legend_entry(Svg& svg, std::size_t mark, std::string_view text, double y) {
  if (mark == kReferenceMark) svg.line(6, y - 4, 22, y - 4, "reference"); else draw_mark(svg, mark, 14, y - 4, 4.2);
  for (const auto& part : wrap(text, kLegendColumns)) {
    svg.text(30, y, part, "small");
    y += kLegendLine;
  }
  return y + kLegendGap;
}

double legend_entry_height(std::string_view text) {
  return kLegendLine * static_cast<double>(wrap(text, kLegendColumns).size()) + kLegendGap;
}

Point polar(Point centre, double degrees, double radius) {
  const double radians = degrees * std::numbers::pi / 180.0;
  return {centre.x + radius * std::cos(radians), centre.y - radius * std::sin(radians)};
}

std::string arc_path(Point centre, double from, double to, double radius) {
  const auto a = polar(centre, from, radius), b = polar(centre, to, radius);
  return fmt::format("M{:.2f} {:.2f}A{:.2f} {:.2f} 0 0 0 {:.2f} {:.2f}", a.x, a.y, radius, radius, b.x, b.y);
}

void draw_arrow(Svg& svg, Point from, Point to) {
  constexpr double kShort = 5.5, kHead = 6.0, kHalfWidth = 3.2;
  const double dx = to.x - from.x, dy = to.y - from.y, length = std::hypot(dx, dy);
  if (length < kShort + kHead) return;
  const Point unit{dx / length, dy / length}, tip{to.x - kShort * unit.x, to.y - kShort * unit.y};
  const Point neck{tip.x - kHead * unit.x, tip.y - kHead * unit.y}, side{-kHalfWidth * unit.y, kHalfWidth * unit.x};
  svg.line(from.x, from.y, neck.x, neck.y, "arrow");
  svg.path(fmt::format("M{:.2f} {:.2f}L{:.2f} {:.2f}L{:.2f} {:.2f}z", tip.x, tip.y, neck.x + side.x, neck.y + side.y,
                       neck.x - side.x, neck.y - side.y),
           "target");
}

double tick_step(double range) {
  const double unit = std::pow(10.0, std::floor(std::log10(range / 4)));
  for (const double step : {1.0, 2.0, 2.5, 5.0}) {
    if (range / (step * unit) <= 5.0) return step * unit;
  }
  return 10.0 * unit;
}

double round_bound(double most, double limit) {
  for (const double bound : {0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0}) {
    if (most <= bound && bound < limit) return bound;
  }
  return limit;
}

double Axis::at(double value) const {
  const double share = std::clamp((value - low) / (high - low), 0.0, 1.0);
  return start + share * (end - start);
}

}  // namespace valence::report
