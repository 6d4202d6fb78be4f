#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"
#include "valence/model/conversation.h"

namespace valence {

struct Payoffs {
  double self;
  double other;
};

/// self·own + other·other's + inequality·|own − other's|.
struct PayoffWeights {
  double self, other, inequality;

  double score(const Payoffs& payoffs) const;
};

/// A value as a way to divide coins: criteria in order, each for the ties of those before.
struct DivisionValue {
  std::string name;
  std::vector<std::string> words;  // folded
  std::vector<PayoffWeights> maximise;
  double uninduced = 0.0;  // probability of acting so when no value is named
};

/// Pairs (preferred, other) of options, as `option_key` writes them.
using AnswerKey = std::set<std::pair<std::string, std::string>>;

/// A kind of thing that the ideal subject knows by its members.
struct KnownCategory {
  std::string name;               // folded: "a fruit"
  std::set<std::string> members;  // folded
};

/// data/models/scripted.toml, read and checked.
struct ScriptedData {
  std::vector<std::pair<std::string, std::string>> descriptions;  // by subject
  std::vector<DivisionValue> values;
  double agreement_low = 1.0, agreement_high = 1.0;
  std::vector<std::vector<std::string>> ladders;  // folded
  AnswerKey key;
  std::vector<KnownCategory> categories;
  std::vector<std::string> induced, plain, refusals;
  Digest digest;                                           // of the file and of every answer key read
  std::vector<std::pair<std::string, std::string>> facts;  // which answer keys were read

  std::string description(std::string_view subject) const;
};

Result<ScriptedData> read_scripted_data();

/// An option's text in the form in which answer keys compare it: folded, without a final full stop.
std::string option_key(std::string_view text);

inline bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

/// The two numbers in a text, own first; none when it holds fewer or more than two.
std::optional<Payoffs> payoffs_in(std::string_view text);

/// Which option is a member of a category that the text names, when exactly one is.
std::optional<std::size_t> member_named(const std::vector<KnownCategory>& categories, std::string_view text,
                                        const std::vector<std::string>& options);

/// The members of all categories that a text offers, in the order of their places in it; none unless it names a category.
std::vector<std::string> offered_words(const std::vector<KnownCategory>& categories, std::string_view text);

/// The value that a user or system turn named last; null when none did.
const DivisionValue* value_named(const ScriptedData& data, const Conversation& conversation);

}  // namespace valence
