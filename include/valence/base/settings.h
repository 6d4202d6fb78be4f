#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/base/result.h"

namespace valence {

enum class SettingType { kBool, kInteger, kNumber, kText, kChoice };

/// One setting of an operation, declared as data: the same row gives the command-line flag, the TOML key, the check,
/// the line in --help and the line in the docs.
struct SettingSpec {
  std::string name;   ///< snake_case; the flag is --name with hyphens
  SettingType type;
  std::string fallback;  ///< the default, as text
  std::string unit;      ///< "dialogues", "degrees"; may be empty
  std::string help;
  std::vector<std::string> choices;  ///< for kChoice
  std::optional<double> low, high;   ///< inclusive range for numbers
};

using SettingTable = std::vector<SettingSpec>;

/// Checked values of all settings of a table: defaults filled in, unknown names refused with the nearest suggested.
class Settings {
 public:
  /// `given`: name → text, as from flags (hyphens allowed); of a name given twice the last counts, so that flags may be
  /// put after what a file says. Errors are kUsage and name the setting, what was expected and where.
  static Result<Settings> resolve(const SettingTable& table,
                                  const std::vector<std::pair<std::string, std::string>>& given);
  static Result<Settings> resolve(const SettingTable& table, const Node& toml);

  /// Values by name. A name that the table does not declare is a programmer's error and throws std::logic_error.
  bool flag(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  const std::string& text(std::string_view name) const;  ///< also choices

  /// Every setting in table order, as text; the canonical form that goes into records and digests.
  const std::vector<std::pair<std::string, std::string>>& values() const { return values_; }
  Json to_json() const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
  std::vector<SettingType> types_;  // of values_, entry by entry
};

}  // namespace valence
