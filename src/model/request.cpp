#include "valence/model/request.h"

#include <bit>
#include <concepts>
#include <numeric>
#include <span>

namespace valence {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kScores = 0;
constexpr std::uint8_t kCompletion = 1;

class ResponseWriter {
 public:
  template <std::unsigned_integral Number>
  void number(Number value) {
    for (std::size_t i = 0; i < sizeof(Number); ++i) bytes_.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
  }
  void number(double value) { number(std::bit_cast<std::uint64_t>(value)); }
  void number(TokenId value) { number(static_cast<std::uint32_t>(value)); }
  void count(std::size_t value) { number(static_cast<std::uint32_t>(value)); }
  void text(std::string_view value) {
    count(value.size());
    bytes_ += value;
  }
  template <class Number>
  void list(const std::vector<Number>& values) {
    count(values.size());
    for (const auto value : values) number(value);
  }
  std::string finish() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what ResponseWriter wrote. The first failure sticks: later reads give zeros, and ended() is false. No count is
/// believed before the bytes for it are known to be there.
class ResponseReader {
 public:
  explicit ResponseReader(std::string_view bytes) : bytes_(bytes) {}

  template <std::unsigned_integral Number>
  Number number() {
    if (!has(sizeof(Number))) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      value |= std::uint64_t{static_cast<std::uint8_t>(bytes_[at_++])} << (8 * i);
    }
    return static_cast<Number>(value);
  }
  void read(double& value) { value = std::bit_cast<double>(number<std::uint64_t>()); }
  void read(TokenId& value) { value = static_cast<TokenId>(number<std::uint32_t>()); }

  /// A count of things that take at least `size` bytes each.
  std::size_t count(std::size_t size) {
    const std::size_t value = number<std::uint32_t>();
    return has(value * size) ? value : 0;
  }
  std::string text() {
    const auto size = count(1);
    at_ += size;
    return std::string(bytes_.substr(at_ - size, size));
  }
  template <class Number>
  std::vector<Number> list() {
    std::vector<Number> values(count(sizeof(Number)));
    for (auto& value : values) read(value);
    return values;
  }
  bool require(bool good) {
    failed_ = failed_ || !good;
    return !failed_;
  }
  bool ended() const { return !failed_ && at_ == bytes_.size(); }
  std::size_t position() const { return at_; }

 private:
  bool has(std::size_t size) { return require(size <= bytes_.size() - at_); }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

void write(ResponseWriter& out, const ContinuationScores& scores) {
  out.number(kScores);
  out.count(scores.continuations.size());
  for (const auto& score : scores.continuations) {
    out.list(score.token_logprobs);
    out.number(static_cast<std::uint8_t>(score.terminator_logprob.has_value()));
    if (score.terminator_logprob) out.number(*score.terminator_logprob);
  }
}

void write(ResponseWriter& out, const Completion& completion) {
  out.number(kCompletion);
  out.text(completion.text);
  out.list(completion.tokens);
  out.list(completion.logprobs);
  out.number(static_cast<std::uint8_t>(completion.finish));
}

ContinuationScore read_score(ResponseReader& in) {
  ContinuationScore score{in.list<double>(), std::nullopt};
  const auto flag = in.number<std::uint8_t>();
  if (in.require(flag <= 1) && flag == 1) in.read(score.terminator_logprob.emplace());
  return score;
}

ContinuationScores read_scores(ResponseReader& in) {
  constexpr std::size_t kSmallest = sizeof(std::uint32_t) + sizeof(std::uint8_t);
  ContinuationScores scores;
  const auto count = in.count(kSmallest);
  scores.continuations.reserve(count);
  for (std::size_t i = 0; i < count && in.require(true); ++i) scores.continuations.push_back(read_score(in));
  return scores;
}

Completion read_completion(ResponseReader& in) {
  Completion completion;
  completion.text = in.text();
  completion.tokens = in.list<TokenId>();
  completion.logprobs = in.list<double>();
  const auto finish = in.number<std::uint8_t>();
  in.require(finish <= static_cast<std::uint8_t>(FinishReason::kLength));
  completion.finish = static_cast<FinishReason>(finish);
  return completion;
}

void add(Hasher& hasher, const ScoreRequest& request) {
  hasher.add("score").add(request.context.digest()).add(std::uint64_t{request.continuations.size()});
  for (const auto& continuation : request.continuations) hasher.add(continuation);
  hasher.add(request.terminator);
}

void add(Hasher& hasher, const GenerateRequest& request) {
  const auto& sampling = request.sampling;
  hasher.add("generate").add(request.context.digest()).add(sampling.temperature).add(sampling.top_p);
  hasher.add(static_cast<std::uint64_t>(sampling.max_tokens)).add(sampling.seed);
  hasher.add(std::uint64_t{sampling.stop.size()});
  for (const auto& stop : sampling.stop) hasher.add(stop);
  hasher.add(static_cast<std::uint64_t>(request.constraint.kind)).add(request.constraint.text);
}

}  // namespace

double ContinuationScore::total() const {
  return std::accumulate(token_logprobs.begin(), token_logprobs.end(), terminator_logprob.value_or(0.0));
}

Digest request_digest(const Request& request) {
  Hasher hasher;
  std::visit([&](const auto& which) { add(hasher, which); }, request);
  return hasher.finish();
}

std::string encode(const Response& response) {
  ResponseWriter out;
  out.number(kVersion);
  std::visit([&](const auto& which) { write(out, which); }, response);
  return out.finish();
}

Result<Response> decode_response(std::string_view bytes) {
  ResponseReader in(bytes);
  const auto version = in.number<std::uint8_t>();
  if (!bytes.empty() && version != kVersion) {
    return fail(ErrorCode::kMismatch, "a stored response has format {}, this version reads format {}", version,
                kVersion);
  }
  const auto kind = in.number<std::uint8_t>();
  Response response;
  if (in.require(kind <= kCompletion)) {
    response = kind == kScores ? Response(read_scores(in)) : Response(read_completion(in));
  }
  if (!in.ended()) {
    return fail(ErrorCode::kCorrupt, "a stored response of {} bytes is damaged at or before byte {}", bytes.size(),
                in.position());
  }
  return response;
}

std::string_view to_string(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEndOfTurn: return "end_of_turn";
    case FinishReason::kStopString: return "stop_string";
    case FinishReason::kLength: return "length";
  }
  return "";
}

}  // namespace valence
