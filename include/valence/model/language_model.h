#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/model/request.h"

namespace valence {

/// What a model can do; an instrument's needs are checked against it before anything is asked.
struct Capabilities {
  bool scores = false;       ///< log-probabilities of given continuations
  bool generates = false;
  bool grammar = false;
  bool json_schema = false;
  bool seeds = false;        ///< the same seed gives the same text
  bool chat = false;         ///< has a conversation template of its own
};

/// Identity of a model as bound, and everything that may change its numbers.
struct ModelCard {
  std::string name;          ///< as the user named it
  std::string backend;       ///< "llama", "scripted"
  Digest identity;           ///< SHA-256 of the source file (or of the scripted definition)
  std::string architecture;  ///< "llama", "gemma3", …; empty for scripted
  std::string description;   ///< one line for people
  Capabilities can;
  std::uint64_t parameters = 0;
  std::size_t context_limit = 0;  ///< tokens; 0 = none
  bool simulated = false;    ///< a scripted subject: its truth is known, its values are nobody's
  /// Ordered facts for the run record: engine and version, compute formats, CPU variant, threads, template digest, adapters.
  std::vector<std::pair<std::string, std::string>> facts;
};

/// Requests that are computed together, whole, or taken from the store together, whole.
struct Group {
  Digest digest;                      ///< of everything that can change the result
  std::vector<std::size_t> requests;  ///< indices into Plan::requests
  std::size_t cost = 0;               ///< tokens to compute, for progress
};

/// A pure function of ALL requests, never of what is stored already.
struct Plan {
  std::vector<Request> requests;
  std::vector<Group> groups;
};

/// Takes finished groups; always called on the thread that called run().
class Sink {
 public:
  virtual ~Sink() = default;
  /// `responses` in the order of the group's requests; one request's failure does not spoil the others.
  /// An error returned here stops the run.
  virtual Result<void> done(std::size_t group, std::span<const Result<Response>> responses) = 0;
};

struct RunControl {
  std::stop_token stop;          ///< checked between decodes; the group in flight is given up
  Progress* progress = nullptr;  ///< advanced by each group's cost
};

/// One token as the model sees it, for people who check the rendering.
struct TokenView {
  TokenId id;
  std::string text;
  bool control;  ///< a control token, as opposed to text
};

/// Weights bound to adapters and engine options; immutable.
class LanguageModel {
 public:
  virtual ~LanguageModel() = default;
  virtual const ModelCard& card() const = 0;
  virtual Result<Prompt> render(const Conversation& conversation, const RenderOptions& options) const = 0;
  virtual Result<std::vector<TokenView>> view(const Prompt& prompt) const = 0;
  /// Tokens of plain text as the model would go on with it right after `prompt`; what training learns and scoring scores.
  virtual Result<std::vector<TokenId>> continuation(const Prompt& prompt, std::string_view text) const;
  /// The token that closes the model's turn.
  virtual Result<TokenId> end_of_turn() const;
  virtual Result<Plan> plan(std::vector<Request> requests) const = 0;
  /// Computes the groups in `missing` (indices into plan.groups, in plan order) and hands each to `sink`.
  /// kStopped when asked to stop.
  virtual Result<void> run(const Plan& plan, std::span<const std::size_t> missing, Sink& sink,
                           const RunControl& control) = 0;
};

}  // namespace valence
