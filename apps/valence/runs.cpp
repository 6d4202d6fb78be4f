#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "session.h"
#include "valence/base/json.h"
#include "valence/base/table.h"
#include "valence/base/text.h"

namespace valence {
namespace {

struct RunsCommand {
  RunId id = 0;

  Result<void> run(const Session& session) const {
    VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
    return id > 0 ? show_one(session, *store) : show_all(session, *store);
  }

  static Json summary(const RunRecord& run) {
    return {{"run", run.id}, {"instrument", run.instrument}, {"subject", run.subject}, {"state", to_string(run.state)},
            {"started", run.started}, {"finished", run.finished}};
  }

  static Result<void> show_all(const Session& session, const Store& store) {
    VALENCE_TRY(const auto runs, store.runs());
    if (session.json) {
      Json list = Json::array();
      for (const auto& run : runs) list.push_back(summary(run));
      session.print({{"runs", list}});
      return {};
    }
    TextTable table({{"run", Align::kRight}, {"instrument", Align::kLeft}, {"subject", Align::kLeft},
                     {"state", Align::kLeft}, {"started", Align::kLeft}});
    for (const auto& run : runs) {
      table.add({std::to_string(run.id), run.instrument, run.subject, std::string(to_string(run.state)), run.started});
    }
    fmt::print("{}", table.text());
    return {};
  }

  Result<void> show_one(const Session& session, const Store& store) const {
    VALENCE_TRY(const auto run, store.run(id));
    VALENCE_TRY(const auto settings, parse_json(run.settings, "settings"));
    VALENCE_TRY(const auto provenance, parse_json(run.provenance, "provenance"));
    VALENCE_TRY(const auto groups, store.count_groups(id));
    VALENCE_TRY(const auto events, store.events(id));
    Json document = summary(run);
    document["settings"] = settings;
    document["provenance"] = provenance;
    document["groups"] = groups;
    document["events"] = Json::array();
    for (const auto& event : events) {
      document["events"].push_back({{"time", event.time}, {"level", event.level}, {"text", event.text}});
    }
    session.print(document);
    return {};
  }
};

}  // namespace

void add_runs(CLI::App& app, Session& session) {
  auto command = std::make_shared<RunsCommand>();
  auto* sub = app.add_subcommand("runs", "List the runs of the store, or show one with its provenance");
  sub->add_option("run", command->id, "run number, for its settings, provenance and events")->check(CLI::PositiveNumber);
  sub->footer(examples({"valence runs", "valence runs 3", "valence runs --json"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
