#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "readings.h"
#include "svg.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence::report {
namespace {

constexpr double kTagWidth = 108, kHeatCell = 25, kHeatRow = 24, kHeatHead = 24, kTagLine = 13;
constexpr std::size_t kTagColumns = 17;
constexpr std::string_view kPrefix = "correlation.";

/// "correlation.<tag>.<dimension>": the tag may hold dots, the dimension does not.
struct HeatCell {
  std::string tag, dimension;
  Estimate estimate;
};

std::vector<HeatCell> cells_of(const Profile& profile) {
  std::vector<HeatCell> cells;
  for (const auto& entry : profile.entries) {
    const auto& id = entry.estimand.id;
    if (!id.starts_with(kPrefix)) continue;
    cells.push_back({entry.estimand.condition, id.substr(id.rfind('.') + 1), entry.estimate});
  }
  return cells;
}

template <class Of>
std::vector<std::string> distinct(const std::vector<HeatCell>& cells, Of of) {
  std::vector<std::string> names;
  for (const auto& cell : cells) {
    if (std::find(names.begin(), names.end(), of(cell)) == names.end()) names.push_back(of(cell));
  }
  return names;
}

/// "self_direction": SD, "power": PO.
std::string code_of(const std::string& dimension) {
  const auto part = dimension.find('_');
  std::string code = part == std::string::npos || part + 1 >= dimension.size()
                         ? dimension.substr(0, 2)
                         : std::string{dimension[0], dimension[part + 1]};
  for (auto& c : code) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return code;
}

bool away_from_zero(const Estimate& e) { return e.has_interval() && (e.low > 0.0 || e.high < 0.0); }

/// Five steps of colour, blue above 0 and orange below; only where the interval leaves 0 out.
std::string style_of(const Estimate& e) {
  const auto step = std::clamp(static_cast<int>(std::ceil(std::abs(e.value) * 10.0)), 1, 5);
  return fmt::format("{} h{}", e.value > 0.0 ? "f0" : "f1", step);
}

std::string hundredths(double value) {
  const auto rounded = std::lround(value * 100.0);
  return rounded < 0 ? fmt::format("−{}", -rounded) : std::to_string(rounded);
}

std::string description_of(const std::vector<HeatCell>& cells) {
  std::string text;
  for (const auto& cell : cells) {
    if (away_from_zero(cell.estimate))
      text += fmt::format("{} with {}: {}. ", cell.dimension, cell.tag, figure_text(cell.estimate));
  }
  return text.empty() ? "No correlation has an interval that leaves 0 out." : text;
}

std::string codes(const std::vector<std::string>& dimensions) {
  std::vector<std::string> pairs;
  for (const auto& dimension : dimensions)
    pairs.push_back(fmt::format("{} {}", code_of(dimension), replace_all(dimension, "_", "-")));
  return join(pairs, ", ");
}

/// A row of the heat-map: as high as its tag's name is long.
struct HeatRow {
  std::string tag;
  std::vector<std::string> name;  ///< lines
  double top, height;
};

std::vector<HeatRow> rows_of(const std::vector<std::string>& tags) {
  std::vector<HeatRow> rows;
  double top = kHeatHead;
  for (const auto& tag : tags) {
    auto name = wrap(replace_all(replace_all(tag, "_", " "), ",", ", "), kTagColumns);
    const double height = std::max(kHeatRow, kTagLine * static_cast<double>(name.size()) + 8);
    rows.push_back({tag, std::move(name), top, height});
    top += height;
  }
  return rows;
}

void draw_name(Svg& svg, const HeatRow& row) {
  double y = row.top + (row.height - kTagLine * static_cast<double>(row.name.size())) / 2 + 10;
  for (const auto& line : row.name) {
    svg.text(kTagWidth - 6, y, line, "small", Anchor::kEnd);
    y += kTagLine;
  }
}

}  // namespace

std::string correlation_figure(const ReportRun& run, Ids& ids) {
  const auto cells = cells_of(run.profile);
  if (cells.empty()) return "";
  const auto tags = distinct(cells, [](const HeatCell& c) { return c.tag; });
  const auto dimensions = distinct(cells, [](const HeatCell& c) { return c.dimension; });
  const auto rows = rows_of(tags);
  Svg svg(ids.next("correlations"), rows.back().top + rows.back().height + 4,
          "Tags of prompts and values read: " + run.profile.subject, description_of(cells));
  const auto column = [&](const std::string& dimension) {
    return kTagWidth + kHeatCell * static_cast<double>(std::find(dimensions.begin(), dimensions.end(), dimension) -
                                                       dimensions.begin());
  };
  for (const auto& dimension : dimensions)
    svg.text(column(dimension) + kHeatCell / 2, 16, code_of(dimension), "small", Anchor::kMiddle);
  for (const auto& row : rows) draw_name(svg, row);
  std::size_t filled = 0;
  for (const auto& [tag, dimension, estimate] : cells) {
    const auto& row = *std::find_if(rows.begin(), rows.end(), [&tag = tag](const HeatRow& r) { return r.tag == tag; });
    const double x = column(dimension);
    const bool apart = away_from_zero(estimate);
    if (apart) svg.rectangle(x, row.top, kHeatCell - 1, row.height - 1, style_of(estimate));
    filled += apart ? 1 : 0;
    svg.text(x + kHeatCell / 2, row.top + row.height / 2 + 4,
             std::isfinite(estimate.value) ? hundredths(estimate.value) : "–", apart ? "small" : "small soft",
             Anchor::kMiddle);
  }
  return figure(svg.str(),
                fmt::format("{}: correlation (× 100) over prompts between a prompt's tag and what its response was "
                            "read to say. {}. Filled: the 95 % "
                            "interval leaves 0 out, which chance alone does in about {} of {} cells; here in {}.",
                            run.profile.subject, codes(dimensions),
                            std::lround(0.05 * static_cast<double>(cells.size())), cells.size(), filled));
}

}  // namespace valence::report
