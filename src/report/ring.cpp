#include "ring.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "svg.h"
#include "valence/base/text.h"
#include "valence/values/space.h"
#include "valence/values/target.h"
#include "wording.h"

namespace valence::report {
namespace {

constexpr Point kRingCentre{40, 262};
constexpr double kRim = 222, kInnerTrack = 84, kOuterTrack = 206, kTrackGap = 17;
constexpr double kDegreesPerRadian = 57.29577951308232;
constexpr double kLegendTop = 446;

struct Sector {
  const char* label;
  double from, to;  // degrees drawn
};

// Category boundaries of the slider measure (Murphy et al. 2011): midpoints between ideal responders.
constexpr Sector kSectors[] = {{"competitive", -45, -12.04}, {"individualistic", -12.04, 22.45}, {"prosocial", 22.45, 57.15}, {"altruistic", 57.15, 90}};

Point on_ring(double degrees, double radius) { return polar(kRingCentre, degrees, radius); }

void draw_sectors(Svg& svg) {
  svg.path(arc_path(kRingCentre, -45, 90, kRim), "outline");
  for (const auto& sector : kSectors) {
    const auto middle = on_ring((sector.from + sector.to) / 2, kRim + 22);
    const bool reaches_edge = middle.x > kPictureWidth - 100;  // the widest label must not be cut
    svg.text(reaches_edge ? kPictureWidth - 2 : middle.x, middle.y + 4, sector.label, "small", reaches_edge ? Anchor::kEnd : Anchor::kStart);
    if (sector.to >= 90) continue;
    const auto inner = on_ring(sector.to, kInnerTrack - 14), outer = on_ring(sector.to, kRim + 4), label = on_ring(sector.to, kRim + 8);
    svg.line(inner.x, inner.y, outer.x, outer.y, "grid");
    svg.text(label.x, label.y + 12, fmt::format("{}{}°", sector.to < 0 ? "−" : "", significant(std::abs(sector.to), 4)), "small soft");
  }
}

/// The axes of the plane, which cross at equal shares of 50 coins.
void draw_plane(Svg& svg) {
  const auto right = kRingCentre.x + kRim, top = kRingCentre.y - kRim;
  svg.line(kRingCentre.x, kRingCentre.y, right, kRingCentre.y, "axis");
  svg.line(kRingCentre.x, kRingCentre.y, kRingCentre.x, top, "axis");
  svg.circle(kRingCentre.x, kRingCentre.y, 2.5, "outline");
  svg.text(kRingCentre.x - 6, kRingCentre.y + 46, "50 coins each", "small soft");  // below the lowest boundary
  svg.text(kRingCentre.x - 34, top - 25, "↑ more for the other", "small soft");
  svg.text(on_ring(-45, kRim).x + 14, on_ring(-45, kRim).y + 10, "more for oneself →", "small soft");
}

void draw_ideals(Svg& svg, const Space& space) {
  for (const auto& dimension : space.dimensions) {
    if (!dimension.angle) continue;
    const auto at = on_ring(*dimension.angle, kRim);
    svg.circle(at.x, at.y, 3.5, "outline open");
  }
}

/// An arrowhead outside the rim that points at the angle a subject of this orientation should stand at.
void draw_targets(Svg& svg, const Target& target) {
  for (const auto& [dimension, angle] : target.values) {
    const auto tip = on_ring(angle, kRim + 3), left = on_ring(angle + 1.0, kRim + 17), right = on_ring(angle - 1.0, kRim + 17);
    svg.path(fmt::format("M{:.2f} {:.2f}L{:.2f} {:.2f}L{:.2f} {:.2f}z", tip.x, tip.y, left.x, left.y, right.x, right.y), "target");
  }
}

std::string letter_of(const std::string& condition) {
  if (condition.empty()) return "";  // the instrument induces nothing
  if (condition == "plain") return "–";
  return std::string(1, static_cast<char>(std::toupper(static_cast<unsigned char>(condition[0]))));
}

struct RingEntry {
  const ProfileEntry* entry;
  std::size_t run;   // which of the runs
  std::size_t series;  // its mark
  std::vector<double> units;  // the same angle of each random unit alone
};

/// Entries of one condition stand on neighbouring tracks, so that subjects are compared at a glance.
std::vector<RingEntry> ring_entries(const std::vector<const ReportRun*>& runs, bool moved) {
  std::vector<std::string> conditions;
  std::vector<RingEntry> entries;
  for (std::size_t series = 0; series < runs.size(); ++series) {
    const auto& units = runs[series]->units;
    for (const auto& entry : runs[series]->profile.entries) {
      if (entry.estimand.dimension != "angle" || !entry.estimand.headline || !std::isfinite(entry.estimate.value)) continue;
      if (std::find(conditions.begin(), conditions.end(), entry.estimand.condition) == conditions.end()) conditions.push_back(entry.estimand.condition);
      const auto column = units.find(entry.estimand.id);
      entries.push_back({&entry, series, mark_of(series, runs.size(), moved), column == units.end() ? std::vector<double>() : column->second});
    }
  }
  const auto rank = [&](const RingEntry& e) { return std::find(conditions.begin(), conditions.end(), e.entry->estimand.condition) - conditions.begin(); };
  std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return entries;
}

/// Each unit (a dialogue) as a faint dot; the estimate as a mark on its interval; the condition's letter follows the interval's upper end on the same track.
void draw_entry(Svg& svg, const RingEntry& item, double radius) {
  const auto& e = item.entry->estimate;
  for (const double value : item.units) {
    if (!std::isfinite(value)) continue;
    const auto dot = on_ring(value, radius);
    svg.circle(dot.x, dot.y, 1.7, fmt::format("unit f{}", item.series % 4));
  }
  if (e.has_interval()) {
    svg.path(arc_path(kRingCentre, e.low, e.high, radius), fmt::format("interval s{}", item.series % 4));
    for (const double end : {e.low, e.high}) {
      const auto inner = on_ring(end, radius - 3), outer = on_ring(end, radius + 3);
      svg.line(inner.x, inner.y, outer.x, outer.y, fmt::format("mark s{}", item.series % 4));
    }
  }
  const auto at = on_ring(e.value, radius);
  draw_mark(svg, item.series, at.x, at.y, 3.6);
  const double past = std::max(e.value + 5.0 * kDegreesPerRadian / radius, e.has_interval() ? e.high : e.value) + 8.0 * kDegreesPerRadian / radius;
  const auto letter = on_ring(past, radius);
  svg.text(letter.x, letter.y + 4, letter_of(item.entry->estimand.condition), "letter", Anchor::kMiddle);
}

constexpr double kLeastTurn = 1.0;  // degrees; less would be an arrow from track to track

/// Entries of one condition stand next to each other, before and after.
void draw_moves(Svg& svg, const std::vector<RingEntry>& entries, double gap) {
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const auto &before = *entries[i - 1].entry, &after = *entries[i].entry;
    const bool same = before.estimand.id == after.estimand.id;
    if (!same || std::abs(after.estimate.value - before.estimate.value) < kLeastTurn) continue;
    const auto at = [&](std::size_t k) {
      return on_ring(entries[k].entry->estimate.value, kOuterTrack - gap * static_cast<double>(k));
    };
    draw_arrow(svg, at(i - 1), at(i));
  }
}

std::string ring_description(const std::vector<const ReportRun*>& runs, const std::vector<RingEntry>& entries) {
  std::string text;
  for (const auto& item : entries) {
    text += fmt::format("{}, {}: {}. ", runs[item.run]->profile.subject, row_label(item.entry->estimand),
                        figure_with_unit(item.entry->estimate, item.entry->estimand.unit));
  }
  return text;
}

double uniform_angle(const std::vector<RingEntry>& entries) {
  const auto found = std::find_if(entries.begin(), entries.end(), [](const auto& item) { return std::isfinite(item.entry->uniform); });
  return found == entries.end() ? std::nan("") : found->entry->uniform;
}

void draw_uniform(Svg& svg, double angle) {
  const auto end = on_ring(angle, kRim + 8);
  svg.line(kRingCentre.x, kRingCentre.y, end.x, end.y, "reference");
  svg.text(end.x + 2, end.y - 2, fmt::format("random {}°", significant(angle)), "small");
}

std::vector<std::string> ring_legend(const std::vector<const ReportRun*>& runs) {
  std::vector<std::string> names;
  for (const auto* run : runs) names.push_back(series_name(*run));
  return names;
}

}  // namespace

