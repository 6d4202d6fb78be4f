#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "session.h"
#include "valence/base/json.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/instruments/instrument.h"

namespace valence {
namespace {

struct RunsCommand {
  RunId id = 0;

  Result<void> run(const Session& session) const {
    VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
    return id > 0 ? show_one(session, *store) : show_all(session, *store);
  }

  static Json summary(const RunRecord& run) {
    return {{"run", run.id},          {"instrument", run.instrument},
            {"subject", run.subject}, {"state", to_string(run.state)},
            {"started", run.started}, {"finished", run.finished}};
  }

  static std::string gate_of(const RunRecord& run) {
    const auto json = parse_json(run.profile, "profile");
    if (!json || !json->contains("validity")) return "";
    const auto& validity = (*json)["validity"];
    if (!validity.value("assessed", false)) return "not assessed";
    return validity.value("interpretable", false) ? "passed" : "failed";
  }

  /// What was asked for otherwise than usual: "seed 7, dialogues 3".
  static std::string settings_of(const RunRecord& run) {
    std::vector<std::string> parts;
    const auto provenance = parse_json(run.provenance, "provenance");
    if (provenance && provenance->value("seed", std::uint64_t{0}) != 0)
      parts.push_back(fmt::format("seed {}", provenance->value("seed", std::uint64_t{0})));
    const auto settings = parse_json(run.settings, "settings");
    const auto instrument = find_instrument(run.instrument);
    if (!settings || !instrument) return join(parts, ", ");
    const auto usual = Settings::resolve((*instrument)->settings(), std::vector<std::pair<std::string, std::string>>{});
    const auto usual_json = usual ? usual->to_json() : Json::object();
    for (const auto& [name, value] : settings->items()) {
      if (usual_json.value(name, Json()) == value) continue;
      parts.push_back(fmt::format("{} {}", replace_all(name, "_", "-"),
                                  value.is_string() ? value.get<std::string>() : value.dump()));
    }
    return join(parts, ", ");
  }

  static Result<void> show_all(const Session& session, const Store& store) {
    VALENCE_TRY(const auto runs, store.runs());
    if (session.json) {
      Json list = Json::array();
      for (const auto& run : runs) list.push_back(summary(run));
      session.print({{"runs", list}});
      return {};
    }
    TextTable table({{"run", Align::kRight},
                     {"instrument", Align::kLeft},
                     {"subject", Align::kLeft},
                     {"state", Align::kLeft},
                     {"gate", Align::kLeft},
                     {"settings beside the defaults", Align::kLeft},
                     {"started", Align::kLeft}});
    for (const auto& run : runs) {
      table.add({std::to_string(run.id), run.instrument, run.subject, std::string(to_string(run.state)), gate_of(run),
                 settings_of(run), run.started});
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
    if (!session.json) {
      print_run(run, {{"settings", settings}, {"provenance", provenance}}, groups, events);
      return {};
    }
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

  /// One line per name and value; what is nested comes after a dot: "facts.threads".
  static void add_lines(TextTable& table, const std::string& prefix, const Json& json) {
    for (const auto& [name, value] : json.items()) {
      if (value.is_object()) {
        add_lines(table, prefix + name + ".", value);
      } else {
        table.add({prefix + name, value.is_string() ? value.get<std::string>() : value.dump()});
      }
    }
  }

  using Part = std::pair<std::string, Json>;
  static void print_run(const RunRecord& run, const std::vector<Part>& parts, std::size_t groups,
                        const std::vector<Event>& events) {
    fmt::print("Run {}: {} of {}, {}\n", run.id, run.instrument, run.subject, to_string(run.state));
    TextTable head({{"", Align::kLeft}, {"", Align::kLeft}});
    head.add({"started", run.started});
    if (!run.finished.empty()) head.add({"finished", run.finished});
    if (const auto gate = gate_of(run); !gate.empty()) head.add({"gate", gate});
    head.add({"groups", std::to_string(groups)});
    fmt::print("{}", head.text());
    for (const auto& [title, json] : parts) {
      TextTable table({{"", Align::kLeft}, {"", Align::kLeft}});
      add_lines(table, "", json);
      fmt::print("\n{}\n{}", title, table.text());
    }
    TextTable log({{"", Align::kLeft}, {"", Align::kLeft}, {"", Align::kLeft}});
    for (const auto& event : events) log.add({event.time, event.level, event.text});
    if (!events.empty()) fmt::print("\nevents\n{}", log.text());
  }
};

}  // namespace

void add_runs(CLI::App& app, Session& session) {
  auto command = std::make_shared<RunsCommand>();
  auto* sub = app.add_subcommand("runs", "List the runs of the store, or show one with its provenance");
  sub->add_option("run", command->id, "run number, for its settings, provenance and events")->check(run_number());
  sub->footer(examples({"valence runs", "valence runs 3", "valence runs --json"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
