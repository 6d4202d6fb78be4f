#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/exam/examiner.h"
#include "valence/instruments/prompt_set.h"

namespace valence {

struct SamplerOptions {
  std::size_t samples = 4;  ///< responses to each prompt
  int max_tokens = 128;     ///< at which a response is cut
  std::string phase;        ///< "round 1": with prompt and number it names the random stream, so other phases draw anew
};

/// One response as it was drawn, from the full distribution (temperature 1, top-p 1).
struct Sample {
  std::size_t prompt = 0;  ///< index into the prompts
  std::size_t number = 0;  ///< of the prompt's responses, from 0
  Status status = Status::kError;
  std::string text;  ///< the reason, when status is kError
  std::vector<TokenId>
      tokens;            ///< as drawn, with the token that ends the turn where it came; empty for models without tokens
  std::vector<double> logprobs;  ///< of each token, nats, under the full distribution
  double logprob = 0.0;          ///< their sum
  bool cut = false;      ///< ended by max_tokens
  std::string digest;    ///< of the group that computed it (hex)

  /// Whether something was said: refusals are answers, silence and failures are not.
  bool said() const { return status == Status::kScored || status == Status::kRefused; }
};

struct SampleCounts {
  std::size_t asked = 0, refused = 0, empty = 0, failed = 0, cut = 0;
};
SampleCounts count_of(std::span<const Sample> samples);
Json to_json(const SampleCounts& counts);

/// All responses, by prompt and number. Groups go where the examiner keeps them: a killed run draws the same again and
/// computes only what is missing; a prompt's responses share its computation. Errors as Examiner::ask.
Result<std::vector<Sample>> sample_responses(Examiner& examiner, std::span<const OpenPrompt> prompts,
                                             const SamplerOptions& options);

}  // namespace valence
