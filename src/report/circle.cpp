#include "circle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "svg.h"
#include "valence/base/text.h"
#include "valence/values/space.h"
#include "wording.h"

namespace valence::report {
namespace {

constexpr Point kCircleCentre{180, 160};
constexpr double kHub = 10, kCircleRim = 92, kBand = 8;
constexpr double kFirstWedge = 110;     // degrees of the first wedge's middle: just left of the top, as usually printed
constexpr double kCircleLegend = 318;

/// A dimension's spoke: where it stands, and how far out its label is moved.
struct Spoke {
  const Dimension* dimension;
  double degrees;
  bool outside;
};

struct CircleScale {
  double low, high;
  double radius(double value) const { return Axis{low, high, kHub, kCircleRim}.at(value); }
};

std::size_t wedge_count(const Space& space) {
  std::size_t count = 1;
  for (const auto& dimension : space.dimensions) count = std::max(count, dimension.circle_position.value_or(1));
  return count;
}

double wedge_width(const Space& space) { return 360.0 / static_cast<double>(wedge_count(space)); }

double wedge_middle(const Space& space, std::size_t position) { return kFirstWedge + wedge_width(space) * static_cast<double>(position - 1); }

std::vector<Spoke> spokes_of(const Space& space) {
  std::vector<Spoke> spokes;
  for (const auto& dimension : space.dimensions) {
    const auto position = dimension.circle_position.value_or(1);
    const auto share = std::count_if(space.dimensions.begin(), space.dimensions.end(), [&](const auto& other) { return other.circle_position == position; });
    const bool second = std::any_of(spokes.begin(), spokes.end(), [&](const auto& other) { return other.dimension->circle_position == position; });
    const double shift = share < 2 ? 0.0 : wedge_width(space) / (second ? 4 : -4);
    spokes.push_back({&dimension, wedge_middle(space, position) + shift, share > 1 && !second});
  }
  return spokes;
}

const ProfileEntry* entry_of(const Profile& profile, const std::string& dimension) {
  const auto found = std::find_if(profile.entries.begin(), profile.entries.end(), [&](const auto& entry) { return entry.estimand.headline && entry.estimand.dimension == dimension; });
  return found == profile.entries.end() ? nullptr : &*found;
}

/// The smallest round bound around 0 that holds every interval; the whole scale when scores are not around 0.
CircleScale circle_scale(const std::vector<const ReportRun*>& runs, const Space& space, const Target* target) {
  double most = 0.0, low = 0.0, high = 1.0;
  if (target) {
    for (const auto& [dimension, value] : target->values)
      most = std::isfinite(value) ? std::max(most, std::abs(value)) : most;
  }
  for (const auto* run : runs) {
    for (const auto& dimension : space.dimensions) {
      const auto* entry = entry_of(run->profile, dimension.id);
      if (!entry) continue;
      low = entry->estimand.low;
      high = entry->estimand.high;
      for (const double x : {entry->estimate.value, entry->estimate.low, entry->estimate.high}) {
        if (std::isfinite(x)) most = std::max(most, std::abs(x));
      }
    }
  }
  if (low >= 0.0) return {low, high};
  const double bound = round_bound(most, high);
  return {-bound, bound};
}

void draw_wedges(Svg& svg, const Space& space) {
  for (std::size_t position = 1; position <= wedge_count(space); ++position) {
    const double edge = wedge_middle(space, position) - wedge_width(space) / 2;
    const auto inner = polar(kCircleCentre, edge, kHub), outer = polar(kCircleCentre, edge, kCircleRim);
    svg.line(inner.x, inner.y, outer.x, outer.y, "grid");
  }
}

/// Three rings of the scale with their numbers, on the edge between the first and the last wedge.
void draw_rings(Svg& svg, const Space& space, const CircleScale& scale) {
  const double edge = wedge_middle(space, 1) - wedge_width(space) / 2;
  for (const double value : {scale.low, (scale.low + scale.high) / 2, scale.high}) {
    const double radius = scale.radius(value);
    svg.circle(kCircleCentre.x, kCircleCentre.y, radius, value == scale.high ? "outline" : "outline faint");
    const auto at = polar(kCircleCentre, edge, radius);
    if (value != scale.low) svg.text(at.x + 3, at.y + 12, significant(value), "small soft");
  }
}

std::string group_label(std::string id) {
  std::replace(id.begin(), id.end(), '_', ' ');
  if (!id.empty()) id[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(id[0])));
  return id;
}

/// A band at the rim for each run of neighbouring wedges of one group, its name in the nearest corner.
void draw_groups(Svg& svg, const Space& space) {
  const double half = wedge_width(space) / 2;
  std::vector<std::string> seen;
  for (const auto& dimension : space.dimensions) {
    if (dimension.higher_order.empty() || std::find(seen.begin(), seen.end(), dimension.higher_order) != seen.end()) continue;
    seen.push_back(dimension.higher_order);
    double from = 1e9, to = -1e9;
    for (const auto& other : space.dimensions) {
      if (other.higher_order != dimension.higher_order) continue;
      const double middle = wedge_middle(space, other.circle_position.value_or(1));
      from = std::min(from, middle - half);
      to = std::max(to, middle + half);
    }
    svg.path(arc_path(kCircleCentre, from + 1.5, to - 1.5, kCircleRim + kBand / 2), fmt::format("band s{}", (seen.size() - 1) % 4));
    const auto middle = polar({0, 0}, (from + to) / 2, 1);
    svg.text(middle.x < 0 ? 4 : kPictureWidth - 4, middle.y < 0 ? 16 : 306, group_label(dimension.higher_order), "small strong",
             middle.x < 0 ? Anchor::kStart : Anchor::kEnd);
  }
}

void draw_spoke_label(Svg& svg, const Spoke& spoke) {
  const auto rim = polar(kCircleCentre, spoke.degrees, kCircleRim), direction = polar({0, 0}, spoke.degrees, 1);
  const auto at = polar(kCircleCentre, spoke.degrees, kCircleRim + kBand + (spoke.outside ? 16 : 6));
  if (spoke.outside) svg.line(rim.x, rim.y, at.x, at.y, "axis");
  const auto anchor = std::abs(direction.x) < 0.3 ? Anchor::kMiddle : direction.x > 0 ? Anchor::kStart : Anchor::kEnd;
  svg.text(at.x + (spoke.outside ? 2 : 0), at.y + 4 + 7 * direction.y, spoke.dimension->label, "small", anchor);
}

void draw_score(Svg& svg, const ProfileEntry& entry, std::size_t series, double degrees, const CircleScale& scale) {
  const auto& e = entry.estimate;
  if (!std::isfinite(e.value)) return;
  if (e.has_interval()) {
    const auto a = polar(kCircleCentre, degrees, scale.radius(e.low)), b = polar(kCircleCentre, degrees, scale.radius(e.high));
    svg.line(a.x, a.y, b.x, b.y, fmt::format("interval s{}", series % 4));
  }
  const auto at = polar(kCircleCentre, degrees, scale.radius(e.value));
  draw_mark(svg, series, at.x, at.y, 3.4);
}

/// How far to the side of its spoke a run's mark stands.
double aside(std::size_t series, std::size_t runs) {
  return 6 * (static_cast<double>(series) - (static_cast<double>(runs) - 1) / 2);
}

std::string target_name(const Target& target) { return "target: " + target.label; }

void draw_target(Svg& svg, const Target& target, const Spoke& spoke, const CircleScale& scale) {
  const auto value = target.value(spoke.dimension->id);
  if (!value || !std::isfinite(*value)) return;
  const auto at = polar(kCircleCentre, spoke.degrees, scale.radius(*value));
  svg.circle(at.x, at.y, 5.2, "goal");
}

void draw_target_legend(Svg& svg, const Target& target, double y) {
  svg.circle(14, y - 4, 5.2, "goal");
  for (const auto& line : wrap(target_name(target), 42)) {
    svg.text(30, y, line, "small");
    y += 16;
  }
}

void draw_move(Svg& svg, const std::vector<const ReportRun*>& runs, const Spoke& spoke, const CircleScale& scale) {
  const auto *before = entry_of(runs.front()->profile, spoke.dimension->id),
             *after = entry_of(runs.back()->profile, spoke.dimension->id);
  if (!before || !after || !std::isfinite(before->estimate.value) || !std::isfinite(after->estimate.value)) return;
  constexpr double kLeastMove = 2.0;  // units of the picture; less would be an arrow from mark to mark aside
  if (std::abs(scale.radius(after->estimate.value) - scale.radius(before->estimate.value)) < kLeastMove) return;
  const auto at = [&](const ProfileEntry& entry, std::size_t series) {
    return polar(kCircleCentre, spoke.degrees + aside(series, runs.size()), scale.radius(entry.estimate.value));
  };
  draw_arrow(svg, at(*before, 0), at(*after, runs.size() - 1));
}

void draw_spoke(Svg& svg, const std::vector<const ReportRun*>& runs, const Spoke& spoke, const CircleScale& scale, bool moved) {
  const auto inner = polar(kCircleCentre, spoke.degrees, kHub), outer = polar(kCircleCentre, spoke.degrees, kCircleRim);
  svg.line(inner.x, inner.y, outer.x, outer.y, "grid");
  draw_spoke_label(svg, spoke);
  for (std::size_t series = 0; series < runs.size(); ++series) {
    const auto* entry = entry_of(runs[series]->profile, spoke.dimension->id);
    if (!entry) continue;
    if (series == 0 && std::isfinite(entry->uniform)) {
      svg.path(arc_path(kCircleCentre, spoke.degrees - 8, spoke.degrees + 8, scale.radius(entry->uniform)), "reference");
    }
    draw_score(svg, *entry, mark_of(series, runs.size(), moved), spoke.degrees + aside(series, runs.size()), scale);
  }
}

std::string circle_description(const std::vector<const ReportRun*>& runs, const std::vector<Spoke>& spokes) {
  std::string text;
  for (const auto* run : runs) {
    for (const auto& spoke : spokes) {
      if (const auto* entry = entry_of(run->profile, spoke.dimension->id)) text += fmt::format("{}, {}: {}. ", run->profile.subject, spoke.dimension->label, figure_text(entry->estimate));
    }
  }
  return text;
}

/// Whether any arc of the uniform responder is drawn: targets have none.
bool shows_uniform(const std::vector<const ReportRun*>& runs) {
  const auto& entries = runs.front()->profile.entries;
  return std::any_of(entries.begin(), entries.end(), [](const auto& entry) { return entry.estimand.headline && std::isfinite(entry.uniform); });
}

}  // namespace

