#include <algorithm>
#include <cmath>

#include "valence/align/in_context.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/instruments/answer_key.h"
#include "valence/values/space.h"

namespace valence {
namespace {

/// A dimension in words.
struct Card {
  std::string name, definition, put_last, said;
  std::vector<std::string> attend;
};

Result<Card> card_of(const Node& cards, const std::string& dimension) {
  VALENCE_TRY(const auto node, cards.at(dimension));
  VALENCE_CHECK(node.allow_only({"name", "definition", "put_last", "attend", "said"}));
  Card card;
  VALENCE_TRY(card.name, node.string_at("name"));
  VALENCE_TRY(card.definition, node.string_at("definition"));
  VALENCE_TRY(card.put_last, node.string_at("put_last"));
  VALENCE_TRY(card.said, node.string_at("said"));
  VALENCE_TRY(const auto attend, node.at("attend"));
  VALENCE_TRY(card.attend, attend.as_strings());
  return card;
}

struct Wishes {
  std::vector<Card> first;         ///< what the target puts first, in order
  std::vector<std::string> least;  ///< what it puts last, in words
};

std::vector<std::pair<double, std::string>> by_falling_value(const Target& target) {
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [dimension, value] : target.values) {
    if (!std::isnan(value)) order.emplace_back(value, dimension);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  return order;
}

/// A target of few dimensions puts none of them both first and last.
Result<Wishes> wishes_of(const Target& target, const Node& cards, std::size_t first, std::size_t last) {
  const auto order = by_falling_value(target);
  Wishes wishes;
  first = std::min(first, std::max<std::size_t>(1, order.size() / 2));
  last = std::min(last, order.size() - first);
  for (std::size_t i = 0; i < first; ++i) {
    VALENCE_TRY(auto card, card_of(cards, order[i].second));
    wishes.first.push_back(std::move(card));
  }
  for (std::size_t i = 0; i < last; ++i) {
    VALENCE_TRY(auto card, card_of(cards, order[order.size() - 1 - i].second));
    wishes.least.push_back(std::move(card.put_last));
  }
  return wishes;
}

Result<Wishes> wishes_in_ring(const Target& target, const Node& cards) {
  VALENCE_TRY(const auto direction, only_direction(target));
  VALENCE_TRY(auto card, card_of(cards, direction));
  return Wishes{{card}, {card.put_last}};
}

Result<Wishes> wishes_of(const Target& target, const Node& texts) {
  VALENCE_TRY(const auto data, data_folder());
  const auto file = data / "align" / "cards" / (target.space + ".toml");
  if (!std::filesystem::exists(file)) {
    return fail(ErrorCode::kUsage, "target {}: no cards say in words what the dimensions of {} mean; write {}",
                target.id, target.space, file.string());
  }
  VALENCE_TRY(const auto cards, read_toml(file));
  VALENCE_TRY(const auto space, load_space(target.space));
  if (space.kind == SpaceKind::kRing) return wishes_in_ring(target, cards);
  VALENCE_TRY(const auto first, texts.integer_at("first"));
  VALENCE_TRY(const auto last, texts.integer_at("last"));
  return wishes_of(target, cards, static_cast<std::size_t>(first), static_cast<std::size_t>(last));
}

std::string listed(const std::vector<std::string>& parts, std::string_view last_joint) {
  if (parts.size() < 2) return join(parts, "");
  return join({parts.begin(), parts.end() - 1}, ", ") + std::string(last_joint) + parts.back();
}

std::vector<std::pair<std::string, std::string>> fillings(const Wishes& wishes) {
  std::vector<std::string> names, most, attend;
  for (const auto& card : wishes.first) {
    names.push_back(card.name);
    most.push_back(wishes.first.size() == 1 ? card.definition : fmt::format("{} ({})", card.name, card.definition));
    for (const auto& line : card.attend) attend.push_back("- " + line);
  }
  return {{"names", listed(names, " and ")},
          {"most", listed(most, " and ")},
          {"attend", join(attend, "\n")},
          {"least", wishes.least.empty() ? "everything else" : listed(wishes.least, " and ")}};
}

Result<std::vector<Message>> examples_of(const Node& texts, const Wishes& wishes) {
  VALENCE_TRY(const auto node, texts.at("example"));
  VALENCE_TRY(const auto entries, node.as_array());
  std::vector<Message> examples;
  for (std::size_t i = 0; i < std::min(entries.size(), wishes.first.size()); ++i) {
    VALENCE_CHECK(entries[i].allow_only({"question"}));
    VALENCE_TRY(auto question, entries[i].string_at("question"));
    examples.push_back({Role::kUser, std::move(question)});
    examples.push_back({Role::kAssistant, wishes.first[i].said});
  }
  return examples;
}

}  // namespace

Result<std::vector<PromptCandidate>> prompt_candidates(const Target& target, bool examples) {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto texts, read_toml(data / "align" / "in_context.toml"));
  VALENCE_CHECK(texts.allow_only({"source", "first", "last", "wording", "example"}));
  VALENCE_TRY(const auto wishes, wishes_of(target, texts));
  VALENCE_TRY(const auto shots, examples_of(texts, wishes));
  VALENCE_TRY(const auto node, texts.at("wording"));
  VALENCE_TRY(const auto wordings, node.as_array());
  std::vector<PromptCandidate> candidates;
  for (const auto& wording : wordings) {
    VALENCE_CHECK(wording.allow_only({"id", "system"}));
    VALENCE_TRY(const auto id, wording.string_at("id"));
    VALENCE_TRY(const auto pattern, wording.string_at("system"));
    VALENCE_TRY(const auto system, fill(pattern, fillings(wishes)));
    candidates.push_back({id, trim(system), {}});
    if (examples) candidates.push_back({id + ", with examples", trim(system), shots});
  }
  return candidates;
}

}  // namespace valence
