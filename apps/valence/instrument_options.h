#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "valence/base/result.h"
#include "valence/base/settings.h"

namespace CLI {
class App;
}

namespace valence {

/// The flags made from a setting table, an instrument's or an operation's; a TOML file of the same keys may stand behind them.
class InstrumentOptions {
 public:
  /// `heading`: of the flags in --help; `file`: the flag that names the TOML file.
  void add_flags(CLI::App& command, const SettingTable& table, const std::string& heading = "Settings of the instrument",
                 const std::string& file = "--settings");
  /// The flags alone, without the file behind them.
  void add_settings(CLI::App& command, const SettingTable& table, const std::string& heading);
  /// Flags win over the file, the file over the defaults.
  Result<Settings> resolve(const SettingTable& table) const;

 private:
  std::map<std::string, std::string> flags_;  // name → text, only what was given
  std::string file_;
};

/// "answer_format" → "--answer-format".
std::string flag_of(const std::string& setting);

}  // namespace valence
