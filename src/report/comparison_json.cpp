#include "valence/report/comparison_json.h"

#include <nlohmann/json.hpp>

namespace valence {
namespace {

Json difference_json(const Difference& difference) {
  Json json = to_json(difference.estimate);
  json["id"] = difference.estimand.id;
  json["label"] = difference.estimand.label;
  json["p"] = difference.p;
  json["p_holm"] = difference.p_holm;
  json["paired"] = difference.paired;
  return json;
}

Json agreement_json(const AnswerAgreement& agreement) {
  return {{"items", agreement.items},
          {"same_choice", number_or_null(agreement.same_choice)},
          {"kappa", number_or_null(agreement.kappa)},
          {"correlation", number_or_null(agreement.correlation)}};
}

Json compared_json(const ReportRun& run) {
  return {
      {"run", run.record.id}, {"subject", run.record.subject}, {"interpretable", run.profile.validity.interpretable()}};
}

}  // namespace

Json comparison_json(const ReportRun& first, const ReportRun& second, std::span<const Difference> differences,
                     const AnswerAgreement& agreement) {
  Json document = {
      {"instrument", first.record.instrument}, {"first", compared_json(first)}, {"second", compared_json(second)}};
  document["differences"] = Json::array();
  for (const auto& difference : differences) document["differences"].push_back(difference_json(difference));
  document["agreement"] = agreement_json(agreement);
  return document;
}

}  // namespace valence
