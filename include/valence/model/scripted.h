#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/result.h"
#include "valence/model/language_model.h"

namespace valence {

/// A choice as a scripted subject sees it: read from the very text that was rendered, never from the instrument.
struct ScriptedChoice {
  const Conversation& conversation;
  std::vector<std::string> labels;    ///< what may be answered ("A", "B"); equal to `contents` in the text format
  std::vector<std::string> contents;  ///< what each stands for, read from lines "A: …" or "A. …" of the last user turn
  std::vector<std::size_t> places;    ///< order in which each stands in the text, from 0; a permutation
};

/// A subject whose distribution is known exactly: the ground truth of tests and simulations.
class ScriptedBehaviour {
 public:
  virtual ~ScriptedBehaviour() = default;
  /// Probabilities of the labels, in order; what is missing to 1 is the mass of answers that are none of them.
  virtual std::vector<double> choose(const ScriptedChoice& choice) const = 0;
  /// The reply to an open question, a pure function of its arguments.
  virtual std::string reply(const Conversation& conversation, std::uint64_t seed) const = 0;
  /// What is said to a choice instead of a label, where `choose` leaves mass for it.
  virtual std::string decline(std::uint64_t seed) const;
};

/// Smallest probability that a scripted subject gives to a continuation, so that no score is infinite.
inline constexpr double kScriptedFloor = 1e-12;

/// A model around a behaviour. `definition` identifies it (it is hashed into the card's identity).
///
/// Its wire form is the conversation itself and it has no tokens: view() shows the conversation as one piece. Scoring
/// gives each continuation one log-probability, of its probability or `kScriptedFloor`, whichever is larger. Generation
/// draws from the same distribution when the last user turn lists at least two options on labelled lines ("A: …",
/// "2. …", "first) …") and calls reply() otherwise; temperature and top-p act on the distribution over labels, seed on
/// every draw, stop strings and max_tokens (words) on the text. Grammars and schemas are refused when planning.
std::unique_ptr<LanguageModel> scripted_model(std::string name, std::string definition,
                                              std::shared_ptr<const ScriptedBehaviour> behaviour,
                                              std::string description = {},
                                              std::vector<std::pair<std::string, std::string>> facts = {});

/// The built-in subjects, with their texts and rules in data/models/scripted.toml. `name` may carry parameters:
/// "ideal", "noisy?lapse=0.2", "position?share=0.95", "letter?label=A", "refusing?rate=0.9", "canned?file=replies.jsonl",
/// "random"; more than one is
/// joined by "&".
///  ideal     adopts the value that the conversation asks for (the last one that a user or system turn names:
///            altruistic, prosocial, …; a stated mixture when none is named) when the options are allocations, agrees
///            with items by a fixed profile, takes the commonly preferred action of a dilemma, tells kinds of things
///            apart ("which of these is a fruit?"); uniform where none of this applies. ties: "uniform" over equally good allocations, or the one in their "middle"
///  noisy     ideal, but answers uniformly with probability `lapse`
///  position  the first place with probability `share`, whatever stands there; the other places alike
///  letter    always the same label, whether it is offered or not
///  refusing  declines with probability `rate`, else ideal
///  canned    replies with what `file` (JSON Lines with "prompt" and "response") says to the last user turn, one of them
///            by the seed where it says several, nothing where it says none; uniform over choices
///  random    uniform
/// Unknown names are kNotFound, unknown parameters and values out of range kUsage; both suggest the nearest.
Result<std::unique_ptr<LanguageModel>> open_scripted(std::string_view name);
std::vector<std::string> scripted_names();

}  // namespace valence
