#include "valence/instruments/run_labels.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "fulcra_estimator.h"
#include "valence/base/text.h"

namespace valence {
namespace {

bool whole(const ReadResponse& response) {
  return std::none_of(response.e.begin(), response.e.end(), [](double e) { return std::isnan(e); });
}

/// "abc", then "abc#2", so that the plain id is there to be compared with what an evaluator was fitted on.
std::string distinct_id(std::string id, std::unordered_map<std::string, std::size_t>& seen) {
  const auto times = ++seen[id];
  return times == 1 ? id : fmt::format("{}#{}", id, times);
}

/// The order in which a seed draws this population, cut where the sheet ends: whole prompts only.
Result<stats::LabellingDraw> draw_of_sheet(const RunResponses& responses, const LabelSheet& sheet) {
  const auto& population = responses.population;
  stats::LabellingDraw last;
  for (std::size_t clusters = 1; clusters <= population.cluster_count(); ++clusters) {
    VALENCE_TRY(auto draw, stats::draw_for_labelling(population, clusters, sheet.record.seed));
    if (draw.rows.size() > sheet.entries.size()) break;
    last = std::move(draw);
  }
  return last;
}

Result<void> check_texts(const RunResponses& responses, const LabelSheet& sheet, const stats::LabellingDraw& draw) {
  for (std::size_t i = 0; i < draw.rows.size(); ++i) {
    if (response_id(sheet.entries[i].text) == response_id(responses.texts[draw.rows[i]])) continue;
    return fail(ErrorCode::kMismatch,
                "label {} is of another response than seed {} draws there: rows were chosen, added, left out or moved. "
                "Label the whole draw (valence evaluator label)",
                i + 1, sheet.record.seed);
  }
  return {};
}

Result<void> check_population(const RunResponses& responses, const LabelSheet& sheet) {
  if (sheet.record.population == responses.population.digest().hex()) return {};
  return fail(
      ErrorCode::kMismatch,
      "the labels are of responses drawn from another run ({}), not of {}'s own: they say nothing about it. Draw "
      "and label a sample of its own responses (valence evaluator label)",
      sheet.record.run, responses.population.subject());
}

Result<void> check_labellers(const LabelSheet& sheet, std::string_view read_by) {
  const bool same = std::any_of(sheet.entries.begin(), sheet.entries.end(),
                                [&](const auto& entry) { return entry.labelled_by == read_by; });
  if (!same) return {};
  return fail(ErrorCode::kMismatch,
              "{} read the run and labelled the sample: its own word cannot show its error. Have people, or another "
              "judge, label it",
              read_by);
}

std::vector<std::pair<std::string, std::size_t>> labellers(const LabelSheet& sheet, std::size_t count) {
  std::map<std::string, std::size_t> counts;
  for (std::size_t i = 0; i < count; ++i) ++counts[sheet.entries[i].labelled_by];
  return {counts.begin(), counts.end()};
}

}  // namespace

Result<RunResponses> run_responses(const AnswerTable& table, const Space& space, std::string_view subject) {
  VALENCE_TRY(const auto read, read_responses(table, space));
  std::vector<std::string> ids, clusters;
  std::vector<PromptedText> texts;
  std::vector<double> readings;
  std::unordered_map<std::string, std::size_t> seen;
  for (const auto& response : read) {
    if (!whole(response)) continue;
    ids.push_back(distinct_id(response_id(response.text), seen));
    clusters.push_back(response.unit);
    texts.push_back(response.text);
    readings.insert(readings.end(), response.e.begin(), response.e.end());
  }
  if (ids.empty()) {
    return fail(ErrorCode::kUsage,
                "this run has no responses that were read: labels are for runs of fulcra (valence measure fulcra)");
  }
  const auto asked = static_cast<std::size_t>(
      std::count_if(table.rows.begin(), table.rows.end(), [](const auto& row) { return row.route != Route::kRead; }));
  const auto left_out = asked - ids.size();
  VALENCE_TRY(auto population, stats::ResponsePopulation::of(subject, std::move(ids), clusters));
  return RunResponses{std::move(population), std::move(texts), std::move(readings), left_out};
}

Result<CorrectedProfile> correct_profile(const RunResponses& responses, const LabelSheet& sheet,
                                         std::string_view read_by, std::span<const std::string> fitted_on) {
  VALENCE_CHECK(check_population(responses, sheet));
  VALENCE_CHECK(check_labellers(sheet, read_by));
  VALENCE_TRY(const auto draw, draw_of_sheet(responses, sheet));
  VALENCE_CHECK(check_texts(responses, sheet, draw));
  if (draw.clusters < 2)
    return fail(ErrorCode::kWrongCount, "an interval needs labels of at least 2 prompts, got {}", draw.clusters);
  const auto dims = responses.readings.size() / responses.texts.size();
  std::vector<double> labels;
  for (std::size_t i = 0; i < draw.rows.size(); ++i)
    labels.insert(labels.end(), sheet.entries[i].labels.begin(), sheet.entries[i].labels.end());
  VALENCE_TRY(const auto sample, stats::LabelledSample::from_draw(responses.population, draw, std::move(labels), dims));
  VALENCE_TRY(const auto readings,
              stats::HonestReadings::of_unseen(responses.population, fitted_on, responses.readings, dims));
  CorrectedProfile corrected;
  VALENCE_TRY(corrected.dimensions, stats::prediction_powered_means(responses.population, sample, readings, "prompt"));
  for (auto& dimension : corrected.dimensions) {  // labels are at most 1 in size, and so is their mean
    dimension.mean = within(dimension.mean, -1.0, 1.0);
    dimension.labels_only = within(dimension.labels_only, -1.0, 1.0);
  }
  corrected.labelled = draw.rows.size();
  corrected.prompts = draw.clusters;
  corrected.unfinished = sheet.entries.size() - draw.rows.size();
  corrected.labelled_by = labellers(sheet, draw.rows.size());
  return corrected;
}

}  // namespace valence
