#include "sums.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "valence/base/json.h"

namespace valence::train {
namespace {

Json to_json(const Figures& figures) {
  Json sums = Json::object();
  for (const auto& [name, sum] : figures.sums) sums[name] = number_or_null(sum);
  return {{"weight", figures.weight}, {"sums", std::move(sums)}};
}

/// A number that is none is written as null.
double number_of(const Json& json) {
  return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

Figures figures_of(const Json& json) {
  Figures figures;
  figures.weight = json.at("weight").get<double>();
  for (const auto& [name, sum] : json.at("sums").items()) figures.sums[name] = number_of(sum);
  return figures;
}

Json to_json(const std::map<std::size_t, double>& margins) {
  Json list = Json::array();
  for (const auto& [example, margin] : margins) list.push_back({example, number_or_null(margin)});
  return list;
}

std::string to_text(const Sums& sums) {
  return valence::to_text(Json{{"loss", number_or_null(sums.loss)},
                               {"tokens", sums.tokens},
                               {"figures", to_json(sums.figures)},
                               {"drift", to_json(sums.drift)},
                               {"margins", to_json(sums.margins)}});
}

}  // namespace

Result<void> add_up(Processes& processes, Sums& sums) {
  if (processes.alone()) return {};
  VALENCE_TRY(const auto texts, processes.gather(to_text(sums)));
  sums = {};
  for (const auto& text : texts) {
    VALENCE_TRY(const auto json, parse_json(text, "sums of another process"));
    sums.loss += number_of(json.at("loss"));
    sums.tokens += json.at("tokens").get<std::int64_t>();
    sums.figures.add(figures_of(json.at("figures")));
    sums.drift.add(figures_of(json.at("drift")));
    for (const auto& entry : json.at("margins")) sums.margins[entry.at(0).get<std::size_t>()] = number_of(entry.at(1));
  }
  return {};
}

}  // namespace valence::train
