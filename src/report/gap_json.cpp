#include "valence/report/gap_json.h"

#include <nlohmann/json.hpp>

#include "valence/base/json.h"

namespace valence {
namespace {

constexpr double kClaimLevel = 0.05;

Json target_json(const Target& target) { return {{"id", target.id}, {"space", target.space}, {"label", target.label}}; }

Json figure_json(const GapFigure& figure) {
  Json json = {{"id", figure.estimand.id},
               {"label", figure.estimand.label},
               {"unit", figure.estimand.unit},
               {"range", {number_or_null(figure.estimand.low), number_or_null(figure.estimand.high)}},
               {"agreement", figure.agreement}};
  json["estimate"] = to_json(figure.estimate);
  json["noise"] = number_or_null(figure.noise);
  json["cannot_tell"] = figure.blind;
  return json;
}

Json scope_json(const Target& target, const TargetGap& gap) {
  return {{"target", target_json(target)},
          {"convention", gap.convention},
          {"dimensions", gap.dimensions},
          {"unmeasured", gap.unmeasured}};
}

Json side_json(const ReportRun& run) {
  return {
      {"run", run.record.id}, {"subject", run.record.subject}, {"interpretable", run.profile.validity.interpretable()}};
}

}  // namespace

int nearer_run(const ReportRun& first, const ReportRun& second, const GapDifference& gap) {
  const bool readable = first.profile.validity.interpretable() && second.profile.validity.interpretable();
  const double value = gap.difference.estimate.value;
  if (!readable || !(gap.difference.p_holm < kClaimLevel) || value == 0.0) return 0;
  return (value > 0.0) == gap.agreement ? 2 : 1;
}

Json gap_json(const Target& target, const TargetGap& gap) {
  Json json = scope_json(target, gap);
  json["figures"] = Json::array();
  for (const auto& figure : gap.figures) json["figures"].push_back(figure_json(figure));
  return json;
}

Json compared_gap_json(const ReportRun& first, const ReportRun& second, const Target& target, const ComparedGap& gaps) {
  Json json = {{"instrument", first.record.instrument}, {"first", side_json(first)}, {"second", side_json(second)}};
  json.update(scope_json(target, gaps.first));
  json["gaps"] = Json::array();
  for (std::size_t i = 0; i < gaps.differences.size(); ++i) {
    const auto& [difference, agreement, cut] = gaps.differences[i];
    Json row = to_json(difference.estimate);
    row["id"] = difference.estimand.id;
    row["label"] = difference.estimand.label;
    row["figure_unit"] = difference.estimand.unit;  // `unit` is the estimate's: the random unit
    row["agreement"] = agreement;
    row["first"] = to_json(gaps.first.figures[i].estimate);
    row["second"] = to_json(gaps.second.figures[i].estimate);
    row["cut"] = to_json(cut);
    row["p"] = number_or_null(difference.p);
    row["p_holm"] = number_or_null(difference.p_holm);
    row["paired"] = difference.paired;
    const int side = nearer_run(first, second, gaps.differences[i]);
    row["nearer"] = side == 0 ? Json(nullptr) : Json(side == 1 ? first.record.id : second.record.id);
    json["gaps"].push_back(std::move(row));
  }
  return json;
}

}  // namespace valence
