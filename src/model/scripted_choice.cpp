#include "scripted_choice.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

#include "scripted_data.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::string_view kSeparators = ":.)";
constexpr std::array<std::string_view, 9> kOrdinals = {"first", "second",  "third",  "fourth", "fifth",
                                                       "sixth", "seventh", "eighth", "ninth"};

enum class LabelKind { kLetter, kNumber, kOrdinal };

std::optional<LabelKind> kind_of(std::string_view label) {
  if (label.size() == 1 && label[0] >= 'A' && label[0] <= 'Z') return LabelKind::kLetter;
  const bool digits = std::all_of(label.begin(), label.end(), is_ascii_digit);
  if (digits && !label.empty() && label.size() <= 2) return LabelKind::kNumber;
  const auto word = fold(label);
  if (std::find(kOrdinals.begin(), kOrdinals.end(), word) != kOrdinals.end()) return LabelKind::kOrdinal;
  return std::nullopt;
}

struct OptionLine {
  std::string label;
  LabelKind kind;
};

/// "A: content" with white space after the separator, so that "3.5 coins" is no option.
std::optional<OptionLine> option_line(std::string_view line) {
  const auto text = trim(line);
  const auto end = text.find_first_of(kSeparators);
  if (end == std::string::npos || end + 2 >= text.size() || text[end + 1] != ' ') return std::nullopt;
  const auto kind = kind_of(std::string_view(text).substr(0, end));
  if (!kind) return std::nullopt;
  return OptionLine{text.substr(0, end), *kind};
}

bool continues(const std::vector<OptionLine>& block, const OptionLine& line) {
  const bool known = std::any_of(block.begin(), block.end(), [&](const auto& o) { return o.label == line.label; });
  return !block.empty() && block.back().kind == line.kind && !known;
}

/// Content of the last line that begins with `label` and a separator.
struct Found {
  std::string content;
  std::size_t line;
};

std::optional<Found> content_of(const std::vector<std::string>& lines, const std::string& label) {
  for (std::size_t i = lines.size(); i-- > 0;) {
    const auto& line = lines[i];
    const auto at = label.size();
    if (at + 1 >= line.size() || !line.starts_with(label) || kSeparators.find(line[at]) == kSeparators.npos) continue;
    if (line[at + 1] == ' ') return Found{trim(line.substr(at + 1)), i};
  }
  return std::nullopt;
}

/// Rank of each position, from 0; empty when two are equal.
std::vector<std::size_t> ranks_of(const std::vector<std::size_t>& positions) {
  std::vector<std::size_t> order(positions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return positions[a] < positions[b]; });
  std::vector<std::size_t> ranks(positions.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    if (rank > 0 && positions[order[rank]] == positions[order[rank - 1]]) return {};
    ranks[order[rank]] = rank;
  }
  return ranks;
}

/// Order in which the answers' own texts stand in the turn; as given when the turn does not show each of them.
std::vector<std::size_t> places_in_text(std::string_view text, const std::vector<std::string>& answers) {
  std::vector<std::size_t> as_given(answers.size());
  std::iota(as_given.begin(), as_given.end(), std::size_t{0});
  std::vector<std::size_t> positions;
  for (const auto& answer : answers) {
    const auto at = text.rfind(answer);
    if (at == std::string_view::npos) return as_given;
    positions.push_back(at);
  }
  auto ranks = ranks_of(positions);
  return ranks.empty() ? as_given : ranks;
}

std::vector<std::string> trimmed(std::vector<std::string> texts) {
  for (auto& text : texts) text = trim(text);
  return texts;
}

}  // namespace

std::vector<std::string> listed_labels(std::string_view text) {
  std::vector<OptionLine> block;
  std::vector<std::string> labels;
  for (const auto& line : split(text, "\n")) {
    const auto option = option_line(line);
    if (!option) {
      block.clear();
      continue;
    }
    if (!continues(block, *option)) block.clear();
    block.push_back(*option);
    if (block.size() < 2) continue;
    labels.clear();
    for (const auto& listed : block) labels.push_back(listed.label);
  }
  return labels;
}

std::string_view last_user_turn(const Conversation& conversation) {
  const auto& messages = conversation.messages;
  const auto is_user = [](const Message& message) { return message.role == Role::kUser; };
  const auto turn = std::find_if(messages.rbegin(), messages.rend(), is_user);
  return turn == messages.rend() ? std::string_view() : std::string_view(turn->text);
}

ScriptedChoice read_choice(const Conversation& conversation, const std::vector<std::string>& answers) {
  ScriptedChoice choice{conversation, trimmed(answers), {}, {}};
  const auto turn = last_user_turn(conversation);
  const auto lines = trimmed(split(turn, "\n"));
  std::vector<std::size_t> positions;
  for (const auto& label : choice.labels) {
    auto found = content_of(lines, label);
    if (!found) break;
    choice.contents.push_back(std::move(found->content));
    positions.push_back(found->line);
  }
  if (choice.contents.size() == choice.labels.size()) choice.places = ranks_of(positions);
  if (choice.places.empty()) {
    choice.contents = choice.labels;
    choice.places = places_in_text(turn, choice.labels);
  }
  return choice;
}

}  // namespace valence
