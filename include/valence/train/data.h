#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/node.h"
#include "valence/base/result.h"
#include "valence/model/conversation.h"

namespace valence {

/// What a line of training data is good for.
enum class RecordKind {
  kMessages,    ///< a conversation: its last assistant turn is learned, or all of them (TrainingRecord::every_turn)
  kPreference,  ///< two answers to a prompt, the better one first
  kLabelled,    ///< answers, each desirable (1) or not (0)
  kRanked,      ///< answers with scores, the best first
  kChoice,      ///< options of a question with the probabilities that they should get
  kPrompt,      ///< a prompt alone, to be answered while training
  kRollout      ///< answers that the model under training drew, with rewards; made by aligners, never read from a file
};

/// One line of training data, not yet rendered.
struct TrainingRecord {
  Position where;  ///< file and line
  RecordKind kind = RecordKind::kPrompt;
  std::vector<Message> prompt;           ///< ends with a user (or system) turn
  std::vector<std::string> completions;  ///< answers to it
  /// Per completion: label, score or probability; empty for kMessages and kPreference.
  std::vector<double> values;
  bool every_turn = false;  ///< of kMessages: assistant turns within the prompt are learned too
};

/// JSON Lines in the shapes of TRL and of HH-RLHF; every line of one kind. A prompt is a text (one user turn) or a list
/// of
/// {"role", "content"}; a completion likewise is a text or a list that holds one assistant turn.
///
///   {"messages": […]}                                     conversation, ends with an assistant turn; all are learned
///   {"prompt": p, "completion": c}                        conversation of which the completion alone is learned
///   {"prompt": p, "chosen": c, "rejected": c}             preference
///   {"chosen": […], "rejected": […]}                      the same, the prompt being what both begin with
///   {"chosen": "\n\nHuman: …", "rejected": "\n\nHuman: …"}  HH's transcripts
///   {"prompt": p, "completion": c, "label": true}         labelled
///   {"prompt": p, "completions": [c…], "labels": [true…]} labelled
///   {"prompt": p, "completions": [c…], "scores": [1.5…]}  ranked; sorted here, best first; not all scores the same
///   {"prompt": p, "options": ["…"…], "target": [0.7…]}    choice; "answer": index instead of "target"
///   {"prompt": p}                                         prompt
///
/// Errors are kUsage and name file, line and field. An unknown field is an error but for those that TRL's data sets
/// carry beside ("id", "source", "score_chosen", "score_rejected", "tools"). `left_out`: takes the complaints about
/// lines that are JSON but no record, instead of failing at the first.
Result<std::vector<TrainingRecord>> read_training_data(const std::filesystem::path& path,
                                                       std::vector<std::string>* left_out = nullptr);
Result<std::vector<TrainingRecord>> parse_training_data(std::string_view text, std::string_view name,
                                                        std::vector<std::string>* left_out = nullptr);

/// The turns of a transcript "\n\nHuman: …\n\nAssistant: …".
Result<std::vector<Message>> parse_transcript(std::string_view text);

/// Whether two prompts are the same, turn by turn.
bool same_turns(std::span<const Message> a, std::span<const Message> b);

std::string_view to_string(RecordKind kind);

}  // namespace valence
