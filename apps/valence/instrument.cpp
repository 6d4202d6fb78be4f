#include "valence/instruments/instrument.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "instrument_options.h"
#include "session.h"
#include "valence/base/table.h"
#include "valence/base/text.h"

namespace valence {
namespace {

Json card_json(const InstrumentCard& card) {
  return {{"id", card.id}, {"title", card.title}, {"version", card.version}, {"space", card.space},
          {"measures", card.measures}, {"limits", card.limits}, {"citation", card.citation}, {"licence", card.licence},
          {"random_unit", card.random_unit}};
}

Json setting_json(const SettingSpec& spec) {
  Json json = {{"name", spec.name}, {"default", spec.fallback}, {"unit", spec.unit}, {"help", spec.help}};
  if (!spec.choices.empty()) json["choices"] = spec.choices;
  if (spec.low) json["low"] = *spec.low;
  if (spec.high) json["high"] = *spec.high;
  return json;
}

Result<void> list(const Session& session) {
  if (session.json) {
    Json all = Json::array();
    for (const auto& instrument : instruments()) all.push_back(card_json(instrument->card()));
    session.print({{"instruments", all}});
    return {};
  }
  TextTable table({{"id", Align::kLeft}, {"measures", Align::kLeft}, {"random unit", Align::kLeft}});
  for (const auto& instrument : instruments()) {
    const auto& card = instrument->card();
    table.add({card.id, card.measures, card.random_unit});
  }
  fmt::print("{}", table.text());
  return {};
}

Result<void> show(const Session& session, const std::string& id) {
  VALENCE_TRY(const auto* instrument, find_instrument(id));
  const auto& card = instrument->card();
  if (session.json) {
    Json document = card_json(card);
    document["settings"] = Json::array();
    for (const auto& spec : instrument->settings()) document["settings"].push_back(setting_json(spec));
    session.print(document);
    return {};
  }
  fmt::print("{} ({}, version {})\n\n  measures      {}\n  cannot tell   {}\n  value space   {}\n  random unit   {}\n"
             "  citation      {}\n  data          {}\n\nSettings\n", card.title, card.id, card.version, card.measures,
             card.limits, card.space, card.random_unit, card.citation, card.licence);
  TextTable table({{"flag", Align::kLeft}, {"default", Align::kLeft}, {"", Align::kLeft}});
  for (const auto& spec : instrument->settings()) table.add({flag_of(spec.name), spec.fallback, spec.help});
  fmt::print("{}", table.text());
  return {};
}

}  // namespace

void add_instrument(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand("instrument", "List the instruments, or show one with its settings");
  sub->require_subcommand(1);
  sub->footer(examples({"valence instrument list", "valence instrument show hvae --json"}));
  sub->add_subcommand("list", "One line per instrument")->callback([&session] { session.finish(list(session)); });
  auto id = std::make_shared<std::string>();
  auto* one = sub->add_subcommand("show", "What it measures, what it cannot tell, its settings");
  one->add_option("id", *id, "instrument")->required();
  one->callback([id, &session] { session.finish(show(session, *id)); });
}

}  // namespace valence
