#include "valence/evaluate/language.h"

#include <algorithm>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/segment.h"

namespace valence {
namespace {

constexpr std::size_t kFewestHits = 3;

Result<LanguageWords> language_of(const Node& node) {
  VALENCE_CHECK(node.allow_only({"id", "name", "words"}));
  LanguageWords language;
  VALENCE_TRY(language.id, node.string_at("id"));
  VALENCE_TRY(language.name, node.string_at("name"));
  VALENCE_TRY(const auto list, node.at("words"));
  VALENCE_TRY(const auto all, list.as_strings());
  language.words = {all.begin(), all.end()};
  return language;
}

/// Whether a UTF-8 lead byte begins a code point past the Latin letters (U+024F).
bool begins_other_letter(unsigned char byte) { return byte >= 0xCA; }
bool begins_latin_letter(unsigned char byte) { return byte < 0x80 || (byte >= 0xC3 && byte <= 0xC9); }

bool mostly_other_letters(const std::vector<std::string>& words) {
  std::size_t latin = 0, other = 0;
  for (const auto& word : words) {
    for (const auto c : word) {
      const auto byte = static_cast<unsigned char>(c);
      latin += begins_latin_letter(byte) ? 1 : 0;
      other += begins_other_letter(byte) ? 1 : 0;
    }
  }
  return other > latin;
}

}  // namespace

Result<LanguageList> language_list() {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto file, read_toml(data / "evaluate" / "languages.toml"));
  VALENCE_CHECK(file.allow_only({"embedders", "language"}));
  LanguageList list;
  VALENCE_TRY(const auto languages, file.at("language"));
  VALENCE_TRY(const auto entries, languages.as_array());
  for (const auto& entry : entries) {
    VALENCE_TRY(auto language, language_of(entry));
    list.languages.push_back(std::move(language));
  }
  VALENCE_TRY(const auto embedders, file.at("embedders"));
  VALENCE_TRY(const auto table, embedders.as_table());
  for (const auto& [name, read] : table) {
    VALENCE_TRY(list.embedders[name], read.as_strings());
  }
  return list;
}

std::string likely_language(std::string_view text, const LanguageList& list) {
  const auto all = words(text);
  if (mostly_other_letters(all)) return std::string(kOtherScript);
  std::size_t best = 0, second = 0;
  std::string likely;
  for (const auto& language : list.languages) {
    const auto hits = static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const auto& word) { return language.words.contains(word); }));
    if (hits > best) {
      second = best;
      best = hits;
      likely = language.id;
    } else {
      second = std::max(second, hits);
    }
  }
  return best >= kFewestHits && best >= 2 * second ? likely : "";
}

}  // namespace valence
