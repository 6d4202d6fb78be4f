#include "instrument_options.h"

#include <CLI/CLI.hpp>

#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

std::string help_of(const SettingSpec& spec) {
  std::string text = spec.help;
  if (!spec.choices.empty()) text += fmt::format(": {}", join(spec.choices, ", "));
  if (!spec.unit.empty()) text += fmt::format(" ({})", spec.unit);
  if (spec.low && spec.high) text += fmt::format(" [{} to {}]", *spec.low, *spec.high);
  if (!spec.fallback.empty()) text += fmt::format(", default {}", spec.fallback);
  return text;
}

}  // namespace

std::string flag_of(const std::string& setting) { return "--" + replace_all(setting, "_", "-"); }

void InstrumentOptions::add_settings(CLI::App& command, const SettingTable& table, const std::string& heading) {
  for (const auto& spec : table) {
    command
        .add_option_function<std::string>(
            flag_of(spec.name), [this, name = spec.name](const std::string& text) { flags_[name] = text; }, help_of(spec))
        ->group(heading);
  }
}

void InstrumentOptions::add_flags(CLI::App& command, const SettingTable& table, const std::string& heading, const std::string& file) {
  add_settings(command, table, heading);
  command.add_option(file, file_, "TOML file with any of these settings")->group(heading);
}

Result<Settings> InstrumentOptions::resolve(const SettingTable& table) const {
  std::vector<std::pair<std::string, std::string>> given;
  if (!file_.empty()) {
    VALENCE_TRY(const auto toml, read_toml(file_));
    VALENCE_TRY(const auto settings, Settings::resolve(table, toml));
    given = settings.values();
    std::erase_if(given, [&](const auto& entry) { return flags_.contains(entry.first); });
  }
  given.insert(given.end(), flags_.begin(), flags_.end());
  return Settings::resolve(table, given);
}

}  // namespace valence
