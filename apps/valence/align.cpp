#include "align.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "session.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/train/operations.h"

namespace valence {
namespace {

std::string kinds_of(const Operation& operation) {
  std::vector<std::string> kinds;
  for (const auto kind : operation.data) kinds.emplace_back(to_string(kind));
  return join(kinds, ", ");
}

/// How it is asked for. Rollouts are drawn by the aligner that wants them, so they are no operation on a file.
std::string command_of(const Operation& operation) {
  const bool draws = std::ranges::find(operation.data, RecordKind::kRollout) != operation.data.end();
  return draws ? fmt::format("base-align or rlhf --optimiser {}", operation.id) : operation.id;
}

void list_operations(const Session& session) {
  Json list = Json::array();
  TextTable table({{"valence align …", Align::kLeft}, {"learns from", Align::kLeft}, {"what it does", Align::kLeft}});
  for (const auto& operation : operations()) {
    table.add({command_of(operation), kinds_of(operation), operation.title});
    list.push_back({{"id", operation.id}, {"title", operation.title}, {"command", command_of(operation)}, {"data", kinds_of(operation)}});
  }
  if (session.json) return session.print({{"operations", list}});
  fmt::print("{}", table.text());
}

}  // namespace

void add_align(CLI::App& app, Session& session) {
  auto* align = app.add_subcommand("align", "Bring a model nearer to a target: by its prompt, by a target's answers, or by preference data");
  align->require_subcommand(1);
  align->footer(examples({"valence align choice moralchoice --model smollm2 --toward scripted:ideal --set low "
                          "--scenario-part training --wording-part training",
                          "valence align dpo --model smollm2 --data pairs.jsonl",
                          "valence align preview --data pairs.jsonl", "valence align list"}));
  auto* list = align->add_subcommand("list", "Ways of moving weights, and what data each learns from");
  list->footer(examples({"valence align list", "valence align list --json"}));
  list->callback([&session] { list_operations(session); });
  add_align_in_context(*align, session);
  add_align_preview(*align, session);
  add_align_choice(*align, session);
  add_align_data(*align, session);
  add_align_values(*align, session);
  add_align_export(*align, session);
}

}  // namespace valence
