#include "valence/report/content_json.h"

#include <nlohmann/json.hpp>

#include "valence/instruments/content_test.h"
#include "valence/report/report_files.h"

namespace valence {
namespace {

/// The figures that stand beside the accuracy: where the run is, in the instrument's own terms.
Json headline_json(const ReportRun& run) {
  Json figures = Json::array();
  for (const auto& entry : run.profile.entries) {
    if (!entry.estimand.headline) continue;
    figures.push_back(
        {{"label", row_label(entry.estimand)}, {"unit", entry.estimand.unit}, {"estimate", to_json(entry.estimate)}});
  }
  return figures;
}

Result<ContentTest> test(const ReportRun& run, const Target& target) {
  VALENCE_TRY(const auto settings, settings_of(run));
  return content_test(*run.instrument, {&settings, &run.answers}, target, run.profile.validity);
}

Json side(const ReportRun& run, const ContentTest& test) {
  Json json = to_json(test);
  json["run"] = run.record.id;
  json["subject"] = run.profile.subject;
  json["figures"] = headline_json(run);
  return json;
}

}  // namespace

Result<Json> content_json(const ReportRun* before, const ReportRun& after, const Target& target) {
  if (before != nullptr && before->instrument != after.instrument) {
    return fail(ErrorCode::kUsage, "run {} is of {}, run {} of {}: what was learned shows on one instrument",
                before->record.id, before->instrument->card().id, after.record.id, after.instrument->card().id);
  }
  VALENCE_TRY(const auto tested, test(after, target));
  Json json = {{"target", target.label},
               {"instrument", after.instrument->card().title},
               {"before", nullptr},
               {"gain", nullptr},
               {"after", side(after, tested)}};
  if (before == nullptr) return json;
  VALENCE_TRY(const auto first, test(*before, target));
  json["before"] = side(*before, first);
  if (const auto gain = accuracy_gain(first, tested)) json["gain"] = to_json(*gain);
  return json;
}

}  // namespace valence
