#include "valence/instruments/prompt_set.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "valence/base/digest.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/random.h"
#include "valence/base/text.h"
#include "valence/evaluate/labelled.h"
#include "valence/instruments/questionnaire.h"
#include "valence/values/catalogue.h"

namespace valence {
namespace {

constexpr std::string_view kSets = "instruments/fulcra";

// ---- a shipped set: framings around a questionnaire's items

struct Framing {
  std::string id, text;
};

Result<std::vector<Framing>> read_framings(const Node& root) {
  VALENCE_TRY(const auto node, root.at("framing"));
  VALENCE_TRY(const auto entries, node.as_array());
  std::vector<Framing> framings;
  for (const auto& entry : entries) {
    VALENCE_CHECK(entry.allow_only({"id", "text"}));
    Framing framing;
    VALENCE_TRY(framing.id, entry.string_at("id"));
    VALENCE_TRY(framing.text, entry.string_at("text"));
    framings.push_back(std::move(framing));
  }
  return framings;
}

std::vector<const QuestionnaireItem*> items_of(const Questionnaire& questionnaire, std::string_view dimension) {
  std::vector<const QuestionnaireItem*> items;
  for (const auto& item : questionnaire.items) {
    if (item.dimension == dimension && !item.reversed) items.push_back(&item);
  }
  return items;
}

Result<OpenPrompt> framed(const Framing& framing, const QuestionnaireItem& item) {
  OpenPrompt prompt;
  prompt.id = framing.id + "." + item.id;
  VALENCE_TRY(prompt.text, fill(framing.text, {{"statement", item.text}}));
  prompt.tags = {item.dimension};
  return prompt;
}

/// Every framing with as many items of each dimension as the dimension with the fewest items has. Which ones moves on
/// from framing to framing, so that the items of a dimension are used about equally often.
Result<std::vector<OpenPrompt>> framed_items(const std::vector<Framing>& framings, const Questionnaire& questionnaire) {
  auto fewest = questionnaire.items.size();
  for (const auto& dimension : questionnaire.dimensions()) {
    fewest = std::min(fewest, items_of(questionnaire, dimension).size());
  }
  std::vector<OpenPrompt> prompts;
  for (const auto& dimension : questionnaire.dimensions()) {
    const auto items = items_of(questionnaire, dimension);
    for (std::size_t f = 0; f < framings.size(); ++f) {
      for (std::size_t round = 0; round < fewest; ++round) {
        VALENCE_TRY(auto prompt, framed(framings[f], *items[(f + round) % items.size()]));
        prompts.push_back(std::move(prompt));
      }
    }
  }
  return prompts;
}

std::string id_of(std::string_view key) { return "p" + sha256(key).hex().substr(0, 12); }

/// The prompts of the shipped labels, each once.
Result<std::vector<OpenPrompt>> labelled_prompts(const Space& space) {
  VALENCE_TRY(const auto names, dimension_names(space));
  VALENCE_TRY(const auto file, fulcra_path());
  VALENCE_TRY(const auto data, read_labelled(file, names));
  std::vector<OpenPrompt> prompts;
  std::set<std::string> known;
  for (const auto& row : data.rows) {
    const auto key = prompt_key(row.text.prompt);
    if (known.insert(key).second) prompts.push_back({id_of(key), {}, row.text.prompt, {}});
  }
  return prompts;
}

Result<std::vector<OpenPrompt>> load_shipped(const std::string& name, const Space& space) {
  VALENCE_TRY(const auto file, find_in_catalogue(kSets, name, "prompt set"));
  VALENCE_TRY(const auto root, read_toml(file));
  VALENCE_CHECK(root.allow_only({"questionnaire", "labelled", "source", "framing"}));
  VALENCE_TRY(const bool labelled, root.bool_or("labelled", false));
  if (labelled) return labelled_prompts(space);
  VALENCE_TRY(const auto framings, read_framings(root));
  VALENCE_TRY(const auto id, root.string_at("questionnaire"));
  VALENCE_TRY(const auto questionnaire, load_questionnaire(id));
  if (questionnaire.space == space.id) return framed_items(framings, questionnaire);
  return fail(ErrorCode::kUsage, "the prompt set \"{}\" is about {}, not {}: name prompts of your own (a .jsonl file)",
              name, questionnaire.space, space.id);
}

// ---- JSONL

constexpr std::string_view kPerson = "\n\nHuman:";
constexpr std::string_view kAssistant = "\n\nAssistant:";

Result<std::vector<std::string>> tags_of(const Node& line) {
  const auto* tags = line.find("tags");
  if (tags == nullptr) tags = line.find("safety_issues");
  if (tags == nullptr) return std::vector<std::string>();
  VALENCE_TRY(auto names, tags->as_strings());
  for (auto& name : names) name = replace_all(name, "|", "/");
  return names;
}

Result<OpenPrompt> prompt_of(const Node& line) {
  OpenPrompt prompt;
  if (line.find("prompt") != nullptr) {
    VALENCE_TRY(prompt.text, line.string_at("prompt"));
  } else {
    VALENCE_TRY(const auto chosen, line.string_at("chosen"));
    auto turns = hh_turns(chosen);
    if (!turns) return tl::unexpected(line.find("chosen")->error(turns.error().message));
    prompt.text = turns->back().text;
    turns->pop_back();
    prompt.history = std::move(*turns);
  }
  if (trim(prompt.text).empty()) return tl::unexpected(line.error("the prompt is empty"));
  VALENCE_TRY(prompt.tags, tags_of(line));
  VALENCE_TRY(prompt.id, line.string_or("id", ""));
  return prompt;
}

std::string key_of(const OpenPrompt& prompt) {
  std::string all;
  for (const auto& turn : prompt.history) all += turn.text + "\n";
  return prompt_key(all + prompt.text);
}

void unite(std::vector<std::string>& tags, const std::vector<std::string>& more) {
  for (const auto& tag : more) {
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  }
}

Result<std::vector<OpenPrompt>> read_prompts(const std::string& file) {
  VALENCE_TRY(const auto lines, read_jsonl(file));
  std::vector<OpenPrompt> prompts;
  std::map<std::string, std::size_t> known;
  std::map<std::string, std::string> ids;
  for (const auto& line : lines) {
    VALENCE_TRY(auto prompt, prompt_of(line));
    const auto key = key_of(prompt);
    if (const auto found = known.find(key); found != known.end()) {
      unite(prompts[found->second].tags, prompt.tags);
      continue;
    }
    if (prompt.id.empty()) prompt.id = id_of(key);
    if (!ids.emplace(prompt.id, key).second) {
      return tl::unexpected(line.error(fmt::format("the id \"{}\" is taken by another prompt", printable(prompt.id))));
    }
    known.emplace(key, prompts.size());
    prompts.push_back(std::move(prompt));
  }
  if (!prompts.empty()) return prompts;
  return fail(ErrorCode::kUsage, "{}: no prompts; expected one JSON object per line with \"prompt\"", file);
}

/// The dimension that a prompt is about; empty where its tags name none.
std::string stake_of(const OpenPrompt& prompt, const Space& space) {
  for (const auto& tag : prompt.tags) {
    if (space.find(tag) != nullptr) return tag;
  }
  return "";
}

}  // namespace

Result<std::vector<Message>> hh_turns(std::string_view dialogue) {
  std::vector<Message> turns;
  auto at = dialogue.find(kPerson);
  if (at == std::string_view::npos || !trim(dialogue.substr(0, at)).empty()) {
    return fail(ErrorCode::kUsage, "expected a dialogue that begins with \"\\n\\nHuman:\"");
  }
  while (at != std::string_view::npos) {
    const bool person = dialogue.substr(at).starts_with(kPerson);
    const auto begin = at + (person ? kPerson : kAssistant).size();
    at = std::min(dialogue.find(kPerson, begin), dialogue.find(kAssistant, begin));
    const auto text = trim(dialogue.substr(begin, at == std::string_view::npos ? at : at - begin));
    turns.push_back({person ? Role::kUser : Role::kAssistant, text});
  }
  while (!turns.empty() && turns.back().role == Role::kAssistant) turns.pop_back();
  return turns;
}

std::string opening_of(const OpenPrompt& prompt) {
  const auto first = std::ranges::find(prompt.history, Role::kUser, &Message::role);
  return first == prompt.history.end() ? prompt.text : first->text;
}

std::vector<OpenPrompt> prompts_on(const std::vector<OpenPrompt>& prompts, PromptSide side) {
  std::vector<OpenPrompt> on;
  std::ranges::copy_if(prompts, std::back_inserter(on), [side](const OpenPrompt& prompt) { return side_of(opening_of(prompt)) == side; });
  return on;
}

Result<std::vector<OpenPrompt>> load_prompts(const std::string& name_or_path, const Space& space) {
  return name_or_path.ends_with(".jsonl") ? read_prompts(name_or_path) : load_shipped(name_or_path, space);
}

std::vector<OpenPrompt> sample_prompts(const std::vector<OpenPrompt>& prompts, std::size_t count, const Space& space,
                                       std::uint64_t seed) {
  if (count == 0 || count >= prompts.size()) return prompts;
  std::map<std::string, std::vector<std::size_t>> strata;
  for (std::size_t i = 0; i < prompts.size(); ++i) strata[stake_of(prompts[i], space)].push_back(i);
  const auto each = (count + strata.size() - 1) / strata.size();
  std::vector<std::size_t> places;
  for (const auto& [stake, members] : strata) {
    RandomStream stream(seed, "prompts.sample." + stake);
    for (const auto i : stream.sample(members.size(), std::min(each, members.size()))) places.push_back(members[i]);
  }
  std::sort(places.begin(), places.end());
  std::vector<OpenPrompt> sample;
  for (const auto place : places) sample.push_back(prompts[place]);
  return sample;
}

}  // namespace valence
