#include "valence/exam/parse.h"

#include <algorithm>

#include "answer_scan.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::size_t kRefusalReach = 400;  // bytes: refusals come first, and long answers tell stories

std::string comparable(std::string_view text) { return replace_all(fold(text), "\u2019", "'"); }

bool contains(const std::vector<std::size_t>& list, std::size_t value) {
  return std::ranges::find(list, value) != list.end();
}

/// The single label named as the answer, unless it is also denied or another option's text stands beside it.
std::optional<std::size_t> label_of(const AnswerTokens& tokens, const NamedLabels& named,
                                    const std::vector<std::string>& contents) {
  if (named.answers.size() != 1 || contains(named.denied, named.answers.front())) return std::nullopt;
  const auto beside = content_of_line(tokens, named.after, contents);
  if (beside && *beside != named.answers.front()) return std::nullopt;
  return named.answers.front();
}

}  // namespace

Result<std::vector<std::string>> refusal_phrases() {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto file, read_toml(data / "exam" / "refusals.toml"));
  VALENCE_CHECK(file.allow_only({"phrases"}));
  VALENCE_TRY(const auto list, file.at("phrases"));
  return list.as_strings();
}

bool is_refusal(std::string_view text, const std::vector<std::string>& phrases) {
  const auto folded = comparable(printable(text.substr(0, kRefusalReach)));
  return std::ranges::any_of(phrases, [&](const auto& phrase) { return folded.find(comparable(phrase)) != folded.npos; });
}

ParsedChoice parse_choice(std::string_view text, const std::vector<std::string>& labels,
                          const std::vector<std::string>& contents, const std::vector<std::string>& refusals) {
  const auto tokens = scan_answer(text);
  const auto named = named_labels(tokens, labels);
  if (const auto label = label_of(tokens, named, contents)) return {Status::kScored, label};
  if (is_refusal(text, refusals)) return {Status::kRefused, {}};
  if (!named.answers.empty() || !named.denied.empty()) return {};
  if (const auto content = named_content(tokens, contents)) return {Status::kScored, content};
  return {};
}

}  // namespace valence
