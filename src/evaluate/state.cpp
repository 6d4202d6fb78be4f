#include "state.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace valence {
namespace {

tl::unexpected<Error> wrong(std::string_view key, std::string_view expected) {
  return fail(ErrorCode::kCorrupt, "\"{}\" is missing or not {}", key, expected);
}

const Json* member_of(const Json& state, std::string_view key) {
  if (!state.is_object()) return nullptr;
  const auto found = state.find(std::string(key));
  return found == state.end() ? nullptr : &*found;
}

/// Numbers that `Number` can hold.
template <class Number>
Result<std::vector<Number>> numbers(const Json& state, std::string_view key, std::size_t count) {
  const auto expected = fmt::format("an array of {} numbers", count);
  const auto* member = member_of(state, key);
  if (member == nullptr || !member->is_array() || member->size() != count) return wrong(key, expected);
  std::vector<Number> values;
  for (const auto& entry : *member) {
    if (!entry.is_number()) return wrong(key, expected);
    values.push_back(static_cast<Number>(entry.get<double>()));
    if (!std::isfinite(values.back())) return wrong(key, expected);
  }
  return values;
}

}  // namespace

Result<std::string> state_string(const Json& state, std::string_view key) {
  const auto* member = member_of(state, key);
  if (member == nullptr || !member->is_string()) return wrong(key, "a text");
  return member->get<std::string>();
}

Result<std::size_t> state_count(const Json& state, std::string_view key) {
  const auto* member = member_of(state, key);
  if (member == nullptr || !member->is_number_integer() || *member < 0) return wrong(key, "a whole number from 0");
  return member->get<std::size_t>();
}

Result<double> state_number(const Json& state, std::string_view key) {
  const auto* member = member_of(state, key);
  if (member == nullptr || !member->is_number() || !std::isfinite(member->get<double>())) return wrong(key, "a number");
  return member->get<double>();
}

Result<std::vector<std::string>> state_strings(const Json& state, std::string_view key) {
  const auto* member = member_of(state, key);
  if (member == nullptr || !member->is_array()) return wrong(key, "an array of texts");
  std::vector<std::string> texts;
  for (const auto& entry : *member) {
    if (!entry.is_string()) return wrong(key, "an array of texts");
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

Result<std::vector<float>> state_floats(const Json& state, std::string_view key, std::size_t count) {
  return numbers<float>(state, key, count);
}

Result<std::vector<double>> state_doubles(const Json& state, std::string_view key, std::size_t count) {
  return numbers<double>(state, key, count);
}

Result<Json> state_member(const Json& state, std::string_view key) {
  const auto* member = member_of(state, key);
  if (member == nullptr || !member->is_structured()) return wrong(key, "an object or array");
  return *member;
}

}  // namespace valence
