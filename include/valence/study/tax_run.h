#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "valence/base/settings.h"
#include "valence/exam/subject_file.h"
#include "valence/instruments/tax.h"
#include "valence/store/store.h"
#include "valence/values/target.h"

namespace valence {

/// How the three instruments of the tax are put.
struct TaxSettings {
  Settings fluency, capability;
  std::optional<Settings> replies;  ///< nothing: not asked, as in a build without evaluators
  std::uint64_t seed = 0;
};
/// All defaults; no replies where this build has none.
Result<TaxSettings> default_tax_settings();

/// Two measurements that are looked at for drift.
struct DriftRuns {
  RunId before, after;
};

/// The dimensions that a target asks to move.
std::set<std::string> targeted_dimensions(const Target& target);

struct MeasuredTax {
  Tax tax;
  std::vector<RunId> base_runs, aligned_runs;  ///< fluency, capability and, where asked, replies
};

/// Measures both subjects with the three instruments (finished runs of the same subject and settings are taken as they
/// are) and makes the table. What a study's step and `valence tax` both call.
Result<MeasuredTax> measure_tax(const SubjectSpec& base, const SubjectSpec& aligned,
                                const std::vector<DriftRuns>& drift, const std::set<std::string>& targeted,
                                const TaxSettings& settings, Store& store, const MeasureOptions& options);

/// The table with subjects and runs: docs/formats.md, `tax`.
Json tax_json(const MeasuredTax& measured, const SubjectSpec& base, const SubjectSpec& aligned);

}  // namespace valence