Result<bool> stands_on_circle(const std::vector<const ReportRun*>& runs) {
  const auto& profile = runs.front()->profile;
  if (profile.space.empty()) return false;
  const auto space = load_space(profile.space);
  if (!space) {
    if (space.error().code == ErrorCode::kNotFound) return false;  // an instrument may have figures without a space file
    return tl::unexpected(space.error());
  }
  return space->kind == SpaceKind::kCircle &&
         std::any_of(space->dimensions.begin(), space->dimensions.end(), [&](const auto& dimension) { return entry_of(profile, dimension.id) != nullptr; });
}

Result<std::string> draw_circle(const std::vector<const ReportRun*>& runs, const std::string& id, bool moved,
                                const Target* target) {
  VALENCE_TRY(const auto space, load_space(runs.front()->profile.space));
  const auto spokes = spokes_of(space);
  const auto scale = circle_scale(runs, space, target);
  const std::string uniform = "uniform responder (answers at random)";
  const bool with_uniform = shows_uniform(runs);
  double height = kCircleLegend + 8 + (with_uniform ? legend_entry_height(uniform) : 0.0);
  for (const auto* run : runs) height += legend_entry_height(series_name(*run));
  if (target) height += legend_entry_height(target_name(*target));
  Svg svg(id, height, space.title, circle_description(runs, spokes));
  draw_wedges(svg, space);
  draw_rings(svg, space, scale);
  draw_groups(svg, space);
  for (const auto& spoke : spokes) {
    draw_spoke(svg, runs, spoke, scale, moved);
    if (target) draw_target(svg, *target, spoke, scale);
    if (moved) draw_move(svg, runs, spoke, scale);
  }
  double y = kCircleLegend + 12;
  for (std::size_t series = 0; series < runs.size(); ++series)
    y = draw_legend_entry(svg, mark_of(series, runs.size(), moved), series_name(*runs[series]), y);
  if (with_uniform) y = draw_legend_entry(svg, kReferenceMark, uniform, y);
  if (target) draw_target_legend(svg, *target, y);
  return svg.str();
}

}  // namespace valence::report
