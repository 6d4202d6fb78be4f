#include "valence/values/profile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

namespace valence {
namespace {

Estimate estimate(double value, double low, double high) {
  Estimate result;
  result.value = value;
  result.low = low;
  result.high = high;
  result.count = 30;
  result.unit = "dialogue";
  result.method = "expanded percentile bootstrap (2000 replicates)";
  return result;
}

ValidityCheck bias_check(double value) {
  return {"position_bias", "position bias", estimate(value, 0.4, 0.6), 0.1, false, value <= 0.1,
          "balance the orders"};
}

Profile sample() {
  Profile profile{"hvae", "svo_ring", "smollm2", {}, {}, {700, 12, 7, 1}};
  Estimand angle{"altruistic.angle", "angle", "altruistic", "Angle", "degrees"};
  angle.low = -16.26;
  angle.headline = true;
  profile.entries.push_back({angle, estimate(22.9, 21.8, 24.1), 22.7, {22.5, std::nan(""), 23.5}, 0.5});
  profile.validity.assessed = true;
  profile.validity.checks = {bias_check(0.48)};
  return profile;
}

TEST(Validity, IsInterpretableWhenEveryCheckPassed) {
  EXPECT_TRUE((Validity{true, {bias_check(0.05)}, ""}.interpretable()));
  EXPECT_FALSE((Validity{true, {bias_check(0.05), bias_check(0.48)}, ""}.interpretable()));
}

TEST(Validity, AGateThatWasNotRunIsNoPass) {
  EXPECT_FALSE((Validity{false, {}, "a single reference figure"}.interpretable()));
}

TEST(Validity, SaysWhichChecksFailed) {
  EXPECT_EQ((Validity{true, {bias_check(0.05), bias_check(0.482)}, ""}.reason()),
            "position bias: 0.482, should be at most 0.100");
  EXPECT_EQ((Validity{true, {bias_check(0.05)}, ""}.reason()), "");
}

TEST(Validity, SaysOnceWhatToTry) {
  EXPECT_EQ((Validity{true, {bias_check(0.05), bias_check(0.48), bias_check(0.5)}, ""}.advice()),
            (std::vector<std::string>{"balance the orders"}));
}

TEST(Profile, FindsEntriesByTheirKey) {
  const auto profile = sample();
  EXPECT_EQ(profile.find("altruistic.angle"), &profile.entries[0]);
  EXPECT_EQ(profile.find("angle"), nullptr);
}

TEST(Profile, AHandfulOfUnitsIsCalledTooFew) {
  auto profile = sample();
  EXPECT_EQ(few_units_note(profile), "");
  profile.entries[0].estimate.count = 4;
  EXPECT_EQ(few_units_note(profile), "n = 4: enough for a try, too few to report");
  profile.entries[0].estimand.headline = false;
  EXPECT_EQ(few_units_note(profile), "");
}

TEST(ProfileJson, HasTheDocumentedKeysInTheirOrder) {
  const auto expected = parse_json(R"json({
    "instrument": "hvae", "space": "svo_ring", "subject": "smollm2",
    "entries": [{
      "id": "altruistic.angle", "dimension": "angle", "condition": "altruistic", "label": "Angle", "unit": "degrees",
      "range": [-16.26, null], "headline": true,
      "estimate": {"value": 22.9, "low": 21.8, "high": 24.1, "level": 0.95, "count": 30, "unit": "dialogue",
                   "method": "expanded percentile bootstrap (2000 replicates)"},
      "uniform": 22.7, "systematic": 0.5}],
    "validity": {
      "assessed": true, "interpretable": false, "reason": "position bias: 0.480, should be at most 0.100", "note": "",
      "checks": [{
        "id": "position_bias", "label": "position bias",
        "estimate": {"value": 0.48, "low": 0.4, "high": 0.6, "level": 0.95, "count": 30, "unit": "dialogue",
                     "method": "expanded percentile bootstrap (2000 replicates)"},
        "threshold": 0.1, "at_least": false, "passed": false, "advice": "balance the orders"}]},
    "statuses": {"scored": 700, "refused": 12, "unparseable": 7, "error": 1}})json",
                                   "expected");
  EXPECT_EQ(to_text(to_json(sample())), to_text(expected.value()));
}

TEST(ProfileJson, ComesBackAsItWas) {
  const auto json = to_json(sample(), true);
  const auto back = profile_from_json(parse_json(to_text(json), "test").value());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_text(to_json(*back, true)), to_text(json));
  EXPECT_TRUE(std::isinf(back->entries[0].estimand.high));
  ASSERT_EQ(back->entries[0].replicates.size(), 3u);
  EXPECT_TRUE(std::isnan(back->entries[0].replicates[1]));
}

TEST(ProfileJson, WithoutAnIntervalTheEndsAreNull) {
  const auto json = to_json(Estimate{});
  EXPECT_TRUE(json["low"].is_null());
  EXPECT_TRUE(json["value"].is_null());
}

std::string error_after(const std::function<void(Json&)>& damage) {
  auto json = to_json(sample(), true);
  damage(json);
  const auto back = profile_from_json(json);
  return back ? "no error" : back.error().message;
}

TEST(ProfileJson, NamesThePlaceOfDamage) {
  EXPECT_EQ(error_after([](Json& j) { j["entries"][0]["estimate"]["value"] = "high"; }),
            "profile.entries[0].estimate.value: expected a number or null, got string");
  EXPECT_EQ(error_after([](Json& j) { j["entries"][0].erase("uniform"); }),
            "profile.entries[0]: the key \"uniform\" is missing");
  EXPECT_EQ(error_after([](Json& j) { j["statuses"]["scored"] = -3; }),
            "profile.statuses.scored: expected a whole number of at least 0, got number");
  EXPECT_EQ(error_after([](Json& j) { j["entries"][0]["range"] = {1.0, 2.0, 3.0}; }),
            "profile.entries[0].range: expected 2 numbers, got 3");
  EXPECT_EQ(error_after([](Json& j) { j["validity"] = "fine"; }), "profile.validity: expected an object, got string");
  EXPECT_EQ(error_after([](Json& j) { j = Json::array(); }), "profile: expected an object, got array");
}

}  // namespace
}  // namespace valence
