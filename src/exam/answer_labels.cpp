#include <algorithm>
#include <array>

#include "answer_scan.h"
#include "valence/base/text.h"

namespace valence {
namespace {

using Kind = AnswerToken::Kind;

// The little grammar of answers in English. Folded forms.
constexpr std::array kAnnouncing = std::to_array<std::string_view>(
    {"answer", "answer's", "answers", "answered", "choose", "chose", "choosing", "pick", "picked", "picking", "select",
     "selected", "selecting", "prefer", "choice", "decision", "response", "selection", "vote", "conclusion", "it's",
     "say", "think", "boxed"});
/// These announce an answer only after one of kLinked: "the answer is", "I go with", "it must be".
constexpr std::array kLinking = std::to_array<std::string_view>({"is", "be", "was", "with", "for"});
constexpr std::array kLinked = std::to_array<std::string_view>(
    {"answer", "choice", "option", "decision", "response", "pick", "selection", "vote", "conclusion", "it", "go",
     "going", "went", "opt", "settle"});
constexpr std::array kFilling = std::to_array<std::string_view>(
    {"the", "option", "letter", "number", "alternative", "choice", "that", "definitely", "clearly"});
constexpr std::array kDenying = std::to_array<std::string_view>(
    {"not", "never", "cannot", "neither", "nor", "instead", "than", "over", "except", "without", "against", "worst", "least",
     "wrong", "incorrect", "avoid", "reject", "unlike"});
constexpr std::array kGivingReason = std::to_array<std::string_view>({"because", "since", "as", "is", "due"});
constexpr std::array kGoingOn = std::to_array<std::string_view>({"or", "and", "nor", "but", "rather", "instead", "over"});
constexpr std::array kAfterWordLabel = std::to_array<std::string_view>({"option", "one", "choice", "alternative"});
constexpr std::string_view kWrapping = "*_`\"'([{<:=>#~-\\";
constexpr std::string_view kClosing = ".,;:!)]}*_`\"'>-?=~|/&";
constexpr std::size_t kLookBack = 8;  // tokens between a label and what announces or denies it

bool is_mark(const AnswerToken& token, std::string_view set) {
  return token.kind == Kind::kMark && set.find(token.text) != std::string_view::npos;
}

bool denies(const AnswerToken& token) {
  return is_word(token, kDenying) || (token.kind == Kind::kWord && token.text.ends_with("n't"));
}

bool ends_sentence(const AnswerToken& token) { return token.kind == Kind::kLineEnd || is_mark(token, ".;!?"); }

void add_once(std::vector<std::size_t>& list, std::size_t value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

class Reader {
 public:
  Reader(const AnswerTokens& tokens, const std::vector<std::string>& labels) : tokens_(tokens) {
    for (const auto& label : labels) labels_.push_back(fold(label));
  }

  NamedLabels read() {
    NamedLabels named;
    for (std::size_t at = 0; at < tokens_.size(); ++at) {
      const auto label = label_at(at);
      if (label == labels_.size()) continue;
      const bool further = goes_on(at, named);
      if (!closed(at) && !(further && stands_open(at))) continue;
      if (denied(at)) {
        add_once(named.denied, label);
      } else if (further || opens_line(at) || announced(at)) {
        if (named.answers.empty()) named.after = at + 1;
        add_once(named.answers, label);
        last_answer_ = at;
      }
    }
    return named;
  }

 private:
  std::size_t label_at(std::size_t at) const {
    if (tokens_[at].kind != Kind::kWord) return labels_.size();
    return static_cast<std::size_t>(std::ranges::find(labels_, tokens_[at].text) - labels_.begin());
  }

  bool is_pronoun(std::size_t at) const { return tokens_[at].text == "i"; }
  bool is_long(std::size_t at) const { return tokens_[at].text.size() > 1; }  // "first"

  /// Whether what follows a label lets it be one: the end, a mark, a reason or a further label.
  bool closed(std::size_t at) const {
    if (at + 1 == tokens_.size()) return true;
    const auto& next = tokens_[at + 1];
    if (next.kind == Kind::kLineEnd) return true;
    if (next.kind == Kind::kMark) return is_mark(next, kClosing) && !(is_pronoun(at) && is_mark(next, ",-"));
    if (is_pronoun(at)) return next.text == "because" || next.text == "since";
    return is_word(next, kGivingReason) || is_word(next, kGoingOn) || (is_long(at) && is_word(next, kAfterWordLabel));
  }

  /// Whether a label after an answer counts unclosed, "A or B would do": not where it may be a pronoun or an article.
  bool stands_open(std::size_t at) const {
    if (is_pronoun(at)) return false;
    return tokens_[at].text != "a" || (at > 0 && is_word(tokens_[at - 1], kGoingOn));
  }

  /// Index of the last token before `at` that is neither wrapping nor filling, or `none()` at the line's start.
  std::size_t before(std::size_t at) const {
    while (at-- > 0) {
      if (!is_mark(tokens_[at], kWrapping) && !is_word(tokens_[at], kFilling)) return at;
    }
    return none();
  }
  static constexpr std::size_t none() { return static_cast<std::size_t>(-1); }

  bool opens_line(std::size_t at) const {
    const auto last = before(at);
    if (last != none() && tokens_[last].kind != Kind::kLineEnd) return false;
    const bool listing = at + 1 < tokens_.size() && is_mark(tokens_[at + 1], ",");
    return !(is_long(at) && listing);  // "First, I think"
  }

  bool announced(std::size_t at) const {
    // "the choice B": the filling may itself be what announces, so fillings are looked at too.
    for (std::size_t back = 1; back <= std::min(at, kLookBack); ++back) {
      const auto here = at - back;
      const auto& token = tokens_[here];
      if (is_word(token, kAnnouncing)) return true;
      if (is_word(token, kLinking)) return linked(here);
      const bool after_colon = token.kind == Kind::kLineEnd && here > 0 && is_mark(tokens_[here - 1], ":*");
      if (!is_mark(token, kWrapping) && !is_word(token, kFilling) && !after_colon) return false;
    }
    return false;
  }

  bool linked(std::size_t at) const {
    for (std::size_t back = 1; back <= std::min(at, kLookBack); ++back) {
      if (ends_sentence(tokens_[at - back])) return false;
      if (is_word(tokens_[at - back], kLinked)) return true;
    }
    return false;
  }

  bool denied(std::size_t at) const {
    for (std::size_t back = 1; back <= std::min(at, kLookBack); ++back) {
      if (ends_sentence(tokens_[at - back])) return false;
      if (denies(tokens_[at - back])) return true;
      if (label_at(at - back) != labels_.size() && closed(at - back) && !is_pronoun(at - back)) return false;
    }
    return false;
  }

  /// "A or B", "A, B": a label right after an answer is named like it.
  bool goes_on(std::size_t at, const NamedLabels& named) const {
    if (named.answers.empty()) return false;
    for (auto here = last_answer_ + 1; here < at; ++here) {
      const auto& token = tokens_[here];
      const bool linking = is_word(token, kGoingOn) || is_mark(token, ",/&") || is_mark(token, kWrapping) ||
                           is_mark(token, ")]*") || is_word(token, kFilling);
      if (!linking) return false;
    }
    return true;
  }

  const AnswerTokens& tokens_;
  std::vector<std::string> labels_;
  std::size_t last_answer_ = 0;
};

}  // namespace

NamedLabels named_labels(const AnswerTokens& tokens, const std::vector<std::string>& labels) {
  return Reader(tokens, labels).read();
}

}  // namespace valence
