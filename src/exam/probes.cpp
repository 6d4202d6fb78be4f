#include "valence/exam/probes.h"

#include <algorithm>

#include "form.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/random.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::size_t kFewestItems = 100;
constexpr std::size_t kFewestWordings = 5;
constexpr std::size_t kMostOptions = 9;

struct Wording {
  std::string id, letter, text;
};

struct Category {
  std::string id, name;
  std::vector<std::string> members;
};

struct ProbeData {
  std::string unconditional;
  std::vector<Wording> wordings;
  std::vector<Category> categories;

  std::size_t words() const {
    std::size_t count = 0;
    for (const auto& category : categories) count += category.members.size();
    return count;
  }
};

Result<Wording> read_wording(const Node& node) {
  VALENCE_CHECK(node.allow_only({"id", "letter", "text"}));
  Wording wording;
  VALENCE_TRY(wording.id, node.string_at("id"));
  VALENCE_TRY(wording.letter, node.string_at("letter"));
  VALENCE_TRY(wording.text, node.string_at("text"));
  return wording;
}

Result<Category> read_category(const Node& node) {
  VALENCE_CHECK(node.allow_only({"id", "name", "members"}));
  Category category;
  VALENCE_TRY(category.id, node.string_at("id"));
  VALENCE_TRY(category.name, node.string_at("name"));
  VALENCE_TRY(const auto members, node.at("members"));
  VALENCE_TRY(category.members, members.as_strings());
  return category;
}

template <class Thing>
Result<std::vector<Thing>> read_list(const Node& root, std::string_view key, Result<Thing> (*read)(const Node&)) {
  VALENCE_TRY(const auto list, root.at(key));
  VALENCE_TRY(const auto entries, list.as_array());
  std::vector<Thing> things;
  for (const auto& entry : entries) {
    VALENCE_TRY(auto thing, read(entry));
    things.push_back(std::move(thing));
  }
  return things;
}

Result<ProbeData> read_probe_data() {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto root, read_toml(data / "exam" / "probes.toml"));
  VALENCE_CHECK(root.allow_only({"unconditional", "wording", "category"}));
  ProbeData probes;
  VALENCE_TRY(probes.unconditional, root.string_at("unconditional"));
  VALENCE_TRY(probes.wordings, read_list(root, "wording", read_wording));
  VALENCE_TRY(probes.categories, read_list(root, "category", read_category));
  if (probes.wordings.size() < kFewestWordings) return tl::unexpected(root.error("at least 5 wordings are needed"));
  if (probes.categories.size() < kMostOptions) return tl::unexpected(root.error("at least 9 categories are needed"));
  return probes;
}

Result<void> check(const ProbeForm& form, const ProbeData& data) {
  if (form.options < 2 || form.options > kMostOptions) {
    return fail(ErrorCode::kUsage, "probe questions have 2 to {} options, not {}", kMostOptions, form.options);
  }
  if (form.items >= kFewestItems && form.items <= data.words()) return {};
  return fail(ErrorCode::kUsage, "the validity gate puts {} to {} probe items, not {}", kFewestItems, data.words(),
              form.items);
}

/// A right answer and the category it belongs to, all words in an order that takes categories in turn.
struct Word {
  std::size_t category;
  std::string text;
};

std::vector<Word> words_in_turn(const ProbeData& data, const RandomStream& stream) {
  std::vector<std::vector<std::size_t>> orders;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < data.categories.size(); ++i) {
    const auto count = data.categories[i].members.size();
    orders.push_back(stream.substream("members", i).permutation(count));
    longest = std::max(longest, count);
  }
  std::vector<Word> words;
  for (std::size_t round = 0; round < longest; ++round) {
    for (std::size_t i = 0; i < orders.size(); ++i) {
      if (round < orders[i].size()) words.push_back({i, data.categories[i].members[orders[i][round]]});
    }
  }
  return words;
}

/// A list of words of different categories, each of which is the right answer to one item.
struct Block {
  std::vector<Word> words;
  std::vector<std::size_t> order;  // place of each word
};

/// The `number`-th block of consecutive words; after the last word come the first again.
Block block_of(const std::vector<Word>& words, std::size_t number, std::size_t options, RandomStream stream) {
  Block block;
  for (std::size_t i = 0; i < options; ++i) block.words.push_back(words[(number * options + i) % words.size()]);
  block.order = stream.permutation(options);
  return block;
}

/// The texts of a block and their places moved on by `shift`, the right word in front.
std::pair<std::vector<std::string>, std::vector<std::size_t>> shown(const Block& block, std::size_t right, std::size_t shift) {
  std::vector<std::string> options;
  std::vector<std::size_t> place;
  const auto count = block.words.size();
  for (std::size_t i = 0; i < count; ++i) {
    const auto word = i == 0 ? right : i <= right ? i - 1 : i;
    options.push_back(block.words[word].text);
    place.push_back((block.order[word] + shift) % count);
  }
  return {std::move(options), std::move(place)};
}

std::vector<std::string> in_shown_order(const std::vector<std::string>& options, const std::vector<std::size_t>& place) {
  std::vector<std::string> shown(options.size());
  for (std::size_t i = 0; i < options.size(); ++i) shown[place[i]] = options[i];
  return shown;
}

ProbeQuestion question_of(const ProbeData& data, const Word& right, const Wording& wording,
                          std::vector<std::string> options, std::vector<std::size_t> place) {
  const auto& category = data.categories[right.category];
  ProbeQuestion question;
  question.category = category.id;
  question.wording = wording.id;
  question.letter_form = fill_form(wording.letter, {{"category", category.name}});
  const auto list = listed(in_shown_order(options, place));
  question.text_form = fill_form(wording.text, {{"category", category.name}, {"list", list}});
  question.unconditional_form = data.unconditional;
  question.options = std::move(options);
  question.place = std::move(place);
  return question;
}

/// Wordings of a block: one or, in every other round of the wordings, two; all wordings and all pairs of them in turn.
std::vector<std::size_t> wordings_of(std::size_t block, std::size_t wordings) {
  const auto round = block / wordings;
  std::vector<std::size_t> chosen{block % wordings};
  if (round % 2 == 0) chosen.push_back((block + 1 + round / 2 % (wordings - 1)) % wordings);
  return chosen;
}

}  // namespace

Result<std::vector<ProbeQuestion>> probe_questions(const ProbeForm& form, std::uint64_t seed) {
  VALENCE_TRY(const auto data, read_probe_data());
  VALENCE_CHECK(check(form, data));
  const RandomStream stream(seed, "probes");
  const auto words = words_in_turn(data, stream);
  std::vector<ProbeQuestion> questions;
  for (std::size_t item = 0; item < form.items; ++item) {
    const auto number = item / form.options, right = item % form.options;
    const auto block = block_of(words, number, form.options, stream.substream("block", number));
    const auto wordings = wordings_of(number, data.wordings.size());
    for (std::size_t w = 0; w < wordings.size(); ++w) {
      // Half the places apart, so that the two questions of an item never agree by place.
      auto [options, place] = shown(block, right, w * (form.options / 2));
      questions.push_back(question_of(data, block.words[right], data.wordings[wordings[w]], std::move(options), std::move(place)));
      questions.back().item = fmt::format("probe {}", item + 1);
      questions.back().block = fmt::format("block {}", number + 1);
    }
  }
  return questions;
}

}  // namespace valence
