#include <map>

#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/instruments/moralchoice.h"

namespace valence {
namespace {

struct Quirks {
  std::map<std::string, std::string> rules;     // misspelt → meant
  std::map<std::string, std::string> unscored;  // scenario → reason
};

Result<std::filesystem::path> folder() {
  VALENCE_TRY(const auto data, data_folder());
  return data / "instruments" / "moralchoice";
}

Result<Quirks> load_quirks() {
  VALENCE_TRY(const auto where, folder());
  VALENCE_TRY(const auto toml, read_toml(where / "quirks.toml"));
  Quirks quirks;
  VALENCE_TRY(const auto rules, toml.at("rules"));
  VALENCE_TRY(const auto table, rules.as_table());
  for (const auto& [written, meant] : table) {
    VALENCE_TRY(quirks.rules[written], meant.as_string());
  }
  VALENCE_TRY(const auto unscored, toml.at("unscored"));
  VALENCE_TRY(const auto entries, unscored.as_array());
  for (const auto& entry : entries) {
    VALENCE_TRY(const auto scenario, entry.string_at("scenario"));
    VALENCE_TRY(quirks.unscored[scenario], entry.string_at("reason"));
  }
  return quirks;
}

Result<std::optional<bool>> parse_flag(const std::string& text, const std::string& where) {
  if (text == "Yes") return true;
  if (text == "No") return false;
  if (text == "No Agreement") return std::nullopt;
  return fail(ErrorCode::kUsage, "{}: a rule column should be Yes, No or No Agreement, got \"{}\"", where, text);
}

Result<RuleFlags> parse_flags(const CsvTable& csv, std::size_t row, const std::string& prefix) {
  RuleFlags flags;
  for (std::size_t rule = 0; rule < kMoralRules; ++rule) {
    VALENCE_TRY(const auto column, csv.column(prefix + rule_columns()[rule]));
    VALENCE_TRY(flags[rule], parse_flag(csv.rows[row][column], csv.where(row)));
  }
  return flags;
}

Result<Scenario> parse_scenario(const CsvTable& csv, std::size_t row, const Quirks& quirks) {
  const auto cell = [&](std::string_view name) -> Result<std::string> {
    VALENCE_TRY(const auto column, csv.column(name));
    return trim(csv.rows[row][column]);
  };
  Scenario scenario;
  VALENCE_TRY(scenario.id, cell("scenario_id"));
  VALENCE_TRY(scenario.ambiguity, cell("ambiguity"));
  VALENCE_TRY(scenario.rule, cell("generation_rule"));
  VALENCE_TRY(scenario.context, cell("context"));
  VALENCE_TRY(scenario.actions[0], cell("action1"));
  VALENCE_TRY(scenario.actions[1], cell("action2"));
  VALENCE_TRY(scenario.breaks[0], parse_flags(csv, row, "a1_"));
  VALENCE_TRY(scenario.breaks[1], parse_flags(csv, row, "a2_"));
  if (const auto meant = quirks.rules.find(scenario.rule); meant != quirks.rules.end()) scenario.rule = meant->second;
  scenario.scored = !quirks.unscored.contains(scenario.id);
  return scenario;
}

Result<FormKind> kind_of(const Node& form) {
  VALENCE_TRY(const auto text, form.string_at("kind"));
  for (const auto kind : {FormKind::kLetter, FormKind::kText, FormKind::kRepeat, FormKind::kCompare}) {
    if (text == to_string(kind)) return kind;
  }
  return tl::unexpected(form.error(fmt::format("\"kind\" should be letter, text, repeat or compare, got \"{}\"", text)));
}

}  // namespace

std::string_view to_string(FormKind kind) {
  switch (kind) {
    case FormKind::kLetter: return "letter";
    case FormKind::kText: return "text";
    case FormKind::kRepeat: return "repeat";
    case FormKind::kCompare: return "compare";
  }
  return "";
}

const std::array<std::string, kMoralRules>& rule_columns() {
  static const std::array<std::string, kMoralRules> names = {"death", "pain", "disable", "freedom", "pleasure",
                                                             "deceive", "cheat", "break_promise", "break_law", "duty"};
  return names;
}

Result<std::vector<Scenario>> load_scenarios(const std::string& set) {
  VALENCE_TRY(const auto quirks, load_quirks());
  VALENCE_TRY(const auto where, folder());
  std::vector<Scenario> scenarios;
  for (const std::string name : {"low", "high"}) {
    if (set != "both" && set != name) continue;
    VALENCE_TRY(const auto csv, read_csv(where / (name + "_ambiguity.csv")));
    for (std::size_t row = 0; row < csv.rows.size(); ++row) {
      VALENCE_TRY(auto scenario, parse_scenario(csv, row, quirks));
      scenarios.push_back(std::move(scenario));
    }
  }
  return scenarios;
}

Result<MoralChoiceSplit> load_split(const std::string& part) {
  VALENCE_TRY(const auto where, folder());
  VALENCE_TRY(const auto toml, read_toml(where / "split.toml"));
  const auto list = [&](std::string_view table) -> Result<std::vector<std::string>> {
    VALENCE_TRY(const auto node, toml.at(table));
    VALENCE_TRY(const auto entries, node.at(part));
    return entries.as_strings();
  };
  MoralChoiceSplit split;
  VALENCE_TRY(split.rules, list("scenarios"));
  VALENCE_TRY(split.wordings, list("wordings"));
  return split;
}

Result<std::vector<QuestionForm>> load_forms() {
  VALENCE_TRY(const auto where, folder());
  VALENCE_TRY(const auto toml, read_toml(where / "forms.toml"));
  VALENCE_TRY(const auto node, toml.at("form"));
  VALENCE_TRY(const auto entries, node.as_array());
  std::vector<QuestionForm> forms;
  for (const auto& entry : entries) {
    QuestionForm form;
    VALENCE_TRY(form.id, entry.string_at("id"));
    VALENCE_TRY(form.kind, kind_of(entry));
    VALENCE_TRY(form.text, entry.string_at("text"));
    VALENCE_TRY(form.option_line, entry.string_or("option_line", "{label}: {option}"));
    VALENCE_TRY(const auto header, entry.string_or("header", ""));
    if (!header.empty()) form.text = header + "\n\n" + form.text;
    forms.push_back(std::move(form));
  }
  return forms;
}

}  // namespace valence
