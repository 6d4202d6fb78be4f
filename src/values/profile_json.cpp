#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "valence/base/json.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// JSON has no NaN and no infinity: both are null, and the reader knows which one a field can be.
Json entry_json(const ProfileEntry& entry, bool with_replicates) {
  const auto& estimand = entry.estimand;
  Json json{{"id", estimand.id},
            {"dimension", estimand.dimension},
            {"condition", estimand.condition},
            {"label", estimand.label},
            {"unit", estimand.unit},
            {"range", {number_or_null(estimand.low), number_or_null(estimand.high)}},
            {"headline", estimand.headline},
            {"estimate", to_json(entry.estimate)},
            {"uniform", number_or_null(entry.uniform)}};
  if (entry.systematic > 0.0) json["systematic"] = entry.systematic;
  if (with_replicates) {
    json["replicates"] = Json::array();
    for (const double x : entry.replicates) json["replicates"].push_back(number_or_null(x));
  }
  return json;
}

Json check_json(const ValidityCheck& check) {
  return {{"id", check.id},
          {"label", check.label},
          {"estimate", to_json(check.estimate)},
          {"threshold", number_or_null(check.threshold)},
          {"at_least", check.at_least},
          {"passed", check.passed},
          {"advice", check.advice}};
}

Json validity_json(const Validity& validity) {
  Json json{{"assessed", validity.assessed},
            {"interpretable", validity.interpretable()},
            {"reason", validity.reason()},
            {"note", validity.note},
            {"checks", Json::array()}};
  for (const auto& check : validity.checks) json["checks"].push_back(check_json(check));
  return json;
}

Json statuses_json(const StatusCounts& counts) {
  return {{"scored", counts.scored},
          {"refused", counts.refused},
          {"unparseable", counts.unparseable},
          {"error", counts.error}};
}

/// A JSON value and the path that leads to it: "profile.entries[2].estimate.value".
struct Place {
  const Json& json;
  std::string path;

  Result<Place> member(const char* key) const {
    if (!json.is_object()) return mismatch("an object");
    const auto found = json.find(key);
    if (found == json.end()) return fail(ErrorCode::kCorrupt, "{}: the key \"{}\" is missing", path, key);
    return Place{*found, fmt::format("{}.{}", path, key)};
  }

  Result<std::vector<Place>> elements() const {
    if (!json.is_array()) return mismatch("an array");
    std::vector<Place> result;
    for (std::size_t i = 0; i < json.size(); ++i) result.push_back({json[i], fmt::format("{}[{}]", path, i)});
    return result;
  }

  tl::unexpected<Error> mismatch(std::string_view expected) const {
    return fail(ErrorCode::kCorrupt, "{}: expected {}, got {}", path, expected, json.type_name());
  }
};

Result<void> read(const Place& at, const char* key, std::string& out) {
  VALENCE_TRY(const Place place, at.member(key));
  if (!place.json.is_string()) return place.mismatch("a string");
  out = place.json.get<std::string>();
  return {};
}

Result<void> read(const Place& at, const char* key, bool& out) {
  VALENCE_TRY(const Place place, at.member(key));
  if (!place.json.is_boolean()) return place.mismatch("true or false");
  out = place.json.get<bool>();
  return {};
}

Result<void> read(const Place& at, const char* key, std::size_t& out) {
  VALENCE_TRY(const Place place, at.member(key));
  if (!place.json.is_number_unsigned()) return place.mismatch("a whole number of at least 0");
  out = place.json.get<std::size_t>();
  return {};
}

/// A number, or null for `missing`.
Result<double> number_of(const Place& place, double missing) {
  if (place.json.is_null()) return missing;
  if (!place.json.is_number()) return place.mismatch("a number or null");
  return place.json.get<double>();
}

Result<void> read(const Place& at, const char* key, double& out, double missing = kNaN) {
  VALENCE_TRY(const Place place, at.member(key));
  VALENCE_TRY(out, number_of(place, missing));
  return {};
}

Result<Estimate> estimate_from(const Place& at) {
  Estimate estimate;
  VALENCE_CHECK(read(at, "value", estimate.value));
  VALENCE_CHECK(read(at, "low", estimate.low));
  VALENCE_CHECK(read(at, "high", estimate.high));
  VALENCE_CHECK(read(at, "level", estimate.level));
  VALENCE_CHECK(read(at, "count", estimate.count));
  VALENCE_CHECK(read(at, "unit", estimate.unit));
  VALENCE_CHECK(read(at, "method", estimate.method));
  return estimate;
}

Result<void> read_range(const Place& at, Estimand& estimand) {
  VALENCE_TRY(const Place range, at.member("range"));
  VALENCE_TRY(const auto ends, range.elements());
  if (ends.size() != 2) return fail(ErrorCode::kCorrupt, "{}: expected 2 numbers, got {}", range.path, ends.size());
  VALENCE_TRY(estimand.low, number_of(ends[0], -kInfinity));
  VALENCE_TRY(estimand.high, number_of(ends[1], kInfinity));
  return {};
}

