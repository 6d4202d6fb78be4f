#include "valence/model/embedder.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "valence/model/registry.h"

namespace valence {
namespace {

constexpr std::string_view kMagic = "VE1\n";
constexpr std::size_t kSealBytes = 8;

void put(std::string& out, std::uint32_t number) {
  for (int byte = 0; byte < 4; ++byte) out += static_cast<char>(number >> (8 * byte) & 0xFFU);
}

/// The next number, or 0 with `left` emptied of everything when there is none.
std::uint32_t take(std::string_view& left, bool& failed) {
  if (left.size() < 4) {
    failed = true;
    left = {};
    return 0;
  }
  std::uint32_t number = 0;
  for (std::size_t byte = 4; byte-- > 0;) number = number << 8U | static_cast<std::uint8_t>(left[byte]);
  left.remove_prefix(4);
  return number;
}

std::string seal_of(std::string_view bytes) {
  const auto digest = sha256(bytes);
  return {digest.bytes.begin(), digest.bytes.begin() + kSealBytes};
}

tl::unexpected<Error> damaged(std::string_view reason) {
  return fail(ErrorCode::kCorrupt, "stored vectors are damaged: {}", reason);
}

bool fits(const std::vector<Embedding>& embeddings, const Group& group, std::size_t dimensions) {
  return embeddings.size() == group.requests.size() &&
         std::ranges::all_of(embeddings, [&](const Embedding& one) { return one.values.size() == dimensions; });
}

/// Puts groups where they belong and keeps them as they come.
class TableFiling : public EmbedSink {
 public:
  TableFiling(const EmbedPlan& plan, const EmbedKeeping& keeping, EmbeddingTable& table)
      : plan_(plan), keeping_(keeping), table_(table) {}

  Result<bool> replay(const Group& group) {
    if (keeping_.store == nullptr) return false;
    VALENCE_TRY(const auto stored, keeping_.store->group(keeping_.run, group.digest, keeping_.reuse));
    if (!stored) return false;
    const auto embeddings = decode_embeddings(stored->payload);
    if (!embeddings || !fits(*embeddings, group, table_.dimensions)) {
      const auto reason = embeddings ? "stored vectors are of another group" : embeddings.error().message;
      VALENCE_CHECK(keeping_.store->log(keeping_.run, "warning",
                                        fmt::format("group {}: {}; computed again", group.digest.brief(), reason)));
      return false;
    }
    place(group, *embeddings);
    return true;
  }

  Result<void> done(std::size_t index, std::span<const Embedding> embeddings) override {
    const auto& group = plan_.groups[index];
    const auto now = Clock::now();
    if (keeping_.store != nullptr) {
      const auto seconds = std::chrono::duration<double>(now - last_).count();
      VALENCE_CHECK(keeping_.store->put_group(keeping_.run, group.digest, {encode_embeddings(embeddings), seconds, group.cost}));
    }
    last_ = now;
    place(group, embeddings);
    ++table_.computed;
    return {};
  }

 private:
  using Clock = std::chrono::steady_clock;

  void place(const Group& group, std::span<const Embedding> embeddings) {
    for (std::size_t i = 0; i < embeddings.size(); ++i) {
      const auto row = group.requests[i];
      const auto offset = static_cast<std::ptrdiff_t>(row * table_.dimensions);
      std::ranges::copy(embeddings[i].values, table_.values.begin() + offset);
      table_.tokens[row] = embeddings[i].tokens;
      table_.truncated[row] = embeddings[i].truncated;
    }
  }

  const EmbedPlan& plan_;
  const EmbedKeeping& keeping_;
  EmbeddingTable& table_;
  Clock::time_point last_ = Clock::now();
};

std::size_t cost_of(const EmbedPlan& plan, std::span<const std::size_t> groups) {
  std::size_t cost = 0;
  for (const auto group : groups) cost += plan.groups[group].cost;
  return cost;
}

}  // namespace

void normalise(std::span<float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  if (sum <= 0) return;
  const double scale = 1.0 / std::sqrt(sum);
  for (float& value : values) value = static_cast<float>(static_cast<double>(value) * scale);
}

std::string encode_embeddings(std::span<const Embedding> embeddings) {
  std::string out(kMagic);
  put(out, static_cast<std::uint32_t>(embeddings.size()));
  for (const auto& one : embeddings) {
    put(out, static_cast<std::uint32_t>(one.tokens));
    put(out, one.truncated ? 1 : 0);
    put(out, static_cast<std::uint32_t>(one.values.size()));
    for (const float value : one.values) put(out, std::bit_cast<std::uint32_t>(value));
  }
  return out + seal_of(out);
}

Result<std::vector<Embedding>> decode_embeddings(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + kSealBytes || !bytes.starts_with(kMagic)) return damaged("they do not begin as a group does");
  auto left = bytes.substr(0, bytes.size() - kSealBytes);
  if (seal_of(left) != bytes.substr(left.size())) return damaged("the checksum does not fit");
  left.remove_prefix(kMagic.size());
  bool failed = false;
  const auto count = take(left, failed);
  std::vector<Embedding> embeddings;
  for (std::uint32_t i = 0; i < count && !failed; ++i) {
    auto& one = embeddings.emplace_back();
    one.tokens = take(left, failed);
    const auto flag = take(left, failed);
    const auto size = take(left, failed);
    if (flag > 1 || size > left.size() / 4) return damaged("a count or flag is out of range");
    one.truncated = flag == 1;
    for (std::uint32_t d = 0; d < size; ++d) one.values.push_back(std::bit_cast<float>(take(left, failed)));
  }
  if (failed || !left.empty()) return damaged("the bytes end early or are too many");
  return embeddings;
}

Result<EmbeddingTable> embed(Embedder& embedder, std::span<const EmbedRequest> requests, const RunControl& control,
                             const EmbedKeeping& keeping) {
  VALENCE_TRY(const auto plan, embedder.plan(requests));
  EmbeddingTable table;
  table.dimensions = embedder.card().dimensions;
  table.values.resize(requests.size() * table.dimensions);
  table.tokens.resize(requests.size());
  table.truncated.resize(requests.size());
  TableFiling filing(plan, keeping, table);
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < plan.groups.size(); ++i) {
    VALENCE_TRY(const auto stored, filing.replay(plan.groups[i]));
    if (!stored) missing.push_back(i);
  }
  if (control.progress != nullptr) control.progress->start("embedding", cost_of(plan, missing), "tokens");
  const auto done = embedder.run(plan, missing, filing, control);
  if (control.progress != nullptr) control.progress->finish();
  VALENCE_CHECK(done);
  return table;
}

Result<EmbeddingTable> embed(Embedder& embedder, std::span<const std::string> texts, const RunControl& control,
                             const EmbedKeeping& keeping) {
  std::vector<EmbedRequest> requests;
  for (const auto& text : texts) requests.push_back({text, {}, {}});
  return embed(embedder, requests, control, keeping);
}

Result<std::unique_ptr<Embedder>> open_embedder(const EmbedderSpec& spec) {
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  VALENCE_TRY(const auto file, registry.resolve(spec.name));
  return open_llama_embedder(spec, file.path, file.sha256);
}

}  // namespace valence
