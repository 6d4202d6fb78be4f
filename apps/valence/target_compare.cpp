#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "gap_show.h"
#include "session.h"
#include "target_show.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/values/gap.h"
#include "valence/values/gap_measures.h"
#include "valence/values/space_map.h"

namespace valence {
namespace {

struct TargetCompare {
  std::string first, second, map, picture;

  Result<void> run(const Session& session) const;
  Result<void> run_opinions(const Session& session) const;
};

/// Second minus first on one dimension; NaN where either leaves it out.
struct Contrast {
  std::string dimension, label;
  double first, second, difference, low, high;
};

struct TargetDistance {
  const GapMeasure* measure;
  double value;
};

double half_width(const Target& target, std::size_t place) {
  return target.intervals.empty() ? std::nan("") : (target.intervals[place].high - target.intervals[place].low) / 2.0;
}

/// Samples are independent, so half widths add as squares.
Contrast contrast_of(const Target& a, const Target& b, const Space& space, std::size_t place) {
  const double first = a.values[place].second, second = b.values[place].second;
  const double difference = space.kind == SpaceKind::kRing ? wrap180(second - first) : second - first;
  const double half = std::hypot(half_width(a, place), half_width(b, place));
  return {space.dimensions[place].id, space.dimensions[place].label, first, second, difference, difference - half,
          difference + half};
}

std::vector<TargetDistance> distances_of(const Target& a, const Target& b, const Space& space) {
  std::vector<TargetDistance> distances;
  if (space.kind == SpaceKind::kRing) return distances;
  std::vector<std::string> dimensions;
  std::vector<double> first, second, weights;
  for (std::size_t place = 0; place < a.values.size(); ++place) {
    if (std::isnan(a.values[place].second) || std::isnan(b.values[place].second)) continue;
    dimensions.push_back(a.values[place].first);
    first.push_back(a.values[place].second);
    second.push_back(b.values[place].second);
    weights.push_back(a.weight(place));
  }
  for (const auto& measure : gap_measures()) {
    if (!measure.of_target || measure.scores == GapScores::kUnit || !applies(measure, to_string(a.scale))) continue;
    distances.push_back({&measure, measure.of({dimensions, second, first, weights})});
  }
  return distances;
}

/// The target under the map when the map starts from where it is; as it is when that is the map's other side.
Result<Target> brought(const std::string& id, const std::string& map, bool& used) {
  VALENCE_TRY(auto target, load_target(id));
  if (map.empty()) return target;
  if (const auto scales = scale_map_from(map)) {
    if (target.scale != ScoreScale::kRaw) return target;
  } else {
    VALENCE_TRY(const auto spaces, load_space_map(map));
    if (target.space != spaces.from) return target;
  }
  used = true;
  return mapped(target, map);
}

Json compared_json(const Target& a, const Target& b, const std::vector<Contrast>& contrasts,
                   const std::vector<TargetDistance>& distances) {
  Json json = {{"first", a.id}, {"second", b.id}, {"space", a.space}, {"scale", to_string(a.scale)}};
  json["dimensions"] = Json::array();
  for (const auto& c : contrasts) {
    json["dimensions"].push_back({{"dimension", c.dimension},
                                  {"label", c.label},
                                  {"first", c.first},
                                  {"second", c.second},
                                  {"difference", c.difference},
                                  {"low", c.low},
                                  {"high", c.high}});
  }
  json["distances"] = Json::array();
  for (const auto& d : distances) {
    json["distances"].push_back(
        {{"id", d.measure->id}, {"label", d.measure->label}, {"value", d.value}, {"agreement", d.measure->agreement}});
  }
  return json;
}

std::string shown(double value) { return std::isnan(value) ? "left out" : significant(value); }

std::string compared_text(const Target& a, const Target& b, const std::vector<Contrast>& contrasts,
                          const std::vector<TargetDistance>& distances) {
  auto text = fmt::format("{} minus {} ({} scores)\n\n", b.id, a.id, to_string(a.scale));
  TextTable table({{"", Align::kLeft},
                   {a.id, Align::kRight},
                   {b.id, Align::kRight},
                   {"difference", Align::kRight},
                   {"95 % interval", Align::kLeft}});
  for (const auto& c : contrasts) {
    table.add({c.label, shown(c.first), shown(c.second), significant(c.difference),
               std::isnan(c.low) ? "" : fmt::format("[{}, {}]", significant(c.low), significant(c.high))});
  }
  text += table.text();
  if (distances.empty()) return text;
  TextTable measures({{"distance", Align::kLeft}, {"", Align::kRight}, {"", Align::kLeft}});
  for (const auto& d : distances) {
    measures.add({std::string(d.measure->label), significant(d.value),
                  d.measure->agreement ? "the larger, the nearer" : "the smaller, the nearer"});
  }
  return text + "\n" + measures.text();
}

Result<void> TargetCompare::run_opinions(const Session& session) const {
  if (!names_opinions(first) || !names_opinions(second))
    return fail(ErrorCode::kUsage, "answer distributions are compared with answer distributions (.json)");
  if (!map.empty() || !picture.empty()) return fail(ErrorCode::kUsage, "--map and --picture are for targets of scores");
  VALENCE_TRY(const auto a, read_opinion_target(first));
  VALENCE_TRY(const auto b, read_opinion_target(second));
  VALENCE_TRY(const auto result, opinion_gap(a, b));
  const auto& gap = result.gap;
  if (session.json) {
    session.print({{"first", a.id},
                   {"second", b.id},
                   {"questions", gap.questions},
                   {"ordered", gap.ordered},
                   {"only_first", result.only_first},
                   {"only_second", result.only_second},
                   {"jensen_shannon", gap.jensen_shannon},
                   {"wasserstein", gap.wasserstein}});
    return {};
  }
  fmt::print(
      "{} and {} over {} shared questions ({} and {} stand in one only)\n\n  Jensen–Shannon distance   {}\n  "
      "Wasserstein distance      {}\n",
      a.label, b.label, gap.questions, result.only_first, result.only_second, significant(gap.jensen_shannon),
      significant(gap.wasserstein));
  return {};
}

Result<void> TargetCompare::run(const Session& session) const {
  if (names_opinions(first) || names_opinions(second)) return run_opinions(session);
  bool used = false;
  VALENCE_TRY(const auto a, brought(first, map, used));
  VALENCE_TRY(const auto b, brought(second, map, used));
  if (!map.empty() && !used) return fail(ErrorCode::kUsage, "the map {} starts from neither target", map);
  VALENCE_CHECK(check_comparable(a, b));
  VALENCE_TRY(const auto space, load_space(a.space));
  std::vector<Contrast> contrasts;
  for (std::size_t place = 0; place < a.values.size(); ++place) contrasts.push_back(contrast_of(a, b, space, place));
  const auto distances = distances_of(a, b, space);
  VALENCE_CHECK(write_picture(std::array{a, b}, picture));
  if (session.json) {
    session.print(compared_json(a, b, contrasts, distances));
  } else {
    fmt::print("{}", compared_text(a, b, contrasts, distances));
  }
  return {};
}

}  // namespace

void add_target_compare(CLI::App& parent, Session& session) {
  auto command = std::make_shared<TargetCompare>();
  auto* sub =
      parent.add_subcommand("compare", "How far apart two targets are, dimension by dimension and as distances");
  sub->add_option("first", command->first, "target that is subtracted; its weights count")->required();
  sub->add_option("second", command->second, "target that it is subtracted from")->required();
  sub->add_option("--map", command->map,
                  "map that brings one of them to the other's convention or space (docs/targets.md)");
  sub->add_option("--picture", command->picture, "write Schwartz's circle with both to this SVG file");
  sub->footer(examples({"valence target compare ess11_fr ess11_de",
                        "valence target compare me.toml ess11_fr --map centre --picture both.svg",
                        "valence target compare argentina.json brazil.json --json"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
