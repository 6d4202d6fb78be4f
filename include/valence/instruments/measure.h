#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/instruments/instrument.h"
#include "valence/stats/resample.h"
#include "valence/store/store.h"
#include "valence/values/profile.h"

namespace valence {

/// What each random unit alone gives, by estimand id; NaN where that is undefined.
using UnitValues = std::map<std::string, std::vector<double>>;
Result<UnitValues> unit_values(const Instrument& instrument, const Settings& settings, const AnswerTable& table);

struct ProfileOptions {
  std::size_t replicates = 2000;
  std::uint64_t seed = 0;
};

/// An estimator on the data, on bootstrap reweightings of its random unit and on every leave-one-out.
Result<stats::Replicates> replicate(const Estimator& estimator, const ProfileOptions& options);

/// Estimates with intervals over the named random unit, the uniform responder's figures, status counts. Pure.
Result<Profile> profile_of(const Instrument& instrument, const Settings& settings, const AnswerTable& table,
                           std::string_view subject, const ProfileOptions& options);

struct MeasureOptions {
  std::uint64_t seed = 0;
  bool fresh = false;                    ///< never go on with an unfinished run of the same key
  bool reuse = false;                    ///< take groups of other runs in the store
  std::set<std::string> leave_out = {};  ///< items that are not put: those on which something was chosen before
  std::stop_token stop;
  Progress* progress = nullptr;
};

struct Measurement {
  RunId run = 0;
  Profile profile;
  AnswerTable answers;
};

/// What makes two runs the same run (instrument, subject, settings with the content of the files that they name, seed,
/// items left out): the key of its record. kIo when such a file cannot be read.
Result<std::string> run_key(const Instrument& instrument, const Settings& settings, const Subject& subject,
                            const MeasureOptions& options);

/// What a run's record says of the subject: program, model with all facts, steering, seed.
Json subject_provenance(const Subject& subject, std::uint64_t seed);

/// Administers an instrument to a subject and files everything: run, groups, answers, profile with its validity gate.
/// A run with the same key that is not finished is resumed; its stored groups are replayed.
Result<Measurement> measure(const Instrument& instrument, const Settings& settings, const Subject& subject, Store& store,
                            const MeasureOptions& options);

/// The finished run of the same key when the store has one, else a new measurement.
Result<RunId> measure_once(const Instrument& instrument, const Settings& settings, const Subject& subject, Store& store,
                           const MeasureOptions& options);

/// Paired differences between two runs of the same instrument over the same units, Holm-corrected.
struct Difference {
  Estimand estimand;
  Estimate estimate;      ///< second minus first
  double p = 1.0;         ///< two-sided
  double p_holm = 1.0;
  bool paired = true;
};
/// "n = 2: enough for a try, too few to report", as for a profile.
std::string few_units_note(const std::vector<Difference>& differences);

struct ComparedRun {
  const Settings* settings;
  const AnswerTable* answers;
};
Result<std::vector<Difference>> compare(const Instrument& instrument, const ComparedRun& first, const ComparedRun& second,
                                        const ProfileOptions& options);

}  // namespace valence