Result<Estimand> estimand_from(const Place& at) {
  Estimand estimand;
  VALENCE_CHECK(read(at, "id", estimand.id));
  VALENCE_CHECK(read(at, "dimension", estimand.dimension));
  VALENCE_CHECK(read(at, "condition", estimand.condition));
  VALENCE_CHECK(read(at, "label", estimand.label));
  VALENCE_CHECK(read(at, "unit", estimand.unit));
  VALENCE_CHECK(read_range(at, estimand));
  VALENCE_CHECK(read(at, "headline", estimand.headline));
  return estimand;
}

Result<ProfileEntry> entry_from(const Place& at) {
  ProfileEntry entry;
  VALENCE_TRY(entry.estimand, estimand_from(at));
  VALENCE_TRY(const Place estimate, at.member("estimate"));
  VALENCE_TRY(entry.estimate, estimate_from(estimate));
  VALENCE_CHECK(read(at, "uniform", entry.uniform));
  if (at.json.contains("systematic")) VALENCE_CHECK(read(at, "systematic", entry.systematic));
  if (!at.json.contains("replicates")) return entry;
  VALENCE_TRY(const Place replicates, at.member("replicates"));
  VALENCE_TRY(const auto values, replicates.elements());
  for (const auto& value : values) {
    VALENCE_TRY(const double x, number_of(value, kNaN));
    entry.replicates.push_back(x);
  }
  return entry;
}

Result<ValidityCheck> check_from(const Place& at) {
  ValidityCheck check;
  VALENCE_CHECK(read(at, "id", check.id));
  VALENCE_CHECK(read(at, "label", check.label));
  VALENCE_TRY(const Place estimate, at.member("estimate"));
  VALENCE_TRY(check.estimate, estimate_from(estimate));
  VALENCE_CHECK(read(at, "threshold", check.threshold));
  VALENCE_CHECK(read(at, "at_least", check.at_least));
  VALENCE_CHECK(read(at, "passed", check.passed));
  VALENCE_CHECK(read(at, "advice", check.advice));
  return check;
}

/// "interpretable" and "reason" follow from the checks and are not read.
Result<Validity> validity_from(const Place& at) {
  Validity validity;
  VALENCE_CHECK(read(at, "assessed", validity.assessed));
  VALENCE_CHECK(read(at, "note", validity.note));
  VALENCE_TRY(const Place list, at.member("checks"));
  VALENCE_TRY(const auto checks, list.elements());
  for (const auto& place : checks) {
    VALENCE_TRY(auto check, check_from(place));
    validity.checks.push_back(std::move(check));
  }
  return validity;
}

Result<StatusCounts> statuses_from(const Place& at) {
  StatusCounts counts;
  VALENCE_CHECK(read(at, "scored", counts.scored));
  VALENCE_CHECK(read(at, "refused", counts.refused));
  VALENCE_CHECK(read(at, "unparseable", counts.unparseable));
  VALENCE_CHECK(read(at, "error", counts.error));
  return counts;
}

}  // namespace

Json to_json(const Estimate& estimate) {
  return {{"value", number_or_null(estimate.value)},
          {"low", number_or_null(estimate.low)},
          {"high", number_or_null(estimate.high)},
          {"level", estimate.level},
          {"count", estimate.count},
          {"unit", estimate.unit},
          {"method", estimate.method}};
}

Json to_json(const Profile& profile, bool with_replicates) {
  Json json{{"instrument", profile.instrument},
            {"space", profile.space},
            {"subject", profile.subject},
            {"entries", Json::array()},
            {"validity", validity_json(profile.validity)},
            {"statuses", statuses_json(profile.statuses)}};
  for (const auto& entry : profile.entries) json["entries"].push_back(entry_json(entry, with_replicates));
  return json;
}

Result<Profile> profile_from_json(const Json& json) {
  const Place root{json, "profile"};
  Profile profile;
  VALENCE_CHECK(read(root, "instrument", profile.instrument));
  VALENCE_CHECK(read(root, "space", profile.space));
  VALENCE_CHECK(read(root, "subject", profile.subject));
  VALENCE_TRY(const Place list, root.member("entries"));
  VALENCE_TRY(const auto entries, list.elements());
  for (const auto& place : entries) {
    VALENCE_TRY(auto entry, entry_from(place));
    profile.entries.push_back(std::move(entry));
  }
  VALENCE_TRY(const Place validity, root.member("validity"));
  VALENCE_TRY(profile.validity, validity_from(validity));
  VALENCE_TRY(const Place statuses, root.member("statuses"));
  VALENCE_TRY(profile.statuses, statuses_from(statuses));
  return profile;
}

}  // namespace valence
