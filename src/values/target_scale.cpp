#include <algorithm>
#include <array>
#include <cmath>

#include "valence/base/text.h"
#include "valence/values/target.h"

namespace valence {
namespace {

constexpr std::array<std::pair<ScoreScale, std::string_view>, 4> kScales = {{{ScoreScale::kNone, "none"},
                                                                             {ScoreScale::kRaw, "raw"},
                                                                             {ScoreScale::kCentred, "centred"},
                                                                             {ScoreScale::kUnit, "unit"}}};

constexpr double kLowest = 1.0, kHighest = 6.0;  // of the rating scale that from_1_6 reads
constexpr double kMiddle = (kLowest + kHighest) / 2.0, kHalf = (kHighest - kLowest) / 2.0;

/// Why no map leads to the wanted convention.
std::string no_way(ScoreScale from, ScoreScale to) {
  if (from == ScoreScale::kCentred && to == ScoreScale::kUnit) {
    return "there is no map from centred to unit: centring took away where the middle of the rating scale was; start "
           "from raw means, or name two targets of one convention (valence target list)";
  }
  return fmt::format("there is no map from {} to {}", to_string(from), to_string(to));
}

double from_1_6(double mean) { return (mean - kMiddle) / kHalf; }
double to_1_6(double score) { return kMiddle + kHalf * score; }

Result<void> check_ratings(const Target& target) {
  for (const auto& [dimension, value] : target.values) {
    if (value < kLowest || value > kHighest) {
      return fail(ErrorCode::kUsage, "target {}: \"{}\" is {}, and from_1_6 reads ratings from 1 to 6", target.id,
                  dimension, value);
    }
  }
  return {};
}

Result<double> mean_rating(const Target& target) {
  if (target.mean_rating) return *target.mean_rating;
  double sum = 0.0;
  for (const auto& [dimension, value] : target.values) {
    if (std::isnan(value)) {
      return fail(
          ErrorCode::kUsage,
          "target {}: \"{}\" is left out and \"mean_rating\" is not given, so nothing says what centring takes off",
          target.id, dimension);
    }
    sum += value;
  }
  return sum / static_cast<double>(target.values.size());
}

Result<Target> centred(Target target) {
  VALENCE_TRY(const double mean, mean_rating(target));
  for (auto& entry : target.values) entry.second -= mean;
  target.mean_rating.reset();
  target.intervals.clear();
  target.spreads.clear();
  target.scale = ScoreScale::kCentred;
  return target;
}

Result<Target> scaled(Target target) {
  VALENCE_CHECK(check_ratings(target));
  for (auto& entry : target.values) entry.second = from_1_6(entry.second);
  for (auto& interval : target.intervals) {
    interval.low = std::max(-1.0, from_1_6(interval.low));
    interval.high = std::min(1.0, from_1_6(interval.high));
  }
  for (auto& spread : target.spreads) spread /= kHalf;
  target.mean_rating.reset();
  target.scale = ScoreScale::kUnit;
  return target;
}

Target rated(Target target) {
  for (auto& entry : target.values) entry.second = to_1_6(entry.second);
  for (auto& interval : target.intervals) {
    interval.low = to_1_6(interval.low);
    interval.high = to_1_6(interval.high);
  }
  for (auto& spread : target.spreads) spread *= kHalf;
  target.scale = ScoreScale::kRaw;
  return target;
}

/// What a map starts from.
ScoreScale source_of(ScaleMap map) { return map == ScaleMap::kTo1To6 ? ScoreScale::kUnit : ScoreScale::kRaw; }

std::string_view name_of(ScaleMap map) {
  if (map == ScaleMap::kCentre) return "centre";
  return map == ScaleMap::kFrom1To6 ? "from_1_6" : "to_1_6";
}

/// The map that would bring one of the two to the other's convention.
std::string advice(const Target& a, const Target& b) {
  const Target& raw = a.scale == ScoreScale::kRaw ? a : b;
  const Target& other = a.scale == ScoreScale::kRaw ? b : a;
  if (raw.scale == ScoreScale::kRaw && other.scale == ScoreScale::kCentred)
    return fmt::format("name the map \"centre\" for {}", raw.id);
  if (raw.scale == ScoreScale::kRaw && other.scale == ScoreScale::kUnit)
    return fmt::format("name the map \"from_1_6\" for {}", raw.id);
  return no_way(ScoreScale::kCentred, ScoreScale::kUnit);
}

std::string trimmed_note(const std::string& note, std::string_view more) {
  return note.empty() ? std::string(more) : fmt::format("{}; {}", note, more);
}

}  // namespace

std::string_view to_string(ScoreScale scale) {
  return std::find_if(kScales.begin(), kScales.end(), [&](const auto& entry) { return entry.first == scale; })->second;
}

Result<ScoreScale> score_scale_from(std::string_view text) {
  for (const auto& [scale, name] : kScales) {
    if (name == text && scale != ScoreScale::kNone) return scale;
  }
  return fail(ErrorCode::kUsage, "\"scale\" should be \"raw\", \"centred\" or \"unit\", got \"{}\"", printable(text));
}

Result<ScaleMap> scale_map_from(std::string_view name) {
  if (name == "centre") return ScaleMap::kCentre;
  if (name == "from_1_6") return ScaleMap::kFrom1To6;
  if (name == "to_1_6") return ScaleMap::kTo1To6;
  return fail(ErrorCode::kUsage,
              "unknown map \"{}\"; there are: centre (raw to centred), from_1_6 (raw to unit), to_1_6 (unit to raw)",
              printable(name));
}

ScoreScale result_of(ScaleMap map) {
  if (map == ScaleMap::kTo1To6) return ScoreScale::kRaw;
  return map == ScaleMap::kCentre ? ScoreScale::kCentred : ScoreScale::kUnit;
}

Result<Target> converted(const Target& target, ScaleMap map) {
  if (target.scale != source_of(map)) {
    const auto reason = target.scale == result_of(map) ? fmt::format("it is {} already", to_string(target.scale))
                                                       : no_way(target.scale, result_of(map));
    return fail(ErrorCode::kUsage, "target {}: {}", target.id, reason);
  }
  auto other = map == ScaleMap::kCentre     ? centred(target)
               : map == ScaleMap::kFrom1To6 ? scaled(target)
                                            : Result<Target>(rated(target));
  if (!other) return other;
  other->provenance.note = trimmed_note(target.provenance.note, fmt::format("mapped by {}", name_of(map)));
  return other;
}

Result<void> check_comparable(const Target& a, const Target& b) {
  if (a.space != b.space)
    return fail(ErrorCode::kUsage, "{} lives in {} and {} in {}: they cannot be compared", a.id, a.space, b.id,
                b.space);
  if (a.scale == b.scale) return {};
  return fail(ErrorCode::kUsage, "{} is {} and {} is {}: {}", a.id, to_string(a.scale), b.id, to_string(b.scale),
              advice(a, b));
}

}  // namespace valence
