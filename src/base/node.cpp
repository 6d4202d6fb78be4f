#include "valence/base/node.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "valence/base/files.h"
#include "valence/base/text.h"

namespace valence {
namespace {

template <class... Visitors>
struct Overload : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overload(Visitors...) -> Overload<Visitors...>;

constexpr std::size_t kShownText = 40;       // code points of a wrong text repeated in a message
constexpr double kExactIntegers = 0x1p53;    // up to here doubles hold every whole number

std::string shortened(const std::string& text) {
  if (code_points(text) <= kShownText) return text;
  auto end = kShownText;
  while (!is_valid_utf8(std::string_view(text).substr(0, end))) ++end;
  return text.substr(0, end) + "…";
}

/// What a value is, for "…, got …".
std::string description_of(const Node::Value& value) {
  return std::visit(Overload{[](std::monostate) { return std::string("null"); },
                             [](bool flag) { return std::string(flag ? "true" : "false"); },
                             [](std::int64_t number) { return fmt::format("{}", number); },
                             [](double number) { return fmt::format("{}", number); },
                             [](const std::string& text) { return fmt::format("the text \"{}\"", shortened(text)); },
                             [](const Node::Array&) { return std::string("a list"); },
                             [](const Node::Table&) { return std::string("a table"); }},
                    value);
}

Error expected_instead(const Node& node, const std::string& key, std::string_view expected) {
  const auto subject = key.empty() ? std::string("this value") : fmt::format("\"{}\"", printable(key));
  return node.error(fmt::format("{} should be {}, got {}", subject, expected, description_of(node.value())));
}

std::optional<std::int64_t> whole_number(const Node::Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  const auto* number = std::get_if<double>(&value);
  const bool whole = number != nullptr && std::abs(*number) <= kExactIntegers && *number == std::floor(*number);
  if (!whole) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<double> finite_number(const Node::Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr || !std::isfinite(*number)) return std::nullopt;
  return *number;
}

template <class Item>
Result<std::vector<Item>> items_of(const Node& node, Result<Item> (Node::*as)() const) {
  VALENCE_TRY(const auto array, node.as_array());
  std::vector<Item> items;
  for (const auto& element : array) {
    VALENCE_TRY(auto item, (element.*as)());
    items.push_back(std::move(item));
  }
  return items;
}

/// The member's value, or the fallback where there is no such member.
template <class Item>
Result<Item> member_or(const Node& node, std::string_view key, Item fallback, Result<Item> (Node::*as)() const) {
  if (!node.is_table()) return tl::unexpected(node.as_table().error());
  const auto* member = node.find(key);
  return member == nullptr ? Result<Item>(std::move(fallback)) : (member->*as)();
}

std::string advice_for(const std::string& unknown, const std::vector<std::string>& known) {
  const auto near = nearest(unknown, known);
  if (!near.empty()) return fmt::format("; did you mean \"{}\"?", near);
  return known.empty() ? "; no keys are expected here" : fmt::format("; expected one of {}", join(known, ", "));
}

}  // namespace

Result<void> require_utf8(std::string_view text, std::string_view name, int first_line) {
  const auto good = text.substr(0, valid_utf8_prefix(text));
  if (good.size() == text.size()) return {};
  const auto lines = static_cast<int>(std::count(good.begin(), good.end(), '\n'));
  const auto row = good.substr(good.rfind('\n') + 1);  // the whole when there is no line end
  const auto column = static_cast<int>(code_points(row)) + 1;
  return fail(ErrorCode::kUsage, "{}: invalid UTF-8; save the file as UTF-8",
              to_string(Position{std::string(name), first_line + lines, column}));
}

std::string to_string(const Position& position) {
  if (position.line == 0) return position.file;
  if (position.column == 0) return fmt::format("{}:{}", position.file, position.line);
  return fmt::format("{}:{}:{}", position.file, position.line, position.column);
}

Node::Node(Value value, Position position, std::string key)
    : value_(std::move(value)), position_(std::move(position)), key_(std::move(key)) {}

bool Node::is_table() const { return std::holds_alternative<Table>(value_); }
bool Node::is_array() const { return std::holds_alternative<Array>(value_); }
bool Node::is_string() const { return std::holds_alternative<std::string>(value_); }
bool Node::is_bool() const { return std::holds_alternative<bool>(value_); }
bool Node::is_number() const {
  return std::holds_alternative<std::int64_t>(value_) || std::holds_alternative<double>(value_);
}

Error Node::error(std::string_view what) const {
  const auto place = to_string(position_);
  return {ErrorCode::kUsage, place.empty() ? std::string(what) : fmt::format("{}: {}", place, what)};
}

Result<bool> Node::as_bool() const {
  if (const auto* flag = std::get_if<bool>(&value_)) return *flag;
  return tl::unexpected(expected_instead(*this, key_, "true or false"));
}

Result<std::int64_t> Node::as_integer() const {
  if (const auto number = whole_number(value_)) return *number;
  return tl::unexpected(expected_instead(*this, key_, "a whole number"));
}

Result<double> Node::as_number() const {
  if (const auto number = finite_number(value_)) return *number;
  return tl::unexpected(expected_instead(*this, key_, "a number"));
}

Result<std::string> Node::as_string() const {
  if (const auto* text = std::get_if<std::string>(&value_)) return *text;
  return tl::unexpected(expected_instead(*this, key_, "a text in quotes"));
}

Result<std::vector<std::string>> Node::as_strings() const { return items_of(*this, &Node::as_string); }
Result<std::vector<double>> Node::as_numbers() const { return items_of(*this, &Node::as_number); }

Result<Node::Array> Node::as_array() const {
  if (const auto* array = std::get_if<Array>(&value_)) return *array;
  return tl::unexpected(expected_instead(*this, key_, "a list"));
}

Result<Node::Table> Node::as_table() const {
  if (const auto* table = std::get_if<Table>(&value_)) return *table;
  return tl::unexpected(expected_instead(*this, key_, "a table"));
}

const Node* Node::find(std::string_view key) const {
  const auto* table = std::get_if<Table>(&value_);
  if (table == nullptr) return nullptr;
  for (const auto& [name, member] : *table) {
    if (name == key) return &member;
  }
  return nullptr;
}

Result<Node> Node::at(std::string_view key) const {
  if (const auto* member = find(key)) return *member;
  if (!is_table()) return tl::unexpected(as_table().error());
  const auto owner = key_.empty() ? std::string() : fmt::format(" in \"{}\"", printable(key_));
  return tl::unexpected(error(fmt::format("the key \"{}\" is missing{}", key, owner)));
}

Result<std::string> Node::string_at(std::string_view key) const {
  VALENCE_TRY(const auto member, at(key));
  return member.as_string();
}

Result<double> Node::number_at(std::string_view key) const {
  VALENCE_TRY(const auto member, at(key));
  return member.as_number();
}

Result<std::int64_t> Node::integer_at(std::string_view key) const {
  VALENCE_TRY(const auto member, at(key));
  return member.as_integer();
}

Result<std::size_t> Node::count_at(std::string_view key) const {
  VALENCE_TRY(const auto number, integer_at(key));
  if (number >= 0) return static_cast<std::size_t>(number);
  return tl::unexpected(find(key)->error(fmt::format("\"{}\" should be at least 0, got {}", key, number)));
}

Result<std::string> Node::string_or(std::string_view key, std::string_view fallback) const {
  return member_or(*this, key, std::string(fallback), &Node::as_string);
}

Result<bool> Node::bool_or(std::string_view key, bool fallback) const {
  return member_or(*this, key, fallback, &Node::as_bool);
}

Result<double> Node::number_or(std::string_view key, double fallback) const {
  return member_or(*this, key, fallback, &Node::as_number);
}

Result<std::int64_t> Node::integer_or(std::string_view key, std::int64_t fallback) const {
  return member_or(*this, key, fallback, &Node::as_integer);
}

Result<void> Node::allow_only(std::initializer_list<std::string_view> known) const {
  const auto* table = std::get_if<Table>(&value_);
  if (table == nullptr) return tl::unexpected(as_table().error());
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& [name, member] : *table) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    return tl::unexpected(
        member.error(fmt::format("unknown key \"{}\"{}", printable(member.key_), advice_for(name, names))));
  }
  return {};
}

}  // namespace valence
