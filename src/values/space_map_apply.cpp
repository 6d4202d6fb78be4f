#include <algorithm>
#include <cmath>
#include <limits>

#include "valence/base/text.h"
#include "valence/values/space_map.h"

namespace valence {
namespace {

constexpr double kUnmapped = std::numeric_limits<double>::quiet_NaN();

/// Labels of the parts of each dimension of `to`.
std::vector<std::vector<int>> gathered(const SpaceMap& map, std::span<const int> labels) {
  std::vector<std::vector<int>> parts(map.size);
  for (std::size_t d = 0; d < labels.size(); ++d) {
    if (map.places[d]) parts[*map.places[d]].push_back(labels[d]);
  }
  return parts;
}

bool knows(LabelRule rule, int label) {
  return rule == LabelRule::kAny ? label == 0 || label == 1 : label >= -1 && label <= 1;
}

/// Weighted means of the parts: a part without value leaves the whole without one.
struct PartMeans {
  explicit PartMeans(std::size_t size) : sum(size, 0.0), weight(size, 0.0), parts(size, 0) {}
  void add(std::size_t place, double value, double w) {
    sum[place] += value * w;
    weight[place] += w;
    ++parts[place];
  }
  double mean(std::size_t place) const { return weight[place] > 0.0 ? sum[place] / weight[place] : kUnmapped; }
  double mean_weight(std::size_t place) const {
    return std::isnan(mean(place)) ? 0.0 : weight[place] / static_cast<double>(parts[place]);
  }
  std::vector<double> sum, weight;
  std::vector<std::size_t> parts;
};

PartMeans means_of(const Target& target, const SpaceMap& map) {
  PartMeans means(map.size);
  for (std::size_t d = 0; d < target.values.size(); ++d) {
    const double value = target.values[d].second;
    if (map.places[d]) means.add(*map.places[d], value, std::isnan(value) ? 1.0 : target.weight(d));
  }
  return means;
}

}  // namespace

MappedLabel merged_label(std::span<const int> labels) {
  int sum = 0;
  bool up = false, down = false;
  for (const int label : labels) {
    sum += label;
    up = up || label > 0;
    down = down || label < 0;
  }
  if (!up && !down) return {};
  return {sum >= 0 ? 1 : -1, sum == 0, up && down};
}

Result<std::vector<MappedLabel>> map_labels(const SpaceMap& map, std::span<const int> labels) {
  if (labels.size() != map.places.size()) {
    return fail(ErrorCode::kWrongCount, "map {}: {} has {} dimensions, got {} labels", map.id, map.from,
                map.places.size(), labels.size());
  }
  const auto odd = std::find_if_not(labels.begin(), labels.end(), [&](int label) { return knows(map.labels, label); });
  if (odd != labels.end()) {
    return fail(ErrorCode::kInvalid, "map {}: labels should be {}, got {}", map.id,
                map.labels == LabelRule::kAny ? "0 or 1" : "-1, 0 or 1", *odd);
  }
  std::vector<MappedLabel> mapped;
  for (const auto& parts : gathered(map, labels)) mapped.push_back(merged_label(parts));
  return mapped;
}

Result<Target> map_target(const Target& target, const SpaceMap& map) {
  if (target.space != map.from) {
    return fail(ErrorCode::kUsage, "map {} starts from {}, and target {} lives in {}", map.id, map.from, target.id,
                target.space);
  }
  if (!map.averages) {
    return fail(ErrorCode::kUsage, "map {} is of labels: scores of {} have no mean in {}", map.id, map.from, map.to);
  }
  VALENCE_TRY(const auto to, load_space(map.to));
  const auto means = means_of(target, map);
  Target other = target;
  other.space = map.to;
  other.values.clear();
  other.weights.clear();
  other.intervals.clear();
  other.spreads.clear();
  other.answers.reset();
  for (std::size_t place = 0; place < map.size; ++place) {
    other.values.emplace_back(to.dimensions[place].id, means.mean(place));
    if (!target.weights.empty()) other.weights.push_back(means.mean_weight(place));
  }
  auto& note = other.provenance.note;
  note += fmt::format("{}mapped by {}", note.empty() ? "" : "; ", map.id);
  return other;
}

Result<Target> mapped(const Target& target, std::string_view map) {
  if (const auto scale = scale_map_from(map)) return converted(target, *scale);
  VALENCE_TRY(auto names, list_space_maps());
  if (std::find(names.begin(), names.end(), map) == names.end()) {
    names.insert(names.begin(), {"centre", "from_1_6", "to_1_6"});
    const auto near = nearest(map, names);
    return fail(ErrorCode::kUsage, "unknown map \"{}\"; {}", printable(map),
                near.empty() ? "there are: " + join(names, ", ") : "did you mean \"" + near + "\"?");
  }
  VALENCE_TRY(const auto of_spaces, load_space_map(map));
  return map_target(target, of_spaces);
}

Result<NamedLabel> parse_named_label(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto sign = colon == std::string_view::npos ? std::string() : trim(text.substr(colon + 1));
  const auto name = trim(text.substr(0, colon));
  if (!name.empty() && (sign == "+1" || sign == "1")) return NamedLabel{name, 1};
  if (!name.empty() && sign == "-1") return NamedLabel{name, -1};
  if (!name.empty() && (sign == "0" || sign == "+0")) return NamedLabel{name, 0};
  return fail(ErrorCode::kInvalid, "the value label \"{}\" should be a name, a colon and +1, 1, 0 or -1",
              printable(text));
}

Result<Target> load_mapped_target(const std::string& id, std::string_view map) {
  VALENCE_TRY(auto target, load_target(id));
  return map.empty() ? Result<Target>(std::move(target)) : mapped(target, map);
}

}  // namespace valence
