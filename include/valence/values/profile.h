#pragma once

#include <limits>
#include <string>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/stats/estimate.h"

namespace valence {

/// The value of a figure that does not exist: no data, or no meaning.
inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/// What a figure is meant to be: declared by an instrument, before any data.
struct Estimand {
  std::string id;         ///< stable key in JSON: "altruistic.angle"
  std::string dimension;  ///< of the value space: "angle", "self_direction"; may be empty
  std::string condition;  ///< the arm it belongs to: "altruistic"; may be empty
  std::string label;      ///< for people
  std::string unit;       ///< "degrees", "share", "nats"; may be empty
  double low = -std::numeric_limits<double>::infinity();   ///< possible range, for axes
  double high = std::numeric_limits<double>::infinity();
  bool headline = false;  ///< shown first
};

/// The estimand's label, with its condition in front unless the label names it already.
std::string row_label(const Estimand& estimand);

struct ProfileEntry {
  Estimand estimand;
  Estimate estimate;
  double uniform = std::numeric_limits<double>::quiet_NaN();  ///< what the uniform responder would get
  std::vector<double> replicates;                             ///< of the bootstrap, for paired differences
  double systematic = 0.0;  ///< half-width at 95 % of an error that more units would not lessen; 0 where there is none
};

/// One check of the validity gate.
struct ValidityCheck {
  std::string id;         ///< "captured_mass", "position_bias", …
  std::string label;      ///< for people
  Estimate estimate;
  double threshold = 0.0;
  bool at_least = true;   ///< passes when the estimate is ≥ threshold, else when ≤
  bool passed = false;
  std::string advice;     ///< what to try when it fails
};

/// A gate that was not run (single reference figures, given answers) says so: `assessed` is false.
struct Validity {
  bool assessed = false;
  std::vector<ValidityCheck> checks;
  std::string note;       ///< why it was not assessed

  bool interpretable() const;  ///< assessed and every check passed
  std::string reason() const;  ///< the failed checks in words; empty when none
  std::vector<std::string> advice() const;  ///< what to try about the failed checks, each once
};

struct StatusCounts {
  std::size_t scored = 0, refused = 0, unparseable = 0, error = 0;
  std::size_t total() const { return scored + refused + unparseable + error; }
};

/// A subject's position in a value space.
struct Profile {
  std::string instrument;
  std::string space;
  std::string subject;
  std::vector<ProfileEntry> entries;
  Validity validity;
  StatusCounts statuses;

  const ProfileEntry* find(std::string_view id) const;
};

/// "n = 2: enough for a try, too few to report" where a headline figure has an interval over a handful of units: it keeps
/// its level, but one more unit may move everything. Else empty.
std::string few_units_note(const Profile& profile);
std::string few_units_note(std::size_t fewest);

/// The JSON of docs/formats.md, "Profile", and back. Replicates are kept only when asked for.
Json to_json(const Profile& profile, bool with_replicates = false);
Result<Profile> profile_from_json(const Json& json);
Json to_json(const Estimate& estimate);

}  // namespace valence
