#pragma once

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

// Looking into a page without a browser.
namespace valence::testing {

/// Without style and script, which are not markup.
inline std::string markup_of(const std::string& page) {
  std::string rest = page;
  for (const std::string tag : {"style", "script"}) {
    const auto from = rest.find("<" + tag + ">"), to = rest.find("</" + tag + ">");
    if (from != std::string::npos && to != std::string::npos) rest.erase(from, to - from + tag.size() + 3);
  }
  return rest;
}

/// The first tag that is not closed where it should be; empty when all are.
inline std::string unbalanced(const std::string& markup) {
  std::vector<std::string> open;
  for (std::size_t at = markup.find('<'); at != std::string::npos; at = markup.find('<', at + 1)) {
    const auto end = markup.find('>', at);
    if (end == std::string::npos) return "a tag without end";
    const auto tag = markup.substr(at + 1, end - at - 1);
    if (tag.starts_with("!") || tag.ends_with("/")) continue;
    const auto name = tag.substr(0, tag.find(' '));
    if (!name.starts_with("/")) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name.substr(1)) {
      return name;
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

inline std::vector<std::string> all_of(const std::string& text, const std::string& pattern) {
  std::vector<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) found.push_back((*it)[1]);
  return found;
}

inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// The text elements of all pictures.
inline std::vector<std::string> picture_texts(const std::string& page) {
  return all_of(page, "<text [^>]*>([^<]*)</text>");
}

inline bool contains(const std::vector<std::string>& texts, const std::string& wanted) {
  return std::find(texts.begin(), texts.end(), wanted) != texts.end();
}

}  // namespace valence::testing
