#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"

namespace valence {

/// A language in Latin letters by its commonest function words.
struct LanguageWords {
  std::string id, name;  ///< "en", "English"
  std::set<std::string> words;
};

struct LanguageList {
  std::vector<LanguageWords> languages;
  std::map<std::string, std::vector<std::string>> embedders;  ///< name → languages that it reads
};

/// From `evaluate/languages.toml` of the data folder.
Result<LanguageList> language_list();

/// What `likely_language` calls a text that is mostly not in Latin letters.
inline constexpr std::string_view kOtherScript = "another script";

/// The language whose function words a text uses: at least 3 of them and twice as many as of any other; `kOtherScript`
/// where most letters are not Latin; empty where it cannot be told.
std::string likely_language(std::string_view text, const LanguageList& list);

}  // namespace valence
