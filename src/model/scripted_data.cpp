#include "scripted_data.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> folded(std::vector<std::string> texts) {
  for (auto& text : texts) text = fold(text);
  return texts;
}

Result<std::vector<std::string>> texts_at(const Node& node, std::string_view key) {
  VALENCE_TRY(const auto list, node.at(key));
  VALENCE_TRY(auto texts, list.as_strings());
  if (texts.empty()) return tl::unexpected(list.error("at least one text is needed"));
  return texts;
}

Result<Node::Array> list_at(const Node& node, std::string_view key) {
  VALENCE_TRY(const auto list, node.at(key));
  return list.as_array();
}

Result<std::vector<std::pair<std::string, std::string>>> read_descriptions(const Node& node) {
  VALENCE_TRY(const auto table, node.as_table());
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& [subject, line] : table) {
    VALENCE_TRY(auto text, line.as_string());
    lines.emplace_back(subject, std::move(text));
  }
  return lines;
}

Result<PayoffWeights> read_weights(const Node& node) {
  VALENCE_CHECK(node.allow_only({"self", "other", "inequality"}));
  VALENCE_TRY(const auto self, node.number_at("self"));
  VALENCE_TRY(const auto other, node.number_at("other"));
  VALENCE_TRY(const auto inequality, node.number_at("inequality"));
  return PayoffWeights{self, other, inequality};
}

Result<DivisionValue> read_value(const Node& node, const Node& uninduced) {
  VALENCE_CHECK(node.allow_only({"name", "words", "maximise"}));
  DivisionValue value;
  VALENCE_TRY(value.name, node.string_at("name"));
  VALENCE_TRY(auto words, texts_at(node, "words"));
  value.words = folded(std::move(words));
  VALENCE_TRY(const auto criteria, list_at(node, "maximise"));
  for (const auto& criterion : criteria) {
    VALENCE_TRY(const auto weights, read_weights(criterion));
    value.maximise.push_back(weights);
  }
  VALENCE_TRY(value.uninduced, uninduced.number_or(value.name, 0.0));
  return value;
}

Result<void> read_values(const Node& root, ScriptedData& data) {
  VALENCE_TRY(const auto uninduced, root.at("uninduced"));
  VALENCE_TRY(const auto entries, list_at(root, "value"));
  double sum = 0.0;
  for (const auto& entry : entries) {
    VALENCE_TRY(auto value, read_value(entry, uninduced));
    sum += value.uninduced;
    data.values.push_back(std::move(value));
  }
  if (std::abs(sum - 1.0) > 1e-9) {
    return tl::unexpected(uninduced.error(fmt::format("the probabilities of the values sum to {}, not to 1", sum)));
  }
  return {};
}

Result<void> read_agreement(const Node& node, ScriptedData& data) {
  VALENCE_CHECK(node.allow_only({"low", "high", "ladders"}));
  VALENCE_TRY(data.agreement_low, node.number_at("low"));
  VALENCE_TRY(data.agreement_high, node.number_at("high"));
  VALENCE_TRY(const auto ladders, list_at(node, "ladders"));
  for (const auto& ladder : ladders) {
    VALENCE_TRY(auto steps, ladder.as_strings());
    data.ladders.push_back(folded(std::move(steps)));
  }
  return {};
}

Result<void> add_key(const CsvTable& table, const Node& node, AnswerKey& key) {
  VALENCE_TRY(const auto preferred_name, node.string_at("preferred"));
  VALENCE_TRY(const auto other_name, node.string_at("other"));
  VALENCE_TRY(const auto preferred, table.column(preferred_name));
  VALENCE_TRY(const auto other, table.column(other_name));
  for (const auto& row : table.rows) key.emplace(option_key(row[preferred]), option_key(row[other]));
  return {};
}

