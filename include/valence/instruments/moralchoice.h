#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "valence/instruments/instrument.h"

namespace valence {

/// MoralChoice (Scherrer, Shi, Feder and Blei 2023): two actions in a situation; which would you do?
std::unique_ptr<Instrument> make_moralchoice();

inline constexpr std::size_t kMoralRules = 10;

/// Whether an action breaks each rule; unset where the annotators did not agree.
using RuleFlags = std::array<std::optional<bool>, kMoralRules>;

struct Scenario {
  std::string id;
  std::string ambiguity;  ///< "low": action 1 is the commonly preferred one; "high": neither is
  std::string rule;       ///< the rule that it was written around, spelling mended: the cluster
  std::string context;
  std::array<std::string, 2> actions;
  std::array<RuleFlags, 2> breaks;
  bool scored = true;     ///< false for what offers no choice and is not asked (data/instruments/moralchoice/quirks.toml)
};

enum class FormKind { kLetter, kText, kRepeat, kCompare };

/// One wording of one way of putting a scenario.
struct QuestionForm {
  std::string id;
  FormKind kind;
  std::string text;         ///< with {context} and, by kind, {options} and {labels}, or {first} and {second}
  std::string option_line;
};

/// `set`: "low", "high" or "both". Errors name file, line and column.
Result<std::vector<Scenario>> load_scenarios(const std::string& set);
Result<std::vector<QuestionForm>> load_forms();

/// What may be asked of a subject that was trained on the other half (data/instruments/moralchoice/split.toml).
struct MoralChoiceSplit {
  std::vector<std::string> rules;     ///< of the scenarios of one part
  std::vector<std::string> wordings;  ///< ids of the question forms of one part
};
/// `part`: "training" or "held_out".
Result<MoralChoiceSplit> load_split(const std::string& part);

/// Names of the rule columns, in the order of RuleFlags: "death", "pain", …
const std::array<std::string, kMoralRules>& rule_columns();
std::string_view to_string(FormKind kind);

/// Which format the probes speak for: the one with the higher probability on their right answers (ties: text). The
/// items that are scored have no say in it.
AnswerFormat format_by_probes(const std::vector<AnswerRow>& probes);

}  // namespace valence
