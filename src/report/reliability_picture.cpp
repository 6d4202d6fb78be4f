#include "valence/report/reliability_picture.h"

#include <fmt/format.h>

#include <utility>

#include "svg.h"
#include "valence/base/text.h"

namespace valence {
namespace {

using namespace report;

constexpr double kPanelsLeft = 34, kPanelsRight = kPictureWidth - 10, kPanelsTop = 38, kPanelGap = 16;
/// Ends are written inwards, so that those of neighbouring panels keep apart.
constexpr std::pair<double, Anchor> kTicks[] = {{0.0, Anchor::kStart}, {0.5, Anchor::kMiddle}, {1.0, Anchor::kEnd}};

/// Where one panel's probabilities lie.
struct PanelPlace {
  Axis x, y;

  PanelPlace(std::size_t panel, std::size_t panels) : x{0, 1, 0, 0}, y{0, 1, 0, kPanelsTop} {
    const auto count = static_cast<double>(panels);
    const double side = (kPanelsRight - kPanelsLeft - (count - 1) * kPanelGap) / count;
    x.start = kPanelsLeft + static_cast<double>(panel) * (side + kPanelGap);
    x.end = x.start + side;
    y.start = kPanelsTop + side;
  }
  double bottom() const { return y.start; }
  double middle() const { return (x.start + x.end) / 2; }
};

void draw_frame(Svg& svg, const PanelPlace& place, bool first) {
  for (const auto& [tick, anchor] : kTicks) {
    svg.line(place.x.at(0), place.y.at(tick), place.x.at(1), place.y.at(tick), "grid");
    svg.line(place.x.at(tick), place.y.at(0), place.x.at(tick), place.y.at(1), "grid");
    svg.text(place.x.at(tick), place.bottom() + 14, significant(tick, 2), "small soft", anchor);
    if (first) svg.text(place.x.at(0) - 5, place.y.at(tick) + 4, significant(tick, 2), "small soft", Anchor::kEnd);
  }
  svg.line(place.x.at(0), place.y.at(0), place.x.at(1), place.y.at(1), "reference");
}

void draw_panel(Svg& svg, const PanelPlace& place, const ReliabilityPanel& panel, std::size_t number) {
  svg.text(place.middle(), kPanelsTop - 10, panel.label, "strong", Anchor::kMiddle);
  for (const auto& bin : panel.curve) {
    const double at = place.x.at(bin.mean_probability);
    svg.line(at, place.y.at(bin.observed.low), at, place.y.at(bin.observed.high), fmt::format("interval s{}", number));
    draw_mark(svg, number, at, place.y.at(bin.observed.value), 3);
  }
  svg.text(place.middle(), place.bottom() + 46, fmt::format("error {}", significant(panel.error, 2)), "small", Anchor::kMiddle);
}

std::string panel_description(const ReliabilityPanel& panel) {
  std::vector<std::string> bins;
  for (const auto& bin : panel.curve) {
    bins.push_back(fmt::format("promised {}, happened {}", significant(bin.mean_probability, 2), significant(bin.observed.value, 2)));
  }
  return fmt::format("{}: {}", panel.label, join(bins, "; "));
}

}  // namespace

Result<std::string> reliability_picture(const std::vector<ReliabilityPanel>& panels, const std::string& title) {
  if (panels.empty()) return fail(ErrorCode::kUsage, "there is no calibration to draw");
  std::vector<std::string> descriptions;
  for (const auto& panel : panels) descriptions.push_back(panel_description(panel));
  const double bottom = PanelPlace(0, panels.size()).bottom();
  Svg svg("reliability-1", bottom + 62, title, join(descriptions, ". "));
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const PanelPlace place(i, panels.size());
    draw_frame(svg, place, i == 0);
    draw_panel(svg, place, panels[i], i);
  }
  svg.text(kPanelsRight, bottom + 30, "promised probability →", "small soft", Anchor::kEnd);
  svg.text(kPanelsLeft - 20, bottom + 30, "↑ share that happened", "small soft");
  return standalone(svg.str());
}

}  // namespace valence