Result<void> read_key(const Node& node, const fs::path& folder, Hasher& hasher, ScriptedData& data) {
  VALENCE_CHECK(node.allow_only({"file", "preferred", "other"}));
  VALENCE_TRY(const auto file, node.string_at("file"));
  if (!fs::exists(folder / file)) {
    data.facts.emplace_back("answer key " + file, "not found");
    return {};
  }
  VALENCE_TRY(const auto text, read_file(folder / file));
  VALENCE_TRY(const auto table, parse_csv(text, file));
  VALENCE_CHECK(add_key(table, node, data.key));
  data.facts.emplace_back("answer key " + file, fmt::format("{} choices", table.rows.size()));
  hasher.add(text);
  return {};
}

Result<KnownCategory> read_category(const Node& node) {
  VALENCE_TRY(const auto name, node.string_at("name"));
  VALENCE_TRY(const auto members, texts_at(node, "members"));
  KnownCategory category{fold(name), {}};
  for (const auto& member : members) category.members.insert(option_key(member));
  return category;
}

/// What the subject knows of kinds of things: a TOML file of [[category]] tables with name and members.
Result<void> read_categories(const Node& node, const fs::path& folder, Hasher& hasher, ScriptedData& data) {
  VALENCE_CHECK(node.allow_only({"file"}));
  VALENCE_TRY(const auto file, node.string_at("file"));
  VALENCE_TRY(const auto text, read_file(folder / file));
  VALENCE_TRY(const auto root, parse_toml(text, file));
  VALENCE_TRY(const auto entries, list_at(root, "category"));
  for (const auto& entry : entries) {
    VALENCE_TRY(auto category, read_category(entry));
    data.categories.push_back(std::move(category));
  }
  hasher.add(text);
  return {};
}

Result<void> read_replies(const Node& node, ScriptedData& data) {
  VALENCE_CHECK(node.allow_only({"induced", "plain", "refusals"}));
  VALENCE_TRY(data.induced, texts_at(node, "induced"));
  VALENCE_TRY(data.plain, texts_at(node, "plain"));
  VALENCE_TRY(data.refusals, texts_at(node, "refusals"));
  return {};
}

Result<void> read_sections(const Node& root, ScriptedData& data) {
  VALENCE_CHECK(root.allow_only({"source", "subjects", "value", "uninduced", "agreement", "key", "categories", "replies"}));
  VALENCE_TRY(const auto subjects, root.at("subjects"));
  VALENCE_TRY(const auto agreement, root.at("agreement"));
  VALENCE_TRY(const auto replies, root.at("replies"));
  VALENCE_TRY(data.descriptions, read_descriptions(subjects));
  VALENCE_CHECK(read_values(root, data));
  VALENCE_CHECK(read_agreement(agreement, data));
  return read_replies(replies, data);
}

// ---- reading texts

/// A minus before a number, as opposed to a hyphen inside a word or range.
bool has_sign(std::string_view text, std::size_t at) {
  return at > 0 && text[at - 1] == '-' && (at == 1 || text[at - 2] == ' ');
}

/// Digits with at most one point between them.
std::size_t end_of_number(std::string_view text, std::size_t at) {
  const auto digits = [&](std::size_t from) {
    while (from < text.size() && is_ascii_digit(text[from])) ++from;
    return from;
  };
  const auto whole = digits(at);
  const bool fraction = whole + 1 < text.size() && text[whole] == '.' && is_ascii_digit(text[whole + 1]);
  return fraction ? digits(whole + 1) : whole;
}

double number_between(std::string_view text, std::size_t begin, std::size_t end) {
  double value = 0.0;
  std::from_chars(text.data() + begin, text.data() + end, value);
  return value;
}

/// Bytes of other scripts count as letters.
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; }

bool stands_alone(std::string_view text, std::size_t at, std::size_t size) {
  const bool open = at == 0 || (!is_letter(text[at - 1]) && text[at - 1] != '-');
  const bool close = at + size == text.size() || !is_letter(text[at + size]);
  return open && close;
}

