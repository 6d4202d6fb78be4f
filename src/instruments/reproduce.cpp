#include "valence/instruments/reproduce.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "valence/base/files.h"
#include "valence/base/text.h"

namespace valence {
namespace {

/// Each later instrument adds its line.
const std::vector<std::pair<std::string, const ComputationTable& (*)()>>& reproductions() {
  static const std::vector<std::pair<std::string, const ComputationTable& (*)()>> all = {{"svo", svo_computations}};
  return all;
}

Result<const Computation*> find_computation(const Node& fact, const ComputationTable& table) {
  VALENCE_TRY(const auto name, fact.string_at("compute"));
  std::vector<std::string> known;
  for (const auto& [id, computation] : table) {
    if (id == name) return &computation;
    known.push_back(id);
  }
  const auto near = nearest(name, known);
  return tl::unexpected(fact.error(fmt::format("unknown computation \"{}\"{}; there are {}", name,
                                               near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near),
                                               join(known, ", "))));
}

Result<ReproducedFact> reproduced_fact(const Node& node, const ComputationTable& table) {
  VALENCE_CHECK(node.allow_only({"id", "what", "unit", "published", "tolerance", "source", "reason", "compute", "arguments"}));
  ReproducedFact fact;
  VALENCE_TRY(fact.id, node.string_at("id"));
  VALENCE_TRY(fact.what, node.string_at("what"));
  VALENCE_TRY(fact.unit, node.string_or("unit", ""));
  VALENCE_TRY(fact.published, node.number_or("published", std::numeric_limits<double>::quiet_NaN()));
  VALENCE_TRY(fact.tolerance, node.number_at("tolerance"));
  VALENCE_TRY(fact.source, node.string_at("source"));
  VALENCE_TRY(fact.reason, node.string_or("reason", ""));
  VALENCE_TRY(const auto computation, find_computation(node, table));
  VALENCE_TRY(fact.ours, (*computation)(node));
  return fact;
}

}  // namespace

bool ReproducedFact::agrees() const {
  if (std::isnan(published) || std::isnan(ours)) return std::isnan(published) && std::isnan(ours);
  return std::abs(difference()) <= tolerance;
}

std::vector<std::string> reproducible() {
  std::vector<std::string> names;
  for (const auto& [name, computations] : reproductions()) names.push_back(name);
  return names;
}

Result<std::vector<ReproducedFact>> reproduce(const Node& file, const ComputationTable& computations) {
  VALENCE_TRY(const auto list, file.at("fact"));
  VALENCE_TRY(const auto nodes, list.as_array());
  std::vector<ReproducedFact> facts;
  for (const auto& node : nodes) {
    VALENCE_TRY(auto fact, reproduced_fact(node, computations));
    facts.push_back(std::move(fact));
  }
  return facts;
}

Result<std::vector<ReproducedFact>> reproduce(std::string_view name) {
  const auto names = reproducible();
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    const auto near = nearest(name, names);
    return fail(ErrorCode::kNotFound, "nothing recorded to reproduce for \"{}\"{}; there is {}", name,
                near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near), join(names, ", "));
  }
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto file, read_toml(data / "reproduce" / fmt::format("{}.toml", name)));
  return reproduce(file, reproductions()[static_cast<std::size_t>(found - names.begin())].second());
}

}  // namespace valence
