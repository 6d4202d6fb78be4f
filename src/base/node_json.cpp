#include <charconv>
#include <cmath>
#include <set>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr int kDeepestJsonNode = 200;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t point) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((point >> shift) & 0x3FU)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | (point >> 6U));
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | (point >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | (point >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// RFC 8259 by recursive descent, because no library at hand tells where a value stood. Columns count code points.
class JsonReader {
 public:
  JsonReader(std::string_view text, std::string_view file, int line) : text_(text), file_(file), line_(line) {}

  Result<Node> document() {
    skip_space();
    VALENCE_TRY(auto node, value("", 0));
    skip_space();
    if (!at_end()) return wrong("expected the end after the value");
    return node;
  }

 private:
  bool at_end() const { return next_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[next_]; }
  Position here() const { return {file_, line_, column_}; }

  void take() {
    const char c = text_[next_++];
    if (c == '\n') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++column_;
    }
  }

  bool take_if(char c) {
    if (at_end() || text_[next_] != c) return false;
    take();
    return true;
  }

  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') take();
  }

  tl::unexpected<Error> wrong(std::string_view what) const { return wrong_at(here(), what); }

  static tl::unexpected<Error> wrong_at(const Position& place, std::string_view what) {
    return fail(ErrorCode::kUsage, "{}: not valid JSON: {}", to_string(place), what);
  }

  Result<Node> value(const std::string& key, int depth) {
    if (depth > kDeepestJsonNode) return wrong("nested deeper than 200 levels");
    const auto place = here();
    VALENCE_TRY(auto content, content_of(key, depth));
    return Node(std::move(content), place, key);
  }

  Result<Node::Value> content_of(const std::string& key, int depth) {
    switch (peek()) {
      case '{': return object(key, depth);
      case '[': return array(key, depth);
      case '"': return string().map([](std::string&& text) { return Node::Value(std::move(text)); });
      case 't': return literal("true", true);
      case 'f': return literal("false", false);
      case 'n': return literal("null", std::monostate());
      default: return number();
    }
  }

  Result<Node::Value> literal(std::string_view word, Node::Value meaning) {
    if (!text_.substr(next_).starts_with(word)) return wrong("expected a value");
    for (std::size_t i = 0; i < word.size(); ++i) take();
    return meaning;
  }

  Result<Node::Value> object(const std::string& key, int depth) {
    Node::Table table;
    std::set<std::string> seen;
    take();
    skip_space();
    if (take_if('}')) return Node::Value(std::move(table));
    for (;;) {
      const auto place = here();
      if (peek() != '"') return wrong("expected a key in double quotes");
      VALENCE_TRY(auto name, string());
      if (!seen.insert(name).second) {
        return wrong_at(place, fmt::format("the key \"{}\" stands twice", printable(name)));
      }
      skip_space();
      if (!take_if(':')) return wrong("expected \":\" after a key");
      skip_space();
      VALENCE_TRY(auto member, value(key.empty() ? name : key + "." + name, depth + 1));
      table.emplace_back(std::move(name), std::move(member));
      skip_space();
      if (take_if('}')) return Node::Value(std::move(table));
      if (!take_if(',')) return wrong("expected \",\" or \"}\"");
      skip_space();
    }
  }

  Result<Node::Value> array(const std::string& key, int depth) {
    Node::Array items;
    take();
    skip_space();
    if (take_if(']')) return Node::Value(std::move(items));
    for (;;) {
      VALENCE_TRY(auto item, value(fmt::format("{}[{}]", key, items.size()), depth + 1));
      items.push_back(std::move(item));
      skip_space();
      if (take_if(']')) return Node::Value(std::move(items));
      if (!take_if(',')) return wrong("expected \",\" or \"]\"");
      skip_space();
    }
  }

  Result<std::string> string() {
    const auto opening = here();
    std::string out;
    take();
    for (;;) {
      if (at_end()) return wrong_at(opening, "the text opened here is never closed");
      const char c = peek();
      if (take_if('"')) return out;
      if (static_cast<unsigned char>(c) < 0x20) {
        return wrong("a control character in a text; write it as \\n or \\u00XX");
      }
      if (c == '\\') {
        VALENCE_CHECK(escape(out));
      } else {
        out += c;
        take();
      }
    }
  }

  Result<void> escape(std::string& out) {
    const auto place = here();
    take();
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (take_if('u')) return unicode_escape(out, place);
    const auto which = at_end() ? std::string_view::npos : kLetters.find(peek());
    if (which == std::string_view::npos) return wrong_at(place, "unknown escape; a backslash itself is written \\\\");
    take();
    out += kMeanings[which];
    return {};
  }

  Result<void> unicode_escape(std::string& out, const Position& place) {
    VALENCE_TRY(auto point, four_digits(place));
    if (point >= 0xD800 && point < 0xDC00 && text_.substr(next_).starts_with("\\u")) {
      take();
      take();
      VALENCE_TRY(const auto low, four_digits(place));
      if (low < 0xDC00 || low > 0xDFFF) return wrong_at(place, "half of a surrogate pair");
      point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
    }
    if (point >= 0xD800 && point < 0xE000) return wrong_at(place, "half of a surrogate pair");
    append_utf8(out, point);
    return {};
  }

  Result<std::uint32_t> four_digits(const Position& place) {
    std::uint32_t point = 0;
    const auto digits = text_.substr(next_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), point, 16);
    const bool complete = digits.size() == 4 && end == digits.data() + 4 && error == std::errc();
    if (!complete) return wrong_at(place, "expected four hexadecimal digits after \\u");
    for (int i = 0; i < 4; ++i) take();
    return point;
  }

  /// Takes digits; false when there are none.
  bool take_digits() {
    const auto start = next_;
    while (is_digit(peek())) take();
    return next_ > start;
  }

  Result<Node::Value> number() {
    const auto place = here();
    const auto start = next_;
    take_if('-');
    const bool leading_zero = peek() == '0';
    const auto first_digit = next_;
    if (!take_digits()) return wrong_at(place, "expected a value");
    if (leading_zero && next_ - first_digit > 1) return wrong_at(place, "a number may not begin with 0");
    bool whole = true;
    if (take_if('.')) {
      whole = false;
      if (!take_digits()) return wrong_at(place, "expected digits after the decimal point");
    }
    if (take_if('e') || take_if('E')) {
      whole = false;
      if (!take_if('+')) take_if('-');
      if (!take_digits()) return wrong_at(place, "expected digits in the exponent");
    }
    return number_from(text_.substr(start, next_ - start), whole, place);
  }

  /// Whole numbers beyond 64 bits become the nearest double, as in other readers of JSON.
  static Result<Node::Value> number_from(std::string_view digits, bool whole, const Position& place) {
    std::int64_t integer = 0;
    const auto* end = digits.data() + digits.size();
    if (whole && std::from_chars(digits.data(), end, integer).ec == std::errc()) return Node::Value(integer);
    double real = 0.0;
    const bool fits = std::from_chars(digits.data(), end, real).ec == std::errc();
    if (!fits) return wrong_at(place, fmt::format("the number {} is out of range", digits));
    return Node::Value(real);
  }

  std::string_view text_;
  std::string file_;
  std::size_t next_ = 0;
  int line_;
  int column_ = 1;
};

bool is_blank_json(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

Result<Node> parse_json_node(std::string_view text, std::string_view name, int first_line) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  VALENCE_CHECK(require_utf8(text, name, first_line));
  return JsonReader(text, name, first_line).document();
}

Result<std::vector<Node>> read_jsonl(const std::filesystem::path& path) {
  VALENCE_TRY(const auto text, read_file(path));
  return parse_jsonl(text, path.string());
}

Result<std::vector<Node>> parse_jsonl(std::string_view text, std::string_view name) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<Node> rows;
  for (int line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (is_blank_json(row)) continue;
    VALENCE_TRY(auto node, parse_json_node(row, name, line));
    if (!node.is_table()) return tl::unexpected(node.error("each line should hold one JSON object in braces"));
    rows.push_back(std::move(node));
  }
  return rows;
}

}  // namespace valence
