#include <toml++/toml.h>

#include <algorithm>
#include <exception>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr int kDeepestToml = 200;

Position position_of(const toml::source_region& source, const std::string& file) {
  return {file, static_cast<int>(source.begin.line), static_cast<int>(source.begin.column)};
}

bool stands_before(const toml::source_position& a, const toml::source_position& b) {
  return a.line != b.line ? a.line < b.line : a.column < b.column;
}

Result<Node> node_of(const toml::node& source, const std::string& file, const std::string& key);

Result<Node::Value> value_of_table(const toml::table& source, const std::string& file, const std::string& key) {
  std::vector<std::pair<const toml::key*, const toml::node*>> members;
  for (const auto& [name, member] : source) members.emplace_back(&name, &member);
  std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
    return stands_before(a.first->source().begin, b.first->source().begin);
  });
  Node::Table table;
  for (const auto& [name, member] : members) {
    const std::string text(name->str());
    VALENCE_TRY(auto node, node_of(*member, file, key.empty() ? text : key + "." + text));
    table.emplace_back(text, std::move(node));
  }
  return Node::Value(std::move(table));
}

Result<Node::Value> value_of_array(const toml::array& source, const std::string& file, const std::string& key) {
  Node::Array array;
  for (const auto& member : source) {
    VALENCE_TRY(auto node, node_of(member, file, fmt::format("{}[{}]", key, array.size())));
    array.push_back(std::move(node));
  }
  return Node::Value(std::move(array));
}

Result<Node::Value> value_of_node(const toml::node& source, const std::string& file, const std::string& key) {
  if (const auto* table = source.as_table()) return value_of_table(*table, file, key);
  if (const auto* array = source.as_array()) return value_of_array(*array, file, key);
  if (const auto* text = source.as_string()) return Node::Value(text->get());
  if (const auto* number = source.as_integer()) return Node::Value(number->get());
  if (const auto* number = source.as_floating_point()) return Node::Value(number->get());
  if (const auto* flag = source.as_boolean()) return Node::Value(flag->get());
  return fail(ErrorCode::kUsage, "{}: \"{}\" is a date or time; write it in quotes",
              to_string(position_of(source.source(), file)), printable(key));
}

Result<Node> node_of(const toml::node& source, const std::string& file, const std::string& key) {
  VALENCE_TRY(auto value, value_of_node(source, file, key));
  return Node(std::move(value), position_of(source.source(), file), key);
}

/// Steps over a TOML string that begins at `at`; returns the index after its end.
std::size_t after_toml_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string triple(3, quote);
  const bool long_form = text.substr(at, 3) == triple;
  const auto close = std::string_view(triple).substr(0, long_form ? 3 : 1);
  for (std::size_t i = at + close.size(); i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text.substr(i, close.size()) == close || (!long_form && text[i] == '\n')) {
      i += close.size();
      for (int extra = 0; long_form && extra < 2 && i < text.size() && text[i] == quote; ++extra) ++i;
      return i;
    }
  }
  return text.size();
}

/// How deep a TOML text nests: lists, tables, and a table for each dot of a key. The parser bounds the first two itself
/// but not the third, which would exhaust the stack.
class TomlDepth {
 public:
  void see(char c) {
    switch (c) {
      case '.': ++depth_; break;
      case '[':
      case '{': outer_.push_back(depth_++); break;
      case ']':
      case '}': close(); break;
      case ',':
      case '\n': depth_ = outer_.empty() ? 0 : outer_.back() + 1; break;
      default: break;
    }
  }
  int depth() const { return depth_; }

 private:
  void close() {
    if (outer_.empty()) return;
    depth_ = outer_.back();
    outer_.pop_back();
  }

  int depth_ = 0;
  std::vector<int> outer_;
};

/// The line on which a text nests deeper than kDeepestToml, or 0.
int line_too_deep(std::string_view text) {
  TomlDepth depth;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      i = after_toml_string(text, i);
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else {
      depth.see(c);
      ++i;
    }
    if (depth.depth() > kDeepestToml) {
      return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(i), '\n'));
    }
  }
  return 0;
}

}  // namespace

Result<Node> read_toml(const std::filesystem::path& path) {
  VALENCE_TRY(const auto text, read_file(path));
  return parse_toml(text, path.string());
}

Result<Node> parse_toml(std::string_view text, std::string_view name) {
  VALENCE_CHECK(require_utf8(text, name));
  if (const int line = line_too_deep(text); line > 0) {
    return fail(ErrorCode::kUsage, "{}:{}: nested deeper than {} levels", name, line, kDeepestToml);
  }
  const std::string file(name);
  try {
    const auto table = toml::parse(text, file);
    VALENCE_TRY(auto value, value_of_table(table, file, ""));
    return Node(std::move(value), {file, 1, 1}, "");
  } catch (const toml::parse_error& error) {
    const auto position = position_of(error.source(), file);
    return fail(ErrorCode::kUsage, "{}: not valid TOML: {}", to_string(position), printable(error.description()));
  } catch (const std::exception& error) {
    return fail(ErrorCode::kUsage, "{}: not valid TOML: {}", name, printable(error.what()));
  }
}

}  // namespace valence