/// Where a word stands last, one past its end; 0 when it does not.
std::size_t last_end_of(std::string_view text, std::string_view word) {
  auto at = text.rfind(word);
  while (at != std::string_view::npos && !stands_alone(text, at, word.size())) {
    at = at == 0 ? std::string_view::npos : text.rfind(word, at - 1);
  }
  return at == std::string_view::npos ? 0 : at + word.size();
}

const DivisionValue* last_named_in(const ScriptedData& data, const std::string& text) {
  const DivisionValue* named = nullptr;
  std::size_t last = 0;
  for (const auto& value : data.values) {
    for (const auto& word : value.words) {
      const auto end = last_end_of(text, word);
      if (end <= last) continue;
      last = end;
      named = &value;
    }
  }
  return named;
}

}  // namespace

double PayoffWeights::score(const Payoffs& payoffs) const {
  return self * payoffs.self + other * payoffs.other + inequality * std::abs(payoffs.self - payoffs.other);
}

std::string ScriptedData::description(std::string_view subject) const {
  const auto line = std::find_if(descriptions.begin(), descriptions.end(),
                                 [&](const auto& entry) { return entry.first == subject; });
  return line == descriptions.end() ? std::string() : line->second;
}

Result<ScriptedData> read_scripted_data() {
  VALENCE_TRY(const auto folder, data_folder());
  VALENCE_TRY(const auto text, read_file(folder / "models" / "scripted.toml"));
  VALENCE_TRY(const auto root, parse_toml(text, "data/models/scripted.toml"));
  Hasher hasher;
  hasher.add(text);
  ScriptedData data;
  VALENCE_CHECK(read_sections(root, data));
  VALENCE_TRY(const auto keys, list_at(root, "key"));
  for (const auto& key : keys) VALENCE_CHECK(read_key(key, folder, hasher, data));
  VALENCE_TRY(const auto categories, root.at("categories"));
  VALENCE_CHECK(read_categories(categories, folder, hasher, data));
  data.digest = hasher.finish();
  return data;
}

std::string option_key(std::string_view text) {
  auto key = fold(trim(text));
  if (key.ends_with('.')) key.pop_back();
  return key;
}

std::optional<std::size_t> member_named(const std::vector<KnownCategory>& categories, std::string_view text,
                                        const std::vector<std::string>& options) {
  const auto said = fold(text);
  std::optional<std::size_t> found;
  for (const auto& category : categories) {
    if (last_end_of(said, category.name) == 0) continue;
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (!category.members.contains(option_key(options[i]))) continue;
      if (found) return std::nullopt;
      found = i;
    }
  }
  return found;
}

std::vector<std::string> offered_words(const std::vector<KnownCategory>& categories, std::string_view text) {
  const auto said = fold(text);
  std::vector<std::pair<std::size_t, std::string>> found;
  bool named = false;
  for (const auto& category : categories) {
    named = named || last_end_of(said, category.name) > 0;
    for (const auto& member : category.members) {
      if (const auto end = last_end_of(said, member); end > 0) found.emplace_back(end, member);
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> words;
  if (!named) return words;
  for (auto& [end, word] : found) words.push_back(std::move(word));
  return words;
}

std::optional<Payoffs> payoffs_in(std::string_view text) {
  std::vector<double> numbers;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = is_ascii_digit(text[at]) ? end_of_number(text, at) : at + 1;
    if (is_ascii_digit(text[at])) numbers.push_back(number_between(text, has_sign(text, at) ? at - 1 : at, end));
    at = end;
  }
  if (numbers.size() != 2) return std::nullopt;
  return Payoffs{numbers[0], numbers[1]};
}

const DivisionValue* value_named(const ScriptedData& data, const Conversation& conversation) {
  const auto& messages = conversation.messages;
  for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
    if (message->role == Role::kAssistant) continue;
    if (const auto* value = last_named_in(data, fold(message->text))) return value;
  }
  return nullptr;
}

}  // namespace valence
