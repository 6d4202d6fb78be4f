#include <algorithm>
#include <array>
#include <span>

#include "answer_scan.h"

namespace valence {
namespace {

using Kind = AnswerToken::Kind;

constexpr std::array kLeadingIn = std::to_array<std::string_view>(
    {"i", "we", "i'd", "i'll", "i'm", "would", "will", "choose", "pick", "select", "prefer", "choosing", "go", "with",
     "to", "my", "the", "a", "an", "answer", "choice", "option", "decision", "is", "it", "it's", "that", "think", "say",
     "should", "must", "be"});
constexpr std::array kReasons = std::to_array<std::string_view>({"because", "since", "as", "due"});
constexpr std::string_view kContentEnds = ".,;:!)]}*_`\"'>-";
constexpr std::size_t kLongestLeadIn = 12;  // tokens; bounds the work on any text

bool same(const AnswerToken& one, const AnswerToken& other) { return one.text == other.text; }

/// An option's tokens without marks at either end.
AnswerTokens bare(std::string_view content) {
  auto tokens = scan_answer(content);
  const auto is_word_token = [](const AnswerToken& token) { return token.kind == Kind::kWord; };
  const auto first = std::ranges::find_if(tokens, is_word_token);
  const auto last = std::find_if(tokens.rbegin(), tokens.rend(), is_word_token).base();
  return first < last ? AnswerTokens(first, last) : AnswerTokens();
}

std::vector<AnswerTokens> bare_contents(const std::vector<std::string>& contents) {
  std::vector<AnswerTokens> out;
  for (const auto& content : contents) out.push_back(bare(content));
  return out;
}

bool stands_at(std::span<const AnswerToken> tokens, std::size_t at, std::span<const AnswerToken> content) {
  return !content.empty() && at + content.size() <= tokens.size() &&
         std::ranges::equal(tokens.subspan(at, content.size()), content, same);
}

bool content_ends(std::span<const AnswerToken> tokens, std::size_t end) {
  if (end == tokens.size() || tokens[end].kind == Kind::kLineEnd) return true;
  if (tokens[end].kind == Kind::kMark) return kContentEnds.find(tokens[end].text) != std::string_view::npos;
  return is_word(tokens[end], kReasons);
}

/// Whether `content` occurs anywhere; linear (Knuth, Morris and Pratt 1977).
bool occurs(std::span<const AnswerToken> tokens, std::span<const AnswerToken> content) {
  if (content.empty()) return false;
  std::vector<std::size_t> border(content.size(), 0);
  for (std::size_t i = 1, length = 0; i < content.size(); ++i) {
    while (length > 0 && !same(content[i], content[length])) length = border[length - 1];
    if (same(content[i], content[length])) ++length;
    border[i] = length;
  }
  std::size_t matched = 0;
  for (const auto& token : tokens) {
    while (matched > 0 && !same(token, content[matched])) matched = border[matched - 1];
    if (same(token, content[matched])) ++matched;
    if (matched == content.size()) return true;
  }
  return false;
}

/// The longest option's text at `at`: "tell the truth" rather than "tell".
std::optional<std::size_t> longest_at(std::span<const AnswerToken> tokens, std::size_t at,
                                      const std::vector<AnswerTokens>& contents) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    if (!stands_at(tokens, at, contents[i]) || !content_ends(tokens, at + contents[i].size())) continue;
    if (!best || contents[i].size() > contents[*best].size()) best = i;
  }
  return best;
}

}  // namespace

std::optional<std::size_t> named_content(const AnswerTokens& tokens, const std::vector<std::string>& texts) {
  const auto contents = bare_contents(texts);
  const std::span<const AnswerToken> all(tokens);
  for (std::size_t at = 0; at < std::min(tokens.size(), kLongestLeadIn); ++at) {
    if (const auto found = longest_at(all, at, contents)) {
      const auto rest = all.subspan(at + contents[*found].size());
      for (std::size_t i = 0; i < contents.size(); ++i) {
        const bool twin = std::ranges::equal(contents[i], contents[*found], same);
        if (i != *found && (twin || occurs(rest, contents[i]))) return std::nullopt;
      }
      return found;
    }
    if (tokens[at].kind == Kind::kWord && !is_word(tokens[at], kLeadingIn)) break;
  }
  return std::nullopt;
}

std::optional<std::size_t> content_of_line(const AnswerTokens& tokens, std::size_t from,
                                           const std::vector<std::string>& texts) {
  const auto is_end = [](const AnswerToken& token) { return token.kind == Kind::kLineEnd; };
  const auto first = std::find_if(tokens.begin() + static_cast<std::ptrdiff_t>(from), tokens.end(),
                                  [](const AnswerToken& token) { return token.kind != Kind::kMark; });
  auto last = std::find_if(first, tokens.end(), is_end);
  while (last != first && (last - 1)->kind == Kind::kMark) --last;
  const std::span<const AnswerToken> line(first, last);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto content = bare(texts[i]);
    if (line.size() == content.size() && stands_at(line, 0, content)) return i;
  }
  return std::nullopt;
}

}  // namespace valence
