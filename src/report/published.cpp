// Figures that a paper published, in a panel of their own: a small axis per column, a line per model.
#include "valence/instruments/published.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "panels.h"
#include "svg.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence::report {
namespace {

constexpr double kPanelLeft = 6, kPanelRight = 354, kPanelGap = 14, kModelRow = 34;

std::vector<std::string> distinct(const PublishedFigures& figures, std::string PublishedSeries::*field) {
  std::vector<std::string> names;
  for (const auto& series : figures.series) {
    if (std::find(names.begin(), names.end(), series.*field) == names.end()) names.push_back(series.*field);
  }
  return names;
}

std::size_t place_of(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::string arm_label(const std::string& arm) { return arm == "with" ? "with goal prompt" : arm == "without" ? "without goal prompt" : arm; }

std::vector<Axis> column_axes(const PublishedFigures& figures) {
  const auto count = static_cast<double>(figures.columns.size());
  const double width = (kPanelRight - kPanelLeft - kPanelGap * (count - 1)) / count;
  std::vector<Axis> axes;
  for (double start = kPanelLeft; axes.size() < figures.columns.size(); start += width + kPanelGap) {
    axes.push_back({figures.axis_low, figures.axis_high, start, start + width});
  }
  return axes;
}

void draw_column_heads(Svg& svg, const PublishedFigures& figures, const std::vector<Axis>& axes, double top, double bottom) {
  for (std::size_t c = 0; c < axes.size(); ++c) {
    const auto& axis = axes[c];
    svg.text(axis.start, top - (c % 2 == 0 ? 6 : 22), figures.columns[c], "small strong");  // names are wider than columns
    svg.line(axis.start, bottom, axis.end, bottom, "axis");
    svg.text(axis.start, bottom + 15, significant(axis.low), "small soft");
    svg.text(axis.end, bottom + 15, significant(axis.high), "small soft", Anchor::kEnd);
  }
}

std::string draw_published(const PublishedFigures& figures, const std::string& id) {
  const auto models = distinct(figures, &PublishedSeries::label), arms = distinct(figures, &PublishedSeries::arm);
  const double top = 24.0 + 19.0 * static_cast<double>(arms.size()) + 28, bottom = top + kModelRow * static_cast<double>(models.size()) + 4;
  Svg svg(id, bottom + 24, figures.title, figures.caption);
  double y = 16;
  for (std::size_t arm = 0; arm < arms.size(); ++arm) y = draw_legend_entry(svg, arm, arms[arm].empty() ? "published" : arm_label(arms[arm]), y);
  const auto axes = column_axes(figures);
  draw_column_heads(svg, figures, axes, top, bottom);
  for (std::size_t m = 0; m < models.size(); ++m) {
    const double row = top + kModelRow * static_cast<double>(m);
    svg.text(kPanelLeft, row + 13, models[m], "small");
    for (const auto& axis : axes) svg.line(axis.start, row + 24, axis.end, row + 24, "grid");
  }
  for (const auto& series : figures.series) {
    const double row = top + kModelRow * static_cast<double>(place_of(models, series.label));
    for (std::size_t c = 0; c < axes.size(); ++c) {
      if (std::isfinite(series.values[c])) draw_mark(svg, place_of(arms, series.arm), axes[c].at(series.values[c]), row + 24, 3.8);
    }
  }
  return svg.str();
}

std::string published_table(const PublishedFigures& figures) {
  std::string head, rows;
  for (const auto& column : figures.columns) head += fmt::format("<th class=\"n\">{}</th>", html_escape(column));
  for (const auto& series : figures.series) {
    std::string cells;
    for (const double value : series.values) cells += number_cell(significant(value));
    rows += fmt::format("<tr>{}{}{}</tr>\n", cell(series.label), cell(arm_label(series.arm)), cells);
  }
  return fmt::format("<details><summary>The published figures as a table</summary>\n<div class=\"box\"><table><thead><tr><th>model</th><th>arm</th>{}</tr></thead>\n"
                     "<tbody>\n{}</tbody></table></div></details>\n", head, rows);
}

}  // namespace

Result<std::string> published_panel(const Instrument& instrument, Ids& ids) {
  const auto published = published_figures(instrument.card().id);
  if (!published) {
    if (published.error().code == ErrorCode::kNotFound) return std::string();
    return tl::unexpected(published.error());
  }
  const auto caption = fmt::format("{} Axis: {}. Source: {}.", published->caption, published->axis, published->source.citation);
  return fmt::format("<h3>{}</h3>\n{}{}", html_escape(published->title), figure(draw_published(*published, ids.next("published")), caption),
                     published_table(*published));
}

}  // namespace valence::report
