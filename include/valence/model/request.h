#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"
#include "valence/model/conversation.h"

namespace valence {

/// Scores each continuation after the context. A continuation is tokenised by itself, as plain text, right after the
/// context's last token (docs/formats.md, "The boundary between prompt and option").
struct ScoreRequest {
  Prompt context;
  std::vector<std::string> continuations;
  /// What ends a continuation that is the beginning of another one ("1" and "10"); empty = the model's end of turn.
  std::string terminator;
};

struct Sampling {
  double temperature = 1.0;  ///< 0 = the most probable token
  double top_p = 1.0;        ///< in (0, 1]
  int max_tokens = 256;
  std::uint64_t seed = 0;    ///< of this request's own stream
  std::vector<std::string> stop;  ///< generation ends before the first of these
};

struct Constraint {
  enum class Kind { kNone, kGrammar, kJsonSchema };
  Kind kind = Kind::kNone;
  std::string text;  ///< GBNF with rule "root", or a JSON schema
};

struct GenerateRequest {
  Prompt context;
  Sampling sampling;
  Constraint constraint;
};

using Request = std::variant<ScoreRequest, GenerateRequest>;

/// Of everything in the request: part of the digest of the group that it is computed in.
Digest request_digest(const Request& request);

struct ContinuationScore {
  std::vector<double> token_logprobs;  ///< nats, one per token of the continuation
  /// Of the terminator (its tokens summed), for continuations that begin another one; never part of a normalised score.
  std::optional<double> terminator_logprob;

  double total() const;  ///< sum of the tokens' log-probabilities and the terminator's, nats
};

struct ContinuationScores {
  std::vector<ContinuationScore> continuations;  ///< in the request's order
};

enum class FinishReason { kEndOfTurn, kStopString, kLength };

struct Completion {
  std::string text;               ///< without the stop string
  std::vector<TokenId> tokens;
  std::vector<double> logprobs;   ///< nats, of each token under temperature 1 and no constraint
  FinishReason finish = FinishReason::kEndOfTurn;
};

using Response = std::variant<ContinuationScores, Completion>;

/// A response as stored bytes and back, for groups in the store. Layout (docs/formats.md, "Stored responses"): version
/// byte 1, kind byte (0 scores, 1 completion), then counts as u32, token ids as i32 and doubles by their bits, all
/// little-endian, strings and lists preceded by their count. Damaged bytes (a count beyond the end, a value outside its
/// domain, anything left over) are kCorrupt; another version is kMismatch.
std::string encode(const Response& response);
Result<Response> decode_response(std::string_view bytes);

std::string_view to_string(FinishReason reason);

}  // namespace valence
