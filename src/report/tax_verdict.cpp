#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "filed.h"
#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/report/study_report.h"

namespace valence {
namespace {

/// A line of the tax that is held against an aim, as a sentence calls it.
struct JudgedCost {
  std::string_view id, name, figure;  ///< `figure`: what its change is
};

constexpr JudgedCost kJudgedCosts[] = {{"perplexity_ratio", "perplexity", "ratio"},
                                       {"capability", "right answers", "change"},
                                       {"refusal", "refusals", "change"}};

const JudgedCost* judged_cost(const Json& line) {
  const auto id = line["id"].get<std::string>();
  for (const auto& cost : kJudgedCosts) {
    if (cost.id == id) return &cost;
  }
  return nullptr;
}

/// What misses its aim is said with how far it moved.
std::string cost_text(const JudgedCost& cost, const Json& line, std::string_view verdict) {
  if (verdict != "beyond") return std::string(cost.name);
  return fmt::format("{} ({} {})", cost.name, cost.figure, figure_text(report::estimate_of(line["change"])));
}

/// The judged lines of one verdict: "perplexity and right answers".
std::string costs_of(const Json& lines, std::string_view verdict) {
  std::vector<std::string> names;
  for (const auto& line : lines) {
    const auto* cost = judged_cost(line);
    if (cost && line["verdict"].get<std::string>() == verdict) names.push_back(cost_text(*cost, line, verdict));
  }
  if (names.size() < 2) return join(names, "");
  const auto last = names.back();
  names.pop_back();
  return join(names, ", ") + " and " + last;
}

/// Of how many plain questions nothing could be lost; empty where all can tell.
std::string untestable_items(const Json& lines) {
  for (const auto& line : lines) {
    const auto untestable = line["untestable"].get<std::size_t>();
    if (line["id"].get<std::string>() == "capability" && untestable > 0)
      return fmt::format("{} of {} items untestable", untestable, line["items"].get<std::size_t>());
  }
  return "";
}

}  // namespace

std::string missing_tax(const ReportedAlignment& alignment) {
  if (!alignment.without_tax) return "";
  return fmt::format("Cost of {}: not measured (no [tax.NAME] holds what it made against what it began with).",
                     alignment.name);
}

Result<std::string> tax_verdict(const ReportedTax& tax) {
  VALENCE_TRY(const auto table, parse_json(tax.table, tax.name));
  const auto& lines = table["lines"];
  constexpr std::pair<std::string_view, std::string_view> kInWords[] = {{"beyond", "beyond the aim"},
                                                                        {"within", "within the aim"},
                                                                        {"open", "cannot be told"},
                                                                        {"untestable", "untestable"}};
  std::vector<std::string> parts;
  for (const auto& [verdict, words] : kInWords) {
    const auto costs = costs_of(lines, verdict);
    if (!costs.empty()) parts.push_back(fmt::format("{} {}", costs, words));
  }
  const auto items = untestable_items(lines);
  if (!items.empty()) parts.push_back(items);
  if (table.contains("drift") && table["drift"].empty()) parts.emplace_back("drift not measured");
  return fmt::format("Cost of {} against {}: {}.", tax.aligned, tax.base,
                     parts.empty() ? "nothing was judged" : join(parts, "; "));
}

}  // namespace valence
