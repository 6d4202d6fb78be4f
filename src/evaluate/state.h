#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"

namespace valence {

// Members of a file's header, which is foreign: each fails with kCorrupt naming the member and what was expected.

Result<std::string> state_string(const Json& state, std::string_view key);
Result<std::size_t> state_count(const Json& state, std::string_view key);
Result<double> state_number(const Json& state, std::string_view key);
Result<std::vector<std::string>> state_strings(const Json& state, std::string_view key);
/// `count` finite numbers.
Result<std::vector<float>> state_floats(const Json& state, std::string_view key, std::size_t count);
Result<std::vector<double>> state_doubles(const Json& state, std::string_view key, std::size_t count);
/// A member that is an object or array.
Result<Json> state_member(const Json& state, std::string_view key);

}  // namespace valence
