#include "valence/base/json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace valence {
namespace {

constexpr int kDeepestJson = 200;  // copying and writing recurse, so depth is bounded where text comes in

/// Deepest nesting of arrays and objects, brackets in strings not counted.
int nesting_of(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '[' || c == '{')) {
      deepest = std::max(deepest, ++depth);
    } else if (!in_string && (c == ']' || c == '}')) {
      --depth;
    }
  }
  return deepest;
}

/// The library's message without its tag and position, which we give in our own form.
std::string_view json_reason(std::string_view message) {
  const auto colon = message.find(": ");
  return colon == std::string_view::npos ? message : message.substr(colon + 2);
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view where) {
  if (nesting_of(text) > kDeepestJson) {
    return fail(ErrorCode::kCorrupt, "{}: JSON nested deeper than {} levels", where, kDeepestJson);
  }
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    return fail(ErrorCode::kCorrupt, "{}: not valid JSON at byte {}: {}", where, error.byte, json_reason(error.what()));
  } catch (const Json::exception& error) {
    return fail(ErrorCode::kCorrupt, "{}: not valid JSON: {}", where, json_reason(error.what()));
  }
}

std::string to_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json number_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace valence