Result<std::string> draw_ring(const std::vector<const ReportRun*>& runs, const std::string& id, bool moved) {
  VALENCE_TRY(const auto space, load_space("svo_ring"));
  VALENCE_TRY(const auto target, load_target("svo_reachable"));
  const auto entries = ring_entries(runs, moved);
  const auto names = ring_legend(runs);
  double height = kLegendTop;
  for (const auto& name : names) height += legend_entry_height(name);
  Svg svg(id, height, "Angles of social value orientation on the self–other plane", ring_description(runs, entries));
  draw_sectors(svg);
  draw_plane(svg);
  draw_ideals(svg, space);
  draw_targets(svg, target);
  if (const double uniform = uniform_angle(entries); std::isfinite(uniform)) draw_uniform(svg, uniform);
  const double gap =
      std::min(kTrackGap, (kOuterTrack - kInnerTrack) / std::max(1.0, static_cast<double>(entries.size()) - 1.0));
  for (std::size_t i = 0; i < entries.size(); ++i)
    draw_entry(svg, entries[i], kOuterTrack - gap * static_cast<double>(i));
  if (moved) draw_moves(svg, entries, gap);
  double y = kLegendTop;
  for (std::size_t series = 0; series < names.size(); ++series) y = draw_legend_entry(svg, mark_of(series, names.size(), moved), names[series], y);
  return svg.str();
}

}  // namespace valence::report
