#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "gap_show.h"
#include "session.h"
#include "target_show.h"
#include "valence/base/table.h"
#include "valence/base/text.h"

namespace valence {
namespace {

Result<void> list(const Session& session, const std::string& space) {
  VALENCE_TRY(const auto ids, list_targets(space));
  TextTable table({{"id", Align::kLeft},
                   {"space", Align::kLeft},
                   {"scores", Align::kLeft},
                   {"n", Align::kRight},
                   {"", Align::kLeft}});
  Json all = Json::array();
  for (const auto& id : ids) {
    VALENCE_TRY(const auto target, load_target(id));
    const auto people = target.respondents > 0 ? with_thousands(target.respondents) : "";
    table.add({id, target.space, target.scale == ScoreScale::kNone ? "angles" : std::string(to_string(target.scale)),
               people, target.label});
    all.push_back({{"id", id},
                   {"space", target.space},
                   {"scale", to_string(target.scale)},
                   {"respondents", target.respondents},
                   {"label", target.label}});
  }
  if (session.json) {
    session.print({{"targets", all}});
  } else {
    fmt::print("{}", table.text());
  }
  return {};
}

struct TargetShow {
  std::string id, map, picture;

  Result<void> run(const Session& session) const;
  Result<void> run_opinions(const Session& session) const;
};

Result<void> TargetShow::run_opinions(const Session& session) const {
  if (!map.empty() || !picture.empty())
    return fail(ErrorCode::kUsage,
                "{}: --map and --picture are for targets of scores, and this holds answer distributions", id);
  VALENCE_TRY(const auto target, read_opinion_target(id));
  if (session.json) {
    session.print(to_json(target));
  } else {
    fmt::print("{}", opinions_text(target));
  }
  return {};
}

Result<void> TargetShow::run(const Session& session) const {
  if (names_opinions(id)) return run_opinions(session);
  VALENCE_TRY(const auto target, load_mapped_target(id, map));
  VALENCE_CHECK(write_picture({&target, 1}, picture));
  if (session.json) {
    VALENCE_TRY(auto document, target_document(target));
    if (!picture.empty()) document["picture"] = picture;
    session.print(document);
    return {};
  }
  VALENCE_TRY(const auto text, target_text(target));
  fmt::print("{}{}", text, picture.empty() ? "" : fmt::format("  picture: {}\n", picture));
  return {};
}

void add_list(CLI::App& parent, Session& session) {
  auto space = std::make_shared<std::string>();
  auto* sub = parent.add_subcommand("list", "One line per target that Valence brings");
  sub->add_option("--space", *space, "only those of this value space");
  sub->footer(examples({"valence target list", "valence target list --space schwartz10 --json"}));
  sub->callback([space, &session] { session.finish(list(session, *space)); });
}

void add_show(CLI::App& parent, Session& session) {
  auto command = std::make_shared<TargetShow>();
  auto* sub = parent.add_subcommand("show", "One target: values, intervals, where it comes from");
  sub->add_option("target", command->id, "id, or a file that import or ask wrote")->required();
  sub->add_option("--map", command->map, map_help());
  sub->add_option("--picture", command->picture, "write Schwartz's circle with the target on it to this SVG file");
  sub->footer(examples({"valence target show ess11_fr", "valence target show fulcra_uk --picture uk.svg",
                        "valence target show me.toml --map centre --json"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace

void add_target(CLI::App& app, Session& session) {
  auto* target =
      app.add_subcommand("target", "Values that people chose: list, show, import from a survey, ask a person, compare");
  target->require_subcommand(1);
  target->footer(examples({"valence target list", "valence target show ess11_fr --picture france.svg",
                           "valence target ask --out me.toml"}));
  add_list(*target, session);
  add_show(*target, session);
  add_target_import(*target, session);
  add_target_ask(*target, session);
  add_target_compare(*target, session);
}

}  // namespace valence
