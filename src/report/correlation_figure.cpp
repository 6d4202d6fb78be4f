#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "readings.h"
#include "svg.h"
#include "valence/base/text.h"
#include "wording.h"

namespace valence::report {
namespace {

constexpr double kTagWidth = 108, kHeatCell = 25, kHeatRow = 24, kHeatHead = 24;
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
  std::string code = part == std::string::npos || part + 1 >= dimension.size() ? dimension.substr(0, 2) : std::string{dimension[0], dimension[part + 1]};
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
    if (away_from_zero(cell.estimate)) text += fmt::format("{} with {}: {}. ", cell.dimension, cell.tag, figure_text(cell.estimate));
  }
  return text.empty() ? "No correlation has an interval that leaves 0 out." : text;
}

std::string codes(const std::vector<std::string>& dimensions) {
  std::vector<std::string> pairs;
  for (const auto& dimension : dimensions) pairs.push_back(fmt::format("{} {}", code_of(dimension), replace_all(dimension, "_", "-")));
  return join(pairs, ", ");
}

}  // namespace

std::string correlation_figure(const ReportRun& run, Ids& ids) {
  const auto cells = cells_of(run.profile);
  if (cells.empty()) return "";
  const auto tags = distinct(cells, [](const HeatCell& c) { return c.tag; });
  const auto dimensions = distinct(cells, [](const HeatCell& c) { return c.dimension; });
  Svg svg(ids.next("correlations"), kHeatHead + kHeatRow * static_cast<double>(tags.size()) + 4, "Tags of prompts and values read: " + run.profile.subject,
          description_of(cells));
  const auto place = [](const std::vector<std::string>& names, const std::string& name) {
    return static_cast<double>(std::find(names.begin(), names.end(), name) - names.begin());
  };
  for (const auto& dimension : dimensions) svg.text(kTagWidth + kHeatCell * (place(dimensions, dimension) + 0.5), 16, code_of(dimension), "small", Anchor::kMiddle);
  for (const auto& tag : tags) svg.text(kTagWidth - 6, kHeatHead + kHeatRow * place(tags, tag) + 16, wrap(replace_all(tag, "_", " "), kTagColumns).front(), "small", Anchor::kEnd);
  std::size_t filled = 0;
  for (const auto& [tag, dimension, estimate] : cells) {
    const double x = kTagWidth + kHeatCell * place(dimensions, dimension), y = kHeatHead + kHeatRow * place(tags, tag);
    const bool apart = away_from_zero(estimate);
    if (apart) svg.rectangle(x, y, kHeatCell - 1, kHeatRow - 1, style_of(estimate));
    filled += apart ? 1 : 0;
    svg.text(x + kHeatCell / 2, y + 16, std::isfinite(estimate.value) ? hundredths(estimate.value) : "–", apart ? "small" : "small soft", Anchor::kMiddle);
  }
  return figure(svg.str(), fmt::format("{}: correlation (× 100) over prompts between a prompt's tag and what its response was read to say. {}. Filled: the 95 % "
                                       "interval leaves 0 out, which chance alone does in about {} of {} cells; here in {}.",
                                       run.profile.subject, codes(dimensions), std::lround(0.05 * static_cast<double>(cells.size())), cells.size(), filled));
}

}  // namespace valence::report
