#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/result.h"
#include "valence/model/conversation.h"
#include "valence/model/language_model.h"
#include "valence/model/open.h"
#include "valence/store/store.h"

namespace valence {

/// Tokens [begin, end) of a request.
struct TokenSpan {
  static constexpr std::size_t kEnd = static_cast<std::size_t>(-1);  ///< as `end`: the last token, too

  std::size_t begin = 0, end = kEnd;
};

struct EmbedRequest {
  std::string text;              ///< plain text: control strings in it stay text
  std::vector<TokenId> tokens;   ///< instead of text: a rendered prompt; of states only
  /// Tokens that the mean is taken over; none = all; of states only. In many decoders the very first token's state is
  /// hundreds of times as long as the others and nearly the same for any text: leave it out, or the mean tells nothing.
  std::vector<TokenSpan> spans;
};

struct Embedding {
  std::vector<float> values;
  std::size_t tokens = 0;  ///< that the model read, its own marks included
  bool truncated = false;  ///< the text was longer than the model's limit; its end was not read
};

/// Identity of an embedder as bound, and everything that may change its vectors.
struct EmbedderCard {
  std::string name;
  Digest identity;  ///< SHA-256 of the source file
  std::string architecture;
  std::size_t dimensions = 0;
  std::size_t token_limit = 0;  ///< of one text; longer ones are cut at the end
  std::string pooling;          ///< "mean", "cls" or "last"
  std::size_t layers = 0;
  std::size_t layer = 0;        ///< block whose output is taken, from 1; 0 = the model's last states, after its final norm
  bool normalised = true;       ///< vectors have length 1
  std::vector<std::pair<std::string, std::string>> facts;  ///< for the run record, as in ModelCard
};

/// A request as the model sees it.
struct EmbedItem {
  std::vector<TokenId> tokens;
  std::vector<TokenSpan> spans;  ///< not empty for states
  bool truncated = false;
};

/// A pure function of all requests, as Plan. A group is one decode, or one text that is longer than that.
struct EmbedPlan {
  std::vector<EmbedItem> items;  ///< in the order of the requests
  std::vector<Group> groups;     ///< Group::requests are indices into items
};

/// Takes finished groups; always called on the thread that called run().
class EmbedSink {
 public:
  virtual ~EmbedSink() = default;
  /// `embeddings` in the order of the group's requests. An error returned here stops the run.
  virtual Result<void> done(std::size_t group, std::span<const Embedding> embeddings) = 0;
};

/// Text → vector. Immutable.
class Embedder {
 public:
  virtual ~Embedder() = default;
  virtual const EmbedderCard& card() const = 0;
  /// kUsage, naming the request: without tokens, spans out of range, tokens or spans where only text can be embedded,
  /// tokens beyond the limit (text is cut instead).
  virtual Result<EmbedPlan> plan(std::span<const EmbedRequest> requests) const = 0;
  /// Computes the groups in `missing` (indices into plan.groups, increasing). kStopped when asked to stop.
  virtual Result<void> run(const EmbedPlan& plan, std::span<const std::size_t> missing, EmbedSink& sink,
                           const RunControl& control) = 0;
};

struct EmbedderSpec {
  std::string name;                   ///< registry name, path, URL or hf:owner/repo/file.gguf
  std::vector<AdapterSpec> adapters;  ///< of a decoder
  EngineOptions engine;               ///< `reference`, `rows` and `sharing` do not matter; format auto is as_is
  /// 0: what the file is made for, if it is an embedding model (it names its own pooling); else the mean of the last
  /// states after the final norm. 1 … layers: the mean of the states that leave this block, of decoders only; the
  /// blocks after it are not computed.
  std::size_t layer = 0;
  bool normalise = true;  ///< to length 1
};

/// Opens an embedder by name; fetches nothing. kUnsupported for rerankers, encoder–decoder models, and blocks of encoders.
Result<std::unique_ptr<Embedder>> open_embedder(const EmbedderSpec& spec);

/// The same from a GGUF file; `identity` is its SHA-256 if that is known already.
Result<std::unique_ptr<Embedder>> open_llama_embedder(const EmbedderSpec& spec, const std::filesystem::path& path,
                                                      std::optional<Digest> identity = std::nullopt);

/// Where groups of vectors are kept and taken from, as groups of answers are; no store = nowhere.
struct EmbedKeeping {
  Store* store = nullptr;
  RunId run = 0;
  bool reuse = true;  ///< also groups of other runs
};

/// One vector per request, row after row.
struct EmbeddingTable {
  std::size_t dimensions = 0;
  std::vector<float> values;
  std::vector<std::size_t> tokens;  ///< by row
  std::vector<bool> truncated;      ///< by row
  std::size_t computed = 0;         ///< groups; the others came from the store

  std::size_t rows() const { return tokens.size(); }
  std::span<const float> row(std::size_t index) const { return std::span(values).subspan(index * dimensions, dimensions); }
};

/// Plans, takes what is stored, computes and stores the rest. Damaged stored groups are computed again, with a warning in
/// the store's log.
Result<EmbeddingTable> embed(Embedder& embedder, std::span<const EmbedRequest> requests, const RunControl& control = {},
                             const EmbedKeeping& keeping = {});
Result<EmbeddingTable> embed(Embedder& embedder, std::span<const std::string> texts, const RunControl& control = {},
                             const EmbedKeeping& keeping = {});

/// A group's vectors as stored bytes and back (docs/formats.md, "Stored vectors"). Damaged bytes are kCorrupt.
std::string encode_embeddings(std::span<const Embedding> embeddings);
Result<std::vector<Embedding>> decode_embeddings(std::string_view bytes);

/// Scales to length 1; a vector of zeros stays one.
void normalise(std::span<float> values);

}  // namespace valence
