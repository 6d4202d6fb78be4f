#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/model/language_model.h"

namespace valence {

/// A group's responses as the store keeps them (docs/formats.md, "Stored groups"): "VG1\n", their number, each one's
/// length and bytes, and the first 8 bytes of the SHA-256 of all that. Numbers are 8 bytes, least significant first.
std::string encode_group(std::span<const Response> responses);

/// kCorrupt when the bytes are damaged or are not answers to these requests.
Result<std::vector<Response>> decode_group(std::string_view bytes, const Plan& plan, const Group& group);

}  // namespace valence
