#include "valence/instruments/reproduce.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "session.h"
#include "valence/base/table.h"
#include "valence/base/text.h"

namespace valence {
namespace {

Json fact_json(const ReproducedFact& fact) {
  return {{"id", fact.id}, {"what", fact.what}, {"unit", fact.unit}, {"published", number_or_null(fact.published)},
          {"ours", number_or_null(fact.ours)}, {"difference", number_or_null(fact.difference())}, {"tolerance", fact.tolerance},
          {"met", fact.agrees()}, {"source", fact.source}, {"reason", fact.reason}};
}

void print_text(const std::vector<ReproducedFact>& facts) {
  TextTable table({{"", Align::kLeft}, {"what", Align::kLeft}, {"published", Align::kRight}, {"ours", Align::kRight},
                   {"difference", Align::kRight}, {"reason", Align::kLeft}});
  for (const auto& fact : facts) {
    table.add({fact.agrees() ? "✓" : "≠", fact.what, fmt::format("{:.10g}", fact.published), fmt::format("{:.10g}", fact.ours),
               significant(fact.difference()), fact.reason});
  }
  const auto met = std::count_if(facts.begin(), facts.end(), [](const auto& fact) { return fact.agrees(); });
  fmt::print("{}\n  {} of {} published facts are met within their printed digits\n", table.text(), met, facts.size());
}

/// Facts that differ without a known reason fail the command.
Result<void> run(const Session& session, const std::string& name) {
  VALENCE_TRY(const auto facts, reproduce(name));
  if (session.json) {
    Json document = {{"name", name}, {"facts", Json::array()}};
    for (const auto& fact : facts) document["facts"].push_back(fact_json(fact));
    session.print(document);
  } else {
    print_text(facts);
  }
  const auto unexplained = std::count_if(facts.begin(), facts.end(), [](const auto& fact) { return !fact.agrees() && fact.reason.empty(); });
  if (unexplained > 0) return fail(ErrorCode::kMismatch, "{}: {} published facts are not met and no reason is known", name, unexplained);
  return {};
}

}  // namespace

void add_reproduce(CLI::App& app, Session& session) {
  auto name = std::make_shared<std::string>();
  auto* sub = app.add_subcommand("reproduce", "Recompute published figures from recorded data with this program's code");
  sub->add_option("name", *name, "what to reproduce: " + join(reproducible(), ", "))->required();
  sub->footer(examples({"valence reproduce svo", "valence reproduce svo --json"}));
  sub->callback([name, &session] { session.finish(run(session, *name)); });
}

}  // namespace valence
