#include "group_payload.h"

#include <algorithm>
#include <cstdint>

#include "valence/base/digest.h"

namespace valence {
namespace {

constexpr std::string_view kMagic = "VG1\n";
constexpr std::size_t kSealBytes = 8;

void append_number(std::string& out, std::uint64_t number) {
  for (int byte = 0; byte < 8; ++byte) out += static_cast<char>((number >> (8 * byte)) & 0xFFU);
}

std::string seal_of(std::string_view bytes) {
  const auto digest = sha256(bytes);
  return {digest.bytes.begin(), digest.bytes.begin() + kSealBytes};
}

/// Takes `count` bytes off the front, or nothing when there are not as many.
Result<std::string_view> take(std::string_view& bytes, std::uint64_t count) {
  if (count > bytes.size()) return fail(ErrorCode::kCorrupt, "the bytes end early");
  const auto front = bytes.substr(0, count);
  bytes.remove_prefix(count);
  return front;
}

Result<std::uint64_t> take_number(std::string_view& bytes) {
  VALENCE_TRY(const auto raw, take(bytes, 8));
  std::uint64_t number = 0;
  for (std::size_t i = 8; i-- > 0;) number = (number << 8U) | static_cast<std::uint8_t>(raw[i]);
  return number;
}

bool answers(const Response& response, const Request& request) {
  const auto* asked = std::get_if<ScoreRequest>(&request);
  const auto* scores = std::get_if<ContinuationScores>(&response);
  if (!asked || !scores) return !asked && !scores;
  return scores->continuations.size() == asked->continuations.size();
}

Result<std::string_view> unsealed(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + kSealBytes || !bytes.starts_with(kMagic)) {
    return fail(ErrorCode::kCorrupt, "the bytes do not begin as a group does");
  }
  const auto body = bytes.substr(0, bytes.size() - kSealBytes);
  if (seal_of(body) != bytes.substr(body.size())) return fail(ErrorCode::kCorrupt, "the checksum does not fit");
  return body.substr(kMagic.size());
}

}  // namespace

std::string encode_group(std::span<const Response> responses) {
  std::string out(kMagic);
  append_number(out, responses.size());
  for (const auto& response : responses) {
    const auto bytes = encode(response);
    append_number(out, bytes.size());
    out += bytes;
  }
  return out + seal_of(out);
}

Result<std::vector<Response>> decode_group(std::string_view bytes, const Plan& plan, const Group& group) {
  VALENCE_TRY(auto rest, unsealed(bytes));
  VALENCE_TRY(const auto count, take_number(rest));
  if (count != group.requests.size()) {
    return fail(ErrorCode::kCorrupt, "it holds {} answers instead of {}", count, group.requests.size());
  }
  std::vector<Response> responses;
  for (const auto request : group.requests) {
    VALENCE_TRY(const auto size, take_number(rest));
    VALENCE_TRY(const auto one, take(rest, size));
    VALENCE_TRY(auto response, decode_response(one));
    if (!answers(response, plan.requests[request])) return fail(ErrorCode::kCorrupt, "it answers another question");
    responses.push_back(std::move(response));
  }
  if (!rest.empty()) return fail(ErrorCode::kCorrupt, "{} bytes are left over", rest.size());
  return responses;
}

}  // namespace valence
