#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "valence/base/result.h"
#include "valence/exam/layout.h"
#include "valence/model/conversation.h"
#include "valence/model/request.h"
#include "valence/store/answers.h"

namespace valence {

/// What the answer will be filed under (see AnswerRow).
struct Tag {
  std::string unit;
  std::string cluster;
  std::string condition;
  std::string item;
  std::string variant;
};

/// How the log-probability of an option's text is made comparable across options.
///
///  kNone           log P(option), its terminator included
///  kToken          mean log-probability of a token, times the options' mean number of tokens
///  kCharacter      the same per code point
///  kUnconditional  log P(option) − log P(option after `unconditional_form`)
///
/// Probabilities are the softmax over the options. Multiplying a mean by the options' mean length leaves the order as it
/// is and the probabilities as sharp as those of kNone when all options are equally long.
enum class Normalisation { kNone, kToken, kCharacter, kUnconditional };

std::string_view to_string(Normalisation normalisation);  ///< "none", "token", "character", "unconditional"
Result<Normalisation> normalisation_from(std::string_view text);

/// Text as it must stand in a form to be read as itself: braces doubled.
std::string literal(std::string_view text);

/// A question with a closed list of options.
///
/// Letter format: the last user turn is `letter_form` with {options} replaced by one line per option (`option_line`) and
/// {labels} by the labels ("A, B or C"); scored are the labels. Text format: scored are the options' texts. The last user
/// turn is `text_form`: verbatim where it lists no options (`listed` is empty), else with {first}, {second}, … replaced by
/// what stands at that place and {menu} by all of them.
///
/// Forms are filled in one pass and what is filled in is never read as template. A doubled brace stands for one, other
/// braces are not touched. Text from items or people goes into a form that is filled through literal(), or an item that
/// says "{options}" would be taken at its word; options need no such care.
struct ChoiceQuestion {
  Tag tag;                             ///< with format and layout it names the random streams: same names, same draws
  std::vector<Message> history;        ///< turns before this question (after the subject's own steering)
  std::string letter_form;
  std::string text_form;
  std::vector<std::string> listed;     ///< text format: each option as it is listed, in the item's own order; may be empty
  std::string option_line = "{label}: {option}";
  std::string answer_prefix;           ///< what the assistant's turn begins with; options then follow after a space
  std::vector<std::string> options;    ///< contents, in the item's own order
  AnswerFormat format = AnswerFormat::kLetter;
  Normalisation normalisation = Normalisation::kCharacter;  ///< text format only
  std::string unconditional_form;      ///< neutral last user turn (without history), for kUnconditional
  LayoutDesign layouts;                ///< its labels in the letter format only; the text format has one layout unless it lists the options
  Route route = Route::kExact;
  std::size_t draws = 0;               ///< kSampled: completions per layout
  Sampling sampling;                   ///< kSampled; its seed is replaced by a named stream
};

/// A question answered in free text.
struct OpenQuestion {
  Tag tag;
  std::vector<Message> history;
  std::string text;                    ///< the last user turn
  Sampling sampling;                   ///< seed replaced by a named stream of (run seed, tag, draw)
  Constraint constraint;
};

/// A text that the subject is made to say: how probable it is as the answer to `prompt`.
struct Passage {
  Tag tag;
  std::string prompt;  ///< the last user turn
  std::string text;
  std::vector<Message> history = {};  ///< turns before it
};

struct PassageScore {
  std::vector<double> token_logprobs = {};  ///< nats, one per token of the text
  std::string digest = {};                  ///< of the group that computed it (hex)
  std::string reason = {};                  ///< why there are no scores; empty when there are
};

using Question = std::variant<ChoiceQuestion, OpenQuestion>;

/// Captured mass: exact letters, the probability of the labels in their canonical spelling and place (other spellings,
/// "a" or "A." at once, are not added, so it is a lower bound of the probability that a label is named); exact text, of
/// the options' whole texts; sampled, the share of draws that could be read.
struct ChoiceAnswer {
  Status status = Status::kScored;
  std::vector<double> probability;     ///< per option in the item's own order, averaged over scored layouts; sums to 1
  double captured_mass = 0.0;          ///< mean over scored layouts (as above)
  std::vector<AnswerRow> rows;         ///< one per layout, ready to be filed
  std::size_t drawn = 0;               ///< an option drawn from the first scored layout's distribution (named stream)
  std::string asked;                   ///< the last user turn of that layout (of the first if none), for histories
  std::string said;                    ///< what stands for `drawn` there: its label or its text; empty unless scored
};

struct OpenAnswer {
  Status status = Status::kScored;     ///< kRefused when it reads as a refusal, kUnparseable when nothing was said
  Completion completion;
  std::string asked;
  AnswerRow row;                       ///< text only
};

using Answer = std::variant<ChoiceAnswer, OpenAnswer>;

}  // namespace valence
