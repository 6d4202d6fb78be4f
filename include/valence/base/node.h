#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "valence/base/result.h"

namespace valence {

/// Where a value stood in a file that a person wrote. Lines and columns start at 1; 0 = unknown.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
};

/// "file:line:column", leaving out what is unknown.
std::string to_string(const Position& position);

/// A value read from TOML or JSON that remembers where it stood, so that every complaint names file, line and key.
///
/// Accessors fail with kUsage and a message such as `pvq.toml:14:9: "scale.to" should be a whole number, got a string`.
class Node {
 public:
  using Array = std::vector<Node>;
  using Table = std::vector<std::pair<std::string, Node>>;  // in file order
  using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Table>;

  Node() = default;
  Node(Value value, Position position, std::string key);

  bool is_table() const;
  bool is_array() const;
  bool is_string() const;
  bool is_number() const;
  bool is_bool() const;
  const Position& position() const { return position_; }
  const Value& value() const { return value_; }

  Result<bool> as_bool() const;
  Result<std::int64_t> as_integer() const;
  Result<double> as_number() const;  ///< whole numbers are accepted
  Result<std::string> as_string() const;
  Result<std::vector<std::string>> as_strings() const;
  Result<std::vector<double>> as_numbers() const;
  Result<Array> as_array() const;
  Result<Table> as_table() const;

  /// The member `key` of a table, or null when absent or when this is no table.
  const Node* find(std::string_view key) const;
  /// The member `key`, or an error that names the key and where the table stands.
  Result<Node> at(std::string_view key) const;
  Result<std::string> string_at(std::string_view key) const;
  Result<double> number_at(std::string_view key) const;
  Result<std::int64_t> integer_at(std::string_view key) const;
  Result<std::size_t> count_at(std::string_view key) const;  ///< a whole number of at least 0
  Result<std::string> string_or(std::string_view key, std::string_view fallback) const;
  Result<bool> bool_or(std::string_view key, bool fallback) const;
  Result<double> number_or(std::string_view key, double fallback) const;
  Result<std::int64_t> integer_or(std::string_view key, std::int64_t fallback) const;

  /// Fails on a key that is not in `known`, suggesting the nearest one.
  Result<void> allow_only(std::initializer_list<std::string_view> known) const;

  /// An error at this node's place.
  Error error(std::string_view what) const;

 private:
  Value value_;
  Position position_;
  std::string key_;  // dotted path, for messages
};

/// Fails with kUsage at the first byte that is not UTF-8.
Result<void> require_utf8(std::string_view text, std::string_view name, int first_line = 1);

Result<Node> read_toml(const std::filesystem::path& path);
Result<Node> parse_toml(std::string_view text, std::string_view name);
Result<Node> parse_json_node(std::string_view text, std::string_view name, int first_line = 1);
/// One JSON object per line; blank lines are skipped. Errors name line and column.
Result<std::vector<Node>> read_jsonl(const std::filesystem::path& path);
Result<std::vector<Node>> parse_jsonl(std::string_view text, std::string_view name);

}  // namespace valence
