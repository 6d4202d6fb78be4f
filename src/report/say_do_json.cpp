#include "valence/report/say_do_json.h"

#include <nlohmann/json.hpp>

namespace valence {
namespace {

Json say_do_side(const ReportRun& run) {
  return {
      {"run", run.record.id}, {"subject", run.record.subject}, {"interpretable", run.profile.validity.interpretable()}};
}

Json say_do_row(const SayDoRow& row) {
  return {{"dimension", row.dimension},
          {"says", row.says},
          {"does", row.does},
          {"says_rank", row.says_rank},
          {"does_rank", row.does_rank}};
}

}  // namespace

Json say_do_json(const ReportRun& says, const ReportRun& does, const SayDo& result) {
  Json json = {{"says", say_do_side(says)},
               {"does", say_do_side(does)},
               {"rows", Json::array()},
               {"left_out", result.left_out},
               {"spearman", to_json(result.spearman)},
               {"says_reliability", number_or_null(result.says_reliability)},
               {"does_reliability", number_or_null(result.does_reliability)},
               {"disattenuated", to_json(result.disattenuated)},
               {"p", number_or_null(result.p)}};
  for (const auto& row : result.rows) json["rows"].push_back(say_do_row(row));
  return json;
}

}  // namespace valence
