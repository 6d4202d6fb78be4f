#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "valence/base/result.h"

namespace valence {

/// JSON that we write, keys in the order written. Sources that build or read it include <nlohmann/json.hpp>.
using Json = nlohmann::ordered_json;

/// Parses trusted or stored JSON, nested at most 200 deep; kCorrupt otherwise. `where` names the source in the error
/// ("answers.jsonl:12").
Result<Json> parse_json(std::string_view text, std::string_view where);

/// Compact or indented text, UTF-8; invalid UTF-8 in strings is replaced by U+FFFD, numbers round-trip, a number that
/// is not finite becomes null.
std::string to_text(const Json& json, int indent = -1);

/// null for what is not finite, so that a document is the same in memory as read back.
Json number_or_null(double value);

}  // namespace valence
